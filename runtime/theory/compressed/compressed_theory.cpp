#include "runtime/theory/compressed/compressed_theory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/compressed/compressed.hpp"
#include "runtime/compressed/notices.hpp"
#include "runtime/theory/compressed/fixed_point.hpp"
#include "runtime/theory/compressed/problem.hpp"
#include "runtime/theory/compressed/slope.hpp"
#include "runtime/theory/measured.hpp"

namespace orrery {

namespace ct = compressed_theory;

namespace {

using Flow = CompressedSpec::Flow;
using Method = CompressedSpec::Method;

constexpr int64_t long_product = 20000;
constexpr double most_equations = 1e9;

// The step of x <- x - s C(x) inside the method: how far what receivers hold moves by a message.
double memory_step(const CompressedSpec& s, double step) {
  if (s.is_flow()) return s.observes() ? step * s.kappa : step;
  if (s.method == Method::compressed_primal_dual) return s.psi;
  const bool lead = s.method == Method::lead || s.method == Method::prox_lead || s.method == Method::cedas;
  return lead ? s.a : 1.0;
}

// ---- gains up to which convergence is promised

void bounds_of(const Arm& arm, const Network& network, const ct::Problem& p, CompressedTheory& t) {
  const CompressedSpec& s = *arm.algorithm->compressed();
  const CompressorClass& c = t.traits;
  if (!s.star()) t.graph = ct::graph_numbers(network, s.unit_laplacian, &t.why_no_graph);
  t.euler_limit = euler_limit(s, network, arm.model->quadratic_risk());
  if (s.method == Method::consensus_flow && t.graph) {
    if (!s.observes() && c.monotone) {
      t.promised_decay =
          ct::monotone_decay(t.time_step, s.alpha, *c.monotone, t.graph->lambda_2, t.graph->lambda_n, c.bound);
      t.promised_by = "theorem 1 in Euler steps";
    }
    if (s.observes() && c.spatio_temporal && c.rate && !c.time_varying && !c.random)
      t.alpha_max = ct::observer_alpha(*c.rate, s.kappa, t.graph->lambda_2, t.graph->lambda_n);
  }
  if ((s.method == Method::choco_gossip || s.method == Method::choco_sgd) && t.graph && c.delta) {
    t.gamma_star = ct::choco_gamma(t.graph->gap, *c.delta, t.graph->norm);
    t.choco_contraction = ct::choco_contraction(t.graph->gap, *c.delta);
    if (s.method == Method::choco_gossip && std::abs(s.gamma - *t.gamma_star) <= 1e-6 * *t.gamma_star) {
      t.promised_decay = -0.5 * std::log(*t.choco_contraction);
      t.promised_by = "CHOCO-Gossip's theorem";
    }
  }
  const auto& weights = network.weights();
  const bool even = std::all_of(weights.begin(), weights.end(), [&](double w) { return w == weights[0]; });
  if (s.method == Method::ef21 && c.delta && p.L > 0 && even) {
    t.ef21 = ct::ef21_steps(*c.delta, p.L, p.Lt, p.mu);
    if (p.mu > 0 && t.time_step <= t.ef21->linear && !p.noisy) {
      t.promised_decay = -0.5 * std::log(1 - t.time_step * p.mu);
      t.promised_by = "EF21's linear rate";
    }
  }
}

// ---- exact decay

void decay_of(const Experiment& e, size_t index, const RunResult& r, const ct::Problem& p, CompressedTheory& t) {
  const Arm& arm = e.arms[index];
  const CompressedSpec& s = *arm.algorithm->compressed();
  t.why_no_decay = p.why_not_linear;
  if (!p.why_not_linear.empty()) return void(t.why_no_steps = t.why_no_decay);
  const BankShape shape = bank_shape(arm.model->layout(r.features, r.classes), r.parameters);
  const auto maps = s.compresses() ? ct::LinearMaps::of(*arm.compressor, shape, e.replica_seed(0), &t.why_no_decay)
                                   : ct::LinearMaps::identity(shape.parameters);
  if (!maps) return void(t.why_no_steps = t.why_no_decay);
  if (!p.why_not_optimum.empty() && !p.noisy) return void(t.why_no_decay = t.why_no_steps = p.why_not_optimum);

  const std::vector<double> none;
  ct::ClosedLoop loop(s, t.time_step, r.arms[index].network->weights(), p.laplacian,
                      s.takes_gradients() ? p.curvature : none, *maps);
  t.decay = loop.decay(std::max(e.steps, long_product));
  if (!t.decay) t.why_no_decay = "too many nodes and parameters for the exact recursion";
  if (!p.why_not_optimum.empty()) return void(t.why_no_steps = p.why_not_optimum);
  if (arm.model->needs_data()) return void(t.why_no_steps = "the start depends on the data");
  if (t.tracked == "root of grad_norm_sq") return void(t.why_no_steps = "no optimum is known to measure from");
  t.steps = loop.first_below(ct::start_of(e, index, p), t.tolerance, std::max(e.steps, long_product));
  if (!t.steps) t.why_no_steps = "too many nodes, parameters and steps for the exact recursion";
}

void floor_of(const Arm& arm, const ct::Problem& p, CompressedTheory& t) {
  const CompressedSpec& s = *arm.algorithm->compressed();
  const auto n = static_cast<double>(p.laplacian.nodes());
  if (s.method != Method::choco_sgd || !p.why_not_linear.empty() || !(p.mu > 0) || p.noisy || !t.graph) return;
  if (n * n * n * static_cast<double>(p.optimum.size()) > most_equations || !t.traits.spatio_temporal) return;
  t.floor = ct::choco_sgd_floor(t.time_step, s.gamma, p.laplacian, p.curvature, p.center, p.optimum);
}

// ---- what the run showed

// mean over the replicas, at the end; empty where it was not recorded or one stays
std::optional<double> escape_time(const Experiment& e, const RunResult& r, size_t index) {
  const auto& metrics = e.record.metrics;
  const auto at = static_cast<size_t>(std::find(metrics.begin(), metrics.end(), "escape_time") - metrics.begin());
  if (at >= r.arms[index].values.size()) return std::nullopt;
  double sum = 0;
  for (const auto& replica : r.arms[index].values[at]) sum += replica.empty() ? NAN : replica.back();
  const double mean = sum / static_cast<double>(r.arms[index].values[at].size());
  return std::isfinite(mean) ? std::optional(mean) : std::nullopt;
}

// The metric whose fall is the error's: a distance, or the root of a squared one.
struct Tracked {
  std::string metric;
  bool square = false;
};

// The nodes agree on the mean of their starts: is that the optimum?
bool meets_at_optimum(const Experiment& e, const Arm& arm, const ct::Problem& p) {
  int64_t rows = 1;
  const auto start = replica_starts(e, *arm.model, &rows)[0];
  for (size_t j = 0; j < p.optimum.size(); ++j) {
    double mean = 0;
    for (size_t k = j; k < start.size(); k += p.optimum.size()) mean += start[k] / static_cast<double>(rows);
    if (std::abs(mean - p.optimum[j]) > 1e-12) return false;
  }
  return !p.optimum.empty();
}

Tracked tracked_of(const Experiment& e, const Arm& arm, const ct::Problem& p) {
  if (arm.algorithm->compressed()->takes_gradients())
    return arm.model->has_optimum() && (e.record.asks_for("optimum_distance") || !e.record.asks_for("grad_norm_sq"))
               ? Tracked{"optimum_distance"}
               : Tracked{"grad_norm_sq", true};
  const bool recorded = e.record.asks_for("consensus_distance");
  return !recorded && p.quadratic && meets_at_optimum(e, arm, p) ? Tracked{"optimum_distance"}
                                                                 : Tracked{"consensus_distance", true};
}

void track(const Experiment& e, size_t index, const RunResult& r, const ct::Problem& p, CompressedTheory& t) {
  const auto [metric, square] = tracked_of(e, e.arms[index], p);
  t.tracked = square ? "root of " + metric : metric;
  const bool watched = e.record.escape && !e.record.escape->above && e.record.escape->metric == metric;
  if (watched) t.tolerance = square ? std::sqrt(e.record.escape->level) : e.record.escape->level;
  if (r.arms[index].values.empty()) return;

  auto error = recorded_values(e, r, index, metric);
  if (error.empty()) {
    t.slope_note = "record " + metric + " to compare";
    return;
  }
  for (double& v : error) v = square ? std::sqrt(v) : v;
  t.last = error.back();
  if (const auto slope =
          ct::late_slope(r.record_steps, error, e.precision == Precision::fp64 ? 1e-12 : 1e-5, &t.slope_note)) {
    t.slope = slope->decay;
    t.slope_note = fmt::format("measured from step {} to {}", slope->from, slope->until);
  }
  if (watched) t.steps_seen = escape_time(e, r, index);
}

}  // namespace

CompressedTheory compressed_theory_of(const Experiment& e, size_t index, const RunResult& r) {
  const Arm& arm = e.arms[index];
  const CompressedSpec& s = *arm.algorithm->compressed();
  CompressedTheory t;
  t.method = arm.algorithm->kind();
  if (s.is_flow()) t.method += std::string(", ") + name(s.flow);
  t.time_step = arm.step.learning_rate;
  t.memory_step = memory_step(s, t.time_step);
  const BankShape shape = bank_shape(arm.model->layout(r.features, r.classes), r.parameters);
  if (s.compresses()) {
    t.compressor = arm.compressor->kind();
    t.traits = arm.compressor->traits(shape);
    t.compressor_decay = ct::decay_rate(*arm.compressor, shape, t.memory_step, e.replica_seed(0),
                                        r.arms[index].values.empty() || e.theory.given);
  } else {
    t.traits = {.delta = 1, .omega = 0, .rate = 1, .monotone = 1, .bound = 1, .strong = true, .linear = true};
  }
  const ct::Problem p = ct::problem_of(e, index, r);
  track(e, index, r, p, t);
  bounds_of(arm, *r.arms[index].network, p, t);
  decay_of(e, index, r, p, t);
  floor_of(arm, p, t);
  t.statements = compressed_statements(e, index, r, t);
  return t;
}

}  // namespace orrery
