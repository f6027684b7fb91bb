#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "tests/runtime/network/make_network.hpp"

namespace orrery {
namespace {

using Kind = Action::Kind;
constexpr int64_t never = std::numeric_limits<int64_t>::max();

Schedule schedule(const std::string& text) { return Schedule(test::parse(text)); }

const char* const three = R"(workers = 8
tiers = [{ nodes = 4, period = 5 }, { nodes = 2, period = 50 }]
graph = { kind = "path", period = 100 })";

TEST(Schedule, TheLargestPeriodThatDividesActsAlone) {
  const Schedule s = schedule(three);
  EXPECT_EQ(s.after(1), Action{});
  EXPECT_EQ(s.after(4), Action{});
  EXPECT_EQ(s.after(5), (Action{Kind::tier, 0, 0}));
  EXPECT_EQ(s.after(45), (Action{Kind::tier, 0, 0}));
  EXPECT_EQ(s.after(50), (Action{Kind::tier, 1, 0}));
  EXPECT_EQ(s.after(100), (Action{Kind::graph, 0, 0}));
  EXPECT_EQ(s.after(150), (Action{Kind::tier, 1, 0}));
  EXPECT_EQ(s.after(200), (Action{Kind::graph, 0, 0}));
  EXPECT_EQ(s.round(), 100);
  EXPECT_THROW(s.after(0), std::logic_error);
}

TEST(Schedule, OneRoundHoldsTheRightNumberOfEachAction) {
  const Schedule s = schedule(three);
  std::map<std::pair<int, int>, int> count;
  for (int64_t t = 1; t <= s.round(); ++t) {
    const Action a = s.after(t);
    ++count[{static_cast<int>(a.kind), a.tier}];
    EXPECT_EQ(a, s.after(t + s.round())) << t;
  }
  EXPECT_EQ((count[{static_cast<int>(Kind::none), 0}]), 80);
  EXPECT_EQ((count[{static_cast<int>(Kind::tier), 0}]), 18);
  EXPECT_EQ((count[{static_cast<int>(Kind::tier), 1}]), 1);
  EXPECT_EQ((count[{static_cast<int>(Kind::graph), 0}]), 1);
}

TEST(Schedule, NextIsTheFirstLaterStepWithAnAction) {
  for (const std::string& text :
       {std::string(three), std::string("workers = 4\ngraph = { kind = \"ring\", period = 7 }"),
        std::string("workers = 4\ntiers = [{ nodes = 1, period = 1 }]")}) {
    const Schedule s = schedule(text);
    for (int64_t t = 0; t < 220; ++t) {
      int64_t expected = t + 1;
      while (s.after(expected).kind == Kind::none) ++expected;
      EXPECT_EQ(s.next(t), expected) << text << " " << t;
    }
  }
}

TEST(Schedule, WithoutTiersAndGraphNothingActs) {
  for (const Schedule& s : {schedule("workers = 4"), Schedule()}) {
    EXPECT_EQ(s.round(), 1);
    EXPECT_EQ(s.next(0), never);
    EXPECT_EQ(s.after(1), Action{});
  }
}

TEST(Schedule, TheCoarserOfTwoEqualPeriodsActs) {
  const Schedule tiers = schedule("workers = 4\ntiers = [{ nodes = 2, period = 3 }, { nodes = 1, period = 3 }]");
  EXPECT_EQ(tiers.after(3), (Action{Kind::tier, 1, 0}));
  EXPECT_EQ(tiers.round(), 3);
  const Schedule graph = schedule("workers = 4\ntiers = [{ nodes = 2, period = 3 }]\ngraph.kind = \"path\"");
  EXPECT_EQ(graph.after(3), (Action{Kind::graph, 0, 0}));
}

TEST(Schedule, ATimeVaryingGraphCyclesThroughItsMatrices) {
  const Schedule s = schedule(
      "workers = 16\ntiers = [{ nodes = 8, period = 3 }]\ngraph = { kind = \"one-peer-exponential\", period = 6 }");
  EXPECT_EQ(s.round(), 18);
  EXPECT_EQ(s.after(3), (Action{Kind::tier, 0, 0}));
  EXPECT_EQ(s.after(6), (Action{Kind::graph, 0, 0}));
  EXPECT_EQ(s.after(12), (Action{Kind::graph, 0, 1}));
  EXPECT_EQ(s.after(18), (Action{Kind::graph, 0, 2}));
  EXPECT_EQ(s.after(24), (Action{Kind::graph, 0, 0}));
}

TEST(Schedule, PeriodsBeyondAnyRunDoNotOverflow) {
  const Schedule s = schedule("workers = 2\ntiers = [{ nodes = 1, period = 9000000000000000000 }]");
  EXPECT_EQ(s.next(0), 9000000000000000000);
  EXPECT_EQ(s.next(9000000000000000000), never);
}

}  // namespace
}  // namespace orrery
