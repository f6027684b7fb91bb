#include "runtime/theory/diffusion_theory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/network/network_error.hpp"
#include "runtime/theory/diffusion/combination.hpp"
#include "runtime/theory/diffusion/mode_moments.hpp"
#include "runtime/theory/diffusion/stability.hpp"
#include "runtime/theory/measured.hpp"
#include "runtime/theory/theory.hpp"

namespace orrery {
namespace {

constexpr double most_operations = 5e8;   // of a recursion
constexpr double most_numbers = 1 << 26;  // that it holds
constexpr int64_t most_modes = 2000;      // agents of a dense eigenvalue problem
constexpr int64_t most_spectrum = 1024;   // of one whose vectors are not asked for, before a run

// Why the analysis is not for this arm, whatever its model; "" where it is.
std::string not_plain(const Arm& arm, const Network& network) {
  const auto& batch = arm.step.batch;
  if (std::any_of(batch.begin(), batch.end(), [&](int64_t b) { return b != batch[0]; }))
    return "agents have different batches and the recursion is for one";
  const auto& a = network.weights();
  if (std::any_of(a.begin(), a.end(), [&](double w) { return w != a[0]; }))
    return "agents weigh differently and the recursion is for equal ones";
  if (arm.step.momentum > 0) return "momentum is in use and the recursion is for plain steps";
  if (!arm.step.drops.empty()) return "the learning rate drops during the run and the recursion is for one";
  if (!(arm.step.learning_rate > 0)) return "the learning rate is 0";
  const NetworkSpec& n = network.spec();
  if (std::any_of(n.rates.begin(), n.rates.end(), [](double r) { return r < 1; }))
    return "agents skip steps and the recursion is for all of them";
  return "";
}

// Why the recursion does not apply; "" where it does.
std::string outside(const Experiment& e, const Arm& arm, const Network& network) {
  const auto risk = arm.model->quadratic_risk();
  if (!risk) return "the exact recursion is for quadratic risks";
  if (const std::string why = not_plain(arm, network); !why.empty()) return why;
  const NetworkSpec& n = network.spec();
  if (n.graph && n.graph->kind == "erdos-renyi" && e.replicas > 1)
    return "every replica draws a graph of its own and the recursion is for one";
  return "";
}

// Can the moments of all pairs of agents be followed, whatever the Hessians and graphs?
bool follows_pairs(const Experiment& e, const Network& network, int64_t dimension) {
  const auto K = static_cast<double>(network.spec().workers), M = static_cast<double>(dimension);
  double links = K;
  for (const Mixing& m : network.mixing()) links = std::max(links, static_cast<double>(m.source.size()));
  return static_cast<double>(std::max<int64_t>(e.steps, 1)) * M * K * links <= most_operations &&
         M * K * K <= most_numbers;
}

// The modes of the graph, where the recursion decouples along them; `why_not` says why it does not.
std::optional<diffusion::GraphModes> modes_of(const Experiment& e, const diffusion::LinearProblem& p,
                                              diffusion::Strategy strategy, const Network& network,
                                              std::string* why_not) {
  const auto K = static_cast<double>(p.agents), M = static_cast<double>(p.dimension);
  const std::string too_many = "too many agents, parameters and steps for the exact recursion";
  const bool central = strategy == diffusion::Strategy::centralized;
  if (!p.common_hessian())
    *why_not = too_many + ", and the Hessians differ, which keeps it from decoupling by graph modes";
  else if (!central && network.mixing().size() != 1)
    *why_not = too_many + ", and the graph changes, which keeps it from decoupling by graph modes";
  else if (p.agents > most_modes || K * M * (static_cast<double>(e.steps) + K) > 10 * most_operations)
    *why_not = too_many + ", and for that by graph modes";
  else
    try {
      return diffusion::graph_modes(central ? diffusion::everyone(p.agents) : network.mixing()[0]);
    } catch (const NetworkError& error) {
      *why_not = too_many + "; by graph modes: " + error.sentence;
    }
  return std::nullopt;
}

// A few of the record points: the first after the start, a quarter, a half, the last.
std::vector<size_t> shown(size_t points) {
  std::vector<size_t> out;
  for (const size_t i : {size_t{1}, points / 4, points / 2, points - 1})
    if (i > 0 && i < points && (out.empty() || i > out.back())) out.push_back(i);
  return out;
}

}  // namespace

TheoryTable diffusion_table(const Experiment& e, size_t index, const std::string& name, const DiffusionTheory& t,
                            const RunResult& r, bool measured, std::vector<std::string>* warnings) {
  TheoryTable table{name, {}};
  if (t.warning && warnings) warnings->push_back((e.has_arms ? fmt::format("arm \"{}\": ", name) : "") + *t.warning);
  const auto rows = [&](const char* metric, const std::vector<double>& predicted, const char* whose) {
    const auto seen = measured ? recorded_values(e, r, index, metric) : std::vector<double>{};
    for (const size_t i : shown(r.record_steps.size())) {
      const bool known = i < predicted.size();
      if (!known && i >= seen.size()) continue;
      table.rows.push_back(
          {fmt::format("{} at step {}", metric, r.record_steps[i]), known ? std::optional(predicted[i]) : std::nullopt,
           i < seen.size() ? std::optional(seen[i]) : std::nullopt,
           known ? fmt::format("expectation {}, exact for quadratics{}", whose,
                               measured && seen.empty() ? fmt::format("; record {} to compare", metric) : "")
                 : t.why_not});
    }
  };
  rows("excess_risk", t.excess_risk, "of the agents");
  rows("excess_risk_mean", t.excess_risk_mean, "of the mean model");
  if (t.estimates) append_rows(*t.estimates, table);
  return table;
}

std::optional<std::string> step_notice(const Arm& arm, const Network& network) {
  const auto risk = arm.model->quadratic_risk();
  const auto* strategy = arm.algorithm->strategy();
  if (!strategy || !risk || network.mixing().size() > 1 || !not_plain(arm, network).empty()) return std::nullopt;
  const bool central = *strategy == diffusion::Strategy::centralized, one = risk->same_workers;
  const int64_t K = network.spec().workers, agents = one ? 1 : K;
  double curvature = 0;
  for (int64_t j = 0; j < risk->dimension; ++j) {
    double sum = 0, largest = 0;
    for (int64_t k = 0; k < agents; ++k) {
      sum += risk->curvature(k, j) / static_cast<double>(agents);
      largest = std::max(largest, risk->curvature(k, j));
    }
    curvature = std::max(curvature, central ? sum : largest);
  }
  if (!(curvature > 0) || (*strategy == diffusion::Strategy::consensus && K > most_spectrum)) return std::nullopt;
  const double limit = central ? 2 : diffusion::curvature_limit(*strategy, network.mixing()[0]);
  if (arm.step.learning_rate * curvature < limit) return std::nullopt;
  bool common = true;
  for (int64_t k = 1; k < agents; ++k)
    for (int64_t j = 0; j < risk->dimension; ++j) common = common && risk->curvature(k, j) == risk->curvature(0, j);
  return diffusion::step_sentence(*strategy, arm.step.learning_rate, limit, curvature, central || common);
}

DiffusionTheory diffusion_theory(const Experiment& e, size_t index, const RunResult& r) {
  const Arm& arm = e.arms[index];
  const Network& network = *r.arms[index].network;
  DiffusionTheory t;
  t.why_not = outside(e, arm, network);
  t.estimates = diffusion_estimates(e, index, r, not_plain(arm, network));
  if (t.estimates && !t.why_not.empty())
    t.warning = t.estimates->warning;  // that of the recursion knows every agent's Hessian
  if (!t.why_not.empty()) return t;

  const QuadraticRisk risk = *arm.model->quadratic_risk();
  const int64_t K = e.workers(), M = risk.dimension;
  diffusion::LinearProblem p;
  p.agents = K;
  p.dimension = M;
  p.step = arm.step.learning_rate;
  p.batch = arm.step.batch[0] > 0 ? static_cast<double>(arm.step.batch[0]) : 1.0;  // whole gradients: no noise below
  std::vector<double> optimum(static_cast<size_t>(M));
  for (int64_t j = 0; j < M; ++j) {
    double above = 0, below = 0;
    for (int64_t k = 0; k < K; ++k) {
      above += risk.curvature(k, j) * risk.center(k, j);
      below += risk.curvature(k, j);
    }
    if (!(below > 0)) {
      t.why_not = "a coordinate has no curvature, so there is no minimum";
      return t;
    }
    optimum[static_cast<size_t>(j)] = above / below;
  }
  for (int64_t k = 0; k < K; ++k)
    for (int64_t j = 0; j < M; ++j) {
      p.H.push_back(risk.curvature(k, j));
      p.d.push_back(risk.curvature(k, j) * (optimum[static_cast<size_t>(j)] - risk.center(k, j)));
      p.R.push_back(arm.step.batch[0] > 0 ? risk.noise(j) * risk.noise(j) : 0.0);
    }

  const diffusion::Strategy strategy = *arm.algorithm->strategy();
  Mixing alone;  // the centralized strategy reads the size alone
  for (int64_t k = 0; k <= K; ++k) alone.begin.push_back(k);
  for (int64_t k = 0; k < K; ++k) alone.source.push_back(k), alone.weight.push_back(1.0);
  const auto& cycle = network.mixing();
  const auto mixing = [&](int64_t step) -> const Mixing& {
    return cycle.empty() ? alone : cycle[static_cast<size_t>(step) % cycle.size()];
  };
  if (cycle.size() <= 1) t.warning = step_notice(arm, network);

  std::optional<diffusion::GraphModes> modes;
  if (!follows_pairs(e, network, M) && !(modes = modes_of(e, p, strategy, network, &t.why_not))) return t;

  int64_t start_rows = 1;
  const auto starts = replica_starts(e, *arm.model, &start_rows);
  t.excess_risk.assign(r.record_steps.size(), 0.0);
  t.excess_risk_mean = t.excess_risk;
  // mean over the starts of what a recursion from each says at the record points
  const auto follow = [&](auto& moments, const auto& step) {
    int64_t now = 0;
    const double origin =
        arm.from_start ? moments.excess_risk_mean().total() : 0.0;  // counted from the objective there
    for (size_t i = 0; i < r.record_steps.size(); ++i) {
      for (; now < r.record_steps[i]; ++now) step(moments, now);
      t.excess_risk[i] += (moments.excess_risk().total() - origin) / static_cast<double>(starts.size());
      t.excess_risk_mean[i] += (moments.excess_risk_mean().total() - origin) / static_cast<double>(starts.size());
    }
  };
  for (const auto& given : starts) {
    std::vector<double> start;
    for (int64_t k = 0; k < K; ++k)
      for (int64_t j = 0; j < M; ++j)
        start.push_back(optimum[static_cast<size_t>(j)] - given[static_cast<size_t>((start_rows > 1 ? k * M : 0) + j)]);
    if (modes) {
      diffusion::ModeMoments moments(p, strategy, *modes, start);
      follow(moments, [](auto& m, int64_t) { m.step(); });
    } else {
      diffusion::Moments moments(p, strategy, start);
      follow(moments, [&](auto& m, int64_t now) { m.step(mixing(now)); });
    }
  }
  return t;
}

}  // namespace orrery
