// Exact moments of the network error: the tables of T1 and T1h (C1), the recursion against dense matrices written from its formula,
// its limit, starts, bad input (papers/diffusion-flatness.md 4.2, 7).
#include "runtime/theory/diffusion/moments.hpp"

#include <limits>

#include "kernels/core/error.hpp"
#include "tests/runtime/theory/diffusion/beds.hpp"

namespace orrery::diffusion {
namespace {

using test::expect_printed;
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

// ---- the tables of section 7

TEST(Moments, TheTestBedIsTheDigests) {
  const LinearProblem p = t1(1);
  const char* first[] = {"0.16796068", "-0.45703932", "0.66796068", "-0.08203932"};
  for (size_t m = 0; m < 4; ++m) expect_printed(p.d[m], first[m], "d_0");
  expect_printed(p.heterogeneity(), "1.29517377", "zeta^2");
  EXPECT_TRUE(p.common_hessian());
  const LinearProblem h = t1h(64);
  const char* mean[] = {"2.42741531", "1.15608532", "0.45548149", "0.16646016"};
  double trace = 0;
  for (size_t m = 0; m < 4; ++m) {
    expect_printed(h.mean_hessian()[m], mean[m], "Hbar");
    trace += h.mean_hessian()[m];
  }
  expect_printed(trace, "4.20544", "Tr Hbar (C15)");
  EXPECT_FALSE(h.common_hessian());
}

struct Row {
  const char* graph;
  double batch;
  Strategy strategy;
  const char* er[4];  // n = 1, 10, 60, 400
};
const Row table[] = {
    {"ring", 1, Strategy::centralized, {"4.68750000e-05", "3.69928590e-04", "9.65860928e-04", "1.25610575e-03"}},
    {"ring", 1, Strategy::diffusion, {"3.10614211e-04", "2.96744558e-03", "8.03704426e-03", "8.51811038e-03"}},
    {"ring", 1, Strategy::consensus, {"9.95266605e-04", "4.01482082e-03", "9.42638682e-03", "9.91517461e-03"}},
    {"ring", 64, Strategy::centralized, {"7.32421875e-07", "5.78013422e-06", "1.50915770e-05", "1.96266523e-05"}},
    {"ring", 64, Strategy::diffusion, {"6.45204609e-05", "1.92617427e-03", "6.28471472e-03", "6.47992992e-03"}},
    {"ring", 64, Strategy::consensus, {"2.56985355e-04", "2.34627438e-03", "7.03798799e-03", "7.24092109e-03"}},
    {"grid", 1, Strategy::diffusion, {"2.40353972e-04", "1.21161633e-03", "2.03835711e-03", "2.32871320e-03"}},
    {"grid", 1, Strategy::consensus, {"9.95266605e-04", "2.35282242e-03", "3.24108492e-03", "3.53146066e-03"}},
    {"grid", 64, Strategy::diffusion, {"4.00951830e-05", "4.89828397e-04", "7.21261568e-04", "7.25907910e-04"}},
    {"grid", 64, Strategy::consensus, {"2.56985355e-04", "9.70160604e-04", "1.26127503e-03", "1.26594102e-03"}},
    {"full", 64, Strategy::consensus, {"2.56985355e-04", "2.48884905e-04", "2.58196348e-04", "2.62731424e-04"}},
};

TEST(Moments, C1EveryNumberOfTheTable) {
  for (const Row& row : table) {
    const Mixing A = mixing(row.graph);
    Moments m(t1(row.batch), row.strategy);
    int column = 0;
    for (int n = 1; n <= 400; ++n) {
      m.step(A);
      if (n == 1 || n == 10 || n == 60 || n == 400)
        expect_printed(m.excess_risk().total(), row.er[column++],
                       std::string(row.graph) + " " + name(row.strategy) + " " + std::to_string(n));
    }
  }
}

TEST(Moments, C1HeterogeneousHessians) {
  const Mixing ring = mixing("ring");
  expect_printed(after(t1h(64), Strategy::centralized, ring, 60).excess_risk().total(), "1.45155875e-05",
                 "centralized");
  expect_printed(after(t1h(64), Strategy::diffusion, ring, 60).excess_risk().total(), "6.11851877e-03", "diffusion");
  expect_printed(after(t1h(64), Strategy::consensus, ring, 60).excess_risk().total(), "6.83477005e-03", "consensus");
}

// ---- the recursion against its formula

using test::Dense;

Dense zeros(size_t n) { return Dense(n, std::vector<double>(n)); }
Dense transposed(const Dense& x) {
  Dense out = zeros(x.size());
  for (size_t i = 0; i < x.size(); ++i)
    for (size_t j = 0; j < x.size(); ++j) out[j][i] = x[i][j];
  return out;
}
// A^T (x) I_M: agent k takes from l with weight a_{lk}.
Dense kronecker(const Dense& A, size_t M) {
  Dense out = zeros(A.size() * M);
  for (size_t k = 0; k < A.size(); ++k)
    for (size_t l = 0; l < A.size(); ++l)
      for (size_t m = 0; m < M; ++m) out[k * M + m][l * M + m] = A[l][k];
  return out;
}
Dense block_diagonal(const std::vector<double>& x, size_t K, size_t M, double scale) {
  Dense out = zeros(K * M);
  for (size_t k = 0; k < K; ++k)
    for (size_t i = 0; i < M; ++i)
      for (size_t j = 0; j < M; ++j) out[k * M + i][k * M + j] = scale * x[(k * M + i) * M + j];
  return out;
}

// 4.2 as printed, calB = calA2 (calA1 - mu calH); CTA: calB = (I - mu calH) calA. p is dense.
struct BruteForce {
  size_t n;
  Dense B, A2, S, Sigma;
  std::vector<double> d, m;
  BruteForce(const LinearProblem& p, Strategy s, const Mixing& mix, const std::vector<double>& start)
      : n(static_cast<size_t>(p.agents * p.dimension)), A2(zeros(n)), Sigma(zeros(n)), d(p.d), m(start) {
    const auto K = static_cast<size_t>(p.agents), M = static_cast<size_t>(p.dimension);
    Dense eye = zeros(n);
    for (size_t i = 0; i < n; ++i) eye[i][i] = 1;
    const Dense A = kronecker(mix.dense(), M);
    Dense A1 = s == Strategy::consensus ? A : eye, H = block_diagonal(p.H, K, M, p.step);
    A2 = s == Strategy::diffusion     ? A
         : s == Strategy::centralized ? kronecker(Dense(K, std::vector<double>(K, 1.0 / static_cast<double>(K))), M)
                                      : eye;
    Dense inner = A1;
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) inner[i][j] -= H[i][j];
    B = s == Strategy::diffusion_cta ? test::product(inner, A) : test::product(A2, inner);
    S = test::product(A2, test::product(block_diagonal(p.R, K, M, p.step * p.step / p.batch), transposed(A2)));
    for (double& x : d) x *= p.step;
  }
  void step() {
    std::vector<double> next(n);
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) next[i] += B[i][j] * m[j] + A2[i][j] * d[j];
    m = next;
    Sigma = test::product(B, test::product(Sigma, transposed(B)));
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) Sigma[i][j] += S[i][j];
  }
};

