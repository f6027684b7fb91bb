#include "runtime/theory/mll_sgd.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <stdexcept>

namespace orrery::mll_sgd {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

struct Row {
  double zeta, bracket, gamma, third;
  std::array<double, 5> fourth;  // (tau, q) = (32,1) (16,2) (8,4) (4,8) (1,32)
};
const Row table[] = {
    {0, 1, 2, 4096, {2686.7, 2366.7, 2462.7, 2574.7, 2686.7}},
    {0.872678, 78.589, 73.201, 321901, {11894, 10477, 10902, 11398, 11894}},
    {0.967371, 1013.15, 984.99, 4149852, {42513, 37450, 38969, 40741, 42513}},
    {0.991792, 15144.96, 15025.62, 62033738, {165005, 145352, 151248, 158126, 165005}},
};

// Tolerances: half a unit of the last digit that the paper digest prints.
TEST(MllSgdTheory, HelperTableOfTheDigest) {
  const std::array<std::pair<double, double>, 5> periods{{{32, 1}, {16, 2}, {8, 4}, {4, 8}, {1, 32}}};
  for (const Row& row : table) {
    EXPECT_NEAR(bracket(row.zeta), row.bracket, row.zeta > 0.9 ? 0.00501 : 0.000501);
    EXPECT_NEAR(gamma_constant(row.zeta), row.gamma, row.zeta > 0.9 ? 0.00501 : 0.000501);
    for (size_t n = 0; n < periods.size(); ++n) {
      const auto [tau, q] = periods[n];
      EXPECT_NEAR(hub_coefficient(tau, q, row.zeta), row.third, 0.501) << "zeta " << row.zeta;
      EXPECT_NEAR(subnetwork_coefficient(tau, q, row.zeta), row.fourth[n], row.zeta > 0 ? 0.501 : 0.0501)
          << "zeta " << row.zeta << " tau " << tau;
    }
  }
}

TEST(MllSgdTheory, FourthCoefficientIsSymmetricInTauAndThirtyThreeMinusTauAtThirtyTwoSlots) {
  for (double tau = 1; tau < 17; ++tau)
    EXPECT_NEAR(subnetwork_coefficient(tau, 32 / tau, 0.7), subnetwork_coefficient(33 - tau, 32 / (33 - tau), 0.7),
                1e-9);
}

TEST(MllSgdTheory, LargestLearningRatesOfTheDigest) {
  const auto largest = [](double p, double tau) { return largest_eta_L({.p = p, .a = 0.01}, tau, 1, 0); };
  EXPECT_NEAR(largest(1, 32), 0.00778, 5e-6);
  EXPECT_NEAR(largest(0.9, 32), 0.00692, 5e-6);
  EXPECT_NEAR(largest(0.6, 32), 0.00155, 5e-6);
  EXPECT_NEAR(largest(1, 1), 0.2207, 5e-5);
  EXPECT_NEAR(largest(0.9, 1), 0.1983, 5e-5);
  EXPECT_NEAR(largest(0.6, 1), 0.0399, 5e-5);
}

TEST(MllSgdTheory, LargestLearningRateIsTheEdgeOfTheCondition) {
  for (const double p : {0.59, 0.6, 0.75, 0.9, 1.0})
    for (const double zeta : {0.0, 0.5, 0.95}) {
      const Rate r{.p = p, .a = 0.05, .beta = 2};
      const double s = largest_eta_L(r, 8, 4, zeta);
      ASSERT_GT(s, 0);
      EXPECT_NEAR(condition_margin(r, s, 8, 4, zeta), 0, 1e-13);
      EXPECT_GT(condition_margin(r, 0.99 * s, 8, 4, zeta), 0);
      EXPECT_LT(condition_margin(r, 1.01 * s, 8, 4, zeta), 0);
    }
}

TEST(MllSgdTheory, ConditionCannotBeMetAtRatesUpToTwoMinusRootTwo) {
  for (const double p : {0.0, 0.1, 0.5, 0.55, 0.5857}) {
    EXPECT_EQ(largest_eta_L({.p = p, .a = 0.01}, 1, 1, 0), 0) << p;
    EXPECT_LT(condition_margin({.p = p, .a = 0.01}, 1e-12, 1, 1, 0), 0) << p;
  }
  EXPECT_GT(largest_eta_L({.p = 0.5858, .a = 0.01}, 1, 1, 0), 0);
}

TEST(MllSgdTheory, TheSlowestWorkerDecides) {
  const std::vector<double> a(4, 0.25);
  const double mixed = largest_eta_L({1, 0.9, 0.6, 1}, a, 0, 8, 4, 0.5);
  EXPECT_EQ(mixed, largest_eta_L({.p = 0.6, .a = 0.25}, 8, 4, 0.5));
  EXPECT_LT(mixed, largest_eta_L({1, 0.9, 0.7, 1}, a, 0, 8, 4, 0.5));
  EXPECT_EQ(largest_eta_L({1, 0.9, 0.5, 1}, a, 0, 8, 4, 0.5), 0);
}

TEST(MllSgdTheory, BoundIsTheSumOfItsFourTerms) {
  // By hand: a = (3/4, 1/4), p = (1, 0.8), P = 0.95, sum a^2 p = 0.6125; zeta = 1/2: bracket 1/3 + 2 + 4 = 19/3;
  // (2-z)/(1-z) = 3.
  const Setting s{.eta = 0.01,
                  .L = 2,
                  .sigma2 = 3,
                  .gap = 5,
                  .tau = 2,
                  .q = 3,
                  .zeta = 0.5,
                  .slots = 60,
                  .p = {1, 0.8},
                  .a = {0.75, 0.25}};
  const Bound b = bound(s);
  const double scale = 4 * 4 * 1e-4 * 3 * 0.95;
  EXPECT_NEAR(b.initial, 10.0 / 0.6, 1e-12);
  EXPECT_NEAR(b.noise, 3 * 0.01 * 2 * 0.6125, 1e-15);
  EXPECT_NEAR(b.hubs, scale * 216 * (1.0 / 6 - 1.0 / 60) * 19.0 / 3, 1e-12);
  EXPECT_NEAR(b.subnetworks, scale * 3 * (4 * 2 * 7 / 6.0 + 5.0 / 6), 1e-12);
  EXPECT_DOUBLE_EQ(b.total(), b.initial + b.noise + b.hubs + b.subnetworks);
}

TEST(MllSgdTheory, EndlessRunLeavesTheErrorFloor) {
  Setting s{
      .eta = 0.01, .L = 1, .sigma2 = 1, .gap = 5, .tau = 8, .q = 4, .zeta = 0, .slots = infinite, .p = {1}, .a = {1}};
  EXPECT_EQ(bound(s).initial, 0);
  EXPECT_NEAR(bound(s).hubs, 4096e-4, 1e-12);
  s.sigma2 = 0;
  s.zeta = 1;
  EXPECT_EQ(bound(s).total(), 0);
  s.sigma2 = 1;
  EXPECT_EQ(bound(s).total(), infinite);
}

TEST(MllSgdTheory, LastTermsGrowWithZetaWithTauAndWithQ) {
  const auto floor = [](double tau, double q, double zeta) {
    return hub_coefficient(tau, q, zeta, 6400) + subnetwork_coefficient(tau, q, zeta);
  };
  for (double zeta = 0; zeta < 0.98; zeta += 0.02) EXPECT_LT(floor(8, 4, zeta), floor(8, 4, zeta + 0.02));
  for (int n = 1; n < 60; ++n) {
    EXPECT_LT(floor(n, 4, 0.3), floor(n + 1, 4, 0.3));
    EXPECT_LT(floor(4, n, 0.3), floor(4, n + 1, 0.3));
  }
}

TEST(MllSgdTheory, FewerSlotsThanAGlobalRoundAreRefused) {
  EXPECT_THROW(hub_coefficient(8, 4, 0, 31), std::logic_error);
  EXPECT_EQ(hub_coefficient(8, 4, 0, 32), 0);
}

// The condition of every worker, and in words why it fails.
TEST(MllSgdTheory, VerdictSaysWhyTheTheoremIsSilent) {
  const std::vector<double> a(4, 0.25);
  const std::vector<double> fine{1, 0.9, 0.6, 1}, slow{1, 0.55, 0.1, 0.6};
  const double edge = largest_eta_L(fine, a, 0, 8, 4, 0.5);
  ASSERT_GT(edge, 0);
  EXPECT_TRUE(verdict(fine, a, 0, 0.999 * edge, 8, 4, 0.5).holds);
  EXPECT_EQ(verdict(fine, a, 0, 0.999 * edge, 8, 4, 0.5).why_not, "");
  const Verdict above = verdict(fine, a, 0, 1.001 * edge, 8, 4, 0.5);
  EXPECT_FALSE(above.holds);
  EXPECT_EQ(above.failing, 1);  // the slowest alone
  EXPECT_EQ(above.outside, 0);
  EXPECT_NE(above.why_not.find("largest that the condition allows"), std::string::npos) << above.why_not;
  const Verdict outside = verdict(slow, a, 0, 1e-9, 8, 4, 0.5);
  EXPECT_FALSE(outside.holds);
  EXPECT_EQ(outside.outside, 2);
  EXPECT_EQ(outside.largest_eta_L, 0);
  EXPECT_NE(outside.why_not.find("0.5858"), std::string::npos) << outside.why_not;
  EXPECT_NE(verdict(fine, a, 0, 1e-9, 8, 4, 1).why_not.find("spectral gap"), std::string::npos);
}

}  // namespace
}  // namespace orrery::mll_sgd
