#include "runtime/escape.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/metrics.hpp"
#include "runtime/parameter_metric.hpp"

namespace orrery {

EscapeSpec parse_escape(Params section, int64_t record_every, const std::vector<Arm>& arms) {
  // looks come every step: no gradients of whole data sets, no splits by tiers
  static const std::vector<std::string> watchable{
      "train_loss",       "worker_train_loss", "test_loss",    "test_accuracy", "consensus_distance",
      "optimum_distance", "mean_parameter",    "mean_norm_sq", "excess_risk",   "excess_risk_mean"};
  EscapeSpec e;
  e.metric = section.text("metric", std::nullopt);
  if (!parameter_metric(e.metric) && std::find(watchable.begin(), watchable.end(), e.metric) == watchable.end())
    section.fail("metric",
                 fmt::format("\"{}\" cannot be watched; name one of {}, mean_parameter_<k>, parameter_<i>_<k>",
                             e.metric, fmt::join(watchable, ", ")));
  check_metrics(section, {e.metric}, arms, "metric");
  e.above = section.has("above");
  if (e.above == section.has("below")) section.fail("above", "give a level as above or as below, and one of the two");
  e.level = section.number(e.above ? "above" : "below", std::nullopt);
  e.every = section.integer("every", 1, at_least(1));
  if (record_every % e.every != 0)
    section.fail("every", fmt::format("{} does not divide record.every, which is {}; give a divisor of it", e.every,
                                      record_every));
  return e;
}

}  // namespace orrery
