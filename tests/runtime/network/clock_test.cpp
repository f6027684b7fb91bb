#include "runtime/network/clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/core/rng.hpp"
#include "tests/runtime/network/make_network.hpp"

namespace orrery {
namespace {

constexpr int64_t bits = 32000;  // one model
constexpr uint64_t seed = 9;

// A clock that keeps what it points to.
struct Running {
  test::Built built;
  Schedule schedule;
  VirtualClock clock;
  explicit Running(const std::string& text)
      : built(test::build(text)),
        schedule(*built.spec),
        clock(std::make_shared<const Network>(built.network), seed, bits) {}
  double at(int64_t steps) {
    clock.advance(schedule, steps);
    return clock.time();
  }
};

// M9: the clock of MLL-SGD never waits, whatever the rates: q tau slots for a round of q tau steps.
TEST(Clock, SlotsAreSlotsWhateverTheRates) {
  for (const char* kind : {"", "clock = { kind = \"slots\" }\n"})
    for (const char* net :
         {"", "tiers = [{ nodes = 2, period = 8 }]\ngraph = { kind = \"path\", period = 32 }\n",
          "tiers = [{ nodes = 2, period = [2, 5] }]\n", "tiers = [{ nodes = 2, period = 2 }]\nparticipation = 0.5\n"}) {
      Running r(std::string("workers = 4\nrates = [0.1, 0.5]\n") + kind + net);
      for (int64_t t : {int64_t{0}, int64_t{1}, int64_t{32}, int64_t{6400}, int64_t{1} << 50})
        EXPECT_EQ(r.at(t), static_cast<double>(t)) << net;
    }
}

TEST(Clock, WaitingForWorkersOfRateOneTakesTheSteps) {
  Running r(
      "workers = 6\nclock = { kind = \"waiting\" }\ntiers = [{ nodes = 2, period = 4 }, { nodes = 1, period = 8 }]\n");
  for (int64_t t : {0, 1, 4, 7, 8, 80}) EXPECT_EQ(r.at(t), static_cast<double>(t));
}

// Slots of one step, from the definition: how many until a success, by inversion.
double slots(int64_t worker, int64_t step, double p) {
  const double u = Stream(seed, Draw::waiting, static_cast<uint32_t>(worker), static_cast<uint64_t>(step)).uniform(0);
  double n = 1;
  while (p < 1 && u < std::pow(1 - p, n)) ++n;
  return n;
}

TEST(Clock, WaitsForTheSlowestBelowEachNode) {
  const double p[] = {0.3, 0.9, 1, 0.5, 0.7, 0.2};
  Running r(
      "workers = 6\nrates = [0.3, 0.9, 1, 0.5, 0.7, 0.2]\nclock = { kind = \"waiting\" }\n"
      "tiers = [{ groups = [[0, 4], [1, 2, 3], [5]], period = 2 }, { groups = [[0, 1], [2]], period = 4 }]\n"
      "graph = { kind = \"path\", period = 8 }\n");
  const std::vector<std::vector<int64_t>> edge{{0, 4}, {1, 2, 3}, {5}}, region{{0, 4, 1, 2, 3}, {5}},
      all{{0, 1, 2, 3, 4, 5}};
  std::vector<double> at(6);
  for (int64_t t = 1; t <= 24; ++t) {
    for (int64_t i = 0; i < 6; ++i) at[static_cast<size_t>(i)] += slots(i, t - 1, p[i]);
    const auto& nodes = t % 8 == 0 ? all : t % 4 == 0 ? region : edge;
    if (t % 2 == 0)
      for (const auto& node : nodes) {
        double slowest = 0;
        for (int64_t i : node) slowest = std::max(slowest, at[static_cast<size_t>(i)]);
        for (int64_t i : node) at[static_cast<size_t>(i)] = slowest;
      }
    EXPECT_EQ(r.at(t), *std::max_element(at.begin(), at.end())) << t;
  }
  Running leap(
      "workers = 6\nrates = [0.3, 0.9, 1, 0.5, 0.7, 0.2]\nclock = { kind = \"waiting\" }\n"
      "tiers = [{ groups = [[0, 4], [1, 2, 3], [5]], period = 2 }, { groups = [[0, 1], [2]], period = 4 }]\n"
      "graph = { kind = \"path\", period = 8 }\n");
  EXPECT_EQ(leap.at(24), r.at(24)) << "in one piece";
}

TEST(Clock, WaitsOnlyForWhoTakesPart) {
  const std::string net =
      "workers = 8\nrates = [0.3, 0.6]\nclock = { kind = \"waiting\" }\ntiers = [{ nodes = 2, period = [2, 4] }]\n";
  Running r(net + "participation = 0.5\n");
  std::vector<double> at(2);
  for (int64_t t = 0; t < 12; t += 4)
    for (int64_t k : {0, 1})
      for (int64_t period = k == 0 ? 2 : 4, from = t; from < t + 4; from += period) {
        const Stream draw(seed, Draw::participation, static_cast<uint32_t>(k), static_cast<uint64_t>(from / period));
        std::vector<uint32_t> order{0, 1, 2, 3};
        std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return draw.bits(a) < draw.bits(b); });
        double slowest = 0;
        for (size_t c = 0; c < 2; ++c) {
          const int64_t worker = 4 * k + order[c];
          double taken = 0;
          for (int64_t s = from; s < from + period; ++s) taken += slots(worker, s, worker % 2 == 0 ? 0.3 : 0.6);
          slowest = std::max(slowest, taken);
        }
        at[static_cast<size_t>(k)] += slowest;
      }
  EXPECT_EQ(r.at(12), std::max(at[0], at[1]));
  EXPECT_GT(Running(net).at(12), r.at(12)) << "fewer take less time";
}

