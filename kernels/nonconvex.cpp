#include "kernels/nonconvex.hpp"

namespace orrery {
namespace {

template <class Risk, class T>
void expect_shape(const Context& ctx, const Risk& f, int64_t rows, MatrixView<T> x, const char* what) {
  expects(x.extent(0) == rows && x.extent(1) == Risk::parameters, what);
  expects(x.where() == ctx.backend && f.own.size() > 0 && f.own.where() == ctx.backend,
          "x and the workers' own numbers on the context's side");
}

}  // namespace

template <class Risk, class T>
void nonconvex_steps(const Context& ctx, const Risk& f, const Rows& rows, Slot slot, int64_t steps, MatrixView<T> x,
                     const Momentum<T>& m) {
  expect_shape(ctx, f, rows.count, x, "x of shape (rows, P)");
  if (m.on()) expect_shape(ctx, f, rows.count, m.velocity, "v of shape (rows, P)");
  if (rows.count == 0 || steps == 0) return;
  dispatch(ctx.backend,
           [&]<Backend B>() { detail::nonconvex_steps_impl<Risk, T, B>(ctx, f, rows, slot, steps, x, m); });
}

template <class Risk, class T>
void nonconvex_gradients(const Context& ctx, const Risk& f, const Rows& rows, Slot slot, MatrixView<const T> x,
                         MatrixView<T> g) {
  expect_shape(ctx, f, rows.count, x, "x of shape (rows, P)");
  expect_shape(ctx, f, rows.count, g, "g of shape (rows, P)");
  if (rows.count == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::nonconvex_gradients_impl<Risk, T, B>(ctx, f, rows, slot, x, g); });
}

template <class Risk, class T>
void nonconvex_hessian(const Context& ctx, const Risk& f, const Rows& rows, Slot slot, MatrixView<const T> x,
                       MatrixView<const T> v, MatrixView<T> out) {
  expect_shape(ctx, f, rows.count, x, "x of shape (rows, P)");
  expect_shape(ctx, f, rows.count, v, "v of shape (rows, P)");
  expect_shape(ctx, f, rows.count, out, "the result of shape (rows, P)");
  if (rows.count == 0) return;
  dispatch(ctx.backend,
           [&]<Backend B>() { detail::nonconvex_hessian_impl<Risk, T, B>(ctx, f, rows, slot, x, v, out); });
}

template <class Risk, class T>
void nonconvex_losses(const Context& ctx, const Risk& f, VectorView<const int32_t> which, MatrixView<const T> x,
                      VectorView<double> out) {
  expect_shape(ctx, f, which.size(), x, "x of shape (rows, P)");
  expects(out.size() == which.size(), "one loss per row");
  if (which.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::nonconvex_losses_impl<Risk, T, B>(ctx, f, which, x, out); });
}

#define ORRERY_INSTANTIATE(Risk, T)                                                                                    \
  template void nonconvex_steps<Risk, T>(const Context&, const Risk&, const Rows&, Slot, int64_t, MatrixView<T>,       \
                                         const Momentum<T>&);                                                          \
  template void nonconvex_gradients<Risk, T>(const Context&, const Risk&, const Rows&, Slot, MatrixView<const T>,      \
                                             MatrixView<T>);                                                           \
  template void nonconvex_hessian<Risk, T>(const Context&, const Risk&, const Rows&, Slot, MatrixView<const T>,        \
                                           MatrixView<const T>, MatrixView<T>);                                        \
  template void nonconvex_losses<Risk, T>(const Context&, const Risk&, VectorView<const int32_t>, MatrixView<const T>, \
                                          VectorView<double>);
ORRERY_INSTANTIATE(TwoWell, float)
ORRERY_INSTANTIATE(TwoWell, double)
ORRERY_INSTANTIATE(Factorization, float)
ORRERY_INSTANTIATE(Factorization, double)
#undef ORRERY_INSTANTIATE

}  // namespace orrery
