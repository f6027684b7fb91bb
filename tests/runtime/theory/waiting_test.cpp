// M9 of mll-sgd.md: the expected slots of a waiting round, the table of 3.5, and the clock of the runs against them.
#include "runtime/theory/waiting.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "runtime/network/clock.hpp"
#include "tests/runtime/network/make_network.hpp"

namespace orrery::waiting {
namespace {

double total(const Distribution& d) {
  double sum = 0;
  for (const double p : d.p) sum += p;
  return sum;
}

std::string hubs(int hubs, int each, const std::string& rates, int tau, int q) {
  return fmt::format(
      "workers = {}\nrates = {}\ntiers = [{{ name = \"hub\", nodes = {}, period = {} }}]\n"
      "graph = {{ kind = \"complete\", mixing = \"average\", period = {} }}\nclock = {{ kind = \"waiting\" }}\n",
      hubs * each, rates, hubs, tau, q * tau);
}
double mean_of(const std::string& network) { return round_duration(test::build(network).network)->mean(); }

// ---- the parts ------------------------------------------------------------------------------------------------------

TEST(Waiting, SuccessesAreNegativeBinomial) {
  for (const auto& [n, p] : {std::pair<int64_t, double>{1, 0.5}, {8, 0.9}, {32, 0.6}, {100, 0.05}, {3, 0.999}}) {
    const Distribution d = successes(n, p);
    const auto steps = static_cast<double>(n);
    EXPECT_NEAR(total(d), 1, 1e-12) << n << " " << p;
    EXPECT_NEAR(d.mean(), steps / p, 1e-9 * steps / p);
    EXPECT_NEAR(d.variance(), steps * (1 - p) / (p * p), 1e-8 * steps / (p * p));
    EXPECT_GE(d.first, n);
  }
  const Distribution two = successes(2, 0.25);  // (t - 1) p^2 (1-p)^(t-2)
  EXPECT_EQ(two.first, 2);
  for (int t = 2; t < 30; ++t)
    EXPECT_NEAR(two.p[static_cast<size_t>(t - 2)], (t - 1) * 0.0625 * std::pow(0.75, t - 2), 1e-15);
  const Distribution certain = successes(7, 1);
  EXPECT_EQ(certain.first, 7);
  EXPECT_EQ(certain.p, std::vector<double>{1.0});
}

TEST(Waiting, SumsAndMaximaByEnumeration) {
  const Distribution a{2, {0.5, 0.25, 0.25}}, b{3, {0.75, 0.25}};
  const Distribution most = slowest({&a, &b, &a});
  std::vector<double> want(3), sums(9);
  for (int x = 0; x < 3; ++x)
    for (int y = 0; y < 3; ++y)
      for (int z = 0; z < 2; ++z)
        want[static_cast<size_t>(std::max({2 + x, 2 + y, 3 + z}) - 3)] +=
            a.p[static_cast<size_t>(x)] * a.p[static_cast<size_t>(y)] * b.p[static_cast<size_t>(z)];
  // P(max = 2) is nothing, for b is at least 3
  ASSERT_EQ(most.first, 3);
  ASSERT_EQ(most.p.size(), 2u);
  for (size_t i = 0; i < 2; ++i) EXPECT_NEAR(most.p[i], want[i], 1e-15);
  for (int x = 0; x < 3; ++x)
    for (int y = 0; y < 3; ++y)
      for (int z = 0; z < 3; ++z)
        sums[static_cast<size_t>(x + y + z)] +=
            a.p[static_cast<size_t>(x)] * a.p[static_cast<size_t>(y)] * a.p[static_cast<size_t>(z)];
  const Distribution three = sum(a, 3);
  EXPECT_EQ(three.first, 6);
  ASSERT_EQ(three.p.size(), 7u);
  for (size_t i = 0; i < 7; ++i) EXPECT_NEAR(three.p[i], sums[i], 1e-15);
  // negative binomials add up
  const Distribution nine = sum(successes(3, 0.4), 3), at_once = successes(9, 0.4);
  EXPECT_NEAR(nine.mean(), at_once.mean(), 1e-10);
  EXPECT_NEAR(nine.variance(), at_once.variance(), 1e-9);
}

constexpr double two_hubs = 9.532693187014175;

// ---- M9: the table of 3.5, to the digits that the digest prints -------------------------------------------------------

TEST(Waiting, TheTableOfTheDigest) {
  const std::string ten = "[0.6,0.9,0.9,0.9,0.9,0.9,0.9,0.9,0.9,0.9]", five = "[0.6,0.9,0.9,0.9,0.9]";
  EXPECT_NEAR(mean_of(hubs(10, 10, ten, 32, 1)), 63.128, 5.01e-4);
  EXPECT_NEAR(mean_of(hubs(10, 10, ten, 8, 4)), 63.464, 5.01e-4);
  EXPECT_NEAR(mean_of(hubs(4, 5, five, 32, 1)), 59.652, 5.01e-4);
  EXPECT_NEAR(mean_of(hubs(4, 5, five, 8, 4)), 59.920, 5.01e-4);
  // the digest prints 9.532694; in rational arithmetic, sum over t of 1 - F(t)^2 with F of 4 successes at 1/2, it is this
  EXPECT_NEAR(mean_of(hubs(2, 2, "[0.5, 1]", 2, 2)), two_hubs, 1e-12);
  EXPECT_NEAR(two_hubs, 9.532694, 1e-6);
  EXPECT_EQ(mean_of(hubs(10, 10, "1", 8, 4)), 32);
  EXPECT_EQ(mean_of(hubs(3, 2, "1.0", 5, 1)), 5);
}

TEST(Waiting, OtherNetworks) {
  // a tier in place of the graph, and one more tier whose period adds nothing, are the same round
  const std::string rates = "rates = [0.5, 1]\n", wait = "clock = { kind = \"waiting\" }\n";
  EXPECT_NEAR(
      mean_of("workers = 4\n" + rates + wait + "tiers = [{ nodes = 2, period = 2 }, { nodes = 1, period = 4 }]"),
      two_hubs, 1e-12);
  EXPECT_NEAR(mean_of("workers = 4\n" + rates + wait +
                      "tiers = [{ nodes = 2, period = 2 }, { nodes = 2, period = 4 }, { nodes = 1, period = 4 }]"),
              two_hubs, 1e-12);
  // workers on a graph: the slowest of all
  const Distribution half = successes(3, 0.5);
  EXPECT_NEAR(mean_of("workers = 2\nrates = 0.5\n" + wait + "graph = { kind = \"path\", period = 3 }"),
              slowest({&half, &half}).mean(), 1e-12);
  EXPECT_GT(mean_of("workers = 2\nrates = 0.5\n" + wait + "graph = { kind = \"path\", period = 3 }"), 6.0);
  // one waits for nobody else
  EXPECT_NEAR(mean_of("workers = 1\nrates = 0.3\n" + wait + "tiers = [{ nodes = 1, period = 6 }]"), 20, 1e-10);
  EXPECT_FALSE(round_duration(test::build("workers = 2").network));
  EXPECT_FALSE(
      round_duration(test::build("workers = 4\ntiers = [{ nodes = 1, period = 2 }]\nparticipation = 0.5\n").network));
  EXPECT_NE(why_no_round(test::build("workers = 4\ntiers = [{ nodes = 1, period = 2 }]\nparticipation = 0.5\n").network)
                .find("take part"),
            std::string::npos);
  EXPECT_EQ(why_no_round(test::build("workers = 4\ntiers = [{ nodes = 1, period = 2 }]\n").network), "");
  EXPECT_FALSE(round_duration(test::build("workers = 4\ntiers = [{ nodes = 2, period = [2, 3] }]\n").network));
  EXPECT_FALSE(
      round_duration(test::build("workers = 2\nrates = 1e-4\ntiers = [{ nodes = 1, period = 100000 }]\n").network));
}

// ---- M9: the clock of a run -----------------------------------------------------------------------------------------

// Means over seeds and rounds within 4.5 standard errors of the expectation; so are the variances of single rounds.
TEST(Waiting, TheClockAgreesWithTheExpectation) {
  const std::string networks[] = {
      hubs(10, 10, "[0.6,0.9,0.9,0.9,0.9,0.9,0.9,0.9,0.9,0.9]", 8, 4),
      hubs(2, 2, "[0.5, 1]", 2, 2),
      "workers = 12\nrates = [0.3, 0.7, 1]\nclock = { kind = \"waiting\" }\n"
      "tiers = [{ nodes = 6, period = 2 }, { nodes = 2, period = 6 }, { nodes = 1, period = 12 }]",
      "workers = 6\nrates = [0.5, 0.8]\nclock = { kind = \"waiting\" }\n"
      "tiers = [{ nodes = 3, period = [2, 3] }, { nodes = 1, period = 12 }]",
  };
  for (const auto& text : networks) {
    SCOPED_TRACE(text);
    const auto built = test::build(text);
    const auto network = std::make_shared<const Network>(built.network);
    const Schedule schedule(*built.spec);
    const auto expected = round_duration(*network);
    ASSERT_TRUE(expected);
    const int64_t round = schedule.round();
    std::vector<double> lengths;
    for (uint64_t seed = 0; seed < 200; ++seed) {
      VirtualClock clock(network, seed, 32);
      double before = 0;
      for (int64_t k = 1; k <= 5; ++k) {
        clock.advance(schedule, k * round);
        lengths.push_back(clock.time() - before);
        before = clock.time();
      }
    }
    const auto n = static_cast<double>(lengths.size());
    double mean = 0, variance = 0, fourth = 0;
    for (const double x : lengths) mean += x / n;
    for (const double x : lengths) variance += (x - mean) * (x - mean) / (n - 1), fourth += std::pow(x - mean, 4) / n;
    EXPECT_GT(variance, 0);
    EXPECT_LE(std::abs(mean - expected->mean()), 4.5 * std::sqrt(expected->variance() / n));
    EXPECT_LE(std::abs(variance - expected->variance()), 4.5 * std::sqrt((fourth - variance * variance) / n));
  }
}

}  // namespace
}  // namespace orrery::waiting
