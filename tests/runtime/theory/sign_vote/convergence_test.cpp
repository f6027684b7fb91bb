// Convergence of sign descent with decoding errors: V13, V14, the bounds of 5.4 on simulated votes, bad input (papers/signsgd-fv.md).
#include "runtime/theory/sign_vote/convergence.hpp"

#include "runtime/batch_mode.hpp"
#include "runtime/theory/sign_vote/cross_over.hpp"
#include "runtime/theory/sign_vote/decoding_bounds.hpp"
#include "runtime/theory/sign_vote/decoding_error.hpp"
#include "runtime/theory/sign_vote/effective_batch.hpp"
#include "tests/runtime/theory/sign_vote/digits.hpp"

namespace orrery::sign_vote {
namespace {

using test::times;

// f(x) = 1/2 sum_n L_n x_n^2, L_n = 1/n, N = 200, from x_n = 1: f* = 0, gap = |L|_1 / 2
struct Quadratic {
  std::vector<double> L, x;
  double norm1_L = 0;
  Quadratic() {
    for (int n = 1; n <= 200; ++n) L.push_back(1.0 / n), x.push_back(1), norm1_L += 1.0 / n;
  }
  double f() const {
    double sum = 0;
    for (size_t n = 0; n < x.size(); ++n) sum += L[n] * x[n] * x[n] / 2;
    return sum;
  }
};

struct Means {                                     // over the rounds
  double decoded = 0, weighted = 0, gradient = 0;  // g.u, sum |g| (1 - 2 P_E), |g|_1
  double deviation = 0;                            // of decoded around weighted, one standard deviation at most
};

// 500 rounds with M workers that are wrong with probability error_of(|g_n|) each.
template <class ErrorOf>
Means descend(Quadratic& q, const Descent& d, uint32_t M, const ErrorOf& error_of) {
  Means out;
  const auto T = static_cast<uint64_t>(d.rounds);
  for (uint64_t t = 0; t < T; ++t) {
    const Stream draws(41, Draw::probe, M, t);
    for (uint32_t n = 0; n < 200; ++n) {
      const double g = q.L[n] * q.x[n], p = error_of(std::abs(g));
      int wrong = 0;
      for (uint32_t m = 0; m < M; ++m) wrong += draws.bernoulli(n * M + m, p);
      const double u = (g < 0 ? -1.0 : 1.0) * (2 * wrong > static_cast<int>(M) ? -1 : 1);
      out.decoded += g * u / d.rounds;
      out.gradient += std::abs(g) / d.rounds;
      if (p > 0) {
        out.weighted += std::abs(g) * (1 - 2 * majority_error(times(M, p))) / d.rounds;
        out.deviation += g * g / (d.rounds * d.rounds);
      } else {
        out.weighted += std::abs(g) / d.rounds;
      }
      q.x[n] -= d.step * u;
    }
  }
  out.deviation = std::sqrt(out.deviation);
  return out;
}

Descent at_the_best_step(const Quadratic& q) {
  Descent d{.gap = q.f(), .norm1_L = q.norm1_L, .rounds = 500};
  d.step = best_step(d);
  return d;
}

// V13, V14 without and with wrong votes
TEST(Convergence, SumsOfWeightedGradients) {
  for (const double p : {0.0, 0.2, 0.45}) {
    Quadratic q;
    const Descent d = at_the_best_step(q);
    const double start = q.f(), R = weighted_gradient_bound(d);
    EXPECT_NEAR(R, std::sqrt(2 * q.norm1_L * start / 500), 1e-14);
    const Means m = descend(q, d, 5, [&](double) { return p; });
    const double exact = quadratic_weighted_gradients(start, q.f(), d);
    EXPECT_NEAR(m.decoded * d.rounds, exact, 1e-10 * exact) << p;
    EXPECT_LE(m.decoded, R) << p;
    EXPECT_NEAR(m.decoded, m.weighted, 4 * m.deviation) << p;
    if (p > 0) {  // the bound on |g|_1 itself, and that it is not empty
      const double bound = gradient_bound(R, majority_error(times(5, p)));
      EXPECT_LE(m.gradient, bound + 4 * m.deviation) << p;
      EXPECT_GT(m.gradient, 0.5 * bound) << p;
      EXPECT_LE(bound, gradient_bound(R, error_bound(chernoff(times(5, p), times(5, 1)).exponent)));
    }
  }
}

// Gaussian gradients: p -> 1/2 as g -> 0, so the additive bound
TEST(Convergence, NoisyGradientsReachTheFloor) {
  Quadratic q;
  const Descent d = at_the_best_step(q);
  const std::vector<int64_t> batch(5, 4);
  const double sigma = 0.02;  // per coordinate and sample
  const Means m = descend(q, d, 5, [&](double g) { return gaussian_errors(g / sigma, batch)[0]; });
  const double R = weighted_gradient_bound(d);
  EXPECT_LE(m.weighted, R + 4 * m.deviation);
  EXPECT_LE(m.gradient, additive_gradient_bound(R, majority_floor(200 * sigma, batch)) + 4 * m.deviation);
}

// |g| P_E never exceeds the floor while all S_m <= 2/sqrt 3: Gaussian noise, and uniform noise that attains the lemma of Gauss
TEST(Convergence, FloorsHold) {
  for (const int mode : {1, 2, 3, 4}) {
    const auto B = mode_batches(mode, 15);
    const auto root = sqrt_batches(B);
    const double largest = *std::max_element(root.begin(), root.end());
    const double floor = majority_floor(1, B), weighted = weighted_floor(1, B);
    double closest = 0;
    for (double g = 1e-4; g * largest <= 2 / std::sqrt(3.0); g *= 1.1) {
      std::vector<double> uniform;
      for (const double r : root) uniform.push_back(cross_over(g * r).gauss);
      for (const auto& p : {gaussian_errors(g, B), uniform}) {
        EXPECT_LE(g * majority_error(p), floor) << mode;
        EXPECT_LE(g * *decoding_error(p, root), weighted) << mode;
        closest = std::max(closest, g * *decoding_error(p, root) / weighted);
      }
    }
    EXPECT_GT(closest, 0.1) << mode;
    // eta of 5.5 is what the majority loses, squared
    EXPECT_NEAR(weighted / floor, std::sqrt(majority_efficiency(B)), 1e-14);
    EXPECT_NEAR(weighted, std::sqrt(3.0) / 2 / std::sqrt(960.0), 1e-15);
    EXPECT_NEAR(noise_floor(3, B, times(15, 2)), 3 * floor, 1e-14);
  }
}

// of a quadratic the change of one round is exact: all 8 outcomes of 3 coordinates
TEST(Convergence, OneRound) {
  const std::vector<double> L{1, 0.5, 2}, x{0.3, -2, 1}, P{0.1, 0.4, 0.25};
  const double step = 0.2;
  std::vector<double> g;
  for (size_t n = 0; n < 3; ++n) g.push_back(L[n] * x[n]);
  double change = 0;
  for (unsigned z = 0; z < 8; ++z) {
    double probability = 1, f = 0;
    for (size_t n = 0; n < 3; ++n) {
      const bool wrong = (z >> n) & 1;
      const double u = (g[n] < 0 ? -1 : 1) * (wrong ? -1 : 1), y = x[n] - step * u;
      probability *= wrong ? P[n] : 1 - P[n];
      f += L[n] * (y * y - x[n] * x[n]) / 2;
    }
    change += probability * f;
  }
  EXPECT_NEAR(expected_change(g, P, step, 3.5), change, 1e-15);
}

TEST(Convergence, BoundsOfFv) {
  const double ln4 = std::log(4.0), ln10 = std::log(10.0);
  const FvGradientBound b = fv_gradient_bound(1, 1000, 100, ln4, ln10);  // P_max 1/4, then 1/10
  EXPECT_NEAR(b.whole_run, 2, 1e-14);
  EXPECT_NEAR(b.after_warmup, 1000.0 / 900 / 0.8, 1e-14);
  const FvGradientBound vacuous = fv_gradient_bound(1, 1000, 100, 0.5, ln10);  // exp(-0.5) > 1/2
  EXPECT_TRUE(std::isinf(vacuous.whole_run));
  EXPECT_NEAR(vacuous.after_warmup, b.after_warmup, 1e-14);
  EXPECT_NEAR(fv_gradient_bound(1, 1000, 0, 0, ln10).whole_run, 1.25, 1e-14);  // weights from the start
  const FvGradientBound majority = fv_gradient_bound(1, 100, 300, ln4, 0);     // a warm-up beyond the run
  EXPECT_NEAR(majority.whole_run, 2, 1e-14);
  EXPECT_TRUE(std::isinf(majority.after_warmup));
  EXPECT_TRUE(std::isinf(gradient_bound(1, 0.5)));
  EXPECT_EQ(gradient_bound(3, 0), 3);
}

TEST(Convergence, TheBestStepIsBest) {
  Descent d{.gap = 2, .norm1_L = 5, .rounds = 100};
  d.step = best_step(d);
  const double best = weighted_gradient_bound(d);
  for (const double factor : {0.5, 0.99, 1.01, 2.0}) {
    Descent other = d;
    other.step *= factor;
    EXPECT_GT(weighted_gradient_bound(other), best);
  }
}

TEST(Convergence, BadInput) {
  const double nan = std::nan("");
  EXPECT_THROW(weighted_gradient_bound({.gap = -1, .norm1_L = 1}), std::logic_error);
  EXPECT_THROW(weighted_gradient_bound({.gap = 1, .norm1_L = 0}), std::logic_error);
  EXPECT_THROW(weighted_gradient_bound({.gap = 1, .norm1_L = 1, .rounds = 0}), std::logic_error);
  EXPECT_THROW(weighted_gradient_bound({.gap = 1, .norm1_L = 1, .step = 0}), std::logic_error);
  EXPECT_THROW(best_step({.gap = nan, .norm1_L = 1}), std::logic_error);
  EXPECT_THROW(expected_change({1, 2}, {0.1}, 1, 1), std::logic_error);
  EXPECT_THROW(expected_change({1}, {1.1}, 1, 1), std::logic_error);
  EXPECT_THROW(gradient_bound(1, -0.1), std::logic_error);
  EXPECT_THROW(gradient_bound(1, nan), std::logic_error);
  EXPECT_THROW(fv_gradient_bound(1, 0, 0, 1, 1), std::logic_error);
  EXPECT_THROW(fv_gradient_bound(1, 10, -1, 1, 1), std::logic_error);
  EXPECT_THROW(noise_floor(-1, {4}, {1}), std::logic_error);
  EXPECT_THROW(noise_floor(1, {4, 4}, {1}), std::logic_error);
  EXPECT_THROW(noise_floor(1, {4, 4}, {1, -1}), std::logic_error);
  EXPECT_THROW(majority_floor(1, {}), std::logic_error);
}

}  // namespace
}  // namespace orrery::sign_vote
