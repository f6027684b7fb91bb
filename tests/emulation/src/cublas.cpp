// cuBLAS on CBLAS: both are column-major here, so a call maps one to one, per batch entry.
#include "cublas_v2.h"

#include <cblas.h>

#include <bit>
#include <cstdint>
#include <vector>

#include "internal.hpp"

struct cublasContext {
  cudaStream_t stream = nullptr;
  cublasMath_t math = CUBLAS_DEFAULT_MATH;
  cublasPointerMode_t pointers = CUBLAS_POINTER_MODE_HOST;
};

namespace orrery::emulation {
namespace {

enum class Rounding { none, tf32, bf16 };

// Round to nearest even on `bits` explicit mantissa bits; infinities and NaN pass.
float round_mantissa(float x, int bits) {
  auto u = std::bit_cast<uint32_t>(x);
  if ((u & 0x7f800000u) == 0x7f800000u) return x;
  const int drop = 23 - bits;
  u += ((1u << (drop - 1)) - 1) + (u >> drop & 1);
  return std::bit_cast<float>(u >> drop << drop);
}

template <class T>
struct Product {
  cublasOperation_t transa, transb;
  int m, n, k;
  T alpha, beta;
  const T *a, *b;
  T* c;
  int lda, ldb, ldc;
  long long stride_a = 0, stride_b = 0, stride_c = 0;
  int batch = 1;
  Rounding rounding = Rounding::none;
};

CBLAS_TRANSPOSE flag(cublasOperation_t op) { return op == CUBLAS_OP_N ? CblasNoTrans : CblasTrans; }

// Bytes from the first to the last element of a column-major (rows, cols) matrix.
template <class T>
size_t extent(int rows, int cols, int ld) {
  return rows == 0 || cols == 0 ? 0 : (size_t(ld) * (cols - 1) + rows) * sizeof(T);
}

template <class T>
std::vector<T> rounded(const T* p, size_t bytes, Rounding r) {
  std::vector<T> v(p, p + bytes / sizeof(T));
  if constexpr (std::is_same_v<T, float>)
    for (T& x : v) x = round_mantissa(x, r == Rounding::tf32 ? 10 : 7);
  return v;
}

template <class T>
cudaError_t multiply(const Product<T>& p) {
  const bool ta = p.transa != CUBLAS_OP_N, tb = p.transb != CUBLAS_OP_N;
  const size_t bytes_a = extent<T>(ta ? p.k : p.m, ta ? p.m : p.k, p.lda),
               bytes_b = extent<T>(tb ? p.n : p.k, tb ? p.k : p.n, p.ldb), bytes_c = extent<T>(p.m, p.n, p.ldc);
  for (int i = 0; i < p.batch; ++i) {
    const T* a = p.a + i * p.stride_a;
    const T* b = p.b + i * p.stride_b;
    T* c = p.c + i * p.stride_c;
    if (!device_range(c, bytes_c, "cuBLAS: matrix C")) return cudaErrorIllegalAddress;
    if (p.alpha != T(0) &&
        (!device_range(a, bytes_a, "cuBLAS: matrix A") || !device_range(b, bytes_b, "cuBLAS: matrix B")))
      return cudaErrorIllegalAddress;

    std::vector<T> ra, rb;
    if (p.rounding != Rounding::none && p.alpha != T(0)) {
      ra = rounded(a, bytes_a, p.rounding), rb = rounded(b, bytes_b, p.rounding);
      a = ra.data(), b = rb.data();
    }
    // beta = 0 must not read C, which may be fresh memory; not every BLAS keeps that rule.
    if (p.beta == T(0))
      for (int col = 0; col < p.n; ++col) std::fill_n(c + size_t(col) * p.ldc, p.m, T(0));
    if (p.k == 0 || p.alpha == T(0)) {
      for (int col = 0; p.beta != T(0) && col < p.n; ++col)
        for (int row = 0; row < p.m; ++row) c[size_t(col) * p.ldc + row] *= p.beta;
    } else if constexpr (std::is_same_v<T, float>) {
      cblas_sgemm(CblasColMajor, flag(p.transa), flag(p.transb), p.m, p.n, p.k, p.alpha, a, p.lda, b, p.ldb, p.beta, c,
                  p.ldc);
    } else {
      cblas_dgemm(CblasColMajor, flag(p.transa), flag(p.transb), p.m, p.n, p.k, p.alpha, a, p.lda, b, p.ldb, p.beta, c,
                  p.ldc);
    }
  }
  return cudaSuccess;
}

// cuBLAS' own checks of the arguments.
template <class T>
bool valid(const Product<T>& p) {
  const int rows_a = p.transa == CUBLAS_OP_N ? p.m : p.k, rows_b = p.transb == CUBLAS_OP_N ? p.k : p.n;
  return p.m >= 0 && p.n >= 0 && p.k >= 0 && p.batch >= 0 && p.lda >= std::max(1, rows_a) &&
         p.ldb >= std::max(1, rows_b) && p.ldc >= std::max(1, p.m);
}

cublasStatus_t invalid(const char* why) {
  fail(cudaErrorInvalidValue, std::string("cuBLAS: ") + why);
  cudaGetLastError();  // cuBLAS reports by its own status
  return CUBLAS_STATUS_INVALID_VALUE;
}
cublasStatus_t status(cudaError_t e) {
  if (e == cudaSuccess) return CUBLAS_STATUS_SUCCESS;
  cudaGetLastError();
  return CUBLAS_STATUS_EXECUTION_FAILED;
}

// The scalars as the call passes them: host pointers are read now.
template <class T>
bool scalars(cublasHandle_t h, const T* alpha, const T* beta, Product<T>& p) {
  if (h->pointers != CUBLAS_POINTER_MODE_HOST || !alpha || !beta) return false;
  p.alpha = *alpha, p.beta = *beta;
  return true;
}

template <class T>
cublasStatus_t gemm(cublasHandle_t h, const T* alpha, const T* beta, Product<T> p) {
  if (!h) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!scalars(h, alpha, beta, p)) return invalid("null scalars, or device pointer mode, which is not emulated");
  if (!valid(p)) return invalid("a dimension is negative or a leading dimension too small");
  if (p.batch > 1 && p.stride_c == 0) return invalid("the results of a batch overlap: stride of C is 0");
  if (p.m == 0 || p.n == 0 || p.batch == 0) return CUBLAS_STATUS_SUCCESS;
  if (h->math == CUBLAS_TF32_TENSOR_OP_MATH && p.rounding == Rounding::none && std::is_same_v<T, float>)
    p.rounding = Rounding::tf32;
  return status(submit(h->stream, [p] { return multiply(p); }));
}

template <class T>
cublasStatus_t gemm_batched(cublasHandle_t h, const T* alpha, const T* beta, Product<T> p, const T* const* a,
                            const T* const* b, T* const* c) {
  if (!h) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (!scalars(h, alpha, beta, p)) return invalid("null scalars, or device pointer mode, which is not emulated");
  if (!valid(p)) return invalid("a dimension is negative or a leading dimension too small");
  if (p.m == 0 || p.n == 0 || p.batch == 0) return CUBLAS_STATUS_SUCCESS;
  if (h->math == CUBLAS_TF32_TENSOR_OP_MATH && std::is_same_v<T, float>) p.rounding = Rounding::tf32;
  return status(submit(h->stream, [=] {
    const size_t bytes = sizeof(void*) * static_cast<size_t>(p.batch);
    if (!device_range(a, bytes, "cuBLAS: array of A") || !device_range(b, bytes, "cuBLAS: array of B") ||
        !device_range(c, bytes, "cuBLAS: array of C"))
      return cudaErrorIllegalAddress;
    for (int i = 0; i < p.batch; ++i) {
      Product<T> one = p;
      one.batch = 1, one.a = a[i], one.b = b[i], one.c = c[i];
      if (const cudaError_t e = multiply(one)) return e;
    }
    return cudaSuccess;
  }));
}

// y <- alpha op(A) x + beta y
template <class T>
cublasStatus_t gemv(cublasHandle_t h, cublasOperation_t trans, int m, int n, const T* alpha, const T* a, int lda,
                    const T* x, int incx, const T* beta, T* y, int incy) {
  if (!h) return CUBLAS_STATUS_NOT_INITIALIZED;
  Product<T> p{};
  if (!scalars(h, alpha, beta, p)) return invalid("null scalars, or device pointer mode, which is not emulated");
  if (m < 0 || n < 0 || lda < std::max(1, m) || incx == 0 || incy == 0) return invalid("gemv: dimensions");
  if (incx < 0 || incy < 0) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (m == 0 || n == 0) return CUBLAS_STATUS_SUCCESS;
  return status(submit(h->stream, [=, alpha = p.alpha, beta = p.beta] {
    const size_t nx = trans == CUBLAS_OP_N ? n : m, ny = trans == CUBLAS_OP_N ? m : n;
    if (!device_range(a, extent<T>(m, n, lda), "cuBLAS: matrix A") ||
        !device_range(x, ((nx - 1) * incx + 1) * sizeof(T), "cuBLAS: vector x") ||
        !device_range(y, ((ny - 1) * incy + 1) * sizeof(T), "cuBLAS: vector y"))
      return cudaErrorIllegalAddress;
    for (size_t i = 0; beta == T(0) && i < ny; ++i) y[i * incy] = 0;
    if constexpr (std::is_same_v<T, float>)
      cblas_sgemv(CblasColMajor, flag(trans), m, n, alpha, a, lda, x, incx, beta, y, incy);
    else
      cblas_dgemv(CblasColMajor, flag(trans), m, n, alpha, a, lda, x, incx, beta, y, incy);
    return cudaSuccess;
  }));
}

}  // namespace
}  // namespace orrery::emulation

