#include "kernels/group_mean.hpp"

namespace orrery {
namespace {
void check_table(const Context& ctx, const GroupTable& g) {
  expects(g.begin.size() == g.nodes + 1 && g.member.size() == g.weight.size(), "a table of whole groups");
  expects(g.nodes == 0 || g.begin.where() == ctx.backend, "the table on the context's side");
}
}  // namespace

template <class T>
void group_mean(const Context& ctx, const GroupTable& groups, MatrixView<const T> x, MatrixView<T> means) {
  check_table(ctx, groups);
  expects(means.extent(0) == groups.nodes && means.extent(1) == x.extent(1), "means of shape (nodes, P)");
  if (groups.nodes == 0 || x.extent(1) == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::group_mean_impl<T, B>(ctx, groups, x, means); });
}

template <class T>
void group_average(const Context& ctx, const GroupTable& groups, MatrixView<T> x) {
  check_table(ctx, groups);
  if (groups.nodes == 0 || x.extent(1) == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::group_average_impl<T, B>(ctx, groups, x); });
}

template <class T>
void group_mix(const Context& ctx, const GroupTable& groups, const MixTable& mix, MatrixView<const T> means,
               MatrixView<T> x) {
  check_table(ctx, groups);
  expects(mix.begin.size() == groups.nodes + 1, "one column of H per node");
  expects(means.extent(0) == groups.nodes && means.extent(1) == x.extent(1), "means of shape (nodes, P)");
  if (groups.nodes == 0 || x.extent(1) == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::group_mix_impl<T, B>(ctx, groups, mix, means, x); });
}

template <class T>
void group_clear(const Context& ctx, const GroupTable& groups, MatrixView<T> x) {
  check_table(ctx, groups);
  if (groups.nodes == 0 || x.extent(1) == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::group_clear_impl<T, B>(ctx, groups, x); });
}

#define ORRERY_INSTANTIATE(T)                                                                         \
  template void group_clear<T>(const Context&, const GroupTable&, MatrixView<T>);                     \
  template void group_mean<T>(const Context&, const GroupTable&, MatrixView<const T>, MatrixView<T>); \
  template void group_average<T>(const Context&, const GroupTable&, MatrixView<T>);                   \
  template void group_mix<T>(const Context&, const GroupTable&, const MixTable&, MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
