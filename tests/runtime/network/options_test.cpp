// Participation counts and periods of groups: what the file says, what acts when, what the ledger charges.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include <numeric>

#include "runtime/network/participation.hpp"
#include "runtime/network/schedule_text.hpp"
#include "tests/runtime/network/make_network.hpp"

namespace orrery {
namespace {

using Kind = Action::Kind;
using Counts = std::vector<int64_t>;

TEST(Participants, FloorsAndTheLastTakesTheRest) {
  EXPECT_EQ(participants({5, 5}, 0.2), (Counts{1, 1}));
  EXPECT_EQ(participants({5, 5}, 0.5), (Counts{2, 3}));
  EXPECT_EQ(participants({10, 10, 10}, 0.25), (Counts{2, 2, 4}));    // round(7.5) = 8
  EXPECT_EQ(participants({100}, 0.29), (Counts{29}));                // 100 * 0.29 is 28.999999999999996
  EXPECT_EQ(participants({3, 3, 1}, 0.7), (Counts{2, 2, 1}));        // round(4.9) = 5
  EXPECT_EQ(participants({5, 5, 5, 1}, 0.5), (Counts{2, 2, 2, 1}));  // the rest of 8 is 2, but only one is there
  EXPECT_EQ(participants({4, 6}, 1.0), (Counts{4, 6}));
  for (double f : {0.11, 0.34, 0.5, 0.77, 0.99}) {
    const auto c = participants({50, 60, 70}, f);
    EXPECT_EQ(std::accumulate(c.begin(), c.end(), int64_t{0}), std::llround(180 * f)) << f;
  }
  EXPECT_EQ(participants({10, 10, 10}, std::vector<double>{0.25, 1}), (Counts{2, 10, 2}));  // a list deals no rest
}

TEST(Participants, AreReadForEveryNodeOfTheFirstTier) {
  const std::string blocks = "workers = 10\ntiers = [{ nodes = 3, period = 2 }, { nodes = 1, period = 4 }]\n";
  EXPECT_EQ(test::parse(blocks + "participation = 0.67").participants, (Counts{2, 2, 3}));  // 3, 3 and 4 workers
  EXPECT_TRUE(test::parse(blocks).participants.empty());
  EXPECT_TRUE(test::parse(blocks + "participation = 1").participants.empty());
  EXPECT_TRUE(test::parse(blocks + "participation = [1.0, 0.999999999999]").participants.empty());
  EXPECT_EQ(test::parse("workers = 5\ntiers = [{ groups = [[0, 3, 4], [1, 2]], period = 2 }]\nparticipation = 0.5")
                .participants,
            (Counts{1, 2}));  // round(2.5) = 3
}

// The fraction that the message proposes works, and a little less does not.
TEST(Participants, TheProposedFractionIsTheSmallest) {
  for (const char* net :
       {"workers = 20\ntiers = [{ nodes = 2, period = 1 }]\n", "workers = 10\ntiers = [{ nodes = 3, period = 1 }]\n",
        "workers = 7\ntiers = [{ nodes = 1, period = 1 }]\n",
        "workers = 9\ntiers = [{ groups = [[0, 1, 2, 3, 4, 5], [6, 7], [8]], period = 1 }]\n"}) {
    std::string message;
    try {
      test::parse(std::string(net) + "participation = 0.001");
      ADD_FAILURE() << net;
    } catch (const ExperimentError& e) {
      message = e.what();
    }
    const std::string words = "use at least ";
    ASSERT_NE(message.find(words), std::string::npos) << message;
    const double proposed = std::stod(message.substr(message.find(words) + words.size()));
    EXPECT_NO_THROW(test::parse(net + fmt::format("participation = {:.6f}", proposed))) << net << proposed;
    EXPECT_THROW(test::parse(net + fmt::format("participation = {:.7f}", proposed - 2e-6)), ExperimentError)
        << net << proposed;
  }
}

// ---- periods --------------------------------------------------------------------------------------------------------

const char* const own = R"(workers = 8
tiers = [{ name = "edge", nodes = 4, period = [5, 10, 2] }, { name = "cloud", nodes = 1, period = 20 }])";

TEST(PeriodsOfGroups, AreCycledAndEqualOnesAreOne) {
  const NetworkSpec s = test::parse(own);
  EXPECT_EQ(s.tiers[0].periods, (Counts{5, 10, 2, 5}));
  EXPECT_EQ(s.tiers[0].classes(), (Counts{2, 5, 10}));
  EXPECT_EQ(s.tiers[0].common_period(), 10);
  EXPECT_EQ(s.tiers[0].period, 10);
  EXPECT_EQ(nodes_of_class(s.tiers[0], 1), (Counts{0, 3}));
  const NetworkSpec equal = test::parse("workers = 8\ntiers = [{ nodes = 4, period = [6, 6] }]");
  EXPECT_TRUE(equal.tiers[0].periods.empty());
  EXPECT_EQ(equal.tiers[0].period, 6);
  EXPECT_EQ(equal.tiers[0].classes(), (Counts{6}));
}

TEST(PeriodsOfGroups, EachActsAtItsOwnUntilACoarserOneTakesAll) {
  const NetworkSpec spec = test::parse(own);
  const Schedule s(spec);
  EXPECT_EQ(s.round(), 20);
  EXPECT_EQ(s.after(1), Action{});
  EXPECT_EQ(s.after(2), (Action{Kind::tier, 0, 0, {0}}));
  EXPECT_EQ(s.after(5), (Action{Kind::tier, 0, 0, {1}}));
  EXPECT_EQ(s.after(10), (Action{Kind::tier, 0, 0})) << "all of them";
  EXPECT_EQ(s.after(15), (Action{Kind::tier, 0, 0, {1}}));
  EXPECT_EQ(s.after(20), (Action{Kind::tier, 1, 0}));
  for (int64_t t = 0; t < 60; ++t) {
    int64_t expected = t + 1;
    while (s.after(expected).kind == Kind::none) ++expected;
    EXPECT_EQ(s.next(t), expected) << t;
    EXPECT_EQ(s.after(t + 1), s.after(t + 21));
    for (int64_t k = 0; k < 4; ++k) {
      EXPECT_EQ(acts(spec.tiers[0], s.after(t + 1), k), (t + 1) % spec.tiers[0].period_of(k) == 0) << t << " " << k;
    }
  }
  const Schedule pair(test::parse("workers = 4\ntiers = [{ nodes = 2, period = [4, 6] }]"));
  EXPECT_EQ(pair.round(), 12);
  EXPECT_EQ(pair.after(8), (Action{Kind::tier, 0, 0, {0}}));
  EXPECT_EQ(pair.after(12), (Action{Kind::tier, 0, 0}));
}

TEST(PeriodsOfGroups, AGraphsDefaultPeriodIsTheCommonOne) {
  EXPECT_EQ(test::parse("workers = 4\ntiers = [{ nodes = 2, period = [4, 6] }]\ngraph.kind = \"path\"").graph->period,
            12);
}

// ---- the ledger -----------------------------------------------------------------------------------------------------

TEST(LedgerOfOptions, TheClosedFormIsTheSumOverTheRun) {
  for (const std::string& text :
       {std::string(own), std::string(own) + "\nparticipation = 0.5",
        std::string(own) + "\ngraph = { kind = \"ring\", period = 40 }",
        std::string("workers = 9\ntiers = [{ nodes = 3, period = [4, 6, 9] }]\nparticipation = [0.4, 1, 0.7]"),
        std::string("workers = 12\ntiers = [{ nodes = 6, period = [2, 3] }]\ngraph = { kind = "
                    "\"one-peer-exponential\", period = 6 }\n"
                    "participation = 0.5")}) {
    const auto b = test::build(text);
    const Schedule schedule(*b.spec);
    Ledger ledger(*b.spec);
    for (int64_t t = 0; t <= 150; ++t) {
      if (t > 0) ledger.charge(b.network, schedule.after(t), 32);
      const Ledger closed = final_ledger(b.network, t, 32);
      ASSERT_EQ(closed.links.size(), ledger.links.size());
      for (size_t k = 0; k < closed.links.size(); ++k) {
        ASSERT_EQ(closed.links[k].up, ledger.links[k].up) << text << " " << t;
        ASSERT_EQ(closed.links[k].down, ledger.links[k].down) << text << " " << t;
      }
    }
    EXPECT_GT(ledger.up(), 0);
  }
}

TEST(LedgerOfOptions, ChargesActingNodesAndWhoTakesPart) {
  const auto b = test::build(std::string(own) + "\nparticipation = [0.5, 1]");  // 1, 2, 1, 2 of two each
  Ledger l(*b.spec);
  l.charge(b.network, {Kind::tier, 0, 0, {1}}, 32);  // nodes 0 and 3
  EXPECT_EQ(l.links[0].up, 32 * 3);
  EXPECT_EQ(l.links[0].down, 32 * 3);
  l.charge(b.network, {Kind::tier, 0, 0}, 32);
  EXPECT_EQ(l.links[0].up, 32 * (3 + 6));
  l.charge(b.network, {Kind::tier, 1, 0}, 32);
  EXPECT_EQ(l.links[0].up, 32 * (3 + 6 + 6));
  EXPECT_EQ(l.links[1].up, 32 * 4);
}

// ---- what check prints ----------------------------------------------------------------------------------------------

void expect_holds(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "\"" << part << "\" in:\n" << text;
}

TEST(ScheduleText, PrintsPeriodsParticipantsAndTheTimeOfARound) {
  const std::string text = schedule_text(test::parse(std::string(own) + "\nparticipation = [0.5, 1]"));
  expect_holds(text, "every 2 (1 node), 5 (2 nodes) or 10 (1 node) steps");
  expect_holds(text, "1 to 2 of the workers of every edge node take part");
  expect_holds(text, "a round is 20 steps");
  expect_holds(text, "edge nodes with period 2 average 9 times (after 2, 4, 6, 8, ...)");
  expect_holds(text, "edge nodes with period 10 average 1 time (after 10)");
  const auto time = [](const std::string& network) {
    const auto b = test::build(network);
    return round_time_text(std::make_shared<const Network>(b.network), 1, 1000);
  };
  expect_holds(time(own), "a round takes 20 slots");
  expect_holds(time("workers = 4\nclock = { step_time = 0.5 }\ntiers = [{ nodes = 1, period = 4, bandwidth = 1000 }]"),
               "a round takes 4 s, of which 2 s are steps");
  expect_holds(time("workers = 4\nrates = [0.5, 1]\nclock = { kind = \"waiting\" }\n"
                    "tiers = [{ nodes = 2, period = 2 }, { nodes = 1, period = 4 }]"),
               "4 steps take 9.53269 slots on average");
  EXPECT_EQ(time("workers = 4"), "");
}

}  // namespace
}  // namespace orrery
