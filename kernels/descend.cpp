#include "kernels/descend.hpp"

namespace orrery {

template <class T>
void descend(const Context& ctx, const Rows& rows, MatrixView<T> w, MatrixView<const T> g) {
  expects(w.extent(0) == rows.count && g.extent(0) == rows.count && w.extent(1) == g.extent(1),
          "w and g of shape (rows, P)");
  expects(w.where() == ctx.backend && g.where() == ctx.backend, "w and g on the context's side");
  if (w.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::descend_impl<T, B>(ctx, rows, w, g); });
}

template <class T>
void add_decay(const Context& ctx, const Rows& rows, Slot slot, double lambda, int64_t n, MatrixView<const T> w,
               MatrixView<T> g) {
  expects(n <= w.extent(1) && n <= g.extent(1), "n parameters in w and g");
  if (lambda == 0 || rows.count == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::add_decay_impl<T, B>(ctx, rows, slot, lambda, n, w, g); });
}

template <class T>
void decay(const Context& ctx, const Rows& rows, Slot slot, double lambda, int64_t n, MatrixView<T> w) {
  expects(n <= w.extent(1), "n parameters in w");
  if (lambda == 0 || rows.count == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::decay_impl<T, B>(ctx, rows, slot, lambda, n, w); });
}

template <class T>
void damp(const Context& ctx, const Rows& rows, Slot slot, const Momentum<T>& m) {
  expects(m.velocity.extent(0) == rows.count && m.velocity.where() == ctx.backend, "a velocity for every row");
  if (m.velocity.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::damp_impl<T, B>(ctx, rows, slot, m); });
}

template <class T>
void push(const Context& ctx, const Rows& rows, Slot slot, const Momentum<T>& m, MatrixView<T> w) {
  expects(m.velocity.extent(0) == rows.count && w.extent(0) == rows.count && m.velocity.extent(1) == w.extent(1),
          "w and velocity of shape (rows, P)");
  if (w.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::push_impl<T, B>(ctx, rows, slot, m, w); });
}

template <class T>
void momentum_descend(const Context& ctx, const Rows& rows, Slot slot, const Momentum<T>& m, MatrixView<T> w,
                      MatrixView<const T> g) {
  expects(m.velocity.extent(0) == rows.count && w.extent(0) == rows.count && g.extent(0) == rows.count &&
              m.velocity.extent(1) == w.extent(1) && g.extent(1) == w.extent(1),
          "w, g and velocity of shape (rows, P)");
  if (w.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::momentum_descend_impl<T, B>(ctx, rows, slot, m, w, g); });
}

#define ORRERY_INSTANTIATE(T)                                                                                         \
  template void descend<T>(const Context&, const Rows&, MatrixView<T>, MatrixView<const T>);                          \
  template void add_decay<T>(const Context&, const Rows&, Slot, double, int64_t, MatrixView<const T>, MatrixView<T>); \
  template void decay<T>(const Context&, const Rows&, Slot, double, int64_t, MatrixView<T>);                          \
  template void damp<T>(const Context&, const Rows&, Slot, const Momentum<T>&);                                       \
  template void push<T>(const Context&, const Rows&, Slot, const Momentum<T>&, MatrixView<T>);                        \
  template void momentum_descend<T>(const Context&, const Rows&, Slot, const Momentum<T>&, MatrixView<T>,             \
                                    MatrixView<const T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