TEST(Moments, TheRecursionIsItsFormulaByDenseMatrices) {
  for (const char* graph : {"star", "directed exponential", "kind = \"grid\", mixing = \"uniform\""})
    for (const Strategy s : all_strategies) {
      const int64_t K = 6, M = 3;
      const LinearProblem p = random_problem(K, M, 0.2, 3, 5);
      const Mixing A = mixing(graph, K);
      std::vector<double> start;
      for (int i = 0; i < K * M; ++i) start.push_back(0.1 * i - 0.5);
      BruteForce want(p, s, A, start);
      Moments got(p, s, start);
      for (int n = 0; n < 25; ++n) want.step(), got.step(A);
      const std::vector<double> Hbar = p.mean_hessian();
      double bias = 0, noise = 0;
      for (size_t k = 0; k < 6; ++k)
        for (size_t i = 0; i < 3; ++i) {
          EXPECT_NEAR(got.mean(k, i), want.m[k * 3 + i], 1e-13) << graph << " " << name(s);
          for (size_t j = 0; j < 3; ++j) {
            bias += Hbar[i * 3 + j] * want.m[k * 3 + i] * want.m[k * 3 + j] / 12;
            noise += Hbar[i * 3 + j] * want.Sigma[k * 3 + i][k * 3 + j] / 12;
            for (size_t l = 0; l < 6; ++l)
              EXPECT_NEAR(got.covariance(k, i, l, j), want.Sigma[k * 3 + i][l * 3 + j], 1e-14)
                  << graph << " " << name(s);
          }
        }
      EXPECT_NEAR(got.excess_risk().bias, bias, 1e-13 * bias);
      EXPECT_NEAR(got.excess_risk().noise, noise, 1e-13 * noise);
    }
}