using namespace orrery::emulation;

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  if (!handle) return CUBLAS_STATUS_INVALID_VALUE;
  if (refuse_in_capture("cublasCreate")) return cudaGetLastError(), CUBLAS_STATUS_NOT_INITIALIZED;
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasGetVersion(cublasHandle_t, int* version) {
  *version = 130000;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasGetStream(cublasHandle_t handle, cudaStream_t* stream) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  *stream = handle->stream;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void* workspace, size_t bytes) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  if (reinterpret_cast<uintptr_t>(workspace) % 256) return invalid("the workspace is not aligned to 256 bytes");
  return device_range(workspace, bytes, "cuBLAS: workspace") ? CUBLAS_STATUS_SUCCESS
                                                             : invalid("the workspace is not device memory");
}
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  handle->math = mode;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t* mode) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  *mode = handle->math;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetPointerMode(cublasHandle_t handle, cublasPointerMode_t mode) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  handle->pointers = mode;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasGetPointerMode(cublasHandle_t handle, cublasPointerMode_t* mode) {
  if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
  *mode = handle->pointers;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t) {
  return handle ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_INITIALIZED;
}
const char* cublasGetStatusName(cublasStatus_t s) {
  switch (s) {
    case CUBLAS_STATUS_SUCCESS: return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED: return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_ARCH_MISMATCH: return "CUBLAS_STATUS_ARCH_MISMATCH";
    case CUBLAS_STATUS_MAPPING_ERROR: return "CUBLAS_STATUS_MAPPING_ERROR";
    case CUBLAS_STATUS_EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_INTERNAL_ERROR: return "CUBLAS_STATUS_INTERNAL_ERROR";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
    case CUBLAS_STATUS_LICENSE_ERROR: return "CUBLAS_STATUS_LICENSE_ERROR";
  }
  return "unknown cuBLAS status";
}
const char* cublasGetStatusString(cublasStatus_t s) { return cublasGetStatusName(s); }

