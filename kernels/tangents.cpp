#include "kernels/tangents.hpp"

namespace orrery {

template <class T>
void activate_tangent(const Context& ctx, Activation a, int64_t count, int64_t n, MatrixView<const T> bias,
                      MatrixView<const T> h, MatrixView<T> dh) {
  expects(h.extent(1) == count * n && dh.extent(1) == count * n && dh.extent(0) == h.extent(0) && bias.extent(1) == n &&
              bias.extent(0) == h.extent(0),
          "h and dh of shape (rows, count * n) and bias of shape (rows, n)");
  expects(h.where() == ctx.backend && dh.where() == ctx.backend && bias.where() == ctx.backend,
          "h, dh and bias on the context's side");
  if (dh.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::activate_tangent_impl<T, B>(ctx, a, count, n, bias, h, dh); });
}

template <class T>
void softmax_loss_tangent(const Context& ctx, const Rows& rows, int64_t count, int classes, MatrixView<T> z,
                          MatrixView<T> dz, MatrixView<const int32_t> y, MatrixView<const T> bias,
                          MatrixView<const T> bias_along, MatrixView<T> out) {
  expects(z.extent(0) == rows.count && z.extent(1) == count * classes && dz.extent(0) == rows.count &&
              dz.extent(1) == z.extent(1) && y.extent(0) == rows.count && y.extent(1) == count,
          "z and dz of shape (rows, count * C), y of shape (rows, count)");
  expects(bias.extent(1) == classes && bias_along.extent(1) == classes && out.extent(1) == classes &&
              out.extent(0) == rows.count && out.stride() >= classes,
          "biases and a result of shape (rows, C), each row of the result its own");
  expects(z.where() == ctx.backend && dz.where() == ctx.backend && out.where() == ctx.backend,
          "z, dz and the result on the context's side");
  if (rows.count == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() {
    detail::softmax_loss_tangent_impl<T, B>(ctx, rows, count, classes, z, dz, y, bias, bias_along, out);
  });
}

template <class T>
void backward_tangent(const Context& ctx, Activation a, int64_t count, int64_t n, MatrixView<const T> h,
                      MatrixView<const T> dh, MatrixView<T> e, MatrixView<T> de, MatrixView<T> out) {
  for (const auto& m : {dh, MatrixView<const T>(e), MatrixView<const T>(de), h})
    expects(m.extent(0) == h.extent(0) && m.extent(1) == count * n && m.where() == ctx.backend,
            "h, dh, e and de of shape (rows, count * n) on the context's side");
  expects(out.extent(0) == h.extent(0) && out.extent(1) == n && out.stride() >= n,
          "a result of shape (rows, n), each row its own");
  if (h.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::backward_tangent_impl<T, B>(ctx, a, count, n, h, dh, e, de, out); });
}

#define ORRERY_INSTANTIATE(T)                                                                                    \
  template void activate_tangent<T>(const Context&, Activation, int64_t, int64_t, MatrixView<const T>,           \
                                    MatrixView<const T>, MatrixView<T>);                                         \
  template void softmax_loss_tangent<T>(const Context&, const Rows&, int64_t, int, MatrixView<T>, MatrixView<T>, \
                                        MatrixView<const int32_t>, MatrixView<const T>, MatrixView<const T>,     \
                                        MatrixView<T>);                                                          \
  template void backward_tangent<T>(const Context&, Activation, int64_t, int64_t, MatrixView<const T>,           \
                                    MatrixView<const T>, MatrixView<T>, MatrixView<T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
