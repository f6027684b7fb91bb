#include "runtime/network/clock.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/core/rng.hpp"
#include "kernels/participation_inline.hpp"

namespace orrery {

VirtualClock::VirtualClock(std::shared_ptr<const Network> network, uint64_t seed, int64_t bits_per_model,
                           std::vector<std::pair<int64_t, int64_t>> tier_bits)
    : network_(std::move(network)), seed_(seed), bits_(bits_per_model), tier_bits_(std::move(tier_bits)) {
  const NetworkSpec& spec = network_->spec();
  const auto& tiers = network_->tiers();
  if (tier_bits_.empty()) tier_bits_.assign(tiers.size(), {bits_, bits_});
  unit_ = spec.clock.step_time.value_or(1);
  double messages = spec.graph ? spec.graph->link.seconds(bits_) : 0;
  for (size_t k = 0; k < spec.tiers.size(); ++k)
    messages += spec.tiers[k].link.seconds(tier_bits_[k].first) + spec.tiers[k].link.seconds(tier_bits_[k].second);
  plain_ = !spec.clock.waiting && !(spec.clock.step_time && messages > 0);
  if (plain_) return;

  // who has a clock, and below which nodes
  std::vector<int64_t> worker_of;  // one worker for each clock
  if (spec.clock.waiting)
    for (int64_t i = 0; i < spec.workers; ++i) worker_of.push_back(i);
  else if (tiers.empty())
    worker_of.push_back(0);
  else
    for (int64_t k = 0; k < tiers[0].nodes(); ++k)
      worker_of.push_back(tiers[0].member[static_cast<size_t>(tiers[0].begin[static_cast<size_t>(k)])]);
  at_.assign(worker_of.size(), 0.0);
  for (const Groups& tier : tiers) {
    node_of_.emplace_back();
    for (const int64_t w : worker_of) node_of_.back().push_back(tier.node_of[static_cast<size_t>(w)]);
  }
}

double VirtualClock::message_seconds(const Action& action) const {
  const NetworkSpec& spec = network_->spec();
  if (!spec.clock.step_time || action.kind == Action::Kind::none) return 0;
  const bool graph = action.kind == Action::Kind::graph;
  double seconds = graph && !network_->edges().empty() ? spec.graph->link.seconds(bits_) : 0;
  for (size_t k = 0; k < (graph ? spec.tiers.size() : static_cast<size_t>(action.tier) + 1); ++k)
    seconds += spec.tiers[k].link.seconds(tier_bits_[k].first) + spec.tiers[k].link.seconds(tier_bits_[k].second);
  return seconds;
}

void VirtualClock::advance(const Schedule& schedule, int64_t to) {
  if (plain_) done_ = std::max(done_, to);
  while (done_ < to) {
    const int64_t next = std::min(to, schedule.next(done_));
    step(done_, next);
    act(schedule.after(next));
    done_ = next;
  }
}

double VirtualClock::time() const {
  return plain_ ? unit_ * static_cast<double>(done_) : *std::max_element(at_.begin(), at_.end());
}

// Who takes part in the local period that holds this step.
std::vector<uint8_t> VirtualClock::present(int64_t step) const {
  const NetworkSpec& spec = network_->spec();
  std::vector<uint8_t> here(static_cast<size_t>(spec.workers), spec.participants.empty() ? 1 : 0);
  std::vector<uint64_t> drawn;
  for (size_t k = 0; k < spec.participants.size(); ++k) {
    const Groups& g = network_->tiers()[0];
    const auto node = static_cast<int64_t>(k);
    draw_places(participation_stream(seed_, node, step / spec.tiers[0].period_of(node)), g.begin[k + 1] - g.begin[k],
                spec.participants[k], drawn);
    for (const uint64_t m : drawn) here[static_cast<size_t>(g.member[static_cast<size_t>(g.begin[k]) + m])] = 1;
  }
  return here;
}

void VirtualClock::step(int64_t from, int64_t to) {
  const NetworkSpec& spec = network_->spec();
  const auto entries = static_cast<int64_t>(at_.size());
  if (!spec.clock.waiting) {
    for (double& t : at_) t += unit_ * static_cast<double>(to - from);
    return;
  }
  const auto here = present(from);
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < entries; ++i) {
    const auto w = static_cast<size_t>(i);
    if (!here[w]) continue;
    double slots = static_cast<double>(to - from);
    if (const double p = spec.rates[w]; p < 1) {
      const double per_failure = std::log1p(-p);
      for (int64_t t = from; t < to; ++t)
        slots += std::floor(
            std::log(Stream(seed_, Draw::waiting, static_cast<uint32_t>(i), static_cast<uint64_t>(t)).uniform(0)) /
            per_failure);
    }
    at_[w] += unit_ * slots;
  }
}

void VirtualClock::act(const Action& action) {
  if (action.kind == Action::Kind::none) return;
  const double messages = message_seconds(action);
  if (action.kind == Action::Kind::graph) {
    std::fill(at_.begin(), at_.end(), time() + messages);
    return;
  }
  const auto tier = static_cast<size_t>(action.tier);
  const auto& node_of = node_of_[tier];
  std::vector<double> slowest(static_cast<size_t>(network_->tiers()[tier].nodes()));
  for (size_t i = 0; i < at_.size(); ++i) {
    double& s = slowest[static_cast<size_t>(node_of[i])];
    s = std::max(s, at_[i]);
  }
  for (size_t i = 0; i < at_.size(); ++i)
    if (tier > 0 || acts(network_->spec().tiers[0], action, node_of[i]))
      at_[i] = slowest[static_cast<size_t>(node_of[i])] + messages;
}

}  // namespace orrery
