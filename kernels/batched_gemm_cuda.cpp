// cuBLAS is column-major: a row-major C = A B is its C^T = B^T A^T, so the operands change places.
#include <type_traits>

#include "kernels/batched_gemm.hpp"
#include "kernels/core/check.hpp"

namespace orrery::detail {
namespace {
cublasOperation_t op(bool t) { return t ? CUBLAS_OP_T : CUBLAS_OP_N; }
int narrow(int64_t n) { return static_cast<int>(n); }

cublasStatus_t strided(cublasHandle_t h, cublasOperation_t opa, cublasOperation_t opb, int m, int n, int k,
                       const float* alpha, const float* a, int lda, long long sa, const float* b, int ldb, long long sb,
                       const float* beta, float* c, int ldc, long long sc, int count) {
  return cublasSgemmStridedBatched(h, opa, opb, m, n, k, alpha, a, lda, sa, b, ldb, sb, beta, c, ldc, sc, count);
}
cublasStatus_t strided(cublasHandle_t h, cublasOperation_t opa, cublasOperation_t opb, int m, int n, int k,
                       const double* alpha, const double* a, int lda, long long sa, const double* b, int ldb,
                       long long sb, const double* beta, double* c, int ldc, long long sc, int count) {
  return cublasDgemmStridedBatched(h, opa, opb, m, n, k, alpha, a, lda, sa, b, ldb, sb, beta, c, ldc, sc, count);
}

// fp32 matrices, factors rounded for the tensor cores, sums in fp32
cublasStatus_t reduced(const Context& ctx, cublasOperation_t opa, cublasOperation_t opb, int m, int n, int k,
                       const float* alpha, const float* a, int lda, long long sa, const float* b, int ldb, long long sb,
                       const float* beta, float* c, int ldc, long long sc, int count) {
  const auto compute = ctx.products == Products::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F_FAST_16BF;
  return cublasGemmStridedBatchedEx(ctx.cublas(), opa, opb, m, n, k, alpha, a, CUDA_R_32F, lda, sa, b, CUDA_R_32F, ldb,
                                    sb, beta, c, CUDA_R_32F, ldc, sc, count, compute, CUBLAS_GEMM_DEFAULT);
}
}  // namespace

template <class T, Backend B>
void batched_gemm_impl(const Context& ctx, int64_t m, int64_t n, int64_t k, T alpha, Operand<const T> a,
                       Operand<const T> b, T beta, Operand<T> c, int64_t count) {
  if constexpr (std::is_same_v<T, float>)
    if (ctx.products != Products::full) {
      check(reduced(ctx, op(b.transposed), op(a.transposed), narrow(n), narrow(m), narrow(k), &alpha, b.data,
                    narrow(b.ld), b.stride, a.data, narrow(a.ld), a.stride, &beta, c.data, narrow(c.ld), c.stride,
                    narrow(count)));
      return;
    }
  check(strided(ctx.cublas(), op(b.transposed), op(a.transposed), narrow(n), narrow(m), narrow(k), &alpha, b.data,
                narrow(b.ld), b.stride, a.data, narrow(a.ld), a.stride, &beta, c.data, narrow(c.ld), c.stride,
                narrow(count)));
}

#define ORRERY_INSTANTIATE(T)                                                                                       \
  template void batched_gemm_impl<T, Backend::cuda>(const Context&, int64_t, int64_t, int64_t, T, Operand<const T>, \
                                                    Operand<const T>, T, Operand<T>, int64_t);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
