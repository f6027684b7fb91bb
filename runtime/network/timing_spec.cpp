#include "runtime/network/timing_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace orrery {

void require_multiple(const Params& p, int64_t period, const TierSpec& finer, const std::string& what) {
  const int64_t common = finer.common_period();
  if (period % common == 0) return;
  for (const int64_t c : finer.classes())
    if (period % c != 0)
      p.fail("period", fmt::format("{} is not a multiple of {}, {} period of {}; use {} or another multiple", period, c,
                                   finer.periods.empty() ? "the" : "a", what, (period / common + 1) * common));
}

void read_period(Params& p, TierSpec& tier, const TierSpec* below) {
  if (!p.is_array("period")) {
    tier.period = p.integer("period", std::nullopt, at_least(1));
    if (below) require_multiple(p, tier.period, *below, fmt::format("tier \"{}\" below", below->name));
    return;
  }
  if (below) p.fail("period", "only the nodes of the first tier may have periods of their own; give one number here");
  const auto given = p.integers("period", between(1, 1e12));
  for (int64_t k = 0; k < tier.nodes; ++k) tier.periods.push_back(given[static_cast<size_t>(k) % given.size()]);
  tier.period = *std::max_element(tier.periods.begin(), tier.periods.end());
  double common = 1;
  int64_t so_far = 1;
  for (const int64_t c : tier.classes()) {
    common = static_cast<double>(so_far) * static_cast<double>(c / std::gcd(so_far, c));
    if (common > 1e12)
      p.fail(
          "period",
          "these periods fall together only after more than 1e12 steps; choose periods with a smaller common multiple");
    so_far = std::lcm(so_far, c);
  }
  if (tier.classes().size() == 1) tier.periods.clear();
}

void read_clock(Params& network, NetworkSpec& s) {
  if (!network.has("clock")) return;
  Params clock = network.table("clock");
  s.clock.waiting = clock.choice("kind", "slots", {"slots", "waiting"}) == "waiting";
  if (clock.has("step_time")) s.clock.step_time = clock.number("step_time", std::nullopt, above(0));
  if (!s.clock.waiting) return;
  const auto idle = std::find(s.rates.begin(), s.rates.end(), 0.0);
  if (idle != s.rates.end())
    clock.fail("kind",
               fmt::format("worker {} has rate 0, and everyone would wait for it forever; give it a positive rate, "
                           "or use kind = \"slots\"",
                           idle - s.rates.begin()));
}

void read_link(Params& p, LinkSpec& link, const ClockSpec& clock) {
  if (p.has("latency")) link.latency = p.number("latency", std::nullopt, at_least(0));
  if (p.has("bandwidth")) link.bandwidth = p.number("bandwidth", std::nullopt, above(0));
  for (const char* key : {"latency", "bandwidth"})
    if (p.has(key) && !clock.step_time)
      p.fail(key,
             "the clock counts slots, and this needs seconds; give network.clock.step_time, the seconds of one slot");
}

}  // namespace orrery
