// What acts when. Periods divide each other from the finest tier up to the graph, so the coarsest action that fires has
// the largest period; where two periods are equal, the coarser one acts. Nodes of the first tier with periods of their own
// act each at its own, until a coarser period, a multiple of all of them, takes everyone along.
#include <algorithm>
#include <limits>
#include <numeric>

#include "runtime/network/graph.hpp"
#include "runtime/network/network.hpp"

namespace orrery {
namespace {
constexpr int64_t never = std::numeric_limits<int64_t>::max();
}

std::vector<int64_t> TierSpec::classes() const {
  if (periods.empty()) return {period};
  std::vector<int64_t> all = periods;
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

int64_t TierSpec::common_period() const {
  int64_t common = 1;
  for (const int64_t c : classes()) common = std::lcm(common, c);  // read_period bounds it
  return common;
}

std::vector<int64_t> nodes_of_class(const TierSpec& tier, int32_t c) {
  const int64_t period = tier.classes()[static_cast<size_t>(c)];
  std::vector<int64_t> nodes;
  for (int64_t k = 0; k < tier.nodes; ++k)
    if (tier.period_of(k) == period) nodes.push_back(k);
  return nodes;
}

bool acts(const TierSpec& first, const Action& action, int64_t node) {
  if (action.kind == Action::Kind::none) return false;
  if (action.classes.empty()) return true;
  const auto all = first.classes();
  return std::any_of(action.classes.begin(), action.classes.end(),
                     [&](int32_t c) { return all[static_cast<size_t>(c)] == first.period_of(node); });
}

Schedule::Schedule(const NetworkSpec& spec) {
  for (const TierSpec& tier : spec.tiers) periods_.push_back(tier.period);
  if (!spec.tiers.empty()) {
    classes_ = spec.tiers[0].classes();
    round_ = spec.tiers[0].common_period();
  }
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
  for (int tier = static_cast<int>(periods_.size()) - 1; tier >= 1; --tier)
    if (steps_done % periods_[tier] == 0) return {.kind = Action::Kind::tier, .tier = tier};
  Action action{.kind = Action::Kind::tier};
  for (size_t c = 0; c < classes_.size(); ++c)
    if (steps_done % classes_[c] == 0) action.classes.push_back(static_cast<int32_t>(c));
  if (action.classes.empty()) return {};
  if (action.classes.size() == classes_.size()) action.classes.clear();  // every node
  return action;
}

int64_t Schedule::next(int64_t steps_done) const {
  const auto multiple_after = [&](int64_t period) {
    const int64_t n = steps_done / period + 1;
    return n > never / period ? never : n * period;
  };
  int64_t next = graph_period_ > 0 ? multiple_after(graph_period_) : never;
  for (const int64_t period : periods_) next = std::min(next, multiple_after(period));
  for (const int64_t period : classes_) next = std::min(next, multiple_after(period));
  return next;
}

}  // namespace orrery
