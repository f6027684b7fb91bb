#include "kernels/activation.hpp"

namespace orrery {

template <class T>
void activate_rows(const Context& ctx, Activation a, int64_t count, int64_t n, MatrixView<const T> bias,
                   MatrixView<T> h) {
  expects(h.extent(1) == count * n && bias.extent(1) == n && bias.extent(0) == h.extent(0),
          "h of shape (rows, count * n) and bias of shape (rows, n)");
  expects(h.where() == ctx.backend && bias.where() == ctx.backend, "h and bias on the context's side");
  if (h.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::activate_rows_impl<T, B>(ctx, a, count, n, bias, h); });
}

template <class T>
void activation_backward(const Context& ctx, Activation a, int64_t count, int64_t n, MatrixView<const T> h,
                         MatrixView<T> delta, MatrixView<T> bias_out) {
  expects(h.extent(1) == count * n && delta.extent(1) == h.extent(1) && delta.extent(0) == h.extent(0),
          "h and delta of shape (rows, count * n)");
  expects(bias_out.extent(0) == h.extent(0) && bias_out.extent(1) == n && bias_out.stride() >= n,
          "bias_out of shape (rows, n), each row its own");
  if (h.size() == 0) return;
  dispatch(ctx.backend,
           [&]<Backend B>() { detail::activation_backward_impl<T, B>(ctx, a, count, n, h, delta, bias_out); });
}

#define ORRERY_INSTANTIATE(T)                                                                                       \
  template void activate_rows<T>(const Context&, Activation, int64_t, int64_t, MatrixView<const T>, MatrixView<T>); \
  template void activation_backward<T>(const Context&, Activation, int64_t, int64_t, MatrixView<const T>,           \
                                       MatrixView<T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
