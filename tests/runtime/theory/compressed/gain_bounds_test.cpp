// Gain bounds of compressed methods: the digest's numbers (S8, S11, A.2, A.4), and each promise against the recursion that it is for.
#include "runtime/theory/compressed/gain_bounds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/core/rng.hpp"
#include "runtime/theory/compressed/graph_numbers.hpp"
#include "tests/runtime/network/make_network.hpp"

namespace orrery::compressed_theory {
namespace {

GraphNumbers ring(const std::string& lines, bool unit) {
  const auto built = test::build("workers = 10\ngraph = { kind = \"ring\", period = 1" + lines + " }\n");
  std::string why;
  const auto g = graph_numbers(built.network, unit, &why);
  EXPECT_TRUE(g) << why;
  return g.value_or(GraphNumbers{});
}

TEST(CompressedGains, SpectrumOfTheTenNodeRing) {
  const GraphNumbers unit = ring("", true);
  EXPECT_NEAR(unit.lambda_2, 0.381966, 5e-7);
  EXPECT_NEAR(unit.lambda_n, 4, 1e-12);
  EXPECT_EQ(unit.norm, 0);
  const GraphNumbers mixing = ring(", mixing = \"metropolis\"", false);  // W = I - L/3
  EXPECT_NEAR(mixing.gap, 0.127322, 5e-7);
  EXPECT_NEAR(mixing.norm, 4.0 / 3, 1e-12);
  EXPECT_NEAR(mixing.lambda_2, unit.lambda_2 / 3, 1e-12);
}

TEST(CompressedGains, NoNumbersWhereThereAreNone) {
  std::string why;
  const auto apart = test::build("workers = 4\ngraph = { kind = \"one-peer-exponential\", period = 1 }\n");
  EXPECT_FALSE(graph_numbers(apart.network, false, &why));
  EXPECT_NE(why.find("over time"), std::string::npos) << why;
}

// S8: top-1 0.00218, top-2 0.00436, 1-bit 0.01090.
TEST(CompressedGains, ObserverConsensus) {
  const GraphNumbers g = ring("", true);
  EXPECT_NEAR(observer_alpha(0.1, 1, g.lambda_2, g.lambda_n), 0.00218, 5e-6);
  EXPECT_NEAR(observer_alpha(0.2, 1, g.lambda_2, g.lambda_n), 0.00436, 5e-6);
  EXPECT_NEAR(observer_alpha(0.5, 1, g.lambda_2, g.lambda_n), 0.01090, 5e-6);
  EXPECT_DOUBLE_EQ(observer_alpha(0.5, 3, 1, 2), 3 * observer_alpha(0.5, 1, 1, 2));
}

// S11: m = 0.5, alpha = 1.
TEST(CompressedGains, MonotoneConsensus) {
  const GraphNumbers g = ring("", true);
  EXPECT_NEAR(monotone_rate(1, 0.5, g.lambda_2), 0.190983, 5e-7);
  // small steps tend to the rate of the differential equation, from below; beyond s alpha lambda_n L_c = 2 nothing is promised
  const double small = monotone_decay(1e-5, 1, 0.5, g.lambda_2, g.lambda_n, 1.5) / 1e-5;
  EXPECT_LT(small, monotone_rate(1, 0.5, g.lambda_2));
  EXPECT_NEAR(small, monotone_rate(1, 0.5, g.lambda_2), 1e-5);
  EXPECT_EQ(monotone_decay(0.34, 1, 0.5, g.lambda_2, g.lambda_n, 1.5), 0);
  EXPECT_GT(monotone_decay(0.33, 1, 0.5, g.lambda_2, g.lambda_n, 1.5), 0);
}

// The identity is monotone with m = L_c = 1: the exact factor of a mode is 1 - s alpha lambda, and the slowest may not beat the promise.
TEST(CompressedGains, MonotonePromiseIsBelowTheExactDecay) {
  const double low = 0.381966011250105, high = 4;
  for (const double s : {0.01, 0.1, 0.3, 0.45}) {
    const double exact = -std::log(std::max(std::abs(1 - s * low), std::abs(1 - s * high)));
    EXPECT_LE(monotone_decay(s, 1, 1, low, high, 1), exact + 1e-15) << s;
  }
}

// A.2, from the formula by hand: D = 0.127322003750035, b = 4/3.
TEST(CompressedGains, ChocoGossip) {
  const double D = 0.127322003750035, b = 4.0 / 3;
  const double below = 16 * D + D * D + 4 * b * b + 2 * D * b * b;
  for (const double delta : {0.1, 0.2, 1.0}) {
    EXPECT_NEAR(choco_gamma(D, delta, b), D * D * delta / (below - 8 * D * delta), 1e-16);
    EXPECT_NEAR(choco_contraction(D, delta), 1 - D * D * delta / 82, 1e-16);
  }
  EXPECT_NEAR(choco_gamma(D, 0.2, b), 3.44419e-4, 5e-10);
  EXPECT_NEAR(choco_gamma(1, 1, 1), 1.0 / 15, 1e-15);  // of a complete graph: D = b = 1
}

// A.4 on Q10: the steps that the digest's counts were taken at.
TEST(CompressedGains, Ef21) {
  double L = 0, mu = 1e9, squares = 0;
  std::array<double, 10> mean{};
  for (int i = 0; i < 10; ++i) {
    double steepest = 0;
    for (int c = 0; c < 10; ++c) {
      const double v = 0.6180339887498949 * (10 * i + c + 1), a = 1 + v - std::floor(v);
      mean[static_cast<size_t>(c)] += a / 10;
      steepest = std::max(steepest, a);
    }
    squares += steepest * steepest / 10;
  }
  for (const double a : mean) L = std::max(L, a), mu = std::min(mu, a);
  for (const auto& [delta, want] :
       {std::pair{0.1, 0.0267259208476499}, {0.2, 0.055599592590560964}, {0.5, 0.16046729914225238}}) {
    const FeedbackSteps f = ef21_steps(delta, L, std::sqrt(squares), mu);
    EXPECT_NEAR(f.step, want, 1e-15);
    EXPECT_LT(f.linear, f.step);
    EXPECT_LE(f.linear, f.theta / (2 * mu));
  }
  const FeedbackSteps whole = ef21_steps(1, L, 2 * L, mu);  // gradient descent: 1/L
  EXPECT_NEAR(whole.step, 1 / L, 1e-15);
}

// EF21's linear rate holds along a run: f - f* + gamma/theta mean |h_i - grad f_i|^2 shrinks by 1 - gamma mu or faster in every step.
TEST(CompressedGains, Ef21FallsAsPromised) {
  constexpr int n = 5, d = 6;
  double a[n][d], c[n][d], best[d] = {}, L = 0, mu = 1e9, squares = 0;
  const Stream draws(3, Draw::probe, 0, 0);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < d; ++j) {
      a[i][j] = 0.5 + draws.uniform(static_cast<uint32_t>(i * d + j));
      c[i][j] = draws.normal(static_cast<uint32_t>(100 + i * d + j));
    }
  for (int j = 0; j < d; ++j) {
    double above = 0, below = 0;
    for (int i = 0; i < n; ++i) above += a[i][j] * c[i][j] / n, below += a[i][j] / n;
    best[j] = above / below, L = std::max(L, below), mu = std::min(mu, below);
  }
  for (int i = 0; i < n; ++i) squares += std::pow(*std::max_element(a[i], a[i] + d), 2) / n;
  const FeedbackSteps f = ef21_steps(1.0 / d, L, std::sqrt(squares), mu);  // top-1

  double x[d] = {3, -2, 1, 0, 4, -1}, h[n][d] = {}, before = HUGE_VAL;
  for (int t = 0; t < 2000; ++t) {
    double psi = 0;
    for (int i = 0; i < n; ++i) {
      double e[d];
      for (int j = 0; j < d; ++j) e[j] = a[i][j] * (x[j] - c[i][j]) - h[i][j];
      const auto top = std::max_element(e, e + d, [](double p, double q) { return std::abs(p) < std::abs(q); }) - e;
      h[i][top] += e[top];
      e[top] = 0;
      for (int j = 0; j < d; ++j) {
        psi += f.linear / f.theta * e[j] * e[j] / n;
        psi += a[i][j] * (x[j] - best[j]) * (x[j] - best[j]) / (2 * n);
      }
    }
    ASSERT_LE(psi, (1 - f.linear * mu) * before + 1e-24) << t;
    before = psi;
    for (int j = 0; j < d; ++j)
      for (int i = 0; i < n; ++i) x[j] -= f.linear * h[i][j] / n;
  }
  EXPECT_LT(before, 1e-6);
}

}  // namespace
}  // namespace orrery::compressed_theory
