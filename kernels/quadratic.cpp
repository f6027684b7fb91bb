#include "kernels/quadratic.hpp"

namespace orrery {
namespace {

template <class T>
void expect_noise(const Context& ctx, const QuadraticView<T>& q) {
  expects(q.noises.size() == 0 || (q.noises.size() == q.center.extent(1) && q.noises.where() == ctx.backend),
          "no noises or P of them, on the context's side");
}

}  // namespace

template <class T>
void quadratic_steps(const Context& ctx, const QuadraticView<T>& q, const Rows& rows, Slot slot, int64_t steps,
                     MatrixView<T> x, const Momentum<T>& m) {
  expects(x.extent(0) == rows.count && x.extent(1) == q.center.extent(1), "x of shape (rows, P)");
  expects(x.where() == ctx.backend, "x on the context's side");
  expects(!m.on() || (m.velocity.extent(0) == rows.count && m.velocity.extent(1) == x.extent(1)),
          "v of shape (rows, P)");
  expect_noise(ctx, q);
  if (x.size() == 0 || steps == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::quadratic_steps_impl<T, B>(ctx, q, rows, slot, steps, x, m); });
}

template <class T>
void quadratic_gradients(const Context& ctx, const QuadraticView<T>& q, const Rows& rows, Slot slot,
                         MatrixView<const T> x, MatrixView<T> g) {
  expects(x.extent(1) == q.center.extent(1) && g.extent(1) == x.extent(1) && g.extent(0) == rows.count,
          "x and g of shape (rows, P)");
  expect_noise(ctx, q);
  if (g.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::quadratic_gradients_impl<T, B>(ctx, q, rows, slot, x, g); });
}

template <class T>
void quadratic_hessian(const Context& ctx, const QuadraticView<T>& q, const Rows& rows, Slot slot,
                       MatrixView<const T> v, MatrixView<T> out) {
  expects(v.extent(1) == q.center.extent(1) && v.extent(0) == rows.count && out.extent(1) == v.extent(1) &&
              out.extent(0) == rows.count,
          "v and the result of shape (rows, P)");
  if (out.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::quadratic_hessian_impl<T, B>(ctx, q, rows, slot, v, out); });
}

template <class T, class C>
void quadratic_losses(const Context& ctx, const QuadraticView<C>& q, const Rows& rows, MatrixView<const T> x,
                      VectorView<double> out) {
  expects(x.extent(1) == q.center.extent(1) && out.size() == rows.count, "x of shape (rows, P) and one loss per row");
  if (rows.count == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::quadratic_losses_impl<T, C, B>(ctx, q, rows, x, out); });
}

#define ORRERY_INSTANTIATE(T)                                                                                          \
  template void quadratic_steps<T>(const Context&, const QuadraticView<T>&, const Rows&, Slot, int64_t, MatrixView<T>, \
                                   const Momentum<T>&);                                                                \
  template void quadratic_gradients<T>(const Context&, const QuadraticView<T>&, const Rows&, Slot,                     \
                                       MatrixView<const T>, MatrixView<T>);                                            \
  template void quadratic_hessian<T>(const Context&, const QuadraticView<T>&, const Rows&, Slot, MatrixView<const T>,  \
                                     MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)
#undef ORRERY_INSTANTIATE
#define ORRERY_INSTANTIATE(T, C)                                                                                  \
  template void quadratic_losses<T, C>(const Context&, const QuadraticView<C>&, const Rows&, MatrixView<const T>, \
                                       VectorView<double>);
ORRERY_INSTANTIATE(float, float)
ORRERY_INSTANTIATE(float, double)
ORRERY_INSTANTIATE(double, double)

}  // namespace orrery
