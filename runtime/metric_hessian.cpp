// Metrics of curvature: traces and largest eigenvalues of the Hessian of the objective, at the mean models or at workers' own.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "runtime/curvature/top_eigenvalue.hpp"
#include "runtime/curvature/trace.hpp"
#include "runtime/metrics.hpp"
#include "runtime/theory/sampled_rows.hpp"

namespace orrery {

// Fills the metric, and beside a trace its standard error; leaves NaN at points where it is not taken.
template <class T>
void Evaluator<T>::look_at_hessian(const std::string& metric) {
  const HessianSpec& spec = experiment_.record.hessian;
  const size_t lanes = population_.lanes.size();
  const bool of_workers = metric.starts_with("worker_"), top = metric.ends_with("_top");
  auto& values = cache_[metric == "hessian_trace_error" ? "hessian_trace" : metric];
  values.assign(lanes, std::numeric_limits<double>::quiet_NaN());
  std::vector<double> errors = values;
  if (!of_workers && !top) cache_["hessian_trace_error"] = errors;
  if (!spec.taken(cluster_.now(), experiment_.steps)) return;

  if (!hessian_) hessian_ = std::make_unique<ObjectiveHessian<T>>(ctx_, population_, p_, spec.samples);
  for (size_t i = 0; i < lanes; ++i) {
    const Lane& lane = population_.lanes[i];
    std::vector<MatrixView<const T>> points;
    if (of_workers)
      for (const int64_t w : spread(population_.workers, most_hessian_workers))
        points.push_back(cluster_.parameters().rows(cluster_.model_of(lane.first_row + w), 1));
    else
      points.push_back(means().rows(static_cast<int64_t>(i), 1));

    double sum = 0, error = 0;
    const ProbeKey key{lane.seed, static_cast<uint64_t>(cluster_.now())};
    for (const auto& x : points) {
      const SymmetricProducts H = hessian_->at(cluster_.model(), cluster_.rows(), cluster_.slot(), i, x);
      if (top) {
        const TopEigenvalue largest = top_eigenvalue(H, spec.lanczos_steps, key);
        sum += largest.value;
        Lanczos& seen = lanczos_[metric];
        ++seen.runs;
        seen.unsettled += largest.settled() ? 0 : 1;
        seen.worst = std::max(seen.worst, largest.relative_residual());
      } else {
        const TraceEstimate t = trace(H, spec.probes, key);
        sum += t.value, error = t.error;
      }
    }
    values[i] = sum / static_cast<double>(points.size());
    errors[i] = error;
  }
  if (!of_workers && !top) cache_["hessian_trace_error"] = errors;
}

template <class T>
std::vector<std::string> Evaluator<T>::notices() const {
  std::vector<std::string> sentences;
  for (const auto& [metric, seen] : lanczos_)
    if (seen.unsettled > 0)
      sentences.push_back(fmt::format(
          "{}: {} of {} Lanczos iterations had not settled after {} steps (residual up to {:.2g} of the value), which "
          "makes theirs lower estimates; raise record.hessian.lanczos_steps",
          metric, seen.unsettled, seen.runs, experiment_.record.hessian.lanczos_steps, seen.worst));
  return sentences;
}

template std::vector<std::string> Evaluator<float>::notices() const;
template std::vector<std::string> Evaluator<double>::notices() const;
template void Evaluator<float>::look_at_hessian(const std::string&);
template void Evaluator<double>::look_at_hessian(const std::string&);

}  // namespace orrery
