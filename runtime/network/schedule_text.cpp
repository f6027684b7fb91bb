#include "runtime/network/schedule_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "runtime/network/clock.hpp"
#include "runtime/theory/waiting.hpp"

namespace orrery {
namespace {

// How often tier k >= 1 (or the graph, k = number of tiers) acts in `steps` steps: each period divides the next, and the coarser acts
// alone. Of the first tier: the nodes with that period.
int64_t actions(const NetworkSpec& n, size_t k, int64_t period, int64_t steps) {
  const int64_t coarser = k + 1 < n.tiers.size()          ? n.tiers[k + 1].period
                          : k < n.tiers.size() && n.graph ? n.graph->period
                                                          : 0;
  return steps / period - (coarser > 0 ? steps / coarser : 0);
}

std::string times(int64_t n) { return fmt::format("{} time{}", n, n == 1 ? "" : "s"); }

// "5 steps", "5 (6 nodes) or 10 (4 nodes) steps"
std::string every(const TierSpec& tier) {
  const auto classes = tier.classes();
  if (classes.size() == 1) return fmt::format("{} steps", classes[0]);
  std::string text;
  for (size_t c = 0; c < classes.size(); ++c) {
    const auto nodes = nodes_of_class(tier, static_cast<int32_t>(c)).size();
    text += fmt::format("{}{} ({} node{})",
                        c == 0                    ? ""
                        : c + 1 == classes.size() ? " or "
                                                  : ", ",
                        classes[c], nodes, nodes == 1 ? "" : "s");
  }
  return text + " steps";
}

}  // namespace

Ledger final_ledger(const Network& network, int64_t steps, int64_t bits_per_model) {
  const NetworkSpec& n = network.spec();
  Ledger total(n);
  const auto add = [&](const Action& action, int64_t times) {
    Ledger one(n);
    one.charge(network, action, bits_per_model);
    for (size_t k = 0; k < total.links.size(); ++k)
      total.links[k].up += times * one.links[k].up, total.links[k].down += times * one.links[k].down;
  };
  for (size_t k = 0; k < n.tiers.size(); ++k) {
    const auto classes = n.tiers[k].classes();
    for (size_t c = 0; c < classes.size(); ++c)
      add({.kind = Action::Kind::tier,
           .tier = static_cast<int>(k),
           .classes = classes.size() > 1 ? std::vector<int32_t>{static_cast<int32_t>(c)} : std::vector<int32_t>{}},
          actions(n, k, classes[c], steps));
  }
  const auto phases = static_cast<int64_t>(network.mixing().size());
  for (int64_t phase = 0; phase < phases; ++phase)
    add({.kind = Action::Kind::graph, .phase = phase}, (steps / n.graph->period - phase + phases - 1) / phases);
  return total;
}

std::string schedule_text(const NetworkSpec& n) {
  std::string text;
  const Schedule schedule(n);
  for (const TierSpec& tier : n.tiers)
    text += fmt::format("    tier {:<12} {:>6} node{}  every {}\n", tier.name, tier.nodes, tier.nodes == 1 ? " " : "s",
                        every(tier));
  if (!n.participants.empty()) {
    const auto [least, most] = std::minmax_element(n.participants.begin(), n.participants.end());
    text += fmt::format("    {} of the workers of every {} node take part, drawn afresh for every period\n",
                        *least == *most ? fmt::format("{}", *least) : fmt::format("{} to {}", *least, *most),
                        n.tiers[0].name);
  }
  if (n.graph)
    text += fmt::format("    graph {:<11} {:>6} nodes  every {} steps, mixing {}{}\n", n.graph->kind, n.top_nodes(),
                        n.graph->period, n.graph->mixing, n.graph->lazy ? ", lazy" : "");
  if (n.tiers.empty() && !n.graph) return "    nothing ever acts: every worker alone\n";

  // how often each acts within one round, and when first
  const int64_t round = schedule.round();
  text += fmt::format("    a round is {} steps:", round);
  const auto say = [&](const std::string& what, int64_t n_times, int64_t period, auto acts_at) {
    if (n_times == 0) return;
    std::vector<int64_t> first;
    for (int64_t t = period; t <= round && first.size() < 4; t += period)
      if (acts_at(schedule.after(t))) first.push_back(t);
    text += fmt::format(" {} {} (after {}{});", what, times(n_times), fmt::join(first, ", "),
                        n_times > static_cast<int64_t>(first.size()) ? ", ..." : "");
  };
  for (size_t k = 0; k < n.tiers.size(); ++k) {
    const auto classes = n.tiers[k].classes();
    for (size_t c = 0; c < classes.size(); ++c)
      say(classes.size() == 1 ? n.tiers[k].name + " averages"
                              : fmt::format("{} nodes with period {} average", n.tiers[k].name, classes[c]),
          actions(n, k, classes[c], round), classes[c], [&](const Action& a) {
            return a.kind == Action::Kind::tier && a.tier == static_cast<int>(k) &&
                   (a.classes.empty() ||
                    std::find(a.classes.begin(), a.classes.end(), static_cast<int32_t>(c)) != a.classes.end());
          });
  }
  if (n.graph)
    say("the graph mixes", round / n.graph->period, n.graph->period,
        [](const Action& a) { return a.kind == Action::Kind::graph; });
  text.back() = '\n';
  return text;
}

std::string round_time_text(const std::shared_ptr<const Network>& network, uint64_t seed, int64_t bits_per_model,
                            const std::vector<std::pair<int64_t, int64_t>>& tier_bits) {
  const NetworkSpec& n = network->spec();
  if (n.tiers.empty() && !n.graph) return "";
  const Schedule schedule(n);
  const auto seconds = [&](double slots) {
    return n.clock.step_time ? fmt::format("{:.6g} s", slots * *n.clock.step_time) : fmt::format("{:.6g} slots", slots);
  };
  if (n.clock.waiting) {
    const auto round = waiting::round_duration(*network);
    if (!round) return "    time: averages wait for the slowest worker\n";
    const int64_t steps = n.graph ? n.graph->period : n.tiers.back().period;
    return fmt::format("    time: {} steps take {} on average, since averages wait for the slowest worker{}\n", steps,
                       seconds(round->mean()), n.clock.step_time ? "; messages not counted" : "");
  }
  int64_t shortest = n.graph ? n.graph->period : schedule.round();
  if (!n.tiers.empty()) shortest = n.tiers[0].classes()[0];
  if (schedule.round() / shortest > 100000) return "";  // too many actions to walk through
  VirtualClock clock(network, seed, bits_per_model, tier_bits);
  clock.advance(schedule, schedule.round());
  if (!n.clock.step_time) return fmt::format("    time: a round takes {:.6g} slots\n", clock.time());
  return fmt::format("    time: a round takes {:.6g} s, of which {} are steps\n", clock.time(),
                     seconds(static_cast<double>(schedule.round())));
}

}  // namespace orrery
