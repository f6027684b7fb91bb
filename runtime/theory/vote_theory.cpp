#include "runtime/theory/vote_theory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/run.hpp"
#include "runtime/theory/sign_vote/convergence.hpp"
#include "runtime/theory/sign_vote/tiered_majority.hpp"
#include "runtime/voting/spec.hpp"
#include "runtime/voting/wire.hpp"

namespace orrery {
namespace {

constexpr size_t most_workers = 2000;   // of tables
constexpr double most_constants = 1e8;  // of a quadratic, looked at one by one

// Samples behind every worker's gradient; nothing where it is exact: of quadratics, or of data that everyone holds.
std::optional<std::vector<int64_t>> samples_of(const Arm& arm, const ArmResult& r) {
  std::vector<int64_t> batch = arm.step.batch;
  for (size_t i = 0; i < batch.size(); ++i) {
    if (batch[i] == 0 && (r.samples.empty() || arm.partition_kind == "shared")) return std::nullopt;
    if (batch[i] == 0) batch[i] = r.samples[i];
  }
  return batch;
}

// sum_n L_n of f = sum_i a_i F_i, exact for quadratics: L_n = sum_i a_i a_in.
Constant sum_of_smoothness(const Experiment& e, const Arm& arm, const RunResult& r, const std::vector<double>& a) {
  if (e.theory.smoothness_norm1) return {e.theory.smoothness_norm1, "given"};
  if (const auto risk = arm.model->quadratic_risk()) {
    if (static_cast<double>(a.size()) * static_cast<double>(risk->dimension) > most_constants)
      return {{}, "too many curvatures to add up; give theory.smoothness_norm1"};
    double sum = 0;
    for (int64_t j = 0; j < risk->dimension; ++j)
      for (size_t i = 0; i < a.size(); ++i) sum += a[i] * std::abs(risk->curvature(static_cast<int64_t>(i), j));
    return {sum, "exact: the sum of the curvatures of f"};
  }
  if (e.theory.smoothness)
    return {*e.theory.smoothness * static_cast<double>(r.parameters), "given: theory.smoothness in every coordinate"};
  return {{}, "the smoothness of single coordinates is not estimated; give theory.smoothness_norm1"};
}

// Does every worker see the same gradient, but for noise?
bool one_objective(const QuadraticRisk& q, int64_t workers) {
  if (q.same_workers) return true;
  if (static_cast<double>(workers) * static_cast<double>(q.dimension) > most_constants) return false;
  for (int64_t i = 1; i < workers; ++i)
    for (int64_t j = 0; j < q.dimension; ++j)
      if (q.curvature(i, j) != q.curvature(0, j) || q.center(i, j) != q.center(0, j)) return false;
  return true;
}

// Do several nodes hold a model each?
bool own_models(const NetworkSpec& n) {
  const int tiers = voting_tiers(n);
  return tiers > 0 && n.tiers[static_cast<size_t>(tiers) - 1].nodes > 1;
}

double sum_of_noise(const QuadraticRisk& q) {
  double sum = 0;
  for (int64_t j = 0; j < q.dimension; ++j) sum += q.noise(j);
  return sum;
}

VoteConvergence convergence_of(const Experiment& e, size_t index, const RunResult& r, const Constants& c) {
  const Arm& arm = e.arms[index];
  VoteConvergence v;
  v.norm1_L = sum_of_smoothness(e, arm, r, r.arms[index].network->weights());
  v.gap = c.gap();

  // R
  const VoteSpec& spec = *arm.algorithm->voting();
  if (!spec.decides_signs()) v.reasons.push_back("the bound is of steps along signs, and numbers are averaged");
  if (spec.weight_decay > 0) v.reasons.push_back("weights decay apart from the objective");
  if (own_models(*arm.network)) v.reasons.push_back("nodes hold models of their own and the bound is for one");
  if (!(arm.step.learning_rate > 0)) v.reasons.push_back("the learning rate is 0");
  if (!arm.step.drops.empty()) v.reasons.push_back("the learning rate drops during the run and the bound is for one");
  if (e.steps == 0) v.reasons.push_back("there are no steps");
  if (!v.norm1_L.value) v.reasons.push_back(fmt::format("sum_n L_n is not known ({})", v.norm1_L.how));
  if (!v.gap.value) v.reasons.push_back(fmt::format("f(start) - f* is not known ({})", v.gap.how));
  if (v.norm1_L.value && !(*v.norm1_L.value > 0)) v.reasons.push_back("sum_n L_n is 0");
  if (v.reasons.empty()) {
    sign_vote::Descent d{.gap = *v.gap.value,
                         .norm1_L = *v.norm1_L.value,
                         .rounds = static_cast<double>(e.steps),
                         .step = arm.step.learning_rate};
    v.R = sign_vote::weighted_gradient_bound(d);
    if (d.gap > 0) {
      v.best_step = d.step = sign_vote::best_step(d);
      v.best_R = sign_vote::weighted_gradient_bound(d);
    }
  }

  // floors
  const auto risk = arm.model->quadratic_risk();
  if (e.theory.sigma_norm1)
    v.norm1_sigma = {e.theory.sigma_norm1, "given"};
  else if (risk)
    v.norm1_sigma = {sum_of_noise(*risk), "exact: the sum of the noise of all coordinates"};
  else
    v.norm1_sigma = {{}, "the noise of single coordinates is not estimated; give theory.sigma_norm1"};
  const auto samples = samples_of(arm, r.arms[index]);
  if (!samples) v.floor_reasons.push_back("gradients are exact");
  if (!v.norm1_sigma.value)
    v.floor_reasons.push_back(fmt::format("sum_n sigma_n is not known ({})", v.norm1_sigma.how));
  if (!spec.plain_signs() || spec.attack.on() ||
      std::any_of(arm.step.repeats.begin(), arm.step.repeats.end(), [](int32_t k) { return k != 1; }))
    v.floor_reasons.push_back("the floor is for signs of fresh gradients, and workers send something else");
  if (own_models(*arm.network) || (spec.forward == VoteSpec::Forward::signs && voting_tiers(*arm.network) > 1))
    v.floor_reasons.push_back("the floor is for one server that hears all workers");
  if (risk && !one_objective(*risk, e.workers()))
    v.floor_reasons.push_back("workers have different objectives and the floor is for one, seen by all");
  if (!arm.partition_kind.empty() && arm.partition_kind != "shared" && arm.partition_kind != "iid")
    v.floor_reasons.push_back("workers hold different data and the floor is for one objective, seen by all");
  if (v.floor_reasons.empty()) {
    v.majority_floor = sign_vote::majority_floor(*v.norm1_sigma.value, *samples);
    v.weighted_floor = sign_vote::weighted_floor(*v.norm1_sigma.value, *samples);
  }
  return v;
}

// The weights that the votes of this phase had, as fixed weights of the theory.
std::vector<double> weights_of(const Arm& arm, const ArmResult& r, bool warmup, MeasuredVotes& m) {
  const VoteSpec& spec = *arm.algorithm->voting();
  const size_t workers = m.seen.agreement.size();
  const bool equal = spec.vote == Vote::majority || spec.vote == Vote::average || (warmup && spec.vote != Vote::fd);
  if (equal) {
    m.majority = true;
    m.weights = "equal weights";
    return std::vector<double>(workers, 1.0);
  }
  std::vector<double> v;
  if (spec.vote == Vote::sqrt_batch) {
    m.weights = "weights sqrt(B)";
    for (size_t i = 0; i < workers; ++i) {
      const int64_t b = arm.step.batch[i];
      v.push_back(std::sqrt(static_cast<double>(b > 0 ? b : r.samples.empty() ? 1 : r.samples[i])));
    }
  } else if (spec.learns()) {
    m.weights = "weights of the measured agreement";
    m.per_coordinate = spec.per_coordinate() && !warmup;
    v = sign_vote::learned_weights(m.seen.agreement, spec.rule.clip);
    if (spec.vote == Vote::fv_nonneg)
      for (double& w : v) w = std::max(w, 0.0);
  } else {
    m.weights = "weights ln((1-p)/p)";
    for (const double p : m.seen.p) v.push_back(sign_vote::learned_weight(p, spec.rule.clip));
  }
  return v;
}

// Children of every node of the voting tiers below the top one, where all nodes of a tier have as many and they come in order; odd numbers
// alone, for a node that ties abstains, or says +1, and the recursion lets it toss a coin.
std::optional<std::vector<int64_t>> children_of_tiers(const NetworkSpec& n) {
  std::vector<int64_t> sizes;
  int64_t below = n.workers;
  for (int k = 0; k + 1 < voting_tiers(n); ++k) {
    const TierSpec& tier = n.tiers[static_cast<size_t>(k)];
    if (!tier.groups.empty() || n.random_grouping || below % tier.nodes != 0) return std::nullopt;
    if (below / tier.nodes % 2 == 0) return std::nullopt;
    sizes.push_back(below / tier.nodes);
    below = tier.nodes;
  }
  return n.tiers[static_cast<size_t>(voting_tiers(n)) - 1].nodes == 1 ? std::optional(sizes) : std::nullopt;
}

// The exact error of majorities of majorities from the measured p, by octaves of the gradient.
void through_tiers(const Arm& arm, MeasuredVotes& m) {
  const auto sizes = children_of_tiers(*arm.network);
  if (!sizes || arm.algorithm->voting()->vote != Vote::majority) return;
  double error = 0, weighted = 0;
  for (const auto& [key, c] : m.seen.classes) {
    const double of_class =
        sign_vote::tiered_majority_error(sign_vote::rates_inside(c.p(), static_cast<double>(c.decoded)), *sizes);
    error += c.share / static_cast<double>(m.seen.references) * of_class;
    weighted += c.weight / static_cast<double>(m.seen.references) * of_class;
  }
  m.through_tiers = error;
  m.through_tiers_weighted = weighted;
}

std::optional<MeasuredVotes> measured_votes(const Arm& arm, const ArmResult& r) {
  const bool warmup = r.votes.after.looks == 0;
  MeasuredVotes m;
  m.seen = warmup ? r.votes.warmup : r.votes.after;
  if (m.seen.looks == 0) return std::nullopt;
  m.phase = warmup                              ? "rounds of the warm-up"
            : arm.algorithm->voting()->learns() ? "rounds after the warm-up"
                                                : "all rounds";
  if (m.seen.references == 0) {
    m.why_no_prediction = own_models(*arm.network)
                              ? "nodes hold models of their own, and the reference is the gradient at their mean"
                              : "no reference gradient: record vote_error";
    return m;
  }
  if (arm.algorithm->voting()->sparse()) {
    m.why_no_prediction = "predictions are for signs of every coordinate, and what is not sent abstains";
    return m;
  }
  if (arm.algorithm->voting()->forward == VoteSpec::Forward::signs && voting_tiers(*arm.network) > 1) {
    m.why_no_prediction = "predictions are for one server, and nodes of tiers forward signs";
    through_tiers(arm, m);
    return m;
  }
  const auto v = weights_of(arm, r, warmup, m);
  const auto signs = static_cast<double>(m.seen.decoded);
  m.of_p = sign_vote::vote_prediction(sign_vote::rates_inside(m.seen.p, signs), v);
  m.of_weighted = sign_vote::vote_prediction(sign_vote::rates_inside(m.seen.p_weighted, signs), v);
  std::vector<sign_vote::ClassPrediction> weighted;
  for (const auto& [key, c] : m.seen.classes) {
    const auto votes = static_cast<double>(m.seen.references);
    m.classes.push_back(sign_vote::class_prediction(c.share / votes,
                                                    sign_vote::rates_inside(c.p(), static_cast<double>(c.decoded)), v));
    weighted.push_back(m.classes.back());
    weighted.back().share = c.weight / votes;
  }
  m.by_class = sign_vote::all_classes(m.classes);
  m.by_class_weighted = sign_vote::all_classes(weighted);
  const auto exceed = [&](const char* what, double bound) {
    if (sign_vote::above(m.seen.decoding_error, bound, signs)) m.exceeded.push_back(what);
  };
  if (m.majority) exceed("Hoeffding", m.by_class.hoeffding);
  exceed("Kearns-Saul", m.by_class.kearns_saul);
  exceed("Chernoff", m.by_class.chernoff);
  return m;
}

}  // namespace

VoteTheory vote_theory(const Experiment& e, size_t index, const RunResult& r, const Constants& c) {
  const Arm& arm = e.arms[index];
  VoteTheory t;
  // signal to noise of a sample as in the tables of signsgd-fv.md; whole batches are the worker's samples
  const auto samples = samples_of(arm, r.arms[index]);
  if (!samples)
    t.why_no_tables = "gradients are exact";
  else if (samples->size() > most_workers)
    t.why_no_tables = fmt::format("there are more than {} workers", most_workers);
  else
    t.tables = sign_vote::sign_vote_tables(*samples, {0.03, 0.1, 0.2});
  const VoteSpec& spec = *arm.algorithm->voting();
  if (!spec.plain_signs() || spec.attack.on() || voting_tiers(*arm.network) > 1 || own_models(*arm.network) ||
      std::any_of(arm.step.repeats.begin(), arm.step.repeats.end(), [](int32_t k) { return k != 1; }))
    t.beyond = "honest workers that send signs of fresh gradients to one server, which this arm has not";
  t.convergence = convergence_of(e, index, r, c);
  t.measured = measured_votes(arm, r.arms[index]);
  return t;
}

}  // namespace orrery
