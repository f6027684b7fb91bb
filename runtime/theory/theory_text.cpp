// What `orrery theory` prints.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/experiment.hpp"
#include "runtime/theory/arm_theory.hpp"
#include "runtime/theory/theory.hpp"
#include "runtime/voting/spec.hpp"

namespace orrery {
namespace {

std::string value(const std::optional<double>& v) { return v ? fmt::format("{:.6g}", *v) : "-"; }
std::string line(const char* name, const Constant& c) {
  return fmt::format("    {:<24} {:<14} {}\n", name, value(c.value), c.how);
}
std::string why(const std::vector<std::string>& reasons) {
  std::string text;
  for (const auto& r : reasons) text += fmt::format("    does not apply: {}\n", r);
  return text;
}

std::string constants_text(const ArmTheory& t) {
  std::string text = "  constants\n";
  text += line("L", t.constants.smoothness) + line("sigma^2", t.constants.sigma_sq);
  text += line("f(start)", t.constants.start_value) + line("f*", t.constants.optimum);
  for (size_t k = 0; k < t.tiers.size(); ++k)
    text += line(fmt::format("divergence {}", t.tiers[k]).c_str(), t.constants.divergence[k]);
  return text;
}

std::string h_sgd_text(const ArmTheory& t) {
  if (!t.tree.why_not.empty()) return fmt::format("  H-SGD\n    does not apply: {}\n", t.tree.why_not);
  const h_sgd::Tree& tree = t.tree.tree;
  std::string text =
      fmt::format("  H-SGD: nodes {} with periods {}\n", fmt::join(tree.nodes, "-"), fmt::join(tree.period, ", "));
  if (!tree.own.empty())
    text += fmt::format("    groups average at periods of their own, the longest is {}\n", tree.period.back());
  text += fmt::format("    A_1 = {:g}", h_sgd::a1(tree));
  if (tree.nodes.back() > 1) {
    const auto a1 = h_sgd::sandwich_a1(tree), a2 = h_sgd::sandwich_a2(tree);
    text += fmt::format(" in [{:g}, {:g}], A_2 = {:g} in [{:g}, {:g}]\n", a1.low, a1.high, h_sgd::a2(tree), a2.low,
                        a2.high);
    text += fmt::format("    as local SGD with period {:.4g} for the noise, {:.4g} for the heterogeneity\n",
                        h_sgd::noise_period(tree), h_sgd::heterogeneity_period(tree));
    text += "    random grouping: shares of the global divergence";
    const auto part = h_sgd::random_grouping(tree);
    for (size_t l = 0; l < part.size(); ++l)
      text += fmt::format("{} {} {:.4g}", l == 0 ? "" : ",", tree.name[l], part[l]);
  }
  text += "\n";
  if (const auto fixed = t.fixed_grouping())
    text += fmt::format(
        "    with this grouping sum_l P_l^2 divergence_l = {:.6g} in place of A_2 times the global one\n", *fixed);
  if (t.tree_condition)
    text += fmt::format(
        "    condition {}: gamma L = {:.4g} <= 1, c = {:.4g} < 1; 2 sqrt(6) P_1 L gamma = {:.4g} (1 suffices)\n",
        t.tree_condition->holds ? "holds" : "fails", t.tree_condition->gamma_L, fmt::join(t.tree_condition->c, ", "),
        t.tree_condition->sufficient);
  text += why(t.tree_reasons);
  if (t.tree_bound) {
    const auto& b = *t.tree_bound;
    text += fmt::format("    bound after {:g} steps {:.6g} = start {:.4g} + noise {:.4g} + L^2 S_1 {:.4g}\n", t.steps,
                        b.total(), b.initial, b.noise, b.L2 * b.dispersion());
    for (size_t l = 0; l < tree.levels(); ++l)
      text += fmt::format("      {:<12} noise {:.4g}, drift {:.4g}\n", tree.name[l], b.L2 * b.local_noise[l],
                          b.L2 * b.local_drift[l]);
  }
  return text;
}

std::string mll_sgd_text(const ArmTheory& t) {
  if (!t.hubs.why_not.empty()) return fmt::format("  MLL-SGD (Theorem 1)\n    does not apply: {}\n", t.hubs.why_not);
  std::string text =
      fmt::format("  MLL-SGD (Theorem 1): tau = {:g}, q = {:g}, mean rate {:.4g}", t.hubs.tau, t.hubs.q, t.mean_rate);
  if (t.hubs.zeta)
    text += fmt::format(", zeta = {:.6g}, Gamma = {:.6g}", *t.hubs.zeta, mll_sgd::gamma_constant(*t.hubs.zeta));
  text += "\n";
  if (t.hubs.zeta)
    text += fmt::format(
        "    factors of L^2 eta^2 sigma^2 P, endless run: hubs {:.6g} (bracket {:.6g}), sub-networks {:.6g}\n",
        mll_sgd::hub_coefficient(t.hubs.tau, t.hubs.q, *t.hubs.zeta), mll_sgd::bracket(*t.hubs.zeta),
        mll_sgd::subnetwork_coefficient(t.hubs.tau, t.hubs.q, *t.hubs.zeta));
  if (t.verdict)
    text +=
        fmt::format("    condition {}: eta L = {:.4g}, largest allowed {:.4g}\n", t.verdict->holds ? "holds" : "fails",
                    t.eta * t.constants.smoothness.value.value_or(0), t.verdict->largest_eta_L);
  text += why(t.hub_reasons);
  if (t.hub_bound)
    text += fmt::format(
        "    bound after {:g} steps {:.6g} = start {:.4g} + noise {:.4g} + hubs {:.4g} + sub-networks {:.4g}\n",
        t.steps, t.hub_bound->total(), t.hub_bound->initial, t.hub_bound->noise, t.hub_bound->hubs,
        t.hub_bound->subnetworks);
  return text;
}

}  // namespace

std::string theory_text(const Experiment& e, const std::vector<ArmTheory>& arms,
                        const std::vector<TheoryTable>& tables) {
  std::string text = fmt::format("{}: {} workers, {} steps\n", e.name, e.workers(), e.steps);
  for (size_t a = 0; a < arms.size(); ++a) {
    const ArmTheory& t = arms[a];
    text += fmt::format("arm {}\n", t.name.empty() ? "(the whole file)" : "\"" + t.name + "\"");
    if (const VoteSpec* vote = e.arms[a].algorithm->voting()) {
      text += fmt::format("  sign-vote \"{}\"\n", name(vote->vote));
      size_t same = 0;  // the first arm with these batches
      while (e.arms[same].step.batch != e.arms[a].step.batch) ++same;
      text += vote_text(*t.votes, same == a ? "" : arms[same].name);
      continue;
    }
    if (t.compressed) {
      text += compressed_theory_text(*t.compressed, tables[a]);
      continue;
    }
    if (t.diffusion) {
      text += fmt::format("  {}: {}\n", e.arms[a].algorithm->kind(),
                          t.diffusion->why_not.empty() ? "expected excess risk, exact for quadratics"
                          : t.diffusion->estimates && t.diffusion->estimates->no_common.empty()
                              ? t.diffusion->why_not + "; leading order in the step, from estimates at the start"
                              : t.diffusion->why_not);
      if (t.diffusion->warning) text += "  " + *t.diffusion->warning + "\n";
      for (const TheoryRow& row : tables[a].rows)
        if (row.predicted && row.note.starts_with("expectation"))
          text += fmt::format("    {:<42} {:.6g}\n", row.quantity, *row.predicted);
        else if (t.diffusion->estimates)
          text += fmt::format("    {:<24} {:<12} {}\n", row.quantity, value(row.predicted), row.note);
      continue;
    }
    text += constants_text(t) + h_sgd_text(t) + mll_sgd_text(t);
    if (t.linear.why_not.empty()) {
      text += fmt::format("  dispersion with constant gradients: {:.6g} eta^2 sigma^2 (", t.linear.total());
      for (size_t k = 0; k < t.tiers.size(); ++k)
        text += fmt::format("{}{} {:.6g}", k == 0 ? "" : ", ", t.tiers[k], t.linear.part[k]);
      text += ")\n";
    } else {
      text += fmt::format("  dispersion with constant gradients: {}\n", t.linear.why_not);
    }
    if (t.waiting_round)
      text +=
          fmt::format("  a round of {:g} slots takes {:.6g} (deviation {:.3g}) where averages wait for the slowest\n",
                      t.waiting_round->slots, t.waiting_round->expected, t.waiting_round->deviation);
    else if (t.slowest < 1 || e.arms[a].network->clock.waiting)
      text += fmt::format("  a round that waits for the slowest: {}\n", t.why_no_waiting_round);
    if (!t.curves.why_not.empty()) continue;
    text += "  expected in the run, exact for quadratics\n";
    for (const TheoryRow& row : tables[a].rows)
      if (row.predicted && row.note.starts_with("expectation"))
        text += fmt::format("    {:<42} {:.6g}\n", row.quantity, *row.predicted);
  }
  return text;
}

}  // namespace orrery
