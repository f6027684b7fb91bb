#include "kernels/blend.hpp"

namespace orrery {

template <class T>
void blend(const Context& ctx, VectorView<const double> a, MatrixView<const T> x, VectorView<const double> b,
           MatrixView<T> y) {
  expects(x.extent(0) == y.extent(0) && x.extent(1) == y.extent(1), "x and y of shape (rows, P)");
  expects(a.size() == y.extent(0) && b.size() == y.extent(0), "two coefficients for every row");
  if (y.size() == 0) return;
  expects(x.where() == ctx.backend && y.where() == ctx.backend && a.where() == ctx.backend && b.where() == ctx.backend,
          "rows and coefficients on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::blend_impl<T, B>(ctx, a, x, b, y); });
}

#define ORRERY_INSTANTIATE(T)                                                                                     \
  template void blend<T>(const Context&, VectorView<const double>, MatrixView<const T>, VectorView<const double>, \
                         MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
