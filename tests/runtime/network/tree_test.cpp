#include "runtime/network/tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "tests/runtime/network/make_network.hpp"

namespace orrery {
namespace {

using test::build;
using testing::ElementsAre;

std::vector<std::vector<int64_t>> members(const Groups& g) {
  std::vector<std::vector<int64_t>> m;
  for (int64_t k = 0; k < g.nodes(); ++k)
    m.emplace_back(g.member.begin() + g.begin[k], g.member.begin() + g.begin[k + 1]);
  return m;
}

// What every tier promises, whatever the grouping: a partition, ascending members, weights that sum to one, masses that
// follow from a.
void expect_consistent(const Network& n) {
  for (const Groups& g : n.tiers()) {
    auto sorted = g.member;
    std::sort(sorted.begin(), sorted.end());
    std::vector<int64_t> all(n.weights().size());
    std::iota(all.begin(), all.end(), 0);
    ASSERT_EQ(sorted, all);
    for (int64_t k = 0; k < g.nodes(); ++k) {
      double v = 0, mass = 0;
      for (int64_t m = g.begin[k]; m < g.begin[k + 1]; ++m) {
        const int64_t i = g.member[m];
        EXPECT_EQ(g.node_of[i], k);
        if (m > g.begin[k]) {
          EXPECT_LT(g.member[m - 1], i);
        }
        EXPECT_NEAR(g.weight[m], n.weights()[i] / g.mass[k], 1e-15);
        v += g.weight[m];
        mass += n.weights()[i];
      }
      EXPECT_NEAR(v, 1, 1e-14);
      EXPECT_NEAR(mass, g.mass[k], 1e-15);
    }
    EXPECT_NEAR(std::accumulate(g.mass.begin(), g.mass.end(), 0.0), 1, 1e-14);
  }
  // Nested: workers that share a node of one tier share one of every tier above.
  for (size_t t = 0; t + 1 < n.tiers().size(); ++t)
    for (size_t i = 0; i < n.weights().size(); ++i)
      for (size_t j = 0; j < i; ++j)
        if (n.tiers()[t].node_of[i] == n.tiers()[t].node_of[j]) {
          EXPECT_EQ(n.tiers()[t + 1].node_of[i], n.tiers()[t + 1].node_of[j]);
        }
}

TEST(NetworkTree, ContiguousBlocksSplitAnUnevenNumberByFloors) {
  const auto b = build("workers = 10\ntiers = [{ nodes = 4, period = 1 }, { nodes = 3, period = 2 }]");
  EXPECT_THAT(members(b.network.tiers()[0]),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3, 4), ElementsAre(5, 6), ElementsAre(7, 8, 9)));
  EXPECT_THAT(members(b.network.tiers()[1]),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3, 4), ElementsAre(5, 6, 7, 8, 9)));
  expect_consistent(b.network);
}

TEST(NetworkTree, ExplicitGroupsNameTheNodesBelow) {
  const auto b = build(
      "workers = 6\nweights = [1, 2, 3]\ntiers = [{ groups = [[5, 0], [3], [1, 2, 4]], period = 1 }, { groups = [[2, "
      "0], [1]], period = 2 }]");
  EXPECT_THAT(members(b.network.tiers()[0]), ElementsAre(ElementsAre(0, 5), ElementsAre(3), ElementsAre(1, 2, 4)));
  EXPECT_THAT(members(b.network.tiers()[1]), ElementsAre(ElementsAre(0, 1, 2, 4, 5), ElementsAre(3)));
  EXPECT_THAT(b.network.tiers()[0].weight, ElementsAre(0.25, 0.75, 1, 2.0 / 7, 3.0 / 7, 2.0 / 7));
  EXPECT_NEAR(b.network.top().mass[1], 1.0 / 12, 1e-16);
  expect_consistent(b.network);
}

TEST(NetworkTree, SamplesBecomeWeights) {
  const auto b = build("workers = 3\nweights = \"samples\"\ntiers = [{ nodes = 1, period = 1 }]", 42, {10, 0, 30});
  EXPECT_THAT(b.network.weights(), ElementsAre(0.25, 0, 0.75));
}

TEST(NetworkTree, WithoutTiersEveryWorkerIsATopNode) {
  const auto b = build("workers = 3\nweights = [1, 2, 1]");
  EXPECT_TRUE(b.network.tiers().empty());
  EXPECT_THAT(members(b.network.top()), ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2)));
  EXPECT_THAT(b.network.top().weight, ElementsAre(1, 1, 1));
  EXPECT_THAT(b.network.top().mass, ElementsAre(0.25, 0.5, 0.25));
}

const char* const random_tree = R"(workers = 24
weights = [1, 2, 5]
grouping = "random"
tiers = [{ nodes = 6, period = 1 }, { nodes = 2, period = 2 }])";

TEST(NetworkTree, RandomGroupingIsAPermutationCutIntoNestedBlocks) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    auto order = random_order(24, seed);
    const auto b = build(random_tree, seed);
    std::vector<int64_t> first(order.begin(), order.begin() + 4);
    std::sort(first.begin(), first.end());
    EXPECT_EQ(members(b.network.tiers()[0])[0], first);
    for (const auto& node : members(b.network.tiers()[0])) EXPECT_EQ(node.size(), 4u);
    for (const auto& node : members(b.network.tiers()[1])) EXPECT_EQ(node.size(), 12u);
    expect_consistent(b.network);
    std::sort(order.begin(), order.end());
    for (int64_t i = 0; i < 24; ++i) EXPECT_EQ(order[i], i);
  }
}

TEST(NetworkTree, EqualSeedsGiveEqualGroupsAndOtherSeedsOthers) {
  EXPECT_EQ(build(random_tree, 7).network.top().node_of, build(random_tree, 7).network.top().node_of);
  std::set<std::vector<int64_t>> seen;
  for (uint64_t seed = 0; seed < 50; ++seed) seen.insert(random_order(24, seed));
  EXPECT_EQ(seen.size(), 50u);
}

// 4000 seeds: each of the 6 places of each of 6 workers has probability 1/6; standard deviation 23.6, bound 5 of them.
TEST(NetworkTree, EveryWorkerIsEquallyLikelyInEveryPlace) {
  std::vector<std::vector<int>> count(6, std::vector<int>(6, 0));
  for (uint64_t seed = 0; seed < 4000; ++seed) {
    const auto order = random_order(6, seed);
    for (int place = 0; place < 6; ++place) ++count[place][order[place]];
  }
  for (const auto& row : count)
    for (const int n : row) EXPECT_NEAR(n, 4000 / 6.0, 118);
}

}  // namespace
}  // namespace orrery
