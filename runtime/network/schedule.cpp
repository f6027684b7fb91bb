// What acts when. Periods divide each other from the finest tier up to the graph, so the coarsest action that fires has
// the largest period; where two periods are equal, the coarser one acts.
#include <algorithm>
#include <limits>

#include "runtime/network/graph.hpp"
#include "runtime/network/network.hpp"

namespace orrery {

Schedule::Schedule(const NetworkSpec& spec) {
  for (const TierSpec& tier : spec.tiers) periods_.push_back(tier.period);
  for (const int64_t period : periods_) round_ = std::max(round_, period);
  if (spec.graph) {
    graph_period_ = spec.graph->period;
    phases_ = cycle_length(*spec.graph, spec.top_nodes());
    round_ = std::max(round_, graph_period_) * phases_;
  }
}

Action Schedule::after(int64_t steps_done) const {
  expects(steps_done >= 1, "at least one step done");
  if (graph_period_ > 0 && steps_done % graph_period_ == 0)
    return {.kind = Action::Kind::graph, .phase = (steps_done / graph_period_ - 1) % phases_};
  for (int tier = static_cast<int>(periods_.size()) - 1; tier >= 0; --tier)
    if (steps_done % periods_[tier] == 0) return {.kind = Action::Kind::tier, .tier = tier};
  return {};
}

int64_t Schedule::next(int64_t steps_done) const {
  constexpr int64_t never = std::numeric_limits<int64_t>::max();
  const auto multiple_after = [&](int64_t period) {
    const int64_t n = steps_done / period + 1;
    return n > never / period ? never : n * period;
  };
  int64_t next = graph_period_ > 0 ? multiple_after(graph_period_) : never;
  for (const int64_t period : periods_) next = std::min(next, multiple_after(period));
  return next;
}

}  // namespace orrery
