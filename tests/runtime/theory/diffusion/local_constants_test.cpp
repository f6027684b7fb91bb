// The leading order without a Hessian against that of the whole problem: same numbers from products alone (papers/diffusion-flatness.md 4.4, 4.5).
#include "runtime/theory/diffusion/local_constants.hpp"

#include <limits>

#include "runtime/theory/diffusion/common_part.hpp"
#include "runtime/theory/diffusion/leading_order.hpp"
#include "runtime/theory/diffusion/stability.hpp"
#include "tests/runtime/theory/diffusion/beds.hpp"

namespace orrery::diffusion {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

// What estimates find of a dense problem, written from the definitions.
LocalConstants constants_of(const LinearProblem& p) {
  const auto K = static_cast<size_t>(p.agents), M = static_cast<size_t>(p.dimension);
  const std::vector<double> H = p.mean_hessian();
  LocalConstants c;
  c.agents = p.agents;
  LinearProblem alike = p;
  alike.d.assign(p.d.size(), 0);
  c.top_H = largest_curvature(alike, Strategy::centralized);
  c.noise.resize(K), c.inner.resize(K * K);
  c.heterogeneity = p.heterogeneity();
  for (size_t k = 0; k < K; ++k)
    for (size_t i = 0; i < M; ++i) {
      c.trace_R += p.R[k * M * M + i * M + i] / static_cast<double>(K);
      for (size_t j = 0; j < M; ++j) c.noise[k] += H[i * M + j] * p.R[k * M * M + j * M + i];
      for (size_t l = 0; l < K; ++l)
        for (size_t j = 0; j < M; ++j) c.inner[k * K + l] += p.d[k * M + i] * H[i * M + j] * p.d[l * M + j];
    }
  for (const double n : c.noise) c.trace_HR += n / static_cast<double>(K);
  return c;
}

TEST(LocalConstants, GiveTheLeadingOrderOfTheProblem) {
  for (const char* graph : {"ring", "grid", "star"}) {
    const GraphModes g = graph_modes(test::mixing(graph));
    for (const LinearProblem& p : {test::as_dense(test::t1h(64)), test::random_problem(16, 5, 0.03, 8, 4)}) {
      const LocalConstants c = constants_of(p);
      const double early = early_slope(c, p.step, p.batch), late = late_common(c, p.step, p.batch);
      EXPECT_NEAR(early * 3 / common_part_early(p, 3), 1, 1e-12);
      EXPECT_NEAR(late / common_part_late(p), 1, 1e-12);
      for (const Strategy s : all_strategies) {
        const LeadingOrder want = leading_order(p, s, g, infinite);
        const Disagreement got = disagreement(c, s, g, p.step, p.batch);
        EXPECT_NEAR(got.heterogeneity, want.heterogeneity, 1e-11 * want.heterogeneity) << graph << " " << name(s);
        EXPECT_NEAR(got.noise, want.noise, 1e-12 * want.noise) << graph << " " << name(s);
        if (s == Strategy::centralized)
          EXPECT_EQ(got.large_batch, infinite);
        else
          EXPECT_NEAR(got.large_batch / large_batch(p, s, g), 1, 1e-11) << graph << " " << name(s);
      }
    }
  }
}

TEST(LocalConstants, LargeBatchOfTheDigest) {  // grid, mu = 0.001
  const LocalConstants c = constants_of(test::as_dense(test::t1(1)));
  const GraphModes g = graph_modes(test::mixing("grid"));
  test::expect_printed(disagreement(c, Strategy::diffusion, g, 0.001, 1).large_batch, "29.3", "B*");
  EXPECT_EQ(disagreement(c, Strategy::diffusion, g, 0.001, infinite).noise, 0);
  EXPECT_EQ(early_slope(c, 0.001, infinite), 0);
}

// What all gradients have in common is no disagreement: a start that is no exact minimizer leaves D as it is.
TEST(LocalConstants, ACommonGradientDoesNotMatter) {
  const LinearProblem p = test::as_dense(test::t1h(64));
  LinearProblem moved = p;
  for (size_t i = 0; i < moved.d.size(); ++i) moved.d[i] += 0.3 + static_cast<double>(i % 4);
  const GraphModes g = graph_modes(test::mixing("ring"));
  const double want = disagreement(constants_of(p), Strategy::consensus, g, 0.02, 64).heterogeneity;
  EXPECT_NEAR(disagreement(constants_of(moved), Strategy::consensus, g, 0.02, 64).heterogeneity / want, 1, 1e-12);
}

TEST(LocalConstants, WarnsBeyondTheStabilityLimit) {  // C11: ring, h = 2
  const LocalConstants c = constants_of(test::as_dense(test::t1(1)));
  const Mixing ring = test::mixing("ring");
  EXPECT_FALSE(step_warning(c, Strategy::consensus, ring, 0.32));
  const auto sentence = step_warning(c, Strategy::consensus, ring, 0.34);
  ASSERT_TRUE(sentence);
  EXPECT_NE(sentence->find("0.34 is not below 0.333333"), std::string::npos) << *sentence;
  EXPECT_FALSE(step_warning(c, Strategy::diffusion, ring, 0.99));
  EXPECT_TRUE(step_warning(c, Strategy::diffusion, ring, 1.01));
  LocalConstants saddle = c;
  saddle.top_H = -1;
  EXPECT_FALSE(step_warning(saddle, Strategy::diffusion, ring, 100));
}

TEST(LocalConstants, BadInputIsRefused) {
  const LocalConstants c = constants_of(test::as_dense(test::t1(1)));
  EXPECT_THROW(mode_pull(c, graph_modes(test::mixing("ring", 8))), std::logic_error);
  EXPECT_THROW(mode_noise(c, graph_modes(test::mixing("ring", 8))), std::logic_error);
  LocalConstants none = c;
  none.inner.clear();
  EXPECT_THROW(disagreement(none, Strategy::diffusion, graph_modes(test::mixing("ring")), 0.1, 1), std::logic_error);
  LocalConstants two;
  two.agents = 2, two.noise = {1, 1}, two.inner = {1, 0, 0, 1};
  EXPECT_THROW(disagreement(two, Strategy::diffusion, graph_modes(of_matrix({{0, 1}, {1, 0}})), 0.1, 1),
               std::logic_error);
}

}  // namespace
}  // namespace orrery::diffusion
