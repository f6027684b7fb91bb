#include "runtime/theory/measured.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/run.hpp"

namespace orrery {

namespace {

// place of a metric among the recorded ones of an arm
std::optional<size_t> place_of(const Experiment& e, const RunResult& r, size_t arm, const std::string& metric) {
  const auto found = std::find(e.record.metrics.begin(), e.record.metrics.end(), metric);
  const auto m = static_cast<size_t>(found - e.record.metrics.begin());
  return m < r.arms[arm].values.size() ? std::optional(m) : std::nullopt;
}

}  // namespace

std::vector<double> recorded_values(const Experiment& e, const RunResult& r, size_t arm, const std::string& a,
                                    const std::string& b, const std::function<double(double, double)>& f) {
  const auto m = place_of(e, r, arm, a), n = place_of(e, r, arm, b);
  if (!m || !n) return {};
  std::vector<double> out(r.record_steps.size(), 0);
  const auto &first = r.arms[arm].values[*m], &second = r.arms[arm].values[*n];
  for (size_t k = 0; k < first.size(); ++k)
    for (size_t t = 0; t < out.size(); ++t) {
      if (t >= first[k].size() || t >= second[k].size()) return {};
      const double value = f(first[k][t], second[k][t]);
      if (!std::isfinite(value)) return {};
      out[t] += value / static_cast<double>(first.size());
    }
  return out;
}

std::vector<double> recorded_values(const Experiment& e, const RunResult& r, size_t arm, const std::string& metric,
                                    bool largest) {
  const auto place = place_of(e, r, arm, metric);
  if (!place) return {};
  const size_t m = *place;
  std::vector<double> out(r.record_steps.size(), 0);
  const auto& replicas = r.arms[arm].values[m];
  for (size_t k = 0; k < replicas.size(); ++k)
    for (size_t t = 0; t < out.size(); ++t) {
      if (t >= replicas[k].size() || !std::isfinite(replicas[k][t])) return {};
      if (largest)
        out[t] = k == 0 ? replicas[k][t] : std::max(out[t], replicas[k][t]);
      else
        out[t] += replicas[k][t] / static_cast<double>(replicas.size());
    }
  return out;
}

std::vector<double> time_weights(const std::vector<int64_t>& steps, int64_t every) {
  std::vector<double> weights(steps.size(), 0);
  const double all = steps.empty() ? 0 : static_cast<double>(steps.back());
  if (all == 0) {
    if (!weights.empty()) weights[0] = 1;
    return weights;
  }
  for (size_t k = 0; k + 1 < steps.size(); ++k) {
    const double part = static_cast<double>(steps[k + 1] - steps[k]) / all;
    weights[k] += every == 1 ? part : part / 2;
    if (every != 1) weights[k + 1] += part / 2;
  }
  return weights;
}

std::optional<double> time_average(const std::vector<double>& values, const std::vector<double>& weights) {
  if (values.empty() || values.size() != weights.size()) return std::nullopt;
  double sum = 0;
  for (size_t k = 0; k < values.size(); ++k) sum += values[k] * weights[k];
  return sum;
}

}  // namespace orrery
