// h-sgd.md 4.3, 5.1, 5.2: H9, H10, the recursion written out, monotonicity, unequal weights.
#include "runtime/theory/h_sgd.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tests/runtime/network/make_network.hpp"

namespace orrery::h_sgd {
namespace {

using orrery::test::build;
constexpr double exact = 1e-12;

// ---- 5.2: what decides everything

TEST(HsgdTheory, WeightsOfTheDigest) {
  const Tree two = tree({1, 2, 10}, {50, 5});
  EXPECT_NEAR(a1(two), 9, exact);
  EXPECT_NEAR(a2(two), 300, 300 * exact);
  EXPECT_NEAR(heterogeneity_period(two), 17.32, 0.005);
  EXPECT_NEAR(noise_period(two), 10, 10 * exact);
  const Tree five = tree({1, 5, 10}, {50, 5});
  EXPECT_NEAR(a1(five), 22.5, 22.5 * exact);
  EXPECT_NEAR(a2(five), 1125, 1125 * exact);
  EXPECT_NEAR(heterogeneity_period(five), 33.54, 0.005);
  EXPECT_NEAR(a1(tree({1, 10}, {5})), 4.5, exact);
  EXPECT_NEAR(a2(tree({1, 10}, {5})), 25, 25 * exact);
  EXPECT_NEAR(a1(tree({1, 10}, {50})), 45, 45 * exact);
  EXPECT_NEAR(a2(tree({1, 10}, {50})), 2500, 2500 * exact);
  const Tree three = tree({1, 2, 4, 8}, {48, 12, 4});
  EXPECT_NEAR(a1(three), 11, 11 * exact);
  EXPECT_NEAR(a2(three), 379.43, 0.005);
}

TEST(HsgdTheory, LiesBetweenLocalSgdWithTheShortestAndTheLongestPeriod) {
  for (const auto& nodes : {std::vector<int64_t>{1, 2, 4, 8}, {1, 1, 3, 7}, {1, 8, 8, 8}, {1, 5, 9, 100}})
    for (const auto& period : {std::vector<int64_t>{48, 12, 4}, {4, 4, 4}, {60, 60, 1}}) {
      const Tree t = tree(nodes, period);
      const auto [low, high] = sandwich_a1(t);
      EXPECT_LE(low, a1(t) * (1 + exact));
      EXPECT_GE(high, a1(t) * (1 - exact));
      EXPECT_LE(sandwich_a2(t).low, a2(t) * (1 + exact));
      EXPECT_GE(sandwich_a2(t).high, a2(t) * (1 - exact));
      const double n = static_cast<double>(nodes.back());
      EXPECT_NEAR(low, (1 - 1 / n) * static_cast<double>(period.back()), high * exact);
    }
  const Tree one = tree({1, 4, 12}, {7, 7});
  EXPECT_NEAR(a1(one), 7 * (1 - 1.0 / 12), exact);
  EXPECT_NEAR(a2(one), 49, 49 * exact);
}

TEST(HsgdTheory, GrowsWithGroupsAndPeriods) {
  double last1 = 0, last2 = 0;
  for (const auto& [groups, global, local] :
       {std::tuple{2, 40, 4}, std::tuple{3, 40, 4}, std::tuple{6, 40, 4}, std::tuple{6, 80, 4}, std::tuple{6, 80, 8}}) {
    const Tree t = tree({1, groups, 12}, {global, local});
    EXPECT_GT(a1(t), last1);
    EXPECT_GT(a2(t), last2);
    last1 = a1(t), last2 = a2(t);
  }
}

// ---- 4.3, H9: random grouping, against all permutations

double enumerated(const std::vector<size_t>& sizes) {  // E upward / global divergence of six fixed numbers
  std::vector<double> x{0.3, -1.2, 2.0, 0.7, -0.4, 5.1};
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / 6;
  double global = 0, up = 0, count = 0;
  for (const double v : x) global += (v - mean) * (v - mean) / 6;
  std::sort(x.begin(), x.end());
  do {
    size_t first = 0;
    for (const size_t size : sizes) {
      double group = 0;
      for (size_t i = first; i < first + size; ++i) group += x[i] / static_cast<double>(size);
      up += static_cast<double>(size) / 6 * (group - mean) * (group - mean);
      first += size;
    }
    ++count;
  } while (std::next_permutation(x.begin(), x.end()));
  return up / count / global;
}

TEST(HsgdTheory, RandomGroupingIsTheMeanOverAllPermutations) {
  EXPECT_NEAR(enumerated({3, 3}), 1.0 / 5, exact);
  EXPECT_NEAR(enumerated({2, 2, 2}), 2.0 / 5, exact);
  EXPECT_NEAR(enumerated({1, 5}), 1.0 / 5, exact) << "groups of any sizes";
  EXPECT_NEAR(enumerated({1, 2, 3}), 2.0 / 5, exact);
  EXPECT_NEAR(random_grouping(tree({1, 2, 6}, {4, 2}))[0], 1.0 / 5, exact);
  EXPECT_NEAR(random_grouping(tree({1, 3, 6}, {4, 2}))[0], 2.0 / 5, exact);
  const auto deep = random_grouping(tree({1, 2, 6, 24}, {40, 20, 5}));
  EXPECT_NEAR(deep[0], 1.0 / 23, exact);
  EXPECT_NEAR(deep[1], 4.0 / 23, exact);
  EXPECT_NEAR(deep[2], 18.0 / 23, exact);
}

// ---- 5.1: the bound

TEST(HsgdTheory, BoundIsTheRecursion) {
  const Tree t = tree({1, 2, 6, 24}, {40, 20, 5});
  const Setting s{.gamma = 0.004, .L = 1.3, .sigma2 = 2.5, .gap = 7, .steps = 4000, .divergence = {0.3, 0.7, 1.9}};
  const double g2 = s.gamma * s.gamma, gl2 = g2 * s.L * s.L;
  const auto c = [&](double p, double k) { return k * gl2 * p * (p - 1); };
  const double s3 = (g2 * 4 * 18.0 / 24 * 2.5 + 2.0 / 3 * g2 * 4 * 9 * 1.9) / (1 - c(5, 2));
  const double s2 = (g2 * 19 * 4.0 / 24 * 2.5 + g2 * 19 * 39 * 0.7 + s3) / (1 - c(20, 3));
  const double s1 = (g2 * 39 * 1.0 / 24 * 2.5 + g2 * 39 * 79 * 0.3 + s2) / (1 - c(40, 3));
  const Bound b = bound(t, s);
  EXPECT_NEAR(b.dispersion(), s1, s1 * exact);
  EXPECT_NEAR(b.initial, 2 * 7 / (0.004 * 4000), exact);
  EXPECT_NEAR(b.noise, 0.004 * 1.3 * 2.5 / 24, exact);
  EXPECT_NEAR(b.total(), b.initial + b.noise + 1.3 * 1.3 * s1, exact);
  EXPECT_TRUE(condition(t, s.gamma, s.L).holds);
}

TEST(HsgdTheory, TheSufficientConditionMakesEveryDenominatorLarge) {
  const Tree t = tree({1, 2, 10}, {50, 5});
  const double edge = 1 / (2 * std::sqrt(6.0) * 50 * 1.7);
  const Condition k = condition(t, edge, 1.7);
  EXPECT_NEAR(k.sufficient, 1, exact);
  EXPECT_TRUE(k.holds);
  for (const double c : k.c) EXPECT_LT(c, 1.0 / 8);
  const Condition far = condition(t, 10 * edge, 1.7);
  EXPECT_FALSE(far.holds);
  EXPECT_GT(far.c[0], 1);
  EXPECT_TRUE(std::isinf(bound(t, {.gamma = 10 * edge, .L = 1.7, .sigma2 = 1, .divergence = {0, 0}}).total()));
  EXPECT_FALSE(condition(tree({1, 10}, {1}), 1.01, 1).holds) << "gamma L <= 1 is needed even without local steps";
  EXPECT_TRUE(condition(tree({1, 10}, {1}), 1, 1).holds);
}

TEST(HsgdTheory, UnequalGroupsReduceToTheRecursionAndToLocalSgd) {
  const Tree t = tree({1, 3, 12}, {24, 6});
  const Setting s{.gamma = 0.01, .L = 1, .sigma2 = 2, .divergence = {0.4, 0.9}};
  Tree equal = t;
  equal.own.assign(3, {.workers = 4, .period = 6, .mass = 1.0 / 3, .share = 1.0 / 4});
  Setting each = s;
  each.group_divergence.assign(3, 0.9);
  EXPECT_NEAR(bound(equal, each).dispersion(), bound(t, s).dispersion(), exact);
  EXPECT_NEAR(bound(equal, s).dispersion(), bound(t, s).dispersion(), exact);
  EXPECT_NEAR(a1(equal), a1(t), exact);
  EXPECT_NEAR(a2(equal), a2(t), 1e-9);
  // sizes 2 and 6 with periods 2 and 8, by hand
  const auto own = [](double p, double size, double e) {
    return 1e-4 * ((p - 1) * (1 - 1 / size) * 2 + 2.0 / 3 * (p - 1) * (2 * p - 1) * e) / (1 - 2e-4 * p * (p - 1));
  };
  const auto above = [](double s2) { return (1e-4 * 15 * (1.0 / 8 * 2 + 31 * 0.4) + s2) / (1 - 3e-4 * 16 * 15); };
  Tree uneven = tree({1, 2, 8}, {16, 8});
  uneven.own = {{2, 2, 0.25, 1.0 / 8}, {6, 8, 0.75, 5.0 / 8}};
  Setting u{.gamma = 0.01, .L = 1, .sigma2 = 2, .divergence = {0.4, 1.25}, .group_divergence = {0.5, 1.5}};
  const double s1 = above(2.0 / 8 * own(2, 2, 0.5) + 6.0 / 8 * own(8, 6, 1.5));
  EXPECT_NEAR(bound(uneven, u).dispersion(), s1, s1 * exact);
  EXPECT_NEAR(bound(uneven, u).total(), 0.01 * 2 / 8 + s1, exact);
  // only the mean of the divergences is known: all of it where it weighs most
  u.group_divergence = {};
  const double most = above(2.0 / 8 * own(2, 2, 0) + 6.0 / 8 * own(8, 6, 1.25 * 8 / 6));
  EXPECT_NEAR(bound(uneven, u).dispersion(), most, most * exact);
  EXPECT_GE(most, s1);
  // A_1 and A_2 by hand; the sandwich begins at the shortest period
  EXPECT_NEAR(a1(uneven), 16.0 / 8 + 2 * 1.0 / 8 + 8 * 5.0 / 8, exact);
  EXPECT_NEAR(a2(uneven), (256.0 * 1 + 4 * 1 + 64 * 5) / 7, 1e-9);
  EXPECT_NEAR(sandwich_a2(uneven).low, 4, exact);
  uneven.period[0] = 1600;
  EXPECT_TRUE(std::isinf(bound(uneven, u).dispersion()));
}

// ---- trees of networks

TEST(HsgdTheory, ReadsTheTreeOfANetwork) {
  const auto b = build(
      "workers = 10\ntiers = [{ name = \"edge\", nodes = 2, period = 5 }, { name = \"cloud\", nodes = 1, period = 50 "
      "}]");
  const auto [t, why] = tree_of(b.network);
  EXPECT_EQ(why, "");
  EXPECT_EQ(t.nodes, (std::vector<int64_t>{1, 2, 10}));
  EXPECT_EQ(t.period, (std::vector<int64_t>{50, 5}));
  EXPECT_EQ(t.name, (std::vector<std::string>{"cloud", "edge"}));
  EXPECT_TRUE(t.equal_weights);
  EXPECT_NEAR(a1(t), 9, exact);
}

TEST(HsgdTheory, AGraphThatAveragesExactlyIsALevel) {
  const std::string tiers = "workers = 10\ntiers = [{ name = \"hub\", nodes = 5, period = 5 }]\n";
  const auto exactly = build(tiers + "[network.graph]\nkind = \"complete\"\nmixing = \"average\"\nperiod = 50\n");
  EXPECT_EQ(tree_of(exactly.network).why_not, "");
  EXPECT_NEAR(a2(tree_of(exactly.network).tree), 1125, 1e-9);
  const auto ring = build(tiers + "[network.graph]\nkind = \"ring\"\nperiod = 50\n");
  EXPECT_NE(tree_of(ring.network).why_not, "");
  EXPECT_NE(tree_of(build(tiers).network).why_not.find("nothing averages the 5 nodes"), std::string::npos);
  EXPECT_EQ(
      tree_of(build("workers = 4\n[network.graph]\nkind = \"complete\"\nmixing = \"average\"\nperiod = 3\n").network)
          .tree.nodes,
      (std::vector<int64_t>{1, 4}));
}

// Unequal weights: shares by their definition; groups of 3 and 1 workers with weights 1, 2, 3 and 6.
TEST(HsgdTheory, SharesOfUnequalWeights) {
  const auto b = build(
      "workers = 4\nweights = [1, 2, 3, 6]\ntiers = [{ groups = [[0, 1, 2], [3]], period = 2 }, { nodes = 1, period = "
      "4 }]");
  const Tree t = tree_of(b.network).tree;
  const double a[] = {1 / 12.0, 2 / 12.0, 3 / 12.0, 6 / 12.0};
  double squares = 0, within = 0;
  for (int i = 0; i < 4; ++i) squares += a[i] * a[i], within += i < 3 ? a[i] * a[i] / 0.5 : a[i] * a[i] / 0.5;
  EXPECT_NEAR(t.share[0], within - squares, exact);  // between the two groups
  EXPECT_NEAR(t.share[1], 1 - within, exact);        // inside them
  EXPECT_NEAR(t.share[0] + t.share[1], 1 - t.square_weights, exact);
  EXPECT_FALSE(t.equal_weights);
}

// Equal weights and groups of unequal sizes: the shares count nodes alone.
TEST(HsgdTheory, SharesOfUnequalGroups) {
  const auto b =
      build("workers = 8\ntiers = [{ groups = [[0, 1], [2, 3, 4, 5, 6, 7]], period = 2 }, { nodes = 1, period = 4 }]");
  const Tree t = tree_of(b.network).tree;
  EXPECT_NEAR(t.share[0], 1.0 / 8, exact);
  EXPECT_NEAR(t.share[1], 6.0 / 8, exact);
}

}  // namespace
}  // namespace orrery::h_sgd
