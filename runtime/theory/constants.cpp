#include "runtime/theory/constants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/run.hpp"
#include "runtime/theory/measured.hpp"

namespace orrery {
namespace {

Constant quadratic_smoothness(const QuadraticRisk& q, int64_t workers) {
  double largest = 0;
  const int64_t rows = q.same_workers ? 1 : workers, columns = q.same_columns ? 1 : q.dimension;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) largest = std::max(largest, q.curvature(i, j));
  return {largest, "exact: the largest curvature"};
}

Constant quadratic_noise(const QuadraticRisk& q, const std::vector<int64_t>& batch) {
  double largest = 0;
  for (const int64_t b : batch)
    if (b > 0) largest = std::max(largest, q.noise_sq / static_cast<double>(b));
  return {largest, "exact: noise^2, summed over the coordinates, / batch"};
}

// f(x) = sum_i a_i F_i(x), coordinate by coordinate; x(j) may look at the coordinate's constants
double quadratic_value(const QuadraticRisk& q, const std::vector<double>& a, int64_t columns, auto x) {
  double value = 0;
  for (int64_t j = 0; j < columns; ++j) {
    const double at = x(j);
    for (size_t i = 0; i < a.size(); ++i) {
      const double d = at - q.center(static_cast<int64_t>(i), j);
      value += 0.5 * a[i] * q.curvature(static_cast<int64_t>(i), j) * d * d;
    }
  }
  return value;
}

Constant quadratic_optimum(const QuadraticRisk& q, const std::vector<double>& a) {
  const int64_t columns = q.same_columns ? 1 : q.dimension;
  const double value = quadratic_value(q, a, columns, [&](int64_t j) {
    double above = 0, below = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      const double h = a[i] * q.curvature(static_cast<int64_t>(i), j);
      above += h * q.center(static_cast<int64_t>(i), j);
      below += h;
    }
    return below > 0 ? above / below : 0;
  });
  return {q.same_columns ? value * static_cast<double>(q.dimension) : value, "exact: the objective at its optimum"};
}

Constant quadratic_start(const Experiment& e, const QuadraticRisk& q, const ModelSpec& model,
                         const std::vector<double>& a) {
  const auto workers = static_cast<int64_t>(a.size());
  if (static_cast<double>(workers) * static_cast<double>(q.dimension) > 1e8)
    return {{}, "record train_loss, or let it be estimated"};
  int64_t rows = 1;
  const auto starts = replica_starts(e, model, &rows);
  double value = 0;
  for (const auto& start : starts)
    value += quadratic_value(q, a, q.dimension, [&](int64_t j) {
      double mean = 0;
      for (size_t i = 0; i < a.size(); ++i)
        mean += a[i] * start[static_cast<size_t>((rows > 1 ? static_cast<int64_t>(i) : 0) * q.dimension + j)];
      return mean;
    });
  return {value / static_cast<double>(starts.size()), starts.size() > 1
                                                          ? "exact: the objective at the starts, mean over the replicas"
                                                          : "exact: the objective at the start"};
}

const char* not_estimated = "not estimated: give [theory] a section, estimate = \"start\" or \"record\"";

}  // namespace

Constant Constants::gap() const {
  if (!start_value.value) return start_value;
  if (!optimum.value) return optimum;
  return {std::max(0.0, *start_value.value - *optimum.value), "f(start) - f*"};
}

std::vector<std::vector<double>> replica_starts(const Experiment& e, const ModelSpec& model, int64_t* rows) {
  std::vector<std::vector<double>> starts;
  for (int64_t k = 0; k < e.replicas; ++k) {
    starts.push_back(model.start(e.workers(), 0, 0, e.replica_seed(k), rows));
    if (k == 1 && starts[1] == starts[0]) return {starts[0]};  // it does not depend on the seed
  }
  return starts;
}

Constants constants_of(const Experiment& e, size_t index, const RunResult& r) {
  const Arm& arm = e.arms[index];
  const ArmResult& result = r.arms[index];
  const Estimates& seen = result.estimates;
  const auto risk = arm.model->quadratic_risk();
  Constants c;

  // L, sigma^2, f*, f(u_0)
  if (e.theory.smoothness)
    c.smoothness = {e.theory.smoothness, "given"};
  else if (risk)
    c.smoothness = quadratic_smoothness(*risk, e.workers());
  else
    c.smoothness = seen.smoothness.value ? seen.smoothness : Constant{{}, not_estimated};
  const bool whole = std::all_of(arm.step.batch.begin(), arm.step.batch.end(), [](int64_t b) { return b == 0; });
  if (e.theory.sigma_sq)
    c.sigma_sq = {e.theory.sigma_sq, "given"};
  else if (risk)
    c.sigma_sq = quadratic_noise(*risk, arm.step.batch);
  else if (whole)
    c.sigma_sq = {0.0, "exact: whole local gradients"};
  else
    c.sigma_sq = seen.sigma_sq.value ? seen.sigma_sq : Constant{{}, not_estimated};
  if (e.theory.optimum)
    c.optimum = {e.theory.optimum, "given"};
  else if (risk)
    c.optimum = quadratic_optimum(*risk, result.network->weights());
  else
    c.optimum = {0.0, "0, a lower bound of the loss"};

  if (seen.start_value)
    c.start_value = {seen.start_value, "at the start"};
  else if (const auto recorded = recorded_values(e, r, index, "train_loss"); !recorded.empty())
    c.start_value = {recorded.front(), "recorded at the start, mean over the replicas"};
  else if (risk)
    c.start_value = quadratic_start(e, *risk, *arm.model, result.network->weights());
  else
    c.start_value = {{}, "record train_loss, or let it be estimated"};

  // divergences: the larger of what was estimated and recorded
  const NetworkSpec& n = *arm.network;
  std::vector<std::string> tiers;
  for (const auto& t : n.tiers) tiers.push_back(t.name);
  if (n.top_nodes() > 1) tiers.push_back("graph");
  const bool same = (risk && risk->same_workers) || arm.partition_kind == "shared";
  double all = 0;
  bool complete = true;
  for (size_t k = 0; k < tiers.size(); ++k) {
    Constant d;
    if (same) {
      d = {0.0, "exact: all workers have the same objective"};
    } else {
      if (k < seen.divergence.size())
        d = {seen.divergence[k], fmt::format("largest of {} point{}", seen.points, seen.points == 1 ? "" : "s")};
      if (const auto recorded = recorded_values(e, r, index, "divergence_" + tiers[k], true); !recorded.empty()) {
        const double most = *std::max_element(recorded.begin(), recorded.end());
        if (!d.value || most > *d.value) d = {most, fmt::format("largest of {} record points", recorded.size())};
      }
      if (!d.value)
        d.how = seen.why_no_divergence.empty() ? fmt::format("neither recorded (divergence_{}) nor estimated", tiers[k])
                                               : seen.why_no_divergence;
    }
    complete = complete && d.value;
    all += d.value.value_or(0);
    c.divergence.push_back(d);
  }
  c.global_divergence =
      complete ? Constant{all, "sum over the tiers"} : Constant{{}, "a tier's divergence is not known"};
  return c;
}

}  // namespace orrery
