#include "kernels/majority_vote.hpp"

#include "kernels/sign_pack.hpp"

namespace orrery {
namespace detail {

void check_ballots(const Context& ctx, const Ballots& b) {
  check_signs(ctx, b.signs);
  expects(b.groups.begin.size() == b.groups.nodes + 1, "a table of whole groups");
  expects(b.groups.nodes == 0 || b.groups.begin.where() == ctx.backend, "the table on the context's side");
  expects(b.groups.largest < int64_t{1} << counter_planes, "groups of fewer than 2^24 members");
  expects(b.present.size() == 0 || b.present.size() == b.signs.rows(), "present of shape (rows)");
}

void check_decision(const Context& ctx, const GroupTable& g, const Decision& out, int64_t coordinates) {
  check_signs(ctx, out.signs);
  expects(out.signs.rows() == g.nodes && out.signs.coordinates == coordinates, "decoded signs of shape (nodes, P)");
  expects(out.tie != SignZero::zero || out.signs.has_zeros(), "a second plane where ties stay");
  expects(out.tie != SignZero::random ||
              (out.seed.size() == g.nodes && out.index.size() == g.nodes && out.slot.base != nullptr),
          "seed, index and slot where ties are drawn");
}

}  // namespace detail

void majority_vote(const Context& ctx, const Ballots& ballots, const Decision& out) {
  detail::check_ballots(ctx, ballots);
  if (ballots.groups.nodes == 0 || ballots.signs.coordinates == 0) return;
  detail::check_decision(ctx, ballots.groups, out, ballots.signs.coordinates);
  dispatch(ctx.backend, [&]<Backend B>() { detail::majority_vote_impl<B>(ctx, ballots, out); });
}

void vote_counts(const Context& ctx, const Ballots& ballots, MatrixView<int32_t> counts) {
  detail::check_ballots(ctx, ballots);
  expects(counts.extent(0) == ballots.groups.nodes && counts.extent(1) == ballots.signs.coordinates,
          "counts of shape (nodes, P)");
  if (counts.size() == 0) return;
  expects(counts.where() == ctx.backend, "counts on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::vote_counts_impl<B>(ctx, ballots, counts); });
}

template <class S>
void forward_sums(const Context& ctx, const GroupTable& groups, MatrixView<const S> sums, MatrixView<S> out) {
  expects(groups.begin.size() == groups.nodes + 1, "a table of whole groups");
  expects(out.extent(0) == groups.nodes && out.extent(1) == sums.extent(1), "sums of shape (nodes, P)");
  if (out.size() == 0) return;
  expects(groups.begin.where() == ctx.backend && out.where() == ctx.backend,
          "the table and the sums on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::forward_sums_impl<S, B>(ctx, groups, sums, out); });
}
template void forward_sums<int32_t>(const Context&, const GroupTable&, MatrixView<const int32_t>, MatrixView<int32_t>);
template void forward_sums<double>(const Context&, const GroupTable&, MatrixView<const double>, MatrixView<double>);

template <class S>
void sum_vote(const Context& ctx, const GroupTable& groups, MatrixView<const S> sums, const Decision& out) {
  expects(groups.begin.size() == groups.nodes + 1, "a table of whole groups");
  if (groups.nodes == 0 || sums.extent(1) == 0) return;
  expects(groups.begin.where() == ctx.backend && (sums.size() == 0 || sums.where() == ctx.backend),
          "the table and the sums on the context's side");
  detail::check_decision(ctx, groups, out, sums.extent(1));
  dispatch(ctx.backend, [&]<Backend B>() { detail::sum_vote_impl<S, B>(ctx, groups, sums, out); });
}
template void sum_vote<int32_t>(const Context&, const GroupTable&, MatrixView<const int32_t>, const Decision&);
template void sum_vote<double>(const Context&, const GroupTable&, MatrixView<const double>, const Decision&);

}  // namespace orrery
