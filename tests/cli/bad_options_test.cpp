// Bad values of the options of tiered SGD: schedules, participation, periods of groups, momentum, clocks.
#include "tests/cli/bad_input.hpp"

namespace orrery::test {
namespace {

std::string rate(const std::string& schedule) { return "kind = \"h-sgd\"\nlearning_rate = { " + schedule + " }  #!"; }
std::string own(const std::string& line) { return "kind = \"h-sgd\"\n" + line + "  #!"; }
const std::string two_groups = "workers = 4\ntiers = [{ name = \"edge\", nodes = 2, period = 2 }]\n";
std::string slow(const std::string& lines) { return two_groups + lines; }
std::string first_tier(const std::string& keys) {
  return "workers = 4\ntiers = [{ name = \"edge\", nodes = 2, " + keys + " }]  #!\n";
}

std::vector<BadInput> Schedules() {
  return {
      bad("NotAscending", Toml{.algorithm = rate("start = 0.1, drops = [[3, 0.1], [2, 0.1]]")}, 2,
          {"algorithm.learning_rate.drops", "step 2 comes after step 3", "ascending"}),
      bad("TheSameStepTwice", Toml{.algorithm = rate("start = 0.1, drops = [[2, 0.1], [2, 0.5]]")}, 2,
          {"algorithm.learning_rate.drops", "step 2 comes after step 2", "each once"}),
      bad("PastTheRun", Toml{.algorithm = rate("start = 0.1, drops = [[2, 0.1], [800, 0.1]]")}, 2,
          {"algorithm.learning_rate.drops", "step 800", "past the run of 4 steps", "raise steps"}),
      bad("AtTheEndOfTheRun", Toml{.algorithm = rate("start = 0.1, drops = [[4, 0.1]]")}, 2,
          {"algorithm.learning_rate.drops", "step 4 lies past the run of 4 steps"}),
      bad("FactorZero", Toml{.algorithm = rate("start = 0.1, drops = [[2, 0.0]]")}, 2,
          {"algorithm.learning_rate.drops", "the factor 0", "above 0"}),
      bad("FactorNegative", Toml{.algorithm = rate("start = 0.1, drops = [[2, -0.1]]")}, 2,
          {"algorithm.learning_rate.drops", "the factor -0.1"}),
      bad("AtStepZero", Toml{.algorithm = rate("start = 0.1, drops = [[0, 0.1]]")}, 2,
          {"algorithm.learning_rate.drops", "a drop at step 0", "at least 1"}),
      bad("AtAHalfStep", Toml{.algorithm = rate("start = 0.1, drops = [[1.5, 0.1]]")}, 2,
          {"algorithm.learning_rate.drops", "a drop at step 1.5", "whole number"}),
      bad("NotAPair", Toml{.algorithm = rate("start = 0.1, drops = [[2, 0.1, 3]]")}, 2,
          {"algorithm.learning_rate.drops", "has 3 numbers", "pair [step, factor]"}),
      bad("NotNested", Toml{.algorithm = rate("start = 0.1, drops = [2, 0.1]")}, 2,
          {"algorithm.learning_rate.drops", "array of arrays"}),
      bad("WithoutStart", Toml{.algorithm = rate("drops = [[2, 0.1]]")}, 2,
          {"algorithm.learning_rate.start", "is missing"}),
      bad("WithoutDrops", Toml{.algorithm = rate("start = 0.1")}, 2, {"algorithm.learning_rate.drops", "is missing"}),
      bad("MistypedInASchedule", Toml{.algorithm = rate("start = 0.1, drop = [[2, 0.1]]")}, 2,
          {"algorithm.learning_rate.drop", "did you mean \"drops\""}),
      bad("PastTheRunOfAnArm",
          Toml{.rest = "[[arm]]\nname = \"a\"\n[[arm]]\nname = \"b\"\nalgorithm.learning_rate = { start = 1, drops = "
                       "[[9, 0.1]] }  #!"},
          2, {"algorithm.learning_rate.drops", "past the run of 4 steps"}),
  };
}
std::vector<BadInput> Perceptrons() {
  const auto mlp = [](const std::string& line) {
    return Toml{.data = "name = \"glyphs\"\ntrain = 20\ntest = 5", .model = "kind = \"mlp\"\n" + line + "  #!"};
  };
  return {bad("NoUnits", mlp("hidden = 0"), 2, {"model.hidden", "out of range"}),
          bad("NoLayers", mlp("hidden = []"), 2, {"model.hidden", "is empty"}),
          bad("NegativeLayer", mlp("hidden = [10, -1]"), 2, {"model.hidden", "out of range"}),
          bad("LayersInWords", mlp("hidden = \"two\""), 2, {"model.hidden", "give an integer"}),
          bad("UnknownActivation", mlp("hidden = [3]\nactivation = \"gelu\""), 2, {"model.activation", "relu, tanh"}),
          bad("NegativeL2", mlp("hidden = [3]\nl2 = -1"), 2, {"model.l2", "out of range"}),
          bad("MoreParametersThanMemory",
              Toml{.data = "name = \"glyphs\"\ntrain = 20\ntest = 5",
                   .model = "kind = \"mlp\"\nhidden = [1000000, 1000000]",
                   .network = "workers = 4  #!"},
              4, {"network.workers", "GiB"})};
}

ORRERY_REFUSES(Perceptrons);
ORRERY_REFUSES(Schedules);

std::vector<BadInput> Steps() {
  return {
      bad("MomentumOne", Toml{.algorithm = own("momentum = 1")}, 2, {"algorithm.momentum", "1 is out of range"}),
      bad("MomentumNegative", Toml{.algorithm = own("momentum = -0.1")}, 2,
          {"algorithm.momentum", "-0.1 is out of range"}),
      bad("MomentumAtAverageUnknown",
          Toml{.algorithm = "kind = \"h-sgd\"\nmomentum = 0.9\nmomentum_at_average = \"halve\"  #!"}, 2,
          {"algorithm.momentum_at_average", "halve", "reset"}),
      bad("SamplingUnknown", Toml{.algorithm = own("sampling = \"shufle\"")}, 2,
          {"algorithm.sampling", "did you mean \"shuffle\""}),
      bad("BatchesPerSlotZero", Toml{.algorithm = own("batches_per_slot = 0")}, 2,
          {"algorithm.batches_per_slot", "0 is out of range", "at least 1"}),
      bad("BatchesPerSlotZeroInAList", Toml{.algorithm = own("batches_per_slot = [4, 0]")}, 2,
          {"algorithm.batches_per_slot", "0 is out of range"}),
      bad("BatchesPerSlotNotWhole", Toml{.algorithm = own("batches_per_slot = 1.5")}, 2,
          {"algorithm.batches_per_slot", "integer"}),
  };
}
ORRERY_REFUSES(Steps);

std::vector<BadInput> Participants() {
  const std::string blocks = "workers = 20\ntiers = [{ name = \"edge\", nodes = 2, period = 2 }]\n";
  return {
      bad("ParticipationZero", Toml{.network = slow("participation = 0.0  #!")}, 2,
          {"network.participation", "0 is out of range", "above 0"}),
      bad("ParticipationAboveOne", Toml{.network = slow("participation = 1.5  #!")}, 2,
          {"network.participation", "1.5 is out of range"}),
      bad("ParticipationNegative", Toml{.network = slow("participation = [0.5, -1]  #!")}, 2,
          {"network.participation", "-1 is out of range"}),
      bad("ParticipationLeavesAGroupEmpty", Toml{.network = blocks + "participation = 0.05  #!"}, 2,
          {"network.participation", "0.05 of the 10 workers of node 0 of tier \"edge\" is nobody", "use at least 0.1"}),
      bad("ParticipationOfAListLeavesAGroupEmpty", Toml{.network = blocks + "participation = [0.5, 0.09]  #!"}, 2,
          {"network.participation", "0.09 of the 10 workers of node 1", "use at least 0.1"}),
      bad("ParticipationLeavesTheOnlyGroupEmpty",
          Toml{.network = "workers = 8\ntiers = [{ nodes = 1, period = 2 }]\nparticipation = 0.06  #!"}, 2,
          {"network.participation", "0.06 of the 8 workers", "use at least 0.0625"}),
      bad("ParticipationWithoutTiers", Toml{.network = "workers = 4\nparticipation = 0.5  #!"}, 2,
          {"network.participation", "no tiers", "give network.tiers"}),
      bad("ParticipationAmongWeightsZero", Toml{.network = slow("weights = [1, 0]\nparticipation = 0.5  #!")}, 2,
          {"network.participation", "worker 1 has weight zero"}),
      bad("WeightsThatSumToZero", Toml{.network = slow("weights = [0, 0, 0]  #!")}, 2,
          {"network.weights", "all weights are zero"}),
      bad("WeightsThatSumToZeroBelowANode", Toml{.network = slow("weights = [0, 0, 1, 1]  #!")}, 2,
          {"network.weights", "node 0", "sum to zero"}),
  };
}
ORRERY_REFUSES(Participants);

std::vector<BadInput> PeriodsOfGroups() {
  return {
      bad("PeriodListOnTheSecondTier",
          Toml{.network = "workers = 4\ntiers = [{ nodes = 2, period = 2 }, { nodes = 1, period = [4, 8] }]  #!"}, 2,
          {"network.tiers.period", "only the nodes of the first tier", "one number"}),
      bad("PeriodListThatDoesNotDivide",
          Toml{.network = "workers = 4\ntiers = [{ name = \"edge\", nodes = 2, period = [4, 6] }, { nodes = 1, period "
                          "= 18 }]  #!"},
          2, {"network.tiers.period", "18 is not a multiple of 4", "\"edge\"", "use 24"}),
      bad("PeriodListThatDoesNotDivideTheGraphs",
          Toml{.network = "workers = 4\ntiers = [{ name = \"edge\", nodes = 2, period = [2, 3] }]\ngraph = { kind = "
                          "\"path\", period = 4 }  #!"},
          2, {"network.graph.period", "4 is not a multiple of 3", "use 6"}),
      bad("PeriodZeroInAList", Toml{.network = first_tier("period = [2, 0]")}, 2,
          {"network.tiers.period", "0 is out of range"}),
      bad("PeriodListEmpty", Toml{.network = first_tier("period = []")}, 2, {"network.tiers.period", "empty"}),
      bad("PeriodsThatNeverMeet", Toml{.network = first_tier("period = [999999999989, 999999999961]")}, 2,
          {"network.tiers.period", "more than 1e12 steps", "smaller common multiple"}),
  };
}
ORRERY_REFUSES(PeriodsOfGroups);

std::vector<BadInput> Clocks() {
  const std::string seconds = "clock = { step_time = 0.1 }\n";
  return {
      bad("ClockUnknown", Toml{.network = slow("clock = { kind = \"wating\" }  #!")}, 2,
          {"network.clock.kind", "did you mean \"waiting\""}),
      bad("WaitingForAWorkerOfRateZero",
          Toml{.network = slow("rates = [1, 0.5, 0]\nclock = { kind = \"waiting\" }  #!")}, 2,
          {"network.clock.kind", "worker 2 has rate 0", "positive rate"}),
      bad("StepTimeZero", Toml{.network = slow("clock = { step_time = 0 }  #!")}, 2,
          {"network.clock.step_time", "0 is out of range"}),
      bad("StepTimeNegative", Toml{.network = slow("clock = { step_time = -1 }  #!")}, 2,
          {"network.clock.step_time", "-1 is out of range"}),
      bad("LatencyNegative", Toml{.network = seconds + first_tier("period = 2, latency = -0.001")}, 2,
          {"network.tiers.latency", "-0.001 is out of range"}),
      bad("BandwidthZero", Toml{.network = seconds + first_tier("period = 2, bandwidth = 0")}, 2,
          {"network.tiers.bandwidth", "0 is out of range"}),
      bad("BandwidthOfTheGraphNegative",
          Toml{.network = seconds + two_groups + "graph = { kind = \"path\", bandwidth = -1e6 }  #!"}, 2,
          {"network.graph.bandwidth", "out of range"}),
      bad("LatencyWithoutStepTime", Toml{.network = first_tier("period = 2, latency = 0.01")}, 2,
          {"network.tiers.latency", "counts slots", "network.clock.step_time"}),
      bad("BandwidthOfTheGraphWithoutStepTime",
          Toml{.network = slow("graph = { kind = \"path\", bandwidth = 1e6 }  #!")}, 2,
          {"network.graph.bandwidth", "counts slots", "network.clock.step_time"}),
      bad("MistypedInTheClock", Toml{.network = slow("clock = { steptime = 0.1 }  #!")}, 2,
          {"network.clock.steptime", "did you mean \"step_time\""}),
  };
}
ORRERY_REFUSES(Clocks);

// The rate that a sentence about non-finite numbers quotes is the one of that moment.
TEST(NonFinite, QuotesThePresentRate) {
  TempDir folder;
  const std::string text = Toml{.head = "steps = 400",
                                .model = "kind = \"quadratic\"\ndimension = 2\ncenter = 1",
                                .algorithm = "kind = \"h-sgd\"\nlearning_rate = { start = 0.5, drops = [[3, 8e9]] }",
                                .record = "every = 400"};
  write_text(folder.path("bad.toml"), text);
  const Finished f = orrery(folder.path(), {"run", "bad.toml", "--out", "out", "--quiet"});
  EXPECT_EQ(f.code, 5) << f.err;
  EXPECT_NE(f.err.find("now 4e+09"), std::string::npos) << f.err;
}

// Zero is a value like any other: nothing is said about it.
TEST(Momentum, ZeroIsAccepted) {
  TempDir folder;
  write_text(folder.path("zero.toml"),
             Toml{.algorithm = "kind = \"h-sgd\"\nmomentum = 0.0\nmomentum_at_average = \"keep\""});
  const Finished f = run_well(folder.path(), "zero.toml", "out");
  EXPECT_EQ(f.err, "");
}

}  // namespace
}  // namespace orrery::test