// The centroid is the mean over agents, and what is not of the centroid is disagreement: with Hbar = I,
// 2 ER = 2 ER^c + consensus distance.
TEST(Moments, CentroidAndDisagreementAddUp) {
  LinearProblem p = random_problem(5, 2, 0.3, 2, 9);
  for (size_t k = 0; k < 5; ++k)
    for (size_t i = 0; i < 4; ++i) p.H[k * 4 + i] = i % 3 == 0 ? 1 : (k < 4 ? 0.1 : -0.4);  // the mean is I
  for (const Strategy s : all_strategies) {
    const Moments m = after(p, s, mixing("star", 5), 7);
    EXPECT_NEAR(2 * m.excess_risk().total(), 2 * m.excess_risk_mean().total() + m.consensus_distance(), 1e-15)
        << name(s);
    if (s == Strategy::centralized) {
      EXPECT_NEAR(m.consensus_distance(), 0, 1e-16);
    } else {
      EXPECT_GT(m.consensus_distance(), 1e-3);
    }
  }
}

TEST(Moments, ADiagonalProblemIsTheSameAsADenseOne) {
  for (const Strategy s : all_strategies) {
    const Moments flat = after(t1h(4), s, mixing("grid"), 20),
                  full = after(test::as_dense(t1h(4)), s, mixing("grid"), 20);
    EXPECT_NEAR(full.excess_risk().bias, flat.excess_risk().bias, 1e-14 * flat.excess_risk().bias);
    EXPECT_NEAR(full.excess_risk().noise, flat.excess_risk().noise, 1e-14 * flat.excess_risk().noise);
    EXPECT_NEAR(full.excess_risk_mean().total(), flat.excess_risk_mean().total(),
                1e-14 * flat.excess_risk_mean().total());
    EXPECT_NEAR(full.consensus_distance(), flat.consensus_distance(), 1e-14);
    EXPECT_EQ(flat.covariance(1, 2, 3, 1), 0);
    EXPECT_NEAR(full.covariance(1, 2, 3, 2), flat.covariance(1, 2, 3, 2), 1e-18);
    EXPECT_NEAR(full.mean(1, 2), flat.mean(1, 2), 1e-15);
  }
}

// ---- the limit

TEST(Moments, TheLimitIsWhereTheRecursionSettles) {
  for (const Strategy s : all_strategies)
    for (const char* graph : {"ring", "directed exponential"}) {
      LinearProblem p = t1h(16);
      p.step = 0.2;
      Moments limit(p, s, std::vector<double>(64, 5));
      limit.settle(mixing(graph));
      const Moments walked = after(p, s, mixing(graph), 2000);
      EXPECT_NEAR(limit.excess_risk().bias, walked.excess_risk().bias, 1e-12 * walked.excess_risk().total()) << name(s);
      EXPECT_NEAR(limit.excess_risk().noise, walked.excess_risk().noise, 1e-12 * walked.excess_risk().noise) << name(s);
      EXPECT_NEAR(limit.excess_risk_mean().total(), walked.excess_risk_mean().total(),
                  1e-12 * walked.excess_risk().total());
    }
}

// C14: from w = 5, 2,000 steps. The digest's numbers are means of 200 runs: 4 standard errors (of a run at most sqrt(2) noise
// + 2 sqrt(bias noise)) and half a printed digit. What is left of the start is its mean alone, (1/2) sum_h h 25 (1 - mu h)^4000.
TEST(Moments, C14TheStrategyThatEscapesBestOptimizesWorst) {
  const std::pair<Strategy, const char*> printed[] = {
      {Strategy::centralized, "1.92e-5"}, {Strategy::diffusion, "6.44e-3"}, {Strategy::consensus, "7.20e-3"}};
  double below = 0;
  for (const auto& [s, value] : printed) {
    const Moments far = after(t1(64), s, mixing("ring"), 2000, std::vector<double>(64, -5));
    const ExcessRisk er = far.excess_risk();
    const double deviation = std::sqrt(2) * er.noise + 2 * std::sqrt(er.bias * er.noise);
    EXPECT_NEAR(er.total(), std::atof(value), 4 * deviation / std::sqrt(200) + test::half_a_digit(value)) << name(s);
    Moments limit(t1(64), s);
    limit.settle(mixing("ring"));
    double start = 0;
    for (const double h : {2.0, 1.0, 0.5, 0.25}) start += 25 * h / 2 * std::pow(1 - 0.02 * h, 4000);
    EXPECT_NEAR(er.total(), limit.excess_risk().total() + start, 1e-9 * er.total()) << name(s);
    EXPECT_GT(er.total(), below);
    below = er.total();
  }
}

