// Stability limits: C11, the limits against spectral radii, warnings (papers/diffusion-flatness.md 4.4, 7).
#include "runtime/theory/diffusion/stability.hpp"

#include <limits>

#include "kernels/core/error.hpp"
#include "runtime/theory/diffusion/moments.hpp"
#include "tests/runtime/theory/diffusion/beds.hpp"

namespace orrery::diffusion {
namespace {

using test::expect_printed;
using test::mixing;
using test::random_problem;
using test::t1;
using test::t1h;

LinearProblem with_step(LinearProblem p, double step) {
  p.step = step;
  return p;
}
// C11: ring of 16, one coordinate of curvature 2
LinearProblem steep(double step) {
  return {.agents = 16,
          .dimension = 1,
          .diagonal = true,
          .H = std::vector<double>(16, 2.0),
          .d = std::vector<double>(16),
          .R = std::vector<double>(16, 1.0),
          .step = step};
}

TEST(Stability, C11) {
  const Mixing ring = mixing("ring");
  for (const Strategy s : all_strategies) EXPECT_LT(spectral_radius(steep(0.32), s, ring), 1) << name(s);
  expect_printed(spectral_radius(steep(0.34), Strategy::consensus, ring), "1.01333", "consensus");
  expect_printed(spectral_radius(steep(0.34), Strategy::diffusion, ring), "0.32", "diffusion");
  expect_printed(spectral_radius(steep(1.01), Strategy::centralized, ring), "1.02", "centralized");
  expect_printed(spectral_radius(steep(1.01), Strategy::diffusion, ring), "1.02", "diffusion");
  EXPECT_NEAR(curvature_limit(Strategy::consensus, ring), 2.0 / 3, 1e-14);
  EXPECT_EQ(curvature_limit(Strategy::diffusion, ring), 2);
  EXPECT_NEAR(step_limit(steep(1), Strategy::consensus, ring), 1.0 / 3, 1e-14);
  EXPECT_EQ(step_limit(steep(1), Strategy::centralized, ring), 1);
}

// The trajectory agrees with the radius: at mu = 0.34 consensus grows by 1.01333 a step (squared in the risk).
TEST(Stability, C11TheErrorGrowsAtTheRateOfTheRadius) {
  std::vector<double> start;
  for (int k = 0; k < 16; ++k) start.push_back(k % 2 == 0 ? 1 : -1);  // the mode of lambda_min
  Moments m(steep(0.34), Strategy::consensus, start);
  for (int n = 0; n < 300; ++n) m.step(mixing("ring"));
  const double before = m.excess_risk().bias;
  m.step(mixing("ring"));
  EXPECT_NEAR(m.excess_risk().bias / before, 1.0133333333 * 1.0133333333, 1e-9);
}

// With a common Hessian the limit is where the radius passes 1, also where A is not symmetric.
TEST(Stability, TheLimitIsWhereTheRadiusPassesOne) {
  for (const char* graph : {"ring", "grid", "star", "directed exponential", "kind = \"ring\", lazy = true"})
    for (const Strategy s : all_strategies)
      for (const LinearProblem& p : {t1(1), random_problem(16, 2, 0.1, 1, 4, true)}) {
        const double limit = step_limit(p, s, mixing(graph));
        EXPECT_LT(spectral_radius(with_step(p, limit * 0.999), s, mixing(graph)), 1) << graph << " " << name(s);
        EXPECT_GT(spectral_radius(with_step(p, limit * 1.001), s, mixing(graph)), 1) << graph << " " << name(s);
      }
}

// With Hessians that differ it suffices on symmetric matrices, and is exact where centralized.
TEST(Stability, TheLimitSufficesForHessiansThatDiffer) {
  for (const char* graph : {"ring", "grid", "star", "exponential"})
    for (const Strategy s : all_strategies)
      for (const LinearProblem& p : {t1h(1), random_problem(16, 2, 0.1, 1, 6)}) {
        const double limit = step_limit(p, s, mixing(graph));
        EXPECT_LT(spectral_radius(with_step(p, limit * 0.999), s, mixing(graph)), 1) << graph << " " << name(s);
        if (s == Strategy::centralized) {
          EXPECT_GT(spectral_radius(with_step(p, limit * 1.001), s, mixing(graph)), 1) << graph;
        }
      }
}

TEST(Stability, WarningsNameTheLimit) {
  const Mixing ring = mixing("ring");
  EXPECT_FALSE(step_warning(steep(0.32), Strategy::consensus, ring));
  EXPECT_FALSE(step_warning(steep(0.34), Strategy::diffusion, ring));
  const auto warning = step_warning(steep(0.34), Strategy::consensus, ring);
  ASSERT_TRUE(warning);
  for (const char* part : {"0.34", "0.333333", "consensus", "0.666667", "grows", "lazy"})
    EXPECT_NE(warning->find(part), std::string::npos) << *warning;
  const auto other = step_warning(with_step(t1h(1), 3), Strategy::diffusion, ring);
  ASSERT_TRUE(other);
  EXPECT_NE(other->find("may grow"), std::string::npos) << *other;
}

TEST(Stability, NothingThatCurvesHasNoLimit) {
  LinearProblem flat = steep(5);
  flat.H.assign(16, 0);
  EXPECT_EQ(step_limit(flat, Strategy::consensus, mixing("ring")), std::numeric_limits<double>::infinity());
  EXPECT_THROW(step_limit(steep(1), Strategy::consensus, mixing("ring", 8)), std::logic_error);
  EXPECT_THROW(spectral_radius(steep(1), Strategy::consensus, mixing("ring", 8)), std::logic_error);
}

}  // namespace
}  // namespace orrery::diffusion
