#include "runtime/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/parameter_metric.hpp"

namespace orrery {

const std::vector<MetricInfo>& metric_table() {
  static const std::vector<MetricInfo> table{
      {"train_loss", "global objective at the weighted mean model"},
      {"worker_train_loss", "global objective at each worker's model, mean over the workers"},
      {"train_accuracy", "share of the training set classified right by the mean model", true},
      {"worker_train_accuracy", "share of the training set classified right, mean over the workers", true},
      {"test_loss", "mean loss on the test set at the mean model", true},
      {"worker_test_loss", "mean loss on the test set, mean over the workers", true},
      {"test_accuracy", "share of the test set classified right by the mean model", true},
      {"worker_test_accuracy", "share of the test set classified right, mean over the workers", true},
      {"grad_norm_sq", "squared norm of the global objective's gradient at the mean model"},
      {"grad_norm_1", "sum of the absolute values of the global objective's gradient at the mean model"},
      {"consensus_distance", "weighted mean of squared distances to the mean model"},
      {"dispersion_<tier>", "consensus distance split by tiers; dispersion_graph: above the top tier"},
      {"divergence_<tier>",
       "divergence of the local gradients at the mean model, by tiers; divergence_graph: above the top tier"},
      {"vote_error", "share of the gradient that the next vote decodes wrong (methods that vote)"},
      {"vote_agreement", "share of signs that agree with the next vote's decision (methods that vote)"},
      {"optimum_distance", "root mean square over the workers of the distance to the optimum", false, true},
      {"excess_risk",
       "global objective above its minimum (above the point of algorithm.start, where it is given), mean over the "
       "workers' models",
       false, true},
      {"excess_risk_mean", "global objective above its minimum (or above algorithm.start) at the mean model", false,
       true},
      {"hessian_trace", "trace of the Hessian of the global objective at the mean model"},
      {"hessian_trace_error", "standard error of the estimate hessian_trace; 0 where it is exact"},
      {"hessian_top", "largest eigenvalue of the Hessian of the global objective at the mean model"},
      {"worker_hessian_trace", "the same trace at the workers' own models, mean over at most 8 evenly spread workers"},
      {"worker_hessian_top",
       "the same eigenvalue at the workers' own models, mean over at most 8 evenly spread workers"},
      {"mean_parameter", "mean over all parameters of the mean model: of quadratics whose coordinates are copies"},
      {"mean_parameter_<k>", "parameter k of the mean model (models without data)"},
      {"parameter_<i>_<k>", "parameter k of worker i (models without data)"},
      {"mean_norm_sq", "squared norm of the mean model"},
      {"escape_time", "first step at which the metric watched by [record.escape] had passed its level; none: nan"},
      {"escaped", "1 once the metric watched by [record.escape] has passed its level, else 0"},
      {"escape_kilobits",
       "kilobits that one worker had sent by then, each message once, with numbers of 32 bits (compressed messages)"},
      {"bits_up", "bits sent upward (or to neighbours) so far, per replica"},
      {"bits_down", "bits received so far, per replica"},
      {"bits", "bits_up + bits_down"},
      {"virtual_time", "simulated time in slots, or in seconds where network.clock gives step_time"},
      {"steps_done", "local steps taken by all workers so far"}};
  return table;
}

namespace {

constexpr std::string_view by_tier[] = {"dispersion_", "divergence_"};

bool has_tier(const NetworkSpec& n, const std::string& tier) {
  if (tier == "graph") return n.top_nodes() > 1;
  return std::any_of(n.tiers.begin(), n.tiers.end(), [&](const TierSpec& t) { return t.name == tier; });
}

}  // namespace

std::string tier_of(const std::string& metric) {
  for (auto prefix : by_tier)
    if (metric.starts_with(prefix)) return metric.substr(prefix.size());
  return "";
}

void check_metrics(const Params& record, const std::vector<std::string>& metrics, const std::vector<Arm>& arms,
                   const std::string& key) {
  std::vector<std::string> known;
  for (const auto& m : metric_table())
    if (m.name.find('<') == std::string::npos) known.push_back(m.name);
  for (const auto& arm : arms)
    for (auto prefix : by_tier) {
      for (const auto& t : arm.network->tiers) known.push_back(std::string(prefix) + t.name);
      if (has_tier(*arm.network, "graph")) known.push_back(std::string(prefix) + "graph");
    }
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  for (size_t i = 0; i < metrics.size(); ++i) {
    const auto& m = metrics[i];
    if (parameter_metric(m))
      for (const auto& arm : arms) check_parameter_metric(record, m, arm, key);
    else if (std::find(known.begin(), known.end(), m) == known.end())
      fail_unknown(record, key, m, known);
    if (std::find(metrics.begin(), metrics.begin() + static_cast<std::ptrdiff_t>(i), m) !=
        metrics.begin() + static_cast<std::ptrdiff_t>(i))
      record.fail(key, fmt::format("\"{}\" is named twice; name it once", m));
    if (m.starts_with("dispersion_") &&
        std::all_of(arms.begin(), arms.end(), [](const Arm& a) { return a.algorithm->voting() != nullptr; }))
      record.fail(key, fmt::format("\"{}\" splits the models of workers, which share theirs where they vote; record "
                                   "consensus_distance instead",
                                   m));
    for (const auto& arm : arms)
      if (m.starts_with("vote_") && !arm.algorithm->voting())
        record.fail(key, fmt::format("\"{}\" is of methods that vote, and \"{}\" does not; leave it out", m,
                                     arm.algorithm->kind()));
    for (const auto& arm : arms)
      if (m == "escape_kilobits" && !arm.algorithm->compressed())
        record.fail(key, fmt::format("\"{}\" is of methods with compressed messages, and \"{}\" is none; leave it out",
                                     m, arm.algorithm->kind()));
    for (const auto& info : metric_table()) {
      if (info.name != m) continue;
      for (const auto& arm : arms) {
        if (info.needs_data && !arm.model->needs_data())
          record.fail(key, fmt::format("\"{}\" needs a test set, the model \"{}\" has no data; leave it out", m,
                                       arm.model->kind()));
        const bool excess = m.starts_with("excess_risk");
        const CompressedSpec* compressed = arm.algorithm->compressed();
        if (info.needs_optimum && compressed && compressed->l1 > 0 && !arm.model->quadratic_risk())
          record.fail(key, fmt::format("\"{}\" needs a known optimum, and with the l1 term that of the model \"{}\" is "
                                       "not; leave it out",
                                       m, arm.model->kind()));
        if (info.needs_optimum && !arm.model->has_optimum() && !(excess && arm.from_start))
          record.fail(key, fmt::format("\"{}\" needs a known optimum, the model \"{}\" has none; leave it out{}", m,
                                       arm.model->kind(), excess ? ", or name the minimum with algorithm.start" : ""));
      }
    }
  }
}

}  // namespace orrery
