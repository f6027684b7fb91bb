// Laws H1 - H4, H6, H7, H9 and H14 of hierarchical SGD (papers: h-sgd.md, section 7).
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::difference;
using test::tiers;
using test::Trial;

class HierarchicalSgd : public test::OnEachCase {};
ORRERY_ON_CASES(HierarchicalSgd);

class HierarchicalQuadratics : public test::OnEachCase {};
ORRERY_ON_CASES(HierarchicalQuadratics, {"quadratic"});

std::string local(int64_t period) { return tiers({{"cloud", period}}); }
std::string two_level(int64_t groups, int64_t local_period, int64_t global_period) {
  return tiers({{"edge", local_period, groups}, {"cloud", global_period}});
}

// Far beyond rounding: the law compared two settings that could have differed.
constexpr double apart = 1e-3;

TEST_P(HierarchicalSgd, OneGroupIsLocalSgdWithTheLocalPeriod) {  // H1
  for (auto [I, G] : {std::pair<int64_t, int64_t>{2, 6}, {3, 12}, {5, 5}}) {
    const auto want = final_models(trial(6).with_network(local(I)));
    EXPECT_LE(difference(final_models(trial(6).with_network(two_level(1, I, G))), want), tolerance()) << I << " " << G;
    EXPECT_GT(difference(final_models(trial(6).with_network(local(I + 1))), want), apart);
  }
}

TEST_P(HierarchicalSgd, EqualPeriodsAreLocalSgdWhateverTheGrouping) {  // H2
  const auto want = final_models(trial(6).with_network(local(4)));
  for (const std::vector<std::vector<int64_t>>& groups :
       {std::vector<std::vector<int64_t>>{{0, 1, 2}, {3, 4, 5}}, {{0}, {1, 5}, {2, 3, 4}}, {{4, 0}, {1, 3}, {5, 2}}}) {
    const auto network = [&](int64_t I) { return tiers({{"edge", I, 0, groups}, {"cloud", 4}}); };
    EXPECT_LE(difference(final_models(trial(6).with_network(network(4))), want), tolerance());
    EXPECT_GT(difference(final_models(trial(6).with_network(network(2))), want), apart);
  }
}

TEST_P(HierarchicalSgd, GroupsOfOneAreLocalSgdWithTheGlobalPeriod) {  // H2
  const auto want = final_models(trial(6).with_network(local(6)));
  for (int64_t I : {1, 2, 3}) {
    EXPECT_LE(difference(final_models(trial(6).with_network(two_level(6, I, 6))), want), tolerance()) << I;
    EXPECT_GT(difference(final_models(trial(6).with_network(two_level(3, I, 6))), want), apart);
  }
}

TEST_P(HierarchicalSgd, PeriodOneIsSynchronousSgd) {  // H3
  const Trial s = trial(6).with_network(two_level(3, 1, 1));
  const test::Oracle oracle(s, device());
  const auto p = static_cast<size_t>(oracle.parameters());
  for (int64_t t = 0; t < 5; ++t) {
    const auto before = final_models(s.with_steps(t)), after = final_models(s.with_steps(t + 1));
    std::vector<double> want(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(p));
    for (int64_t i = 0; i < s.workers; ++i) {
      const auto g = oracle.gradient(i, t, before.data());
      for (size_t j = 0; j < p; ++j) want[j] -= s.learning_rate / static_cast<double>(s.workers) * g[j];
    }
    for (size_t i = 0; i < after.size(); ++i)
      ASSERT_EQ(after[i], after[i % p]) << "worker " << i / p << " after step " << t;
    EXPECT_LE(difference({after.begin(), after.begin() + static_cast<std::ptrdiff_t>(p)}, want), tolerance()) << t;
  }
}

TEST_P(HierarchicalSgd, ALevelWithItsChildrensPeriodIsNoLevel) {  // H4
  const Trial s = trial(8).with_steps(26);
  const auto tree = [&](int64_t global, int64_t region, int64_t edge) {
    return final_models(s.with_network(tiers({{"edge", edge, 4}, {"region", region, 2}, {"cloud", global}})));
  };
  const auto two = final_models(s.with_network(two_level(2, 4, 24)));
  const auto four = final_models(s.with_network(two_level(4, 4, 24)));
  EXPECT_LE(difference(tree(24, 4, 4), two), tolerance());
  EXPECT_LE(difference(tree(24, 24, 4), four), tolerance());
  EXPECT_GT(difference(two, four), apart);
  EXPECT_GT(difference(tree(24, 12, 4), two), apart);
  EXPECT_GT(difference(tree(24, 12, 4), four), apart);
}

TEST_P(HierarchicalSgd, TheOrderInWhichGroupsAreListedChangesNoBit) {  // H6
  const Trial s = trial(6);
  using Rows = std::vector<std::vector<int64_t>>;
  const auto with = [&](const Rows& edge, const Rows& region) {
    return final_models(s.with_network(tiers({{"edge", 2, 0, edge}, {"region", 4, 0, region}, {"cloud", 12}})));
  };
  const auto want = with({{0, 3}, {1, 4}, {2, 5}}, {{0, 1}, {2}});
  EXPECT_EQ(with({{3, 0}, {4, 1}, {5, 2}}, {{1, 0}, {2}}), want);  // order inside the groups
  EXPECT_EQ(with({{2, 5}, {4, 1}, {0, 3}}, {{0}, {2, 1}}), want);  // names of the groups
  EXPECT_GT(difference(with({{0, 1}, {3, 4}, {2, 5}}, {{0, 1}, {2}}), want), apart);
}

