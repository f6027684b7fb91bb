#include "runtime/theory/arm_theory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/network/mixing.hpp"
#include "runtime/run.hpp"
#include "runtime/theory/waiting.hpp"

namespace orrery {
namespace {

constexpr int64_t most_spectrum_nodes = 512;  // of a mixing matrix whose eigenvalues are worth waiting for

// What no theorem here covers, whatever the network.
std::vector<std::string> outside_of_both(const Experiment& e, const Arm& arm, int64_t start_rows) {
  std::vector<std::string> reasons;
  const std::string kind = arm.algorithm->kind();
  if (kind != "h-sgd" && kind != "mll-sgd" && kind != "local-sgd" && kind != "fedavg")
    reasons.push_back(fmt::format("the method \"{}\" is not tiered SGD", kind));
  if (arm.tier_messages) reasons.push_back("messages of tiers are compressed and the analysis is for whole models");
  if (arm.step.momentum > 0) reasons.push_back("momentum is in use and the analysis is for plain SGD");
  if (arm.step.shuffle)
    reasons.push_back("samples are drawn without replacement and the analysis is for independent batches");
  if (std::any_of(arm.step.repeats.begin(), arm.step.repeats.end(), [](int32_t k) { return k != 1; }))
    reasons.push_back("workers take several batches in a slot");
  if (!arm.step.drops.empty()) reasons.push_back("the learning rate drops during the run and the analysis is for one");
  if (!arm.network->participants.empty())
    reasons.push_back("only some workers of a group take part in a period and the analysis is for all");
  if (start_rows > 1) reasons.push_back("workers start at different points");
  if (!(arm.step.learning_rate > 0)) reasons.push_back("the learning rate is 0");
  if (e.steps == 0) reasons.push_back("there are no steps");
  return reasons;
}

void need(const Constant& c, const char* what, std::vector<std::string>& reasons) {
  if (!c.value) reasons.push_back(fmt::format("{} is not known ({})", what, c.how));
}

void apply_h_sgd(const Arm& arm, ArmTheory& t) {
  if (!t.tree.why_not.empty()) {
    t.tree_reasons.push_back(t.tree.why_not);
    return;
  }
  if (t.slowest < 1)
    t.tree_reasons.push_back("workers skip slots (rates below 1) and the bound is for workers that take every step");
  const Constant gap = t.constants.gap();
  need(t.constants.smoothness, "L", t.tree_reasons);
  need(t.constants.sigma_sq, "sigma^2", t.tree_reasons);
  need(gap, "f(start) - f*", t.tree_reasons);
  std::vector<double> divergence;
  for (size_t l = 1; l <= t.tree.tree.levels(); ++l) {
    const Constant& d = t.divergence_of_level(l);
    need(d, fmt::format("the divergence of {}", t.tree.tree.name[l - 1]).c_str(), t.tree_reasons);
    divergence.push_back(d.value.value_or(0));
  }
  if (t.constants.smoothness.value) {
    t.tree_condition = h_sgd::condition(t.tree.tree, t.eta, *t.constants.smoothness.value);
    if (!t.tree_condition->holds)
      t.tree_reasons.push_back(
          fmt::format("the learning rate is too large: gamma L = {:.4g}, and 2 sqrt(6) P_1 L gamma = {:.4g} "
                      "(1 suffices)",
                      t.tree_condition->gamma_L, t.tree_condition->sufficient));
  }
  if (!t.tree_reasons.empty()) return;
  t.tree_bound = h_sgd::bound(t.tree.tree, {.gamma = arm.step.learning_rate,
                                            .L = *t.constants.smoothness.value,
                                            .sigma2 = *t.constants.sigma_sq.value,
                                            .gap = *gap.value,
                                            .steps = t.steps,
                                            .divergence = divergence});
}

void apply_mll_sgd(const Arm& arm, const Network& network, ArmTheory& t) {
  if (!t.hubs.why_not.empty()) {
    t.hub_reasons.push_back(t.hubs.why_not);
    return;
  }
  const Constant gap = t.constants.gap();
  const auto& all = t.constants.global_divergence;
  if (arm.partition_kind == "iid")
    t.hub_reasons.push_back(
        "workers hold different draws of the same data: the theorem's one objective for all of them holds only in the "
        "mean");
  else if (!arm.partition_kind.empty() && arm.partition_kind != "shared")
    t.hub_reasons.push_back("workers hold different data and the theorem is for one objective, seen by all");
  else if (!all.value)
    t.hub_reasons.push_back("whether all workers have one objective is not known; estimate or record the divergences");
  else if (*all.value > 0)
    t.hub_reasons.push_back("workers have different objectives and the theorem is for one objective, seen by all");
  if (t.steps < t.hubs.q * t.hubs.tau) t.hub_reasons.push_back("the run is shorter than one global round");
  need(t.constants.smoothness, "L", t.hub_reasons);
  need(t.constants.sigma_sq, "sigma^2", t.hub_reasons);
  need(gap, "f(start) - f*", t.hub_reasons);
  if (!t.hubs.zeta)
    t.hub_reasons.push_back(fmt::format("zeta is not computed for more than {} nodes", most_spectrum_nodes));
  if (t.constants.smoothness.value && t.hubs.zeta) {
    t.verdict = mll_sgd::verdict(step_rates(network.spec()), network.weights(), 0,
                                 t.eta * *t.constants.smoothness.value, t.hubs.tau, t.hubs.q, *t.hubs.zeta);
    if (!t.verdict->holds) t.hub_reasons.push_back(t.verdict->why_not);
  }
  if (!t.hub_reasons.empty()) return;
  t.hub_bound = mll_sgd::bound({.eta = t.eta,
                                .L = *t.constants.smoothness.value,
                                .sigma2 = *t.constants.sigma_sq.value,
                                .gap = *gap.value,
                                .tau = t.hubs.tau,
                                .q = t.hubs.q,
                                .zeta = *t.hubs.zeta,
                                .slots = t.steps,
                                .p = step_rates(network.spec()),
                                .a = network.weights()});
}

}  // namespace

bool own_periods(const NetworkSpec& n) { return !n.tiers.empty() && n.tiers[0].classes().size() > 1; }

Hubs hubs_of(const Network& network) {
  const NetworkSpec& n = network.spec();
  const bool graph = !network.mixing().empty() && n.top_nodes() > 1;
  Hubs h;
  if (!graph && n.top_nodes() > 1) return {1, 1, {}, "the hubs never exchange models"};
  if (n.tiers.size() > (graph ? 1u : 2u)) return {1, 1, {}, "the theorem has two levels and this network has more"};
  if (graph) {
    if (network.mixing().size() > 1)
      return {1, 1, {}, "the theorem is for one mixing matrix and this graph changes over time"};
    if (balance_defect(network.mixing()[0], network.top().mass) > 1e-9)
      return {1, 1, {}, "the mixing matrix does not keep the weighted mean (H b = b fails)"};
    if (own_periods(n)) return {1, 1, {}, "groups average at periods of their own"};
    h.tau = static_cast<double>(n.tiers.empty() ? n.graph->period : n.tiers[0].period);
    h.q = static_cast<double>(n.graph->period) / h.tau;
    if (n.top_nodes() <= most_spectrum_nodes) h.zeta = network.zeta();
    return h;
  }
  if (own_periods(n)) return {1, 1, {}, "groups average at periods of their own"};
  if (!n.tiers.empty()) h.tau = static_cast<double>(n.tiers[0].period);
  if (n.tiers.size() == 2) h.q = static_cast<double>(n.tiers[1].period) / h.tau;
  h.zeta = 0;
  return h;
}

const Constant& ArmTheory::divergence_of_level(size_t level) const {
  // the tiers of the constants run from the workers upward
  return constants.divergence[tree.tree.levels() - level];
}

std::optional<double> ArmTheory::fixed_grouping() const {
  if (!tree.why_not.empty() || !tree.tree.own.empty()) return std::nullopt;
  double sum = 0;
  for (size_t l = 1; l <= tree.tree.levels(); ++l) {
    const auto& d = divergence_of_level(l).value;
    if (!d) return std::nullopt;
    const auto period = static_cast<double>(tree.tree.period[l - 1]);
    sum += period * period * *d;
  }
  return sum;
}

ArmTheory arm_theory(const Experiment& e, size_t index, const RunResult& r) {
  const Arm& arm = e.arms[index];
  const Network& network = *r.arms[index].network;
  const NetworkSpec& n = network.spec();
  ArmTheory t;
  t.name = arm.name;
  for (const auto& tier : n.tiers) t.tiers.push_back(tier.name);
  if (n.top_nodes() > 1) t.tiers.push_back("graph");
  t.eta = arm.step.learning_rate;
  t.steps = static_cast<double>(e.steps);
  const auto& a = network.weights();
  t.mean_rate = t.square_weights = 0;
  const std::vector<double> rates = step_rates(n);
  for (size_t i = 0; i < a.size(); ++i) t.mean_rate += a[i] * rates[i], t.square_weights += a[i] * a[i];
  t.slowest = *std::min_element(rates.begin(), rates.end());
  t.fastest = *std::max_element(rates.begin(), rates.end());
  t.constants = constants_of(e, index, r);
  if (!n.participants.empty())
    t.linear.why_not = "only some workers of a group take part in a period";
  else
    t.linear = linear_dispersion(network);
  t.tree = h_sgd::tree_of(network);
  if (*std::min_element(n.rates.begin(), n.rates.end()) >= 1)
    t.why_no_waiting_round = "all rates are 1: nobody is waited for";
  else if (const auto round = waiting::round_duration(network))
    t.waiting_round =
        WaitingRound{static_cast<double>(Schedule(n).round()), round->mean(), std::sqrt(round->variance())};
  else
    t.why_no_waiting_round = waiting::why_no_round(network);
  t.hubs = hubs_of(network);
  if (arm.algorithm->voting()) t.votes = vote_theory(e, index, r, t.constants);

  int64_t start_rows = 1;
  arm.model->start(e.workers(), r.features, r.classes, e.replica_seed(0), &start_rows);
  t.tree_reasons = t.hub_reasons = outside_of_both(e, arm, start_rows);
  apply_h_sgd(arm, t);
  apply_mll_sgd(arm, network, t);

  if (arm.algorithm->strategy()) {
    t.diffusion = diffusion_theory(e, index, r);
    t.curves.why_not = t.linear.why_not = "the recursion is for tiers; that of the strategy is its own";
  } else if (arm.algorithm->compressed() || arm.tier_messages) {
    if (arm.algorithm->compressed()) t.compressed = compressed_theory_of(e, index, r);
    t.curves.why_not = t.linear.why_not = "the recursion is for models that are averaged, not for compressed messages";
  } else if (arm.algorithm->voting()) {
    t.curves.why_not = t.linear.why_not = "the recursion is for steps along gradients, not along their signs";
  } else if (const auto risk = arm.model->quadratic_risk()) {
    if (arm.step.momentum > 0 ||
        std::any_of(arm.step.repeats.begin(), arm.step.repeats.end(), [](int32_t k) { return k != 1; }))
      t.curves.why_not = "the recursion is for one plain step in a slot";
    else if (!arm.step.drops.empty() || !n.participants.empty())
      t.curves.why_not = "the recursion is for one learning rate and all workers";
    else
      t.curves = quadratic_curves(*risk, network,
                                  {.learning_rate = t.eta,
                                   .batch = arm.step.batch,
                                   .starts = replica_starts(e, *arm.model, &start_rows),
                                   .start_rows = start_rows,
                                   .record_steps = r.record_steps});
  } else {
    t.curves.why_not = "gradients are not linear in the model";
  }
  return t;
}

}  // namespace orrery