#define ORRERY_EMULATION_GEMM(T, letter)                                                                               \
  cublasStatus_t cublas##letter##gemm(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n,      \
                                      int k, const T* alpha, const T* A, int lda, const T* B, int ldb, const T* beta,  \
                                      T* C, int ldc) {                                                                 \
    return gemm<T>(h, alpha, beta, {ta, tb, m, n, k, T(0), T(0), A, B, C, lda, ldb, ldc});                             \
  }                                                                                                                    \
  cublasStatus_t cublas##letter##gemmStridedBatched(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb,      \
                                                    int m, int n, int k, const T* alpha, const T* A, int lda,          \
                                                    long long sa, const T* B, int ldb, long long sb, const T* beta,    \
                                                    T* C, int ldc, long long sc, int batch) {                          \
    return gemm<T>(h, alpha, beta, {ta, tb, m, n, k, T(0), T(0), A, B, C, lda, ldb, ldc, sa, sb, sc, batch});          \
  }                                                                                                                    \
  cublasStatus_t cublas##letter##gemmBatched(                                                                          \
      cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k, const T* alpha,               \
      const T* const A[], int lda, const T* const B[], int ldb, const T* beta, T* const C[], int ldc, int batch) {     \
    return gemm_batched<T>(h, alpha, beta,                                                                             \
                           {ta, tb, m, n, k, T(0), T(0), nullptr, nullptr, nullptr, lda, ldb, ldc, 0, 0, 0, batch}, A, \
                           B, C);                                                                                      \
  }                                                                                                                    \
  cublasStatus_t cublas##letter##gemv(cublasHandle_t h, cublasOperation_t trans, int m, int n, const T* alpha,         \
                                      const T* A, int lda, const T* x, int incx, const T* beta, T* y, int incy) {      \
    return gemv<T>(h, trans, m, n, alpha, A, lda, x, incx, beta, y, incy);                                             \
  }