// A cycle of ceil(log2 K) one-peer matrices is an exact average: diffusion without curvature that is pushed and shaken once.
TEST(Moments, TimeVaryingMatricesAreTakenAsGiven) {
  LinearProblem p = t1(1);
  p.H.assign(64, 0);
  const auto cycle = test::build("workers = 16\ngraph.kind = \"one-peer-exponential\"").network.mixing();
  ASSERT_EQ(cycle.size(), 4u);
  Moments m(p, Strategy::diffusion);
  m.step(cycle[0]);
  EXPECT_GT(m.consensus_distance(), 1e-5);
  p.d.assign(64, 0), p.R.assign(64, 0);
  std::vector<double> start;
  for (int i = 0; i < 64; ++i) start.push_back(std::sin(i));
  Moments mixed(p, Strategy::consensus, start);
  for (const Mixing& A : cycle) mixed.step(A);
  double mean = 0;
  for (size_t k = 0; k < 16; ++k) mean += start[4 * k + 1] / 16;
  for (size_t k = 0; k < 16; ++k) EXPECT_NEAR(mixed.mean(k, 1), mean, 1e-15);
}

// ---- escape, bad input

TEST(Moments, MarkovBoundsTheEscape) {
  EXPECT_DOUBLE_EQ(escape_bound(2e-3, 0.1), 0.02);
  EXPECT_EQ(escape_bound(3, 0.5), 1);
  EXPECT_THROW(escape_bound(-1, 0.5), std::logic_error);
  EXPECT_THROW(escape_bound(1, 0), std::logic_error);
}

template <class Change>
void expect_refused(Change change) {
  LinearProblem p = random_problem(3, 2, 0.1, 1, 1);
  EXPECT_NO_THROW(check(p));
  change(p);
  EXPECT_THROW(check(p), std::logic_error);
  EXPECT_THROW(Moments(p, Strategy::diffusion), std::logic_error);
}
TEST(Moments, BadProblemsAreRefused) {
  expect_refused([](LinearProblem& p) { p.agents = 0; });
  expect_refused([](LinearProblem& p) { p.H.pop_back(); });
  expect_refused([](LinearProblem& p) { p.R.push_back(0); });
  expect_refused([](LinearProblem& p) { p.d.pop_back(); });
  expect_refused([](LinearProblem& p) { p.diagonal = true; });  // sizes of a dense one
  expect_refused([](LinearProblem& p) { p.step = 0; });
  expect_refused([](LinearProblem& p) { p.step = infinite; });
  expect_refused([](LinearProblem& p) { p.batch = -1; });
  expect_refused([](LinearProblem& p) { p.batch = std::nan(""); });
  expect_refused([](LinearProblem& p) { p.H[1] = infinite; });
  expect_refused([](LinearProblem& p) { p.H[1] += 1e-6; });  // not symmetric
  expect_refused([](LinearProblem& p) { p.R[3] = -1; });     // a negative variance
  expect_refused([](LinearProblem& p) { p.d[0] += 1e-3; });  // w* is no stationary point
  LinearProblem full_batch = random_problem(3, 2, 0.1, infinite, 1);
  EXPECT_EQ(after(full_batch, Strategy::consensus, mixing("ring", 3), 5).excess_risk().noise, 0);
  LinearProblem negative = random_problem(3, 2, 0.1, 1, 1);
  negative.R[1] = negative.R[2] = -0.01;  // covariances may be negative
  EXPECT_NO_THROW(check(negative));
}
TEST(Moments, WrongSizesAndMissingLimitsAreRefused) {
  EXPECT_THROW(Moments(t1(1), Strategy::diffusion, {1, 2, 3}), std::logic_error);
  Moments m(t1(1), Strategy::consensus);
  EXPECT_THROW(m.step(mixing("ring", 15)), std::logic_error);
  EXPECT_THROW(m.settle(mixing("ring", 17)), std::logic_error);
  EXPECT_THROW(m.mean(16, 0), std::logic_error);
  LinearProblem fast = t1(1);
  fast.step = 0.34;  // consensus diverges, diffusion does not
  EXPECT_THROW(Moments(fast, Strategy::consensus).settle(mixing("ring")), ExperimentError);
  EXPECT_NO_THROW(Moments(fast, Strategy::diffusion).settle(mixing("ring")));
}

}  // namespace
}  // namespace orrery::diffusion
