#include "kernels/weighted_vote.hpp"

#include "kernels/sign_pack.hpp"

namespace orrery {
namespace {

void check_weights(const Context&, const SignsIn& y, const WorkerWeights& w) {
  expects(w.weight.size() == y.rows(), "a weight for every row");
}
void check_weights(const Context& ctx, const SignsIn& y, const CountedWeights& w) {
  expects(w.agreements.extent(0) == y.rows() && w.agreements.extent(1) == y.coordinates, "counts of shape (rows, P)");
  expects(w.table_of.size() == 0 || w.table_of.size() == y.rows(), "a table for every row");
  expects(w.agreements.where() == ctx.backend && (w.table.size() == 0 || w.table.where() == ctx.backend),
          "counts and tables on the context's side");
}
void check_weights(const Context& ctx, const SignsIn& y, const FadingWeights& w) {
  expects(w.agreements.extent(0) == y.rows() && w.agreements.extent(1) == y.coordinates, "counts of shape (rows, P)");
  expects(w.rounds.size() == y.rows(), "rounds seen by every row");
  expects(w.phi > 0 && w.phi <= 1, "0 < phi <= 1");
  expects(w.agreements.where() == ctx.backend, "counts on the context's side");
}

}  // namespace

template <class W>
void weighted_vote(const Context& ctx, const Ballots& b, const W& weights, const Decision& out,
                   const VoteRecord& record) {
  detail::check_ballots(ctx, b);
  if (b.groups.nodes == 0 || b.signs.coordinates == 0) return;
  detail::check_decision(ctx, b.groups, out, b.signs.coordinates);
  check_weights(ctx, b.signs, weights);
  if constexpr (requires { weights.table; }) expects(weights.table.size() > 0, "a table of weights");
  expects(record.scores.size() == 0 ||
              (record.scores.extent(0) == b.groups.nodes && record.scores.extent(1) == b.signs.coordinates),
          "scores of shape (nodes, P)");
  expects(record.agreed.size() == 0 || record.agreed.size() == b.signs.rows(), "agreed of shape (rows)");
  dispatch(ctx.backend, [&]<Backend B>() { detail::weighted_vote_impl<W, B>(ctx, b, weights, out, record); });
}

template <class W>
void learn_agreements(const Context& ctx, const Ballots& b, const SignsIn& decoded, const W& weights,
                      VectorView<int64_t> agreed) {
  detail::check_ballots(ctx, b);
  detail::check_signs(ctx, decoded);
  expects(decoded.rows() == b.groups.nodes && decoded.coordinates == b.signs.coordinates,
          "decoded signs of shape (nodes, P)");
  if (b.groups.nodes == 0 || b.signs.coordinates == 0) return;
  if constexpr (W::learns) check_weights(ctx, b.signs, weights);
  expects(agreed.size() == 0 || agreed.size() == b.signs.rows(), "agreed of shape (rows)");
  dispatch(ctx.backend, [&]<Backend B>() { detail::learn_agreements_impl<W, B>(ctx, b, decoded, weights, agreed); });
}

void count_agreements(const Context& ctx, const Ballots& b, const SignsIn& decoded, VectorView<int64_t> agreed) {
  learn_agreements(ctx, b, decoded, WorkerWeights{}, agreed);
}

#define ORRERY_INSTANTIATE(W)                                                                                   \
  template void weighted_vote<W>(const Context&, const Ballots&, const W&, const Decision&, const VoteRecord&); \
  template void learn_agreements<W>(const Context&, const Ballots&, const SignsIn&, const W&, VectorView<int64_t>);
ORRERY_INSTANTIATE(WorkerWeights)
ORRERY_INSTANTIATE(CountedWeights)
ORRERY_INSTANTIATE(FadingWeights)

}  // namespace orrery