ORRERY_EMULATION_GEMM(float, S)
ORRERY_EMULATION_GEMM(double, D)
#undef ORRERY_EMULATION_GEMM

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n,
                                          int k, const void* alpha, const void* A, cudaDataType type_a, int lda,
                                          long long sa, const void* B, cudaDataType type_b, int ldb, long long sb,
                                          const void* beta, void* C, cudaDataType type_c, int ldc, long long sc,
                                          int batch, cublasComputeType_t compute, cublasGemmAlgo_t) {
  if (type_a != type_b || type_b != type_c) return CUBLAS_STATUS_NOT_SUPPORTED;
  auto call = [&]<class T>(T, Rounding rounding) {
    return gemm<T>(h, static_cast<const T*>(alpha), static_cast<const T*>(beta),
                   {ta, tb, m, n, k, T(0), T(0), static_cast<const T*>(A), static_cast<const T*>(B), static_cast<T*>(C),
                    lda, ldb, ldc, sa, sb, sc, batch, rounding});
  };
  if (type_a == CUDA_R_32F) {
    switch (compute) {
      case CUBLAS_COMPUTE_32F:
      case CUBLAS_COMPUTE_32F_PEDANTIC: return call(0.0f, Rounding::none);
      case CUBLAS_COMPUTE_32F_FAST_16F:
      case CUBLAS_COMPUTE_32F_FAST_TF32: return call(0.0f, Rounding::tf32);
      case CUBLAS_COMPUTE_32F_FAST_16BF: return call(0.0f, Rounding::bf16);
      default: return CUBLAS_STATUS_NOT_SUPPORTED;
    }
  }
  if (type_a == CUDA_R_64F && (compute == CUBLAS_COMPUTE_64F || compute == CUBLAS_COMPUTE_64F_PEDANTIC))
    return call(0.0, Rounding::none);
  return CUBLAS_STATUS_NOT_SUPPORTED;
}
cublasStatus_t cublasGemmEx(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k,
                            const void* alpha, const void* A, cudaDataType type_a, int lda, const void* B,
                            cudaDataType type_b, int ldb, const void* beta, void* C, cudaDataType type_c, int ldc,
                            cublasComputeType_t compute, cublasGemmAlgo_t algo) {
  return cublasGemmStridedBatchedEx(h, ta, tb, m, n, k, alpha, A, type_a, lda, 0, B, type_b, ldb, 0, beta, C, type_c,
                                    ldc, 0, 1, compute, algo);
}
