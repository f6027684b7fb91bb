#include "runtime/theory/theory.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "runtime/run.hpp"
#include "runtime/theory/arm_theory.hpp"
#include "runtime/theory/measured.hpp"

namespace orrery {
namespace {

std::string reasons(const std::vector<std::string>& why) {
  return fmt::format("does not apply: {}", fmt::join(why, "; "));
}

// What every measured average of this arm should be read with.
struct Sampling {
  std::vector<double> weights;
  std::string steps;       // how dense the record points are
  std::string dispersion;  // the same for what averages reset
};
Sampling sampling_of(const Experiment& e, const Arm& arm, const RunResult& r) {
  Sampling s{time_weights(r.record_steps, e.record.every), "", ""};
  if (e.record.every == 1) return s;
  s.steps = fmt::format("; measured at {} of {} steps", r.record_steps.size(), e.steps);
  s.dispersion = s.steps;
  const NetworkSpec& n = *arm.network;
  const int64_t finest = !n.tiers.empty() ? n.tiers[0].period : n.graph ? n.graph->period : 0;
  if (finest > 1 && e.record.every % finest == 0)
    s.dispersion += fmt::format(", all right after averages (record.every is a multiple of the period {})", finest);
  return s;
}

// What rounding alone does to squared distances of models.
double rounding(const Experiment& e, const ArmResult& arm) {
  const double eps = e.precision == Precision::fp64 ? 2.3e-16 : 1.2e-7;
  double square = 0;
  for (const double x : arm.mean_models) square += x * x / static_cast<double>(e.replicas);
  return 64 * eps * eps * square;
}

void warn_above(const Experiment& e, const ArmTheory& t, const std::string& what, const char* theorem, double measured,
                double bound, double rounding, const std::string& sampled, std::vector<std::string>* warnings) {
  if (!warnings || measured <= bound * (1 + 1e-9) + rounding) return;
  const auto lower = [](const Constant& c) { return c.how.find("indicative") != std::string::npos; };
  warnings->push_back(fmt::format("{}{}: measured {:.6g}, above the bound {:.6g} of {}{}{}",
                                  e.has_arms ? fmt::format("arm \"{}\": ", t.name) : "", what, measured, bound, theorem,
                                  lower(t.constants.smoothness) ? " (L is only indicative)" : "", sampled));
}

void structure_rows(const ArmTheory& t, TheoryTable& table) {
  const auto& tree = t.tree.tree;
  if (!t.tree.why_not.empty()) {
    table.rows.push_back({"A_1, A_2", {}, {}, t.tree.why_not});
  } else {
    const auto [low, high] = h_sgd::sandwich_a1(tree);
    const bool several = tree.nodes.back() > 1;
    table.rows.push_back(
        {"A_1",
         h_sgd::a1(tree),
         {},
         several ? fmt::format("multiplies sigma^2; between {:g} and {:g}; as local SGD with period {:.4g}", low, high,
                               h_sgd::noise_period(tree))
                 : "multiplies sigma^2"});
    if (several) {
      const auto squares = h_sgd::sandwich_a2(tree);
      table.rows.push_back(
          {"A_2",
           h_sgd::a2(tree),
           {},
           fmt::format("multiplies the divergence under random grouping; between {:g} and {:g}; as local SGD with "
                       "period {:.4g}{}",
                       squares.low, squares.high, h_sgd::heterogeneity_period(tree),
                       tree.equal_weights ? "" : " (for equal weights)")});
    }
  }
  table.rows.push_back({"dispersion / (eta^2 sigma^2), constant gradients",
                        t.linear.why_not.empty() ? std::optional(t.linear.total()) : std::nullopt,
                        {},
                        t.linear.why_not.empty() ? "exact, averaged over a cycle" : t.linear.why_not});
}

}  // namespace

TheoryTable theory_table(const Experiment& e, size_t index, const ArmTheory& t, const RunResult& r, bool measured,
                         std::vector<std::string>* warnings) {
  const Arm& arm = e.arms[index];
  if (t.diffusion) return diffusion_table(e, index, t.name, *t.diffusion, r, measured, warnings);
  if (t.compressed) return compressed_table(*t.compressed, t.name, measured);
  if (t.votes) return vote_table(e, index, t.name, *t.votes, r, measured, warnings);
  const Sampling sampling = sampling_of(e, arm, r);
  const auto average = [&](const std::string& metric) {
    return measured ? time_average(recorded_values(e, r, index, metric), sampling.weights) : std::nullopt;
  };
  const double noise = rounding(e, r.arms[index]);
  TheoryTable table{t.name, {}};

  // the gradient of the mean model
  const auto gradient = average("grad_norm_sq");
  const std::string norm = "time average of |grad f(u)|^2";
  const std::string missing = measured && !gradient ? "; record grad_norm_sq to compare" : "";
  const auto bound_row = [&](const char* theorem, auto bound, const std::vector<std::string>& why) {
    if (!bound) {
      table.rows.push_back({norm, {}, gradient, fmt::format("bound of {} {}", theorem, reasons(why))});
      return;
    }
    table.rows.push_back(
        {norm, bound->total(), gradient, fmt::format("bound of {}{}{}", theorem, sampling.steps, missing)});
    if (gradient)
      warn_above(e, t, norm, theorem, *gradient, bound->total(),
                 noise * *t.constants.smoothness.value * *t.constants.smoothness.value, sampling.steps, warnings);
  };
  bound_row("H-SGD", t.tree_bound, t.tree_reasons);
  bound_row("MLL-SGD (Theorem 1)", t.hub_bound, t.hub_reasons);
  const bool exact = t.curves.why_not.empty();
  const std::string grouping =
      arm.network->random_grouping && e.replicas > 1 ? "; the grouping of the first replica" : "";
  if (exact)
    table.rows.push_back({norm, time_average(t.curves.grad_norm_sq, sampling.weights), gradient,
                          "expectation, exact for quadratics, at the record points" + grouping + missing});

  // the models around their mean
  std::optional<double> distance = average("consensus_distance");
  if (!distance) {
    double sum = 0;
    bool all = !t.tiers.empty();
    for (const auto& tier : t.tiers) {
      const auto part = average("dispersion_" + tier);
      all = all && part;
      sum += part.value_or(0);
    }
    if (all) distance = sum;
  }
  const std::string around = "time average of sum_i a_i |w_i - u|^2";
  if (t.tree_bound) {
    table.rows.push_back({around, t.tree_bound->dispersion(), distance,
                          fmt::format("bound S_1 of H-SGD{}{}", sampling.dispersion,
                                      measured && !distance ? "; record consensus_distance to compare" : "")});
    if (distance)
      warn_above(e, t, around, "H-SGD", *distance, t.tree_bound->dispersion(), noise, sampling.dispersion, warnings);
  }
  if (exact) {
    table.rows.push_back({around, time_average(t.curves.consensus_distance, sampling.weights), distance,
                          "expectation, exact for quadratics, at the record points" + grouping});
    for (size_t k = 0; k < t.tiers.size(); ++k)
      if (const auto part = average("dispersion_" + t.tiers[k]); part || !measured)
        table.rows.push_back({"time average of dispersion_" + t.tiers[k],
                              time_average(t.curves.dispersion[k], sampling.weights), part,
                              "expectation, exact for quadratics, at the record points" + grouping});
  } else if (distance && !t.tree_bound) {
    table.rows.push_back({around, {}, distance, "no bound applies" + sampling.dispersion});
  }

  // divergences: what random grouping expects of the global one
  const auto& all = t.constants.global_divergence;
  for (size_t k = 0; k < t.tiers.size(); ++k) {
    std::optional<double> expected;
    if (all.value && t.tree.why_not.empty() && t.tree.tree.equal_weights && t.tree.tree.nodes.back() > 1)
      expected = *all.value * h_sgd::random_grouping(t.tree.tree)[t.tree.tree.levels() - 1 - k];
    const Constant& d = t.constants.divergence[k];
    table.rows.push_back(
        {"largest divergence_" + t.tiers[k], expected, d.value,
         (expected ? "predicted: its share of the global divergence under random grouping; measured: " : "") + d.how});
  }
  structure_rows(t, table);
  if (t.waiting_round) {
    const WaitingRound& w = *t.waiting_round;
    std::optional<double> seen;
    if (const auto time = recorded_values(e, r, index, "virtual_time");
        measured && arm.network->clock.waiting && !arm.network->clock.step_time && !time.empty() && e.steps >= w.slots)
      seen = time.back() * w.slots / static_cast<double>(e.steps);
    table.rows.push_back(
        {"slots of a round that waits for the slowest", w.expected, seen,
         fmt::format("expectation, deviation {:.3g}; a round that nobody waits for takes {:g}", w.deviation, w.slots)});
  }
  return table;
}

TheoryResult make_theory(const Experiment& e, const RunResult& r, bool measured) {
  TheoryResult result;
  std::vector<ArmTheory> arms;
  for (size_t a = 0; a < e.arms.size(); ++a) {
    arms.push_back(arm_theory(e, a, r));
    result.tables.push_back(theory_table(e, a, arms[a], r, measured, &result.warnings));
  }
  result.text = theory_text(e, arms, result.tables);
  result.json = theory_json(e, arms, result.tables, result.warnings);
  return result;
}

TheoryResult theory_without_a_run(const Experiment& whole) {
  // A run of no steps: data, population and estimates are made as a run makes them.
  Experiment e = whole;
  if (!e.theory.given) e.theory.estimate = TheorySpec::Estimate::start;
  e.record.metrics = {"train_loss"};
  e.record.params = e.record.partition = false;
  e.record.escape.reset();
  e.record.landscape.reset();
  e.steps = 0;
  RunResult r = run(e);
  for (auto& arm : r.arms) {
    arm.estimates.start_value = arm.values[0][0][0];
    arm.values.clear();
  }
  e.steps = whole.steps;
  r.record_steps = record_points(e);
  return make_theory(e, r, false);
}

}  // namespace orrery
