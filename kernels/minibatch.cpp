#include "kernels/minibatch.hpp"

namespace orrery {

template <class T>
void minibatch(const Context& ctx, const Rows& rows, const SampleView& samples, Slot slot, int64_t first, int64_t count,
               MatrixView<T> x, MatrixView<int32_t> y) {
  expects(x.extent(0) == rows.count && x.extent(1) == count * samples.features(), "x of shape (rows, count * d)");
  expects(y.extent(0) == rows.count && y.extent(1) == count, "y of shape (rows, count)");
  expects(x.where() == ctx.backend && y.where() == ctx.backend, "x and y on the context's side");
  if (rows.count == 0 || count == 0) return;
  dispatch(ctx.backend,
           [&]<Backend B>() { detail::minibatch_impl<T, B>(ctx, rows, samples, slot, first, count, x, y); });
}

template <class T>
void gather(const Context& ctx, const SampleView& samples, int64_t first, int64_t count, MatrixView<T> x) {
  expects(first >= 0 && first + count <= samples.count(), "samples inside the set");
  expects(x.extent(0) == count && x.extent(1) == samples.features(), "x of shape (count, d)");
  expects(x.where() == ctx.backend, "x on the context's side");
  if (count == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::gather_impl<T, B>(ctx, samples, first, count, x); });
}

#define ORRERY_INSTANTIATE(T)                                                                                       \
  template void minibatch<T>(const Context&, const Rows&, const SampleView&, Slot, int64_t, int64_t, MatrixView<T>, \
                             MatrixView<int32_t>);                                                                  \
  template void gather<T>(const Context&, const SampleView&, int64_t, int64_t, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
