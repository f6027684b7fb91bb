#include "kernels/distances.hpp"

namespace orrery {

template <class T>
void row_distances(const Context& ctx, MatrixView<const T> x, MatrixView<const T> y, VectorView<const int64_t> index,
                   VectorView<double> out) {
  expects(out.size() == x.extent(0), "one distance per row");
  expects(y.extent(0) == 0 || (y.extent(1) == x.extent(1) && index.size() == x.extent(0)),
          "an index into y for every row of x");
  expects(out.where() == ctx.backend, "distances on the context's side");
  if (x.extent(0) == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::row_distances_impl<T, B>(ctx, x, y, index, out); });
}

void segment_sums(const Context& ctx, MatrixView<const double> values, VectorView<double> out) {
  expects(out.size() == values.extent(0), "one sum per row");
  expects(values.stride() == values.extent(1), "dense values");
  if (values.extent(0) == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::segment_sums_impl<B>(ctx, values, out); });
}

int64_t total(const Context& ctx, VectorView<const int64_t> values) {
  if (values.size() == 0) return 0;
  return dispatch(ctx.backend, [&]<Backend B>() { return detail::total_impl<B>(ctx, values); });
}

template void row_distances<float>(const Context&, MatrixView<const float>, MatrixView<const float>,
                                   VectorView<const int64_t>, VectorView<double>);
template void row_distances<double>(const Context&, MatrixView<const double>, MatrixView<const double>,
                                    VectorView<const int64_t>, VectorView<double>);

}  // namespace orrery
