#include "runtime/theory/sign_vote/self_vote.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/core/error.hpp"
#include "runtime/theory/sign_vote/decoding_bounds.hpp"

namespace orrery::sign_vote {
namespace {

constexpr int64_t most_rounds = 1000;

std::vector<Group> without_one_of(std::vector<Group> groups, size_t k) {
  if (--groups[k].workers == 0) groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(k));
  return groups;
}

// All scores negated: their P_E is the probability of a right decision.
std::vector<Group> mirrored(std::vector<Group> groups) {
  for (Group& g : groups) g.weight = -g.weight;
  return groups;
}

std::vector<double> estimated_weights(const std::vector<Group>& groups, double clip) {
  std::vector<double> w;
  for (const double q : disagreements(groups)) w.push_back(learned_weight(q, clip));
  return w;
}

void set_weights(std::vector<Group>& groups, const std::vector<double>& w) {
  for (size_t k = 0; k < groups.size(); ++k) groups[k].weight = w[k];
}

}  // namespace

std::vector<double> disagreements(const std::vector<Group>& groups) {
  expects(!groups.empty(), "one group at least");
  std::vector<double> q;
  for (size_t k = 0; k < groups.size(); ++k) {
    const auto [workers, p, weight] = groups[k];
    expects(workers >= 1 && p > 0 && p < 1, "groups of one worker at least with an error inside (0, 1)");
    const std::vector<Group> others = without_one_of(groups, k);
    const double outvoted = enumerated_error_given(others, weight);             // m right, the decision wrong
    const double corrected = enumerated_error_given(mirrored(others), weight);  // m wrong, the decision right
    q.push_back((1 - p) * outvoted + p * corrected);
  }
  return q;
}

double equal_workers_disagreement(int64_t workers, double p) { return disagreements({{workers, p, 1}})[0]; }

double learned_weight(double q, double clip) {
  expects(q >= 0 && q <= 1, "a disagreement in [0, 1]");
  expects(clip > 0, "a clip above 0");
  return q <= 0 ? clip : q >= 1 ? -clip : std::clamp(log_likelihood_ratio(q), -clip, clip);
}

double learned_weight_deviation(double p, double rounds) {
  expects(p > 0 && p < 1 && rounds > 0, "p inside (0, 1) and rounds above 0");
  return 1 / std::sqrt(rounds * p * (1 - p));
}

SelfVote self_vote(std::vector<Group> groups, double clip) {
  SelfVote out;
  for (const Group& g : groups) out.true_weights.push_back(log_likelihood_ratio(g.p));
  set_weights(groups, out.true_weights);
  out.true_weighted = enumerated_error(groups);

  set_weights(groups, std::vector<double>(groups.size(), 1));
  out.majority = enumerated_error(groups);
  out.weights = out.warmup_weights = estimated_weights(groups, clip);
  set_weights(groups, out.weights);
  out.first = enumerated_error(groups);

  // decode with the weights, estimate them again, until they stand still
  for (out.rounds = 1; out.rounds < most_rounds && !out.settled; ++out.rounds) {
    const std::vector<double> next = estimated_weights(groups, clip);
    out.settled = true;
    for (size_t k = 0; k < next.size(); ++k) out.settled &= std::abs(next[k] - out.weights[k]) <= 1e-12 * clip;
    set_weights(groups, out.weights = next);
  }
  out.self_consistent = enumerated_error(groups);
  return out;
}

}  // namespace orrery::sign_vote