// ---- seconds --------------------------------------------------------------------------------------------------------

TEST(Clock, StepTimeAloneScalesTheSlots) {
  Running r("workers = 4\ntiers = [{ nodes = 1, period = 3 }]\nclock = { step_time = 0.25 }\n");
  EXPECT_DOUBLE_EQ(r.at(7), 1.75);
  Running w("workers = 2\nrates = 0.4\ntiers = [{ nodes = 1, period = 3 }]\nclock = { kind = \"waiting\" }\n"),
      s("workers = 2\nrates = 0.4\ntiers = [{ nodes = 1, period = 3 }]\nclock = { kind = \"waiting\", step_time = 0.25 "
        "}\n");
  EXPECT_DOUBLE_EQ(s.at(30), 0.25 * w.at(30));
}

TEST(Clock, MessagesTakeTimeUpAndDownEveryTierThatTheyCross) {
  const std::string tiers =
      "tiers = [{ nodes = 2, period = 2, latency = 0.5, bandwidth = 64000 }, { nodes = 1, period = 4, latency = 3 }]\n"
      "clock = { step_time = 0.125 }\n";
  Running r("workers = 4\n" + tiers);
  // one model over the first tier's link takes 0.5 + 32000 / 64000 = 1 second
  const Action edge{Action::Kind::tier, 0, 0}, cloud{Action::Kind::tier, 1, 0};
  EXPECT_DOUBLE_EQ(r.clock.message_seconds(edge), 2);
  EXPECT_DOUBLE_EQ(r.clock.message_seconds(cloud), 2 + 6);
  EXPECT_EQ(r.clock.message_seconds({}), 0);
  EXPECT_DOUBLE_EQ(r.at(1), 0.125);
  EXPECT_DOUBLE_EQ(r.at(2), 0.25 + 2);
  EXPECT_DOUBLE_EQ(r.at(3), 0.375 + 2);
  EXPECT_DOUBLE_EQ(r.at(4), 0.5 + 2 + 8);
  EXPECT_DOUBLE_EQ(r.at(401), 401 * 0.125 + 100 * 10);
}

TEST(Clock, NeighboursOfAGraphExchangeSideBySide) {
  for (const char* kind : {"path", "complete"}) {
    Running r(
        std::string("workers = 6\ntiers = [{ nodes = 3, period = 2, latency = 1 }]\nclock = { step_time = 1 }\n") +
        "graph = { kind = \"" + kind + "\", period = 4, latency = 0.25, bandwidth = 32000 }\n");
    EXPECT_DOUBLE_EQ(r.at(2), 2 + 2);
    EXPECT_DOUBLE_EQ(r.at(4), 4 + 2 + 2 + 1.25) << kind;  // up, across, down
  }
  Running alone(
      "workers = 6\ntiers = [{ nodes = 1, period = 2 }]\nclock = { step_time = 1 }\n"
      "graph = { kind = \"ring\", period = 2, latency = 5 }\n");
  EXPECT_DOUBLE_EQ(alone.at(2), 2) << "one node has no neighbours";
  Running workers("workers = 3\nclock = { step_time = 1 }\ngraph = { kind = \"ring\", period = 2, latency = 5 }\n");
  EXPECT_DOUBLE_EQ(workers.at(5), 5 + 10);
}

// Groups with their own periods drift apart by their messages, until a coarser average waits for the last.
TEST(Clock, GroupsWithTheirOwnPeriodsMeetAtTheCoarserOne) {
  Running r(
      "workers = 4\ntiers = [{ nodes = 2, period = [1, 3], latency = 0.5 }, { nodes = 1, period = 6, latency = 2 }]\n"
      "clock = { step_time = 1 }\n");
  EXPECT_DOUBLE_EQ(r.at(3), 3 + 3);  // group 0 has averaged three times, group 1 once
  EXPECT_DOUBLE_EQ(r.at(5), 5 + 5);
  EXPECT_DOUBLE_EQ(r.at(6), 6 + 5 + 5);  // five of group 0, then all: 2 (0.5 + 2)
  EXPECT_DOUBLE_EQ(r.at(7), 7 + 5 + 5 + 1);
}

}  // namespace
}  // namespace orrery