// H7: with one Hessian for all, the mean model follows centralised descent, noise included, however it is grouped.
TEST_P(HierarchicalQuadratics, WithOneHessianTheMeanFollowsCentralisedDescent) {
  for (const char* batch : {"\"full\"", "4"}) {
    Trial s = trial(6);
    s.batch = batch;
    for (int64_t i = 0; i < s.workers; ++i)
      for (double a : {0.5, 1.25, 3.0}) s.curvature.push_back(a);
    const test::Oracle oracle(s, device());
    for (const auto& network : {local(1), local(5), two_level(2, 2, 12), two_level(3, 1, 4), std::string(),
                                tiers({{"edge", 2, 0, {{0}, {1, 3, 5}, {2, 4}}}, {"cloud", 6}})}) {
      std::vector<double> u(3, 0.25);
      for (int64_t t = 0; t < 13; ++t) {
        std::vector<double> mean(3);
        for (int64_t i = 0; i < s.workers; ++i) {
          const auto g = oracle.gradient(i, t, u.data());
          for (size_t j = 0; j < 3; ++j) mean[j] += g[j] / static_cast<double>(s.workers);
        }
        for (size_t j = 0; j < 3; ++j) u[j] -= s.learning_rate * mean[j];
        EXPECT_LE(difference(result(s.with_network(network).with_steps(t + 1)).arms[0].mean_models, u), tolerance())
            << network << " step " << t;
      }
    }
  }
}

// All ways to cut workers 0 ... n-1 into groups of `size`.
void all_groupings(std::vector<int64_t> left, size_t size, std::vector<std::vector<int64_t>> made,
                   std::vector<std::vector<std::vector<int64_t>>>& out) {
  if (left.empty()) {
    out.push_back(made);
    return;
  }
  std::vector<bool> chosen(left.size() - 1);
  std::fill(chosen.begin(), chosen.begin() + static_cast<std::ptrdiff_t>(size - 1), true);
  do {  // the first worker left, with every choice of companions
    std::vector<int64_t> group{left[0]}, rest;
    for (size_t i = 1; i < left.size(); ++i) (chosen[i - 1] ? group : rest).push_back(left[i]);
    auto more = made;
    more.push_back(group);
    all_groupings(rest, size, more, out);
  } while (std::prev_permutation(chosen.begin(), chosen.end()));
}

TEST_P(HierarchicalSgd, OverAllGroupingsTheUpwardShareIsThatOfTheDigest) {  // H9
  for (auto [groups, size, count, share] :
       {std::tuple{2, size_t{3}, size_t{10}, 1.0 / 5}, {3, size_t{2}, size_t{15}, 2.0 / 5}}) {
    std::vector<std::vector<std::vector<int64_t>>> groupings;
    all_groupings({0, 1, 2, 3, 4, 5}, size, {}, groupings);
    ASSERT_EQ(groupings.size(), count);
    Trial s = trial(6).with_steps(0);
    s.metrics = "\"divergence_edge\", \"divergence_cloud\"";
    for (size_t k = 0; k < groupings.size(); ++k)
      s.arms +=
          fmt::format("[[arm]]\nname = \"{}\"\nnetwork.{}", k, tiers({{"edge", 1, 0, groupings[k]}, {"cloud", 1}}));
    const RunResult r = result(s);
    ASSERT_EQ(r.arms.size(), count);
    double up = 0, least = INFINITY, most = 0, total = 0;
    for (const auto& arm : r.arms) {
      const double down = arm.values[0][0][0], one = arm.values[1][0][0];
      if (total == 0) total = one + down;
      EXPECT_NEAR(one + down, total, tolerance() * total);
      up += one / static_cast<double>(count);
      least = std::min(least, one);
      most = std::max(most, one);
    }
    EXPECT_NEAR(up / total, share, tolerance()) << groups << " groups";
    EXPECT_GT(most, 1.5 * least) << "groupings that do not differ test nothing";
  }
}

TEST_P(HierarchicalSgd, IsMultiLevelSgdOverACompleteHubGraph) {  // H14
  for (const char* weights : {"", "weights = [1, 3, 2, 2, 1, 1]\n"}) {
    const Trial h = trial(6).with_network(weights + two_level(3, 2, 6));
    Trial mll = trial(6).with_network(weights + tiers({{"hub", 2, 3}}) +
                                      "rates = 1\ngraph = { kind = \"complete\", period = 6, mixing = \"average\" }\n");
    mll.kind = "mll-sgd";
    const auto want = final_models(h);
    EXPECT_LE(difference(final_models(mll), want), tolerance());
    EXPECT_GT(difference(final_models(trial(6).with_network(weights + tiers({{"hub", 2, 3}}))), want), apart);
  }
}

}  // namespace
}  // namespace orrery
