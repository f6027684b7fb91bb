#include "runtime/voting/wire.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/top_signs.hpp"
#include "runtime/theory/sign_vote/wire_bits.hpp"

namespace orrery {
namespace {

using sign_vote::Positions;

int64_t whole(double bits) { return static_cast<int64_t>(std::ceil(bits)); }
// bits to tell 0 ... n apart
int64_t bits_to_count(int64_t n) {
  int64_t bits = 0;
  while ((int64_t{1} << bits) <= n) ++bits;
  return bits;
}
int64_t sparse(int64_t n, int64_t kept) {
  return whole(
      std::min(sign_vote::sparse_bits(n, kept, Positions::listed), sign_vote::sparse_bits(n, kept, Positions::bitmap)));
}

int64_t up_from_worker(const VoteSpec& s, const MessageSize& m) {
  const int64_t n = m.parameters(), kept = m.kept(s.sparsity);
  if (s.feeds_back()) return n + 32 * static_cast<int64_t>(m.tensors.size());
  if (s.vote == Vote::top_k) return sparse(n, kept) + (m.float_bits - 1) * kept;
  if (!s.sends_signs()) return m.float_bits * n;
  return s.sparse() ? sparse(n, kept) : n;
}

int64_t up_from_node(const VoteSpec& s, const MessageSize& m, int64_t below) {
  const int64_t n = m.parameters();
  if (s.forward == VoteSpec::Forward::signs) return n;
  if (s.feeds_back() || !s.sends_signs()) return m.float_bits * n;
  const bool counts = s.vote == Vote::majority || s.vote == Vote::average;
  return n * (counts ? bits_to_count(below) : 64);
}

int64_t down(const VoteSpec& s, const MessageSize& m, int64_t workers) {
  const int64_t n = m.parameters();
  if (s.error_feedback == VoteSpec::ErrorFeedback::two_way) return n + 32 * static_cast<int64_t>(m.tensors.size());
  const int64_t reached = std::min(workers * m.kept(s.sparsity), n);
  if (s.vote == Vote::average) {
    const int64_t dense = n * bits_to_count(workers);
    return s.sparse() ? std::min(dense, sparse(n, reached) + reached * (bits_to_count(workers) - 1)) : dense;
  }
  if (s.vote == Vote::top_k) return sparse(n, reached) + (m.float_bits - 1) * reached;
  if (!s.decides_signs()) return m.float_bits * n;
  if (s.sparse()) return sparse(n, reached);
  return s.sign_zero == SignZero::zero ? whole(std::log2(3.0) * static_cast<double>(n)) : n;
}

}  // namespace

int voting_tiers(const NetworkSpec& n) {
  int tiers = 0;
  for (const TierSpec& t : n.tiers) {
    if (t.period != 1 || !t.periods.empty()) break;
    ++tiers;
  }
  return tiers;
}

MessageSize::MessageSize(const std::vector<Tensor>& layout, int64_t bits) : float_bits(bits) {
  for (const Tensor& t : layout)
    tensors.push_back(std::accumulate(t.shape.begin(), t.shape.end(), int64_t{1}, std::multiplies<>()));
}

int64_t MessageSize::parameters() const { return std::accumulate(tensors.begin(), tensors.end(), int64_t{0}); }

int64_t MessageSize::kept(double sparsity) const {
  int64_t all = 0;
  for (const int64_t size : tensors) all += orrery::kept(sparsity, size);
  return all;
}

Ledger vote_ledger(const NetworkSpec& n) {
  Ledger ledger(n);
  if (n.tiers.empty()) ledger.links = {{.name = "server"}};
  return ledger;
}

void charge_vote(Ledger& ledger, const VoteSpec& s, const Network& network, const MessageSize& m, int64_t rounds) {
  const int64_t all = network.spec().workers;
  const int tiers = voting_tiers(network.spec());
  const auto sizes = [&](int tier) {  // workers below each node
    const auto& begin = network.tiers()[static_cast<size_t>(tier)].begin;
    std::vector<int64_t> out;
    for (size_t k = 0; k + 1 < begin.size(); ++k) out.push_back(begin[k + 1] - begin[k]);
    return out;
  };
  // bits of a decision on its way from the node where it falls: the largest such node counts for all of them
  int64_t voters = all;
  if (tiers > 0) {
    const auto below = sizes(tiers - 1);
    voters = *std::max_element(below.begin(), below.end());
  }
  const int64_t decision = down(s, m, voters);
  ledger.links[0].up += rounds * all * up_from_worker(s, m);
  ledger.links[0].down += rounds * all * decision;
  for (int k = 1; k < tiers; ++k)
    for (const int64_t below : sizes(k - 1)) {
      ledger.links[static_cast<size_t>(k)].up += rounds * up_from_node(s, m, below);
      ledger.links[static_cast<size_t>(k)].down += rounds * decision;
    }
}

void charge_model_average(Ledger& ledger, const Network& network, int tier, int64_t bits_per_model, int64_t times) {
  const auto links = [&](int k) {  // of tier k: as many as there are nodes below
    return k == 0 ? network.spec().workers : network.tiers()[static_cast<size_t>(k) - 1].nodes();
  };
  for (int k = 0; k <= tier; ++k) {
    ledger.links[static_cast<size_t>(k)].down += times * links(k) * bits_per_model;
    if (k >= voting_tiers(network.spec())) ledger.links[static_cast<size_t>(k)].up += times * links(k) * bits_per_model;
  }
}

Ledger ledger_after(const VoteSpec& s, const Network& network, const MessageSize& m, int64_t steps) {
  const NetworkSpec& n = network.spec();
  Ledger ledger = vote_ledger(n);
  charge_vote(ledger, s, network, m, steps);
  for (auto k = static_cast<size_t>(voting_tiers(n)); k < n.tiers.size(); ++k) {
    // the largest period that divides the step acts alone
    const int64_t coarser = k + 1 < n.tiers.size() ? steps / n.tiers[k + 1].period : 0;
    charge_model_average(ledger, network, static_cast<int>(k), m.parameters() * m.float_bits,
                         steps / n.tiers[k].period - coarser);
  }
  return ledger;
}

}  // namespace orrery
