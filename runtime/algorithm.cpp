#include "runtime/algorithm.hpp"

#include <fmt/format.h>

#include <cmath>

#include "runtime/batch_mode.hpp"
#include "runtime/compressed/spec.hpp"
#include "runtime/network/network.hpp"
#include "runtime/voting/wire.hpp"

namespace orrery {
namespace algorithms {
#define ORRERY_ENTRY(entry) extern const Entry<Algorithm> entry;
#include "algorithms.inc"
#undef ORRERY_ENTRY
}  // namespace algorithms

const Table<Algorithm>& algorithm_table() {
  static const Table<Algorithm> table{
#define ORRERY_ENTRY(entry) &algorithms::entry,
#include "algorithms.inc"
#undef ORRERY_ENTRY
  };
  return table;
}

std::unique_ptr<Algorithm> make_algorithm(Params& p) { return make(algorithm_table(), p); }

namespace {

// learning_rate = number | { start = number, drops = [[step, factor], ...] }
void read_learning_rate(Params& p, int64_t steps, StepSpec& out) {
  if (!p.is_table("learning_rate")) {
    out.learning_rate = p.number("learning_rate", 0.1, at_least(0));
    return;
  }
  Params schedule = p.table("learning_rate");
  out.learning_rate = schedule.number("start", std::nullopt, at_least(0));
  if (!schedule.has("drops")) schedule.fail_missing("drops", "an array of pairs [step, factor]");
  for (const auto& pair : schedule.number_rows("drops")) {
    if (pair.size() != 2)
      schedule.fail("drops", fmt::format("an entry has {} number{}; give every drop as a pair [step, factor]",
                                         pair.size(), pair.size() == 1 ? "" : "s"));
    const double at = pair[0], factor = pair[1];
    if (!(at >= 1) || at > 1e12 || at != std::floor(at))
      schedule.fail("drops", fmt::format("a drop at step {:g}; give a whole number of local steps, at least 1", at));
    const auto step = static_cast<int64_t>(at);
    if (!(factor > 0) || !std::isfinite(factor))
      schedule.fail("drops",
                    fmt::format("the drop at step {} has the factor {:g}; give a factor above 0", step, factor));
    if (!out.drops.empty() && step <= out.drops.back().step)
      schedule.fail("drops", fmt::format("step {} comes after step {}; give the steps in ascending order, each once",
                                         step, out.drops.back().step));
    if (step >= steps)
      schedule.fail(
          "drops",
          fmt::format("the drop at step {} lies past the run of {} steps; leave it out, or raise steps", step, steps));
    out.drops.push_back({step, factor});
  }
}

}  // namespace

void check_voting(const Params& p, const NetworkSpec& n, const StepSpec& step, const VoteSpec& vote) {
  const auto refuse = [&](const std::string& key, const std::string& what) {
    throw ExperimentError(fmt::format("{}: {}", p.place(key), what));
  };
  if (!n.tiers.empty() && voting_tiers(n) == 0)
    refuse("network.tiers", fmt::format("sign-vote votes in every step, and tier \"{}\" acts every {}; give the first "
                                        "tier period 1, or remove the tiers",
                                        n.tiers[0].name, n.tiers[0].period));
  if (n.graph) refuse("network.graph", "sign-vote has shared models and nothing to mix; remove the graph");
  if (n.clock.waiting) refuse("network.clock", "sign-vote has no periods to wait for; remove the clock");
  if (!n.participants.empty())
    refuse("network.participation", "sign-vote takes a vote of every worker in every round; remove it");
  for (const double rate : n.rates)
    if (rate < 1)
      refuse("network.rates", "sign-vote takes a vote of every worker in every round; leave the rates at 1");
  for (const int32_t k : step.repeats)
    if (k != 1 && !(step.learning_rate > 0))
      refuse("algorithm.learning_rate",
             "several batches a slot are local steps, which stand still; give a rate above 0");
  if (vote.forward == VoteSpec::Forward::signs && !vote.decides_signs())
    refuse("algorithm.forward", fmt::format("nodes pass on what they decide, and {} decides no sign; set forward = "
                                            "\"sums\"",
                                            vote.feeds_back() ? std::string("error feedback")
                                                              : fmt::format("vote = \"{}\"", name(vote.vote))));
  if (vote.sparse() && vote.decides_signs() && vote.vote != Vote::majority)
    refuse("algorithm.sparsity", fmt::format("vote = \"{}\" would learn from what is not sent; choose \"majority\" or "
                                             "\"average\"",
                                             name(vote.vote)));
  if (step.rung == StepSpec::Rung::gradients) refuse("algorithm.step", "sign-vote has one way to step; leave it out");
  check_attack(p, vote.attack, n.workers);
}

void check_strategy(const Params& p, const NetworkSpec& n, const StepSpec& step, diffusion::Strategy strategy) {
  const auto refuse = [&](const std::string& key, const std::string& what) {
    throw ExperimentError(fmt::format("{}: {}", p.place(key), what));
  };
  const char* kind = diffusion::name(strategy);
  if (!n.tiers.empty())
    refuse("network.tiers", fmt::format("{} joins agents by a graph alone; remove the tiers", kind));
  if (strategy != diffusion::Strategy::centralized) {
    if (!n.graph) refuse("network", fmt::format("{} mixes over a graph; give [network.graph]", kind));
    if (n.graph->period != 1)
      refuse("network.graph.period", fmt::format("{} mixes in every step; set it to 1, or choose mll-sgd", kind));
  }
  if (n.clock.waiting) refuse("network.clock", fmt::format("{} has no periods to wait for; remove the clock", kind));
  for (const int32_t k : step.repeats)
    if (k != 1) refuse("algorithm.batches_per_slot", fmt::format("{} takes one batch in a step; set it to 1", kind));
  if (step.rung == StepSpec::Rung::gradients)
    refuse("algorithm.step", fmt::format("{} has one way to step; leave it out", kind));
}

void check_shared_start(const Params& p, int64_t start_rows) {
  if (start_rows > 1)
    throw ExperimentError(
        fmt::format("{}: holds a start for every worker, and sign-vote has one shared model; give a file of shape (P)",
                    p.place("model.init")));
}

StepSpec read_step(Params& p, int64_t workers, int64_t steps) {
  StepSpec step;
  const bool flow = p.is_text("kind") && is_flow_kind(p.text("kind", ""));
  if (!flow) {
    read_learning_rate(p, steps, step);
  } else {
    if (p.has("learning_rate"))
      p.fail("learning_rate", "a flow goes in Euler steps of the length `step`; give that, and the gain eta");
    step.learning_rate = p.number("step", 0.1, above(0));
  }
  step.batch.assign(static_cast<size_t>(workers), 0);
  if (p.has("batch_mode")) {
    if (p.has("batch")) p.fail("batch_mode", "gives every worker its batch, and so does batch; leave one of them out");
    const int64_t mode = p.integer("batch_mode", std::nullopt);
    try {
      step.batch = mode_batches(mode, workers);
    } catch (const ExperimentError& e) {
      p.fail("batch_mode", e.what());
    }
  } else if (p.is_text("batch")) {
    p.choice("batch", std::nullopt, {"full"});
  } else if (p.is_array("batch")) {
    const auto given = p.integers("batch", between(1, 1e6));
    for (size_t i = 0; i < step.batch.size(); ++i) step.batch[i] = given[i % given.size()];
  } else {
    step.batch.assign(static_cast<size_t>(workers), p.integer("batch", 32, between(1, 1e6)));
  }
  const auto repeats = p.is_array("batches_per_slot")
                           ? p.integers("batches_per_slot", between(1, 1e6))
                           : std::vector<int64_t>{p.integer("batches_per_slot", 1, between(1, 1e6))};
  for (size_t i = 0; i < step.batch.size(); ++i)
    step.repeats.push_back(static_cast<int32_t>(repeats[i % repeats.size()]));
  step.shuffle = p.choice("sampling", "replacement", {"replacement", "shuffle"}) == "shuffle";
  step.momentum = p.number("momentum", 0.0, {.min = 0, .max = 1, .max_open = true});
  if (step.momentum > 0 || p.has("momentum_at_average"))
    step.keep_momentum = p.choice("momentum_at_average", "reset", {"reset", "keep"}) == "keep";
  if (!flow && p.choice("step", "fused", {"fused", "gradients"}) == "gradients") step.rung = StepSpec::Rung::gradients;
  return step;
}

}  // namespace orrery
