// Closed form by graph modes against the exact recursion (C1), the common part, orders mode by mode (papers/diffusion-flatness.md 4.3, 4.4).
#include "runtime/theory/diffusion/mode_theory.hpp"

#include <limits>

#include "runtime/network/network_error.hpp"
#include "runtime/theory/diffusion/common_part.hpp"
#include "runtime/theory/diffusion/mode_moments.hpp"
#include "tests/runtime/theory/diffusion/beds.hpp"

namespace orrery::diffusion {
namespace {

using test::mixing;
using test::random_problem;
using test::t1;
using test::t1h;

constexpr double infinite = std::numeric_limits<double>::infinity();

// ---- against the recursion

void expect_same(const LinearProblem& p, const std::string& graph) {
  const Mixing A = mixing(graph, p.agents);
  const ModeTheory theory(p, graph_modes(A));
  for (const Strategy s : all_strategies) {
    Moments m(p, s);
    for (int n = 1; n <= 400; ++n) {
      m.step(A);
      if (n != 1 && n != 2 && n != 10 && n != 60 && n != 400) continue;
      const double total = m.excess_risk().total(), centre = m.excess_risk_mean().total();
      EXPECT_NEAR(theory.excess_risk(s, n).total(), total, 1e-12 * total) << graph << " " << name(s) << " " << n;
      EXPECT_NEAR(theory.excess_risk(s, n).bias, m.excess_risk().bias, 1e-12 * total)
          << graph << " " << name(s) << " " << n;
      EXPECT_NEAR(theory.excess_risk_mean(s, n).total(), centre, 1e-12 * centre) << graph << " " << name(s) << " " << n;
    }
    m.settle(A);
    EXPECT_NEAR(theory.excess_risk(s, infinite).total(), m.excess_risk().total(), 1e-12 * m.excess_risk().total());
    EXPECT_EQ(theory.excess_risk(s, 0).total(), 0);
  }
}
TEST(ModeTheory, C1IsTheRecursionOfT1) {
  for (const char* graph : {"ring", "grid", "full", "exponential", "star"}) expect_same(t1(64), graph);
  expect_same(t1(1), "ring");
}
TEST(ModeTheory, IsTheRecursionWhereHessianAndNoiseDoNotCommute) {
  for (const char* graph : {"ring", "grid"}) expect_same(random_problem(8, 3, 0.1, 2, 3, true), graph);
}

// The recursion by modes is that of all pairs, from any start, at every step.
TEST(ModeMoments, AreTheMomentsOfAllPairs) {
  for (const char* graph : {"ring", "grid", "full", "star"})
    for (const bool apart : {false, true}) {
      const LinearProblem p = t1(2);
      const Mixing A = mixing(graph);
      std::vector<double> start;
      for (int i = 0; i < 64; ++i) start.push_back(0.3 * std::sin(1.0 + (apart ? i : i % 4)));
      for (const Strategy s : all_strategies) {
        Moments all(p, s, start);
        ModeMoments modes(p, s, graph_modes(A), start);
        for (int n = 0; n <= 200; ++n) {
          const double total = all.excess_risk().total();
          ASSERT_NEAR(modes.excess_risk().total(), total, 1e-12 * total) << graph << " " << name(s) << " " << n;
          ASSERT_NEAR(modes.excess_risk().bias, all.excess_risk().bias, 1e-12 * total);
          ASSERT_NEAR(modes.excess_risk_mean().total(), all.excess_risk_mean().total(), 1e-12 * total);
          all.step(A), modes.step();
        }
      }
    }
  EXPECT_THROW(ModeMoments(t1h(2), Strategy::diffusion, graph_modes(mixing("ring"))), std::logic_error);
}

TEST(CommonPart, C1IsTheCentralizedRecursionForAnyHessians) {
  for (const LinearProblem& p : {t1(1), t1h(64), random_problem(5, 3, 0.2, 4, 11)}) {
    Moments m(p, Strategy::centralized);
    for (int n = 1; n <= 100; ++n) {
      m.step(everyone(p.agents));
      EXPECT_NEAR(common_part(p, n), m.excess_risk().total(), 1e-12 * m.excess_risk().total()) << n;
    }
    m.settle(everyone(p.agents));
    EXPECT_NEAR(common_part(p, infinite), m.excess_risk().total(), 1e-12 * m.excess_risk().total());
  }
}

// Early and late: relative errors of the order of n mu h_max and mu h_max/2.
TEST(CommonPart, EarlyAndLateAreItsEnds) {
  LinearProblem p = random_problem(5, 3, 1e-5, 4, 11);
  EXPECT_NEAR(common_part(p, 3) / common_part_early(p, 3), 1, 2e-4);
  EXPECT_NEAR(common_part(p, infinite) / common_part_late(p), 1, 2e-5);
  EXPECT_LT(common_part(p, 1e5), 0.9 * common_part_late(p));
  p.step = 0.5;
  EXPECT_GT(common_part(p, infinite) / common_part_late(p), 1.1);
  p.step = 100;  // beyond 2 / h_max
  EXPECT_EQ(common_part(p, infinite), infinite);
}

// ---- mode by mode

// The centroid does not depend on the strategy (C6), and all of the difference sits in the other modes.
TEST(ModeTheory, C6TheCentroidIsTheSameForAllStrategies) {
  const ModeTheory theory(t1(1), graph_modes(mixing("ring")));
  for (const Strategy s : all_strategies) {
    test::expect_printed(theory.excess_risk_mean(s, 60).total(), "9.65860928e-04", "e(60)");
    EXPECT_EQ(theory.excess_risk_mean(s, 60).total(), theory.of_mode(s, 0, 60).total());
  }
}

double bias(Strategy s, double lambda, double mu_h, double n) {
  const ModeResponse r = mode_response(s, lambda, mu_h, false);
  return std::abs(r.gain * geometric_sum(r.complement, n));
}
double variance(Strategy s, double lambda, double mu_h, double n) {
  const ModeResponse r = mode_response(s, lambda, mu_h, false);
  return r.gain * r.gain * geometric_sum(r.complement * (2 - r.complement), n);
}

TEST(ModeTheory, ConsensusIsAboveDiffusionInEveryModeOfALazyGraph) {
  for (double lambda = 0; lambda < 1; lambda += 0.05)
    for (double mu_h = 0.01; mu_h < 1; mu_h += 0.03)
      for (int n = 1; n <= 400; n += n < 20 ? 1 : 19) {
        EXPECT_GE(bias(Strategy::consensus, lambda, mu_h, n), bias(Strategy::diffusion, lambda, mu_h, n) * (1 - 1e-14));
        EXPECT_GE(variance(Strategy::consensus, lambda, mu_h, n),
                  variance(Strategy::diffusion, lambda, mu_h, n) * (1 - 1e-14));
      }
}
TEST(ModeTheory, NegativeEigenvaluesKeepTheOrderOfVariancesAndLimitThatOfBiases) {
  bool failed_early = false;
  for (double lambda = -0.95; lambda < -0.01; lambda += 0.05) {
    const double limit = bias_order_limit(lambda);
    EXPECT_NEAR(limit, (1 - lambda * lambda) / (2 * -lambda), 1e-15);
    for (const double side : {0.999, 1.001}) {
      const double mu_h = side * limit;
      if (mu_h >= 1 + lambda) continue;  // consensus has no limit
      EXPECT_EQ(bias(Strategy::consensus, lambda, mu_h, infinite) > bias(Strategy::diffusion, lambda, mu_h, infinite),
                side < 1)
          << lambda;
    }
    for (double mu_h = 0.01; mu_h < 1; mu_h += 0.03)
      for (int n = 1; n <= 400; n += n < 20 ? 1 : 19) {
        EXPECT_GE(variance(Strategy::consensus, lambda, mu_h, n),
                  variance(Strategy::diffusion, lambda, mu_h, n) * (1 - 1e-14));
        if (n == 2)
          failed_early |= bias(Strategy::consensus, lambda, mu_h, n) < bias(Strategy::diffusion, lambda, mu_h, n);
      }
  }
  EXPECT_TRUE(failed_early);
  EXPECT_EQ(bias_order_limit(0.3), infinite);
  EXPECT_THROW(bias_order_limit(-1), std::logic_error);
}

TEST(ModeTheory, GeometricSums) {
  for (const double q : {0.9999999, 0.5, 0.1, 0.0, -0.7, 1.3, -1.2})
    for (const int n : {0, 1, 2, 7, 100}) {
      double sum = 0, term = 1;
      for (int t = 0; t < n; ++t) sum += term, term *= q;
      EXPECT_NEAR(geometric_sum(1 - q, n), sum, 1e-12 * std::abs(sum)) << q << " " << n;
    }
  EXPECT_EQ(geometric_sum(0, 9), 9);
  EXPECT_NEAR(geometric_sum(1e-18, 1e6), 1e6, 1e-3);
  EXPECT_EQ(geometric_sum(0.25, infinite), 4);
  EXPECT_EQ(geometric_sum(-0.1, infinite), infinite);
  EXPECT_EQ(geometric_sum(2, infinite), infinite);
  EXPECT_THROW(geometric_sum(0.1, -1), std::logic_error);
}

TEST(ModeTheory, DirectionsWithoutCurvatureCostNothing) {
  LinearProblem p = t1(1);
  for (size_t k = 0; k < 16; ++k) p.H[4 * k + 3] = 0;
  const ModeTheory theory(p, graph_modes(mixing("ring")));
  Moments m(p, Strategy::consensus);
  for (int n = 0; n < 50; ++n) m.step(mixing("ring"));
  EXPECT_NEAR(theory.excess_risk(Strategy::consensus, 50).total(), m.excess_risk().total(),
              1e-12 * m.excess_risk().total());
  EXPECT_LT(theory.excess_risk(Strategy::consensus, infinite).total(), 1);
  EXPECT_LT(common_part(p, infinite), 1);
}

// ---- bad input

TEST(ModeTheory, NeedsOneHessianAndTheProblemsGraph) {
  EXPECT_THROW(ModeTheory(t1h(1), graph_modes(mixing("ring"))), std::logic_error);
  EXPECT_THROW(ModeTheory(t1(1), graph_modes(mixing("ring", 12))), std::logic_error);
  const ModeTheory theory(t1(1), graph_modes(mixing("ring")));
  EXPECT_THROW(theory.excess_risk(Strategy::consensus, -1), std::logic_error);
  EXPECT_THROW(theory.of_mode(Strategy::consensus, 16, 1), std::logic_error);
  LinearProblem fast = t1(1);
  fast.step = 0.34;
  EXPECT_EQ(ModeTheory(fast, graph_modes(mixing("ring"))).excess_risk(Strategy::consensus, infinite).total(), infinite);
}

}  // namespace
}  // namespace orrery::diffusion
