// Leading order in mu against the exact recursion: ratios, B*, consensus minus diffusion (papers/diffusion-flatness.md 4.4).
#include "runtime/theory/diffusion/leading_order.hpp"

#include <limits>

#include "runtime/theory/diffusion/mode_theory.hpp"
#include "tests/runtime/theory/diffusion/beds.hpp"

namespace orrery::diffusion {
namespace {

using test::mixing;
using test::random_problem;
using test::t1;
using test::t1h;

constexpr double infinite = std::numeric_limits<double>::infinity();

LinearProblem with(LinearProblem p, double step, double batch) {
  p.step = step, p.batch = batch;
  return p;
}

Moments walked(const LinearProblem& p, Strategy s, const Mixing& A, double steps) {
  Moments m(p, s);
  for (int n = 0; n < static_cast<int>(steps + 0.5); ++n) m.step(A);
  return m;
}

// ---- against the recursion

struct Ratios {  // leading order over exact
  double total, common, heterogeneity, centroid, noise;
};
Ratios ratios(const LinearProblem& p, Strategy s, const Mixing& A, double n) {
  const LeadingOrder o = leading_order(p, s, graph_modes(A), n);
  const Moments m = walked(p, s, A, n);
  const ExcessRisk er = m.excess_risk(), centre = m.excess_risk_mean();
  return {o.total() / er.total(), o.common / centre.noise, o.heterogeneity / (er.bias - centre.bias),
          o.centroid / centre.bias, o.noise / (er.noise - centre.noise)};
}

// Every part tends to the exact one linearly in mu: a quarter of the step, a quarter of the distance from 1 (within a fifth).
TEST(LeadingOrder, TendsToTheRecursionLinearlyInTheStep) {
  const Mixing grid = mixing("grid");
  for (const Strategy s : {Strategy::consensus, Strategy::diffusion, Strategy::diffusion_cta})
    for (const LinearProblem& bed : {t1h(256), random_problem(16, 3, 0.1, 256, 2)}) {
      const Ratios a = ratios(with(bed, 0.005, 256), s, grid, 200), b = ratios(with(bed, 0.00125, 256), s, grid, 800);
      const auto expect_linear = [&](double coarse, double fine, const char* part) {
        EXPECT_NEAR(fine, 1, 0.06) << name(s) << " " << part;
        if (std::abs(coarse - 1) > 2e-3) {
          EXPECT_NEAR((fine - 1) / (coarse - 1), 0.25, 0.05) << name(s) << " " << part;
        }
      };
      expect_linear(a.total, b.total, "total");
      expect_linear(a.heterogeneity, b.heterogeneity, "D");
      expect_linear(a.centroid, b.centroid, "Cb");
      expect_linear(a.noise, b.noise, "V");
      expect_linear(a.common, b.common, "e");
    }
}

// Approximate over exact on the grid, B = 256, n = 1/mu. The digest speaks of Hessians that differ without giving them; its digits
// are those of T1, where all are equal. T1h has 1.258, 1.064, 1.015.
TEST(LeadingOrder, AccuracyOfTheDigest) {
  for (const auto& [step, printed] : {std::pair{0.02, "1.22"}, {0.005, "1.05"}, {0.00125, "1.013"}})
    test::expect_printed(ratios(with(t1(256), step, 256), Strategy::diffusion, mixing("grid"), 1 / step).total, printed,
                         "ratio");
}

TEST(LeadingOrder, CentralizedIsTheCommonPart) {
  const LeadingOrder o = leading_order(t1h(64), Strategy::centralized, graph_modes(mixing("grid")), 60);
  test::expect_printed(o.total(), "1.45155875e-05", "T1h");
  EXPECT_EQ(o.total(), o.common);
}

TEST(LeadingOrder, ADiagonalProblemIsTheSameAsADenseOne) {
  const GraphModes g = graph_modes(mixing("ring"));
  for (const Strategy s : all_strategies)
    for (const double n : {50.0, infinite}) {
      const LeadingOrder a = leading_order(t1h(64), s, g, n), b = leading_order(test::as_dense(t1h(64)), s, g, n);
      EXPECT_NEAR(a.common, b.common, 1e-13 * a.common);
      EXPECT_NEAR(a.heterogeneity, b.heterogeneity, 1e-13 * a.heterogeneity);
      EXPECT_NEAR(a.centroid, b.centroid, 1e-13 * a.centroid);
      EXPECT_NEAR(a.noise, b.noise, 1e-13 * a.noise);
      EXPECT_DOUBLE_EQ(large_batch(t1h(64), s, g), large_batch(test::as_dense(t1h(64)), s, g));
    }
}

// ---- consequences

// Grid, T1: exact over leading 0.974 at mu = 0.004 and 0.993 at 0.001 (the digest does not say that B = 1).
TEST(LeadingOrder, ConsensusMinusDiffusion) {
  const GraphModes g = graph_modes(mixing("grid"));
  for (const auto& [step, printed] : {std::pair{0.004, "0.974"}, {0.001, "0.993"}}) {
    const LinearProblem p = with(t1(1), step, 1);
    const ModeTheory theory(p, g);
    const double difference = theory.excess_risk(Strategy::consensus, infinite).total() -
                              theory.excess_risk(Strategy::diffusion, infinite).total();
    test::expect_printed(difference / consensus_minus_diffusion(p, g), printed, "consensus - diffusion");
  }
  const LinearProblem p = t1(64);
  EXPECT_NEAR(
      leading_order(p, Strategy::consensus, g, 60).total() - leading_order(p, Strategy::diffusion, g, 60).total(),
      consensus_minus_diffusion(p, g), 1e-17);
}

// Its noise part does not depend on the topology: (mu^2/2K) sum_{i>=2} Tr(H Rhat_i)/B = (mu^2/2K) 15 * 3.75 / B for T1.
TEST(LeadingOrder, TheNoisePartOfTheDifferenceDoesNotDependOnTheGraph) {
  for (const char* graph : {"ring", "grid", "full", "star"}) {
    const GraphModes g = graph_modes(mixing(graph));
    const double noise = consensus_minus_diffusion(t1(1), g) - consensus_minus_diffusion(t1(infinite), g);
    EXPECT_NEAR(noise, 0.02 * 0.02 / 32 * 15 * 3.75, 1e-15) << graph;
  }
}

TEST(LeadingOrder, LargeBatchIsWhereHeterogeneityEqualsTheNoise) {
  const GraphModes g = graph_modes(mixing("grid"));
  const LinearProblem p = with(t1(1), 0.001, 1);
  const double B = large_batch(p, Strategy::diffusion, g);
  test::expect_printed(B, "29.3", "B* on the grid");
  const ModeTheory theory(with(p, 0.001, B), g);
  test::expect_printed(theory.excess_risk(Strategy::diffusion, infinite).bias, "2.11e-6", "bias at B*");
  test::expect_printed(theory.excess_risk_mean(Strategy::diffusion, infinite).noise, "2.13e-6", "noise at B*");
  // its definition; inversely proportional to mu, and smaller for consensus
  EXPECT_NEAR(leading_order(with(p, 0.001, B), Strategy::diffusion, g, infinite).heterogeneity,
              0.001 * 4 / (4 * 16 * B), 1e-18);
  EXPECT_NEAR(large_batch(with(p, 0.002, 1), Strategy::diffusion, g), B / 2, 1e-12);
  EXPECT_LT(large_batch(p, Strategy::consensus, g), B);
  EXPECT_EQ(large_batch(p, Strategy::consensus, g), large_batch(p, Strategy::diffusion_cta, g));
  EXPECT_EQ(large_batch(p, Strategy::centralized, g), infinite);
  LinearProblem alike = p;
  alike.d.assign(64, 0);
  EXPECT_EQ(large_batch(alike, Strategy::diffusion, g), infinite);
}

// Without heterogeneity and without noise the three strategies coincide.
TEST(LeadingOrder, WithoutHeterogeneityAndNoiseNothingIsLeft) {
  LinearProblem p = t1h(infinite);
  p.d.assign(64, 0);
  for (const Strategy s : all_strategies) {
    EXPECT_EQ(leading_order(p, s, graph_modes(mixing("ring")), 60).total(), 0);
    EXPECT_EQ(walked(p, s, mixing("ring"), 60).excess_risk().total(), 0);
  }
}

// Extra terms grow like 1/(1 - lambda_2)^2 with heterogeneity along the slowest mode alone, and like 1/(1 - lambda_2^2) with noise.
TEST(LeadingOrder, TopologyEntersThroughTheGap) {
  for (const int64_t K : {16, 64}) {
    const GraphModes g = graph_modes(mixing("ring", K));
    LinearProblem p{.agents = K,
                    .dimension = 1,
                    .diagonal = true,
                    .H = std::vector<double>(static_cast<size_t>(K), 1.0),
                    .d = {},
                    .R = std::vector<double>(static_cast<size_t>(K)),
                    .step = 1e-4};
    for (size_t k = 0; k < static_cast<size_t>(K); ++k) p.d.push_back(g.U[k * static_cast<size_t>(K) + 1]);
    const double lambda = g.second(), scale = 1e-8 / (2.0 * static_cast<double>(K));
    EXPECT_NEAR(leading_order(p, Strategy::consensus, g, 10).heterogeneity * (1 - lambda) * (1 - lambda) / scale, 1,
                1e-11);
    EXPECT_NEAR(leading_order(p, Strategy::diffusion, g, 10).heterogeneity * std::pow(1 / lambda - 1, 2) / scale, 1,
                1e-11);
    p.R[0] = 1;  // agent 0 alone is noisy: Rhat_i = U_0i^2
    double noise = 0;
    for (size_t i = 1; i < static_cast<size_t>(K); ++i) noise += g.U[i] * g.U[i] / (1 - g.lambda[i] * g.lambda[i]);
    EXPECT_NEAR(leading_order(p, Strategy::consensus, g, 10).noise / scale, noise, 1e-11 * noise);
  }
}

TEST(LeadingOrder, BadInputIsRefused) {
  const GraphModes g = graph_modes(mixing("ring"));
  EXPECT_THROW(leading_order(t1h(1), Strategy::diffusion, graph_modes(mixing("ring", 8)), 5), std::logic_error);
  EXPECT_THROW(leading_order(t1h(1), Strategy::diffusion, g, -1), std::logic_error);
  EXPECT_THROW(large_batch(with(t1(1), 0, 1), Strategy::diffusion, g), std::logic_error);
  const GraphModes swapping = graph_modes(of_matrix({{0, 1}, {1, 0}}));  // lambda_2 = -1
  const LinearProblem two{.agents = 2, .H = {1, 1}, .d = {1, -1}, .R = {1, 1}};
  EXPECT_THROW(leading_order(two, Strategy::diffusion, swapping, 5), std::logic_error);
}

}  // namespace
}  // namespace orrery::diffusion
