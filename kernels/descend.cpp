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

#define ORRERY_INSTANTIATE(T)                                                                                         \
  template void descend<T>(const Context&, const Rows&, MatrixView<T>, MatrixView<const T>);                          \
  template void add_decay<T>(const Context&, const Rows&, Slot, double, int64_t, MatrixView<const T>, MatrixView<T>); \
  template void decay<T>(const Context&, const Rows&, Slot, double, int64_t, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
