#include <cblas.h>

#include "kernels/batched_gemm.hpp"

namespace orrery::detail {
namespace {
CBLAS_TRANSPOSE op(bool t) { return t ? CblasTrans : CblasNoTrans; }
int narrow(int64_t n) { return static_cast<int>(n); }
}  // namespace

void gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda, const float* b,
          int64_t ldb, float beta, float* c, int64_t ldc) {
  cblas_sgemm(CblasRowMajor, op(ta), op(tb), narrow(m), narrow(n), narrow(k), alpha, a, narrow(lda), b, narrow(ldb),
              beta, c, narrow(ldc));
}
void gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, double alpha, const double* a, int64_t lda,
          const double* b, int64_t ldb, double beta, double* c, int64_t ldc) {
  cblas_dgemm(CblasRowMajor, op(ta), op(tb), narrow(m), narrow(n), narrow(k), alpha, a, narrow(lda), b, narrow(ldb),
              beta, c, narrow(ldc));
}

template <class T, Backend B>
void batched_gemm_impl(const Context&, int64_t m, int64_t n, int64_t k, T alpha, Operand<const T> a, Operand<const T> b,
                       T beta, Operand<T> c, int64_t count) {
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < count; ++r)
    gemm(a.transposed, b.transposed, m, n, k, alpha, a.data + r * a.stride, a.ld, b.data + r * b.stride, b.ld, beta,
         c.data + r * c.stride, c.ld);
}

#define ORRERY_INSTANTIATE(T)                                                                                      \
  template void batched_gemm_impl<T, Backend::cpu>(const Context&, int64_t, int64_t, int64_t, T, Operand<const T>, \
                                                   Operand<const T>, T, Operand<T>, int64_t);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
