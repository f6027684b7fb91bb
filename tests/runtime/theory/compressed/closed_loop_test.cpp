// Exact decay of methods with linear messages: S1, S5, S7, S9 and S10 of st-compression.md, and the recursion against itself.
#include "runtime/theory/compressed/closed_loop.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/runtime/compression/compressions.hpp"
#include "tests/runtime/theory/compressed/beds.hpp"

namespace orrery::compressed_theory {
namespace {

using Flow = CompressedSpec::Flow;
using Method = CompressedSpec::Method;

std::unique_ptr<LinearMaps> maps_of(const std::string& text, int64_t P = 10) {
  std::string why;
  const auto c = test::compressor_of(text);
  auto maps = LinearMaps::of(*c, {.parameters = P}, 42, &why);
  EXPECT_TRUE(maps) << why;
  return maps;
}

CompressedSpec primal_dual(Flow flow, double kappa = 1) {
  CompressedSpec s;
  s.flow = flow, s.kappa = kappa;
  return s;
}

struct TenNodes : testing::Test {
  const test::Ten ten;
  LoopDecay decay(const CompressedSpec& s, double step, LinearMaps& maps) {
    const std::vector<double> none;
    return *ClosedLoop(s, step, ten.weights, s.unit_laplacian ? ten.unit : ten.third,
                       s.takes_gradients() ? ten.a : none, maps)
                .decay(20000);
  }
  int64_t steps(const CompressedSpec& s, double step, const std::string& compressor, int64_t most = 9000) {
    const auto maps = maps_of(compressor);
    return *ClosedLoop(s, step, ten.weights, ten.unit, ten.a, *maps).first_below(ten.start(s.observes()), 1e-8, most);
  }
};

// S1: spectral abscissa -0.201245; max |1 + s mu| = 0.979875 (s = 0.1), 0.959751 (0.2), 0.949689 (0.25); 1e-8 at step 865.
TEST_F(TenNodes, UncompressedFlow) {
  const CompressedSpec s = primal_dual(Flow::uncompressed);
  const auto whole = LinearMaps::identity(10);
  for (const auto& [step, radius] : {std::pair{0.1, 0.979875}, {0.2, 0.959751}, {0.25, 0.949689}})
    EXPECT_NEAR(decay(s, step, *whole).radius, radius, 1e-6) << step;
  double abscissa = -HUGE_VAL;  // of (A - I)/s, without the eigenvalues 0 of the mode that is projected out
  for (const auto lambda : decay(s, 0.1, *whole).eigenvalues)
    if (std::abs(lambda) > 1e-9) abscissa = std::max(abscissa, (lambda.real() - 1) / 0.1);
  EXPECT_NEAR(abscissa, -0.201245, 1e-6);

  ClosedLoop loop(s, 0.1, ten.weights, ten.unit, ten.a, *whole);
  LoopState z = ten.start(false);
  EXPECT_NEAR(loop.distance(z), 0.378960, 1e-6);
  int64_t now = 0;
  for (const auto& [t, want] : {std::pair{1, 0.419148}, {10, 0.828155}, {100, 0.107409}}) {
    for (; now < t; ++now) loop.step(now, 0, 10, z);
    EXPECT_NEAR(loop.distance(z), want, 1e-6) << t;
  }
  EXPECT_EQ(loop.first_below(ten.start(false), 1e-8, 1000), 865);
  EXPECT_EQ(loop.first_below(ten.start(false), 1e-8, 864), -1);
}

// S5 and the linear columns of S7, to the step.
TEST_F(TenNodes, StepsOfTheTables) {
  EXPECT_EQ(steps(primal_dual(Flow::direct), 0.1, "kind = 'cyclic'"), 7841);
  EXPECT_EQ(steps(primal_dual(Flow::direct), 0.1, "kind = 'trigonometric'\nfrequency = 0.37"), 7853);
  EXPECT_EQ(steps(primal_dual(Flow::direct), 0.02, "kind = 'cyclic'\nscaled = true"), 4222);
  const auto sigma = Flow::observer_sigma, plus = Flow::observer_plus;
  const std::string trig = "kind = 'trigonometric'\nfrequency = 0.37";
  EXPECT_EQ(steps(primal_dual(sigma), 0.1, "kind = 'identity'"), 670);
  EXPECT_EQ(steps(primal_dual(sigma, 2), 0.1, "kind = 'identity'"), 782);
  EXPECT_EQ(steps(primal_dual(plus, 10), 0.1, "kind = 'identity'"), 865);
  EXPECT_EQ(steps(primal_dual(sigma), 0.1, "kind = 'cyclic'"), 3283);
  EXPECT_EQ(steps(primal_dual(sigma, 2), 0.1, "kind = 'cyclic'"), 1560);
  EXPECT_EQ(steps(primal_dual(plus), 0.1, "kind = 'cyclic'"), 2574);
  EXPECT_EQ(steps(primal_dual(sigma), 0.1, trig), 3320);
  EXPECT_EQ(steps(primal_dual(sigma, 2), 0.1, trig), 1708);
  EXPECT_EQ(steps(primal_dual(plus), 0.1, trig), 2605);
  EXPECT_NEAR(static_cast<double>(steps(primal_dual(plus), 0.1, "kind = 'rand-k'\nk = 2")), 1445, 0.15 * 1445);
}

// S9 and the last row of S7: cyclic with s kappa = 1 grows, with s kappa = 0.1 it does not.
TEST_F(TenNodes, SampleAndHoldGrows) {
  const auto cyclic = maps_of("kind = 'cyclic'");
  EXPECT_LT(decay(primal_dual(Flow::observer_sigma, 10), 0.1, *cyclic).decay, 0);
  EXPECT_LT(decay(primal_dual(Flow::observer_plus, 10), 0.1, *cyclic).decay, 0);
  EXPECT_GT(decay(primal_dual(Flow::observer_sigma, 1), 0.1, *cyclic).decay, 0);
}

// S10: direct consensus one coordinate at a time, s = 0.2: over a period 1 - s alpha lambda_2 = 0.9236068.
TEST_F(TenNodes, DirectConsensusOverAPeriod) {
  CompressedSpec s = primal_dual(Flow::direct);
  s.method = Method::consensus_flow;
  const auto cyclic = maps_of("kind = 'cyclic'");
  const LoopDecay d = decay(s, 0.2, *cyclic);
  EXPECT_TRUE(d.exact);
  EXPECT_EQ(d.period, 10);
  EXPECT_NEAR(d.radius, 0.9236068, 1e-7);
  EXPECT_NEAR(d.decay, -std::log(1 - 0.2 * 0.381966011250105) / 10, 1e-12);
  const auto whole = LinearMaps::identity(10);
  EXPECT_NEAR(decay(s, 0.2, *whole).radius, 1 - 0.2 * 0.381966011250105, 1e-12);
}

// A.8: without loss the relatives are one another: CHOCO-Gossip with gamma = 1 is gossip with W, whose slowest mode is 1 - D; EF21 is gradient
// descent; LEAD and CEDAS are the same.
TEST_F(TenNodes, RelativesWithoutLoss) {
  const auto whole = LinearMaps::identity(10);
  CompressedSpec s;
  s.unit_laplacian = false;
  s.method = Method::choco_gossip;
  EXPECT_NEAR(decay(s, 1, *whole).radius, 1 - 0.127322003750035, 1e-12);
  double L = 0, mu = 2;
  for (size_t c = 0; c < 10; ++c) {
    double mean = 0;
    for (size_t i = 0; i < 10; ++i) mean += ten.a[10 * i + c] / 10;
    L = std::max(L, mean), mu = std::min(mu, mean);
  }
  s.method = Method::ef21;
  EXPECT_NEAR(decay(s, 0.1, *whole).radius, 1 - 0.1 * mu, 1e-12);
  EXPECT_NEAR(decay(s, 1.9 / L, *whole).radius, 0.9, 1e-12);
  s.method = Method::lead;
  const double lead = decay(s, 0.3, *whole).radius;
  s.method = Method::cedas;
  EXPECT_NEAR(decay(s, 0.3, *whole).radius, lead, 1e-12);
  EXPECT_LT(lead, 1);
}

// An eigenvalue over a period, all coordinates together and a long product agree. The directions e_1 ... e_10 make a scalarizer of cyclic sampling.
TEST_F(TenNodes, ThreeWaysToTheSameDecay) {
  std::string psi = "kind = 'scalarizer'\npsi = [";
  for (int i = 0; i < 10; ++i) {
    psi += "[";
    for (int j = 0; j < 10; ++j) psi += i == j ? "1, " : "0, ";
    psi += "], ";
  }
  const auto apart = maps_of("kind = 'cyclic'"), together = maps_of(psi + "]");
  const CompressedSpec s = primal_dual(Flow::observer_sigma);
  const LoopDecay one = decay(s, 0.1, *apart), all = decay(s, 0.1, *together);
  EXPECT_TRUE(one.exact && all.exact);
  EXPECT_NEAR(all.decay, one.decay, 1e-9);
  ClosedLoop loop(s, 0.1, ten.weights, ten.unit, ten.a, *together);
  const auto product = loop.decay(20000, 5e7);  // too few operations for the eigenvalues
  ASSERT_TRUE(product);
  EXPECT_FALSE(product->exact);
  EXPECT_NEAR(product->decay, one.decay, 0.01 * one.decay);
  EXPECT_FALSE(loop.decay(20000, 1e5));
  EXPECT_FALSE(loop.first_below(ten.start(true), 1e-8, 4000, 1e5));
}

// The maps of drawn coordinates and directions are those of the compressor.
TEST(CompressedMaps, AreTheCompressors) {
  for (const std::string text :
       {"kind = 'rand-k'\nk = 3", "kind = 'rand-k'\nk = 3\nshared = false\nscaled = true", "kind = 'random-scalarizer'",
        "kind = 'random-scalarizer'\nshared = false\nscaled = true\ndwell = 2", "kind = 'block'\nblocks = 4\ndwell = 3",
        "kind = 'trigonometric'\nfrequency = 0.9\nscaled = true", "kind = 'cyclic'\ndwell = 2",
        "kind = 'top-k'\nk = 10"}) {
    SCOPED_TRACE(text);
    const int64_t n = 3, P = 10;
    const auto c = test::compressor_of(text);
    const auto maps = maps_of(text);
    std::vector<test::RowSpec> specs;
    for (int32_t r = 0; r < n; ++r) specs.push_back({.seed = 42, .worker = r});
    for (const int64_t slot : {0, 1, 7, 33}) {
      const test::Rows rows(Backend::cpu, specs, slot);
      test::Matrix<double> x(Backend::cpu, n, P, 9);
      const test::Matrix<double> q(Backend::cpu, n, P, 1);
      c->bind(test::context(Backend::cpu), rows.view(), {.parameters = P}, double{})
          ->apply(test::context(Backend::cpu), rows.view(), rows.slot(), x.view(), q.view());
      const auto want = q.host(), in = x.dense();
      maps->at(slot, n);
      for (int64_t i = 0; i < n; ++i) {
        double out[10];
        maps->apply(i, 0, P, in.data() + i * P, out);
        for (int64_t j = 0; j < P; ++j)
          EXPECT_NEAR(out[j], want[static_cast<size_t>(i * P + j)], 1e-13) << slot << " " << i << " " << j;
      }
    }
  }
  std::string why;
  EXPECT_FALSE(LinearMaps::of(*test::compressor_of("kind = 'one-bit'"), {.parameters = 4}, 1, &why));
  EXPECT_NE(why.find("not linear"), std::string::npos);
  EXPECT_FALSE(LinearMaps::of(*test::compressor_of("kind = 'rand-k'\nk = 2\nthen = { kind = 'rand-k', k = 1 }"),
                              {.parameters = 4}, 1, &why));
}

}  // namespace
}  // namespace orrery::compressed_theory
