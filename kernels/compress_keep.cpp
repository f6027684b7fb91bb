#include "kernels/compress_keep.hpp"

namespace orrery {
namespace {

void check_rule(const KeepRule& rule, int64_t P) {
  expects(P < int64_t{1} << 30, "fewer than 2^30 coordinates");
  if (rule.which == KeepRule::Which::block)
    expects(rule.blocks >= 1 && rule.blocks <= P && rule.dwell >= 1, "1 to P blocks, a dwell of at least one slot");
  else
    expects(rule.k >= 1 && rule.k <= P, "1 to P coordinates to keep");
}

}  // namespace

template <class T>
void keep(const Context& ctx, const Rows& rows, Slot slot, const KeepRule& rule, MatrixView<const T> x,
          MatrixView<T> q) {
  expects(x.extent(0) == rows.count && q.extent(0) == rows.count && q.extent(1) == x.extent(1),
          "numbers and messages of shape (rows, P)");
  if (x.size() == 0) return;
  check_rule(rule, x.extent(1));
  expects(x.where() == ctx.backend && q.where() == ctx.backend && x.data() != q.data(),
          "numbers and messages on the context's side, apart");
  dispatch(ctx.backend, [&]<Backend B>() { detail::keep_impl<T, B>(ctx, rows, slot, rule, x, q); });
}

template <class T>
void keep_places(const Context& ctx, const Rows& rows, Slot slot, const KeepRule& rule, MatrixView<const T> x,
                 MatrixView<int32_t> places) {
  expects(x.extent(0) == rows.count && places.extent(0) == rows.count, "numbers and places of as many rows");
  if (places.size() == 0) return;
  check_rule(rule, x.extent(1));
  const int64_t m = rule.which == KeepRule::Which::block ? (x.extent(1) + rule.blocks - 1) / rule.blocks : rule.k;
  expects(places.extent(1) == m, "as many places as the largest message has");
  expects(x.where() == ctx.backend && places.where() == ctx.backend, "numbers and places on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::keep_places_impl<T, B>(ctx, rows, slot, rule, x, places); });
}

template <class T>
void keep_gather(const Context& ctx, MatrixView<const int32_t> places, MatrixView<const T> x, MatrixView<T> y) {
  expects(x.extent(0) == places.extent(0) && y.extent(0) == places.extent(0) && y.extent(1) == places.extent(1),
          "a number for every place");
  if (y.size() == 0) return;
  expects(x.where() == ctx.backend && y.where() == ctx.backend && places.where() == ctx.backend,
          "numbers and places on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::keep_gather_impl<T, B>(ctx, places, x, y); });
}

template <class T>
void keep_scatter(const Context& ctx, MatrixView<const int32_t> places, double factor, MatrixView<const T> y,
                  MatrixView<T> q) {
  expects(q.extent(0) == places.extent(0) && y.extent(0) == places.extent(0) && y.extent(1) == places.extent(1),
          "a number for every place");
  if (q.size() == 0) return;
  expects(q.where() == ctx.backend && y.where() == ctx.backend && places.where() == ctx.backend,
          "numbers and places on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::keep_scatter_impl<T, B>(ctx, places, factor, y, q); });
}

#define ORRERY_INSTANTIATE(T)                                                                                    \
  template void keep<T>(const Context&, const Rows&, Slot, const KeepRule&, MatrixView<const T>, MatrixView<T>); \
  template void keep_places<T>(const Context&, const Rows&, Slot, const KeepRule&, MatrixView<const T>,          \
                               MatrixView<int32_t>);                                                             \
  template void keep_gather<T>(const Context&, MatrixView<const int32_t>, MatrixView<const T>, MatrixView<T>);   \
  template void keep_scatter<T>(const Context&, MatrixView<const int32_t>, double, MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
