// cuBLAS, CUB and Thrust in the emulated build, against plain loops.
#include <cublas_v2.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cub/cub.cuh>
#include <random>

#ifdef ORRERY_EMULATED_THRUST
#include <thrust/device_ptr.h>
#include <thrust/execution_policy.h>
#include <thrust/reduce.h>
#endif

#include "kernels/core/launch.cuh"
#include "support.hpp"

namespace orrery {
namespace {

using emulation::test::Device;

class Libraries : public testing::Test {
 protected:
  void SetUp() override {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    check(cublasCreate(&blas_));
    check(cublasSetStream(blas_, stream_));
  }
  void TearDown() override {
    cublasDestroy(blas_);
    cudaStreamDestroy(stream_);
    emulation::set_quiet(false);
  }
  cudaStream_t stream_ = nullptr;
  cublasHandle_t blas_ = nullptr;
};

template <class T>
std::vector<T> random_values(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<T> v(n);
  for (T& x : v) x = static_cast<T>(uniform(random));
  return v;
}

// Largest error of C = alpha op(A) op(B) + beta C over a batch, for matrices with some rows to spare.
template <class T, class Call>
double product_error(bool ta, bool tb, T beta, bool shared_a, Call&& call) {
  const int m = 5, n = 7, k = 6, batch = 3, lda = (ta ? k : m) + 1, ldb = (tb ? n : k) + 2, ldc = m + 3;
  const long long sa = shared_a ? 0 : lda * (ta ? m : k), sb = ldb * (tb ? k : n), sc = ldc * n;
  const auto a = random_values<T>(lda * (ta ? m : k) * batch, 1), b = random_values<T>(sb * batch, 2),
             c = random_values<T>(sc * batch, 3);
  Device<T> da(a), db(b), dc(sc * batch);
  if (beta != T(0)) dc.set(c);  // else fresh memory, which is NaN: beta = 0 must not read it
  const T alpha = T(1.5);
  call(ta ? CUBLAS_OP_T : CUBLAS_OP_N, tb ? CUBLAS_OP_T : CUBLAS_OP_N, m, n, k, &alpha, da.data(), lda, sa, db.data(),
       ldb, sb, &beta, dc.data(), ldc, sc, batch);
  const auto got = dc.get();
  double error = 0;
  for (int i = 0; i < batch; ++i)
    for (int col = 0; col < n; ++col)
      for (int row = 0; row < m; ++row) {
        double want = beta == T(0) ? 0.0 : static_cast<double>(beta) * c[i * sc + col * ldc + row];
        for (int l = 0; l < k; ++l)
          want += 1.5 * static_cast<double>(a[i * sa + (ta ? row * lda + l : l * lda + row)]) *
                  b[i * sb + (tb ? l * ldb + col : col * ldb + l)];
        const double e = std::abs(got[i * sc + col * ldc + row] - want);
        error = e > error || std::isnan(e) ? e : error;
      }
  return error;
}

TEST_F(Libraries, StridedBatchedProducts) {
  for (bool ta : {false, true})
    for (bool tb : {false, true})
      for (double beta : {0.0, 0.5})
        for (bool shared_a : {false, true}) {
          EXPECT_LT(product_error<float>(ta, tb, static_cast<float>(beta), shared_a,
                                         [&](auto... v) { check(cublasSgemmStridedBatched(blas_, v...)); }),
                    1e-5);
          EXPECT_LT(product_error<double>(ta, tb, beta, shared_a,
                                          [&](auto... v) { check(cublasDgemmStridedBatched(blas_, v...)); }),
                    1e-13);
        }
}

// The extended call with each compute type: float64 and strict float32 are near, TF32 and BF16 lose as many bits as on
// a tensor core.
TEST_F(Libraries, ExtendedProductsRoundLikeTheirComputeType) {
  auto error = [&]<class T>(T, cudaDataType type, cublasComputeType_t compute) {
    return product_error<T>(
        false, true, T(0), false,
        [&](auto ta, auto tb, int m, int n, int k, const T* alpha, T* a, int lda, long long sa, T* b, int ldb,
            long long sb, const T* beta, T* c, int ldc, long long sc, int batch) {
          check(cublasGemmStridedBatchedEx(blas_, ta, tb, m, n, k, alpha, a, type, lda, sa, b, type, ldb, sb, beta, c,
                                           type, ldc, sc, batch, compute, CUBLAS_GEMM_DEFAULT));
        });
  };
  EXPECT_LT(error(0.0, CUDA_R_64F, CUBLAS_COMPUTE_64F), 1e-13);
  EXPECT_LT(error(0.0f, CUDA_R_32F, CUBLAS_COMPUTE_32F), 1e-5);
  EXPECT_LT(error(0.0f, CUDA_R_32F, CUBLAS_COMPUTE_32F_PEDANTIC), 1e-5);
  const double tf32 = error(0.0f, CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32),
               bf16 = error(0.0f, CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_16BF);
  EXPECT_GT(tf32, 1e-5);
  EXPECT_LT(tf32, 1e-2);
  EXPECT_GT(bf16, tf32);
  EXPECT_LT(bf16, 1e-1);
}

TEST_F(Libraries, ProductsCheckTheirMatrices) {
  emulation::set_quiet(true);
  Device<float> a(4), c(4);
  std::vector<float> host(4);
  const float one = 1, zero = 0;
  auto multiply = [&](int m, int lda, const float* A, float* C) {
    return cublasSgemm(blas_, CUBLAS_OP_N, CUBLAS_OP_N, m, 2, 2, &one, A, lda, a.data(), 2, &zero, C, m);
  };
  EXPECT_EQ(multiply(2, 2, a.data(), c.data()), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(multiply(2, 1, a.data(), c.data()), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(multiply(2, 2, host.data(), c.data()), CUBLAS_STATUS_EXECUTION_FAILED);
  EXPECT_EQ(multiply(3, 3, a.data(), c.data()), CUBLAS_STATUS_EXECUTION_FAILED) << "C is too small";
  EXPECT_THROW(check(multiply(2, 1, a.data(), c.data())), std::exception);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_F(Libraries, ProductsAndSumsAreCapturedWithTheirScalars) {
  Device<float> a({1, 2, 3, 4}), b({1, 0, 0, 1}), c(std::vector<float>(4, 0)), sum(1);
  size_t bytes = 0;
  check(cub::DeviceReduce::Sum(nullptr, bytes, c.data(), sum.data(), 4, stream_));
  Device<char> temp(bytes);
  check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal));
  {
    float alpha = 2, beta = 1;
    check(cublasSgemm(blas_, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &alpha, a.data(), 2, b.data(), 2, &beta, c.data(), 2));
    alpha = beta = 77;  // read at the call
  }
  check(cub::DeviceReduce::Sum(temp.data(), bytes, c.data(), sum.data(), 4, stream_));
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  check(cudaStreamEndCapture(stream_, &graph));
  check(cudaGraphInstantiate(&exec, graph, 0));
  for (int i = 1; i <= 2; ++i) {
    check(cudaGraphLaunch(exec, stream_));
    check(cudaStreamSynchronize(stream_));
    EXPECT_EQ(sum.get()[0], 20.0f * static_cast<float>(i));
  }
  check(cudaGraphExecDestroy(exec));
  check(cudaGraphDestroy(graph));
}

TEST_F(Libraries, SegmentedSums) {
  Device<float> in({1, 2, 3, 4, 5}), out(3);
  Device<int> offsets({0, 2, 2, 5});
  size_t bytes = 0;
  check(cub::DeviceSegmentedReduce::Sum(nullptr, bytes, in.data(), out.data(), 3, offsets.data(), offsets.data() + 1,
                                        stream_));
  EXPECT_GT(bytes, 0u);
  Device<char> temp(bytes);
  check(cub::DeviceSegmentedReduce::Sum(temp.data(), bytes, in.data(), out.data(), 3, offsets.data(),
                                        offsets.data() + 1, stream_));
  EXPECT_EQ(out.get(), (std::vector<float>{3, 0, 12}));
}

#ifdef ORRERY_EMULATED_THRUST
TEST_F(Libraries, ThrustRunsOnItsHostSystem) {
  Device<float> in({1, 2, 3, 4, 5});
  EXPECT_EQ(thrust::reduce(thrust::device, in.data(), in.data() + 5), 15.0f);
  const thrust::device_ptr<float> p(in.data());
  EXPECT_EQ(thrust::reduce(p, p + 5, 1.0f), 16.0f);
}
#endif

}  // namespace
}  // namespace orrery
