// Laws of the strategies in their exact moments: identities C3 - C7, orders C8, topology C9, batch C10 (papers/diffusion-flatness.md 7).
#include <limits>

#include "runtime/theory/diffusion/moments.hpp"
#include "tests/runtime/theory/diffusion/beds.hpp"

namespace orrery::diffusion {
namespace {

using test::mixing;
using test::random_problem;
using test::t1;
using test::t1h;

constexpr double infinite = std::numeric_limits<double>::infinity();

Moments after(const LinearProblem& p, Strategy s, const Mixing& A, int steps, const std::vector<double>& start = {}) {
  Moments m(p, s, start);
  for (int n = 0; n < steps; ++n) m.step(A);
  return m;
}
double risk(const LinearProblem& p, Strategy s, const Mixing& A, int steps) {
  return after(p, s, A, steps).excess_risk().total();
}

// Means and covariances alike, to rounding.
void expect_same(const Moments& a, const Moments& b, size_t K, size_t M, const std::string& what) {
  for (size_t k = 0; k < K; ++k)
    for (size_t m = 0; m < M; ++m) {
      EXPECT_NEAR(a.mean(k, m), b.mean(k, m), 1e-14) << what;
      for (size_t l = 0; l < K; ++l)
        for (size_t j = 0; j < M; ++j) EXPECT_NEAR(a.covariance(k, m, l, j), b.covariance(k, m, l, j), 1e-16) << what;
    }
}

// ---- identities

TEST(Strategies, C3DiffusionOverTheAverageIsCentralized) {
  for (const LinearProblem& p : {t1h(1), random_problem(16, 3, 0.1, 2, 7)})
    expect_same(after(p, Strategy::diffusion, everyone(16), 30), after(p, Strategy::centralized, mixing("ring"), 30),
                16, static_cast<size_t>(p.dimension), "centralized");
}

// w^CTA_0 = w0, w^ATC_0 = calA w0: calA w^CTA_n = w^ATC_n, so means and covariances agree after one more mix.
TEST(Strategies, C4CtaAndAtcInterleave) {
  for (const char* graph : {"grid", "directed exponential"}) {
    const LinearProblem p = random_problem(16, 2, 0.1, 2, 8);
    const auto A = mixing(graph).dense();
    std::vector<double> start(32), mixed(32);
    for (size_t i = 0; i < 32; ++i) start[i] = std::cos(static_cast<double>(i));
    for (size_t k = 0; k < 16; ++k)
      for (size_t l = 0; l < 16; ++l)
        for (size_t m = 0; m < 2; ++m) mixed[2 * k + m] += A[l][k] * start[2 * l + m];
    const Moments cta = after(p, Strategy::diffusion_cta, mixing(graph), 12, start);
    const Moments atc = after(p, Strategy::diffusion, mixing(graph), 12, mixed);
    for (size_t k = 0; k < 16; ++k)
      for (size_t m = 0; m < 2; ++m) {
        double mean = 0;
        for (size_t l = 0; l < 16; ++l) mean += A[l][k] * cta.mean(l, m);
        EXPECT_NEAR(mean, atc.mean(k, m), 1e-14) << graph;
        for (size_t l = 0; l < 16; ++l)
          for (size_t j = 0; j < 2; ++j) {
            double covariance = 0;
            for (size_t a = 0; a < 16; ++a)
              for (size_t b = 0; b < 16; ++b) covariance += A[a][k] * A[b][l] * cta.covariance(a, m, b, j);
            EXPECT_NEAR(covariance, atc.covariance(k, m, l, j), 1e-16) << graph;
          }
      }
  }
}

TEST(Strategies, C5WithoutExchangeAllAreIndependentAgents) {
  const LinearProblem p = t1h(2);
  const Moments own = after(p, Strategy::consensus, alone(16), 30);
  expect_same(own, after(p, Strategy::diffusion, alone(16), 30), 16, 4, "diffusion");
  expect_same(own, after(p, Strategy::diffusion_cta, alone(16), 30), 16, 4, "CTA");
  EXPECT_EQ(own.covariance(1, 0, 2, 0), 0);
  // one of them by hand: geometric sums
  const double q = 1 - p.step * p.H[0];
  EXPECT_NEAR(own.mean(0, 0), p.step * p.d[0] * (1 - std::pow(q, 30)) / (1 - q), 1e-15);
  EXPECT_NEAR(own.covariance(0, 0, 0, 0), p.step * p.step / 2 * (1 - std::pow(q, 60)) / (1 - q * q), 1e-17);
}

// Doubly stochastic A, common Hessian: one centroid for all.
TEST(Strategies, C6TheCentroidDoesNotDependOnTheStrategy) {
  for (const char* graph : {"ring", "star", "directed exponential"})
    for (const Strategy s : all_strategies)
      test::expect_printed(after(t1(1), s, mixing(graph), 60).excess_risk_mean().total(), "9.65860928e-04", name(s));
  // with Hessians that differ it does
  EXPECT_GT(after(t1h(64), Strategy::consensus, mixing("ring"), 60).excess_risk_mean().bias, 1e-7);
}

TEST(Strategies, C7ConsensusOverTheAverageIsNotCentralized) {
  test::expect_printed(risk(t1(64), Strategy::consensus, everyone(16), 60), "2.58e-4", "consensus");
  test::expect_printed(risk(t1(64), Strategy::centralized, everyone(16), 60), "1.51e-5", "centralized");
}

// ---- orders

void expect_ordered(const LinearProblem& p, const Mixing& A, const std::vector<int>& steps, const std::string& what) {
  Moments central(p, Strategy::centralized), dif(p, Strategy::diffusion), con(p, Strategy::consensus);
  int next = 0;
  for (int n = 1; n <= steps.back(); ++n) {
    central.step(A), dif.step(A), con.step(A);
    if (n != steps[static_cast<size_t>(next)]) continue;
    ++next;
    EXPECT_LT(central.excess_risk().total(), dif.excess_risk().total()) << what << " " << n;
    EXPECT_LT(dif.excess_risk().total(), con.excess_risk().total()) << what << " " << n;
  }
}
TEST(Strategies, C8OrderOnTheTestBeds) {
  for (const char* graph : {"ring", "grid"})
    for (const double batch : {1.0, 64.0})
      for (const auto bed : {t1, t1h}) expect_ordered(bed(batch), mixing(graph), {1, 10, 60, 400}, graph);
}
// 720 random instances: three graphs, two steps, three batches, 40 draws each; n = 1/mu.
TEST(Strategies, C8OrderInRandomInstances) {
  const Mixing graphs[] = {mixing("ring"), mixing("grid"), directed_exponential(16)};
  uint64_t seed = 100;
  for (int draw = 0; draw < 40; ++draw)
    for (const Mixing& A : graphs)
      for (const double step : {0.01, 0.05})
        for (const double batch : {1.0, 32.0, 1024.0}) {
          const LinearProblem p = random_problem(16, 4, step, batch, ++seed);
          expect_ordered(p, A, {static_cast<int>(std::lround(1 / step))}, "instance " + std::to_string(seed));
        }
}

TEST(Strategies, C9Topology) {
  for (const double batch : {1.0, 64.0})
    for (const int n : {10, 60, 400}) {
      const LinearProblem p = t1(batch);
      const double full = risk(p, Strategy::diffusion, everyone(16), n),
                   central = risk(p, Strategy::centralized, everyone(16), n);
      EXPECT_GT(risk(p, Strategy::diffusion, mixing("ring"), n), risk(p, Strategy::diffusion, mixing("grid"), n));
      EXPECT_GT(risk(p, Strategy::diffusion, mixing("grid"), n), full);
      EXPECT_NEAR(full, central, 1e-13 * central);
      EXPECT_GT(risk(p, Strategy::consensus, everyone(16), n), central);
    }
}

TEST(Strategies, C10Batch) {
  const auto er = [](Strategy s, double batch) { return risk(t1(batch), s, mixing("ring"), 60); };
  EXPECT_NEAR(er(Strategy::centralized, 1) / er(Strategy::centralized, 64), 64, 1e-12);
  EXPECT_LT(er(Strategy::centralized, infinite), 1e-30);  // sum_k d_k is 0 to rounding
  const double limit = er(Strategy::diffusion, infinite);
  EXPECT_GT(limit, 6e-3);
  EXPECT_NEAR(er(Strategy::diffusion, 1e9) - er(Strategy::centralized, 1e9), limit, 1e-9 * limit);
}

}  // namespace
}  // namespace orrery::diffusion
