#include "kernels/batched_gemm.hpp"

namespace orrery {

template <class T>
void batched_gemm(const Context& ctx, int64_t m, int64_t n, int64_t k, T alpha, Operand<const T> a, Operand<const T> b,
                  T beta, Operand<T> c, int64_t count) {
  expects(!c.transposed && c.ld >= n, "a plain result with rows of at least n elements");
  if (m == 0 || n == 0 || count == 0) return;
  dispatch(ctx.backend,
           [&]<Backend B>() { detail::batched_gemm_impl<T, B>(ctx, m, n, k, alpha, a, b, beta, c, count); });
}

#define ORRERY_INSTANTIATE(T)                                                                                        \
  template void batched_gemm<T>(const Context&, int64_t, int64_t, int64_t, T, Operand<const T>, Operand<const T>, T, \
                                Operand<T>, int64_t);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
