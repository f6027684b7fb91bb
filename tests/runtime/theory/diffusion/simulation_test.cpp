// Theory against simulation: 4,000 runs of T1 and T1h, every strategy, with the same noise for all (C2, C6 of papers/diffusion-flatness.md).
#include <array>

#include "runtime/theory/diffusion/moments.hpp"
#include "tests/runtime/theory/diffusion/beds.hpp"

namespace orrery::diffusion {
namespace {

using test::t1;
using test::t1h;

using Agents = std::array<double, 64>;  // (K,M) = (16,4)

struct Mean {
  double sum = 0, squares = 0;
  void add(double x) { sum += x, squares += x * x; }
  double of(double n) const { return sum / n; }
  double error(double n) const { return std::sqrt((squares / n - sum / n * (sum / n)) / n); }  // standard error
};

// The updates of section 3, as printed. noise: one standard normal per agent and coordinate.
struct Simulation {
  const LinearProblem& p;
  const std::vector<std::vector<double>> A;

  void gradient(const Agents& w, const Agents& noise, Agents& g) const {
    for (size_t i = 0; i < 64; ++i) g[i] = p.H[i] * w[i] + p.d[i] + std::sqrt(p.R[i] / p.batch) * noise[i];
  }
  Agents combine(const Agents& w) const {
    Agents out{};
    for (size_t l = 0; l < 16; ++l)
      for (size_t k = 0; k < 16; ++k)
        if (A[l][k] != 0)
          for (size_t m = 0; m < 4; ++m) out[4 * k + m] += A[l][k] * w[4 * l + m];
    return out;
  }
  void step(Strategy s, Agents& w, const Agents& noise) const {
    Agents g, next;
    if (s == Strategy::diffusion_cta) w = combine(w);
    gradient(w, noise, g);
    if (s == Strategy::centralized) {
      for (size_t m = 0; m < 4; ++m) {
        double mean = 0;
        for (size_t k = 0; k < 16; ++k) mean += g[4 * k + m] / 16;
        const double moved = w[m] - p.step * mean;
        for (size_t k = 0; k < 16; ++k) w[4 * k + m] = moved;
      }
      return;
    }
    next = s == Strategy::consensus ? combine(w) : w;
    for (size_t i = 0; i < 64; ++i) next[i] -= p.step * g[i];
    w = s == Strategy::diffusion ? combine(next) : next;
  }
};

struct Measured {
  Mean risk, centroid, distance;
  double largest_gap = 0;  // of the centroid to the centralized one, over all runs
};

// ER, ER^c and consensus distance after 60 steps from w* = 0.
std::array<Measured, 4> simulate(const LinearProblem& p, const Mixing& A, uint32_t runs, uint64_t seed) {
  const Simulation simulation{p, A.dense()};
  const std::vector<double> Hbar = p.mean_hessian();
  std::array<Measured, 4> out;
  for (uint32_t run = 0; run < runs; ++run) {
    std::array<Agents, 4> w{};
    for (uint64_t n = 0; n < 60; ++n) {
      const Stream draws(seed, Draw::gradient_noise, run, n);
      Agents noise;
      for (uint32_t b = 0; b < 16; ++b) {
        double four[4];
        draws.four_normals(b, four);
        for (uint32_t m = 0; m < 4; ++m) noise[4 * b + m] = four[m];
      }
      for (size_t s = 0; s < 4; ++s) simulation.step(all_strategies[s], w[s], noise);
    }
    std::array<std::array<double, 4>, 4> centre{};
    for (size_t s = 0; s < 4; ++s) {
      double risk = 0, centroid = 0, distance = 0;
      for (size_t k = 0; k < 16; ++k)
        for (size_t m = 0; m < 4; ++m) {
          centre[s][m] += w[s][4 * k + m] / 16;
          risk += Hbar[m] * w[s][4 * k + m] * w[s][4 * k + m] / 32;
        }
      for (size_t m = 0; m < 4; ++m) {
        centroid += Hbar[m] * centre[s][m] * centre[s][m] / 2;
        for (size_t k = 0; k < 16; ++k) distance += std::pow(w[s][4 * k + m] - centre[s][m], 2) / 16;
      }
      out[s].risk.add(risk), out[s].centroid.add(centroid), out[s].distance.add(distance);
    }
    for (size_t s = 0; s < 4; ++s)
      for (size_t m = 0; m < 4; ++m)
        out[s].largest_gap = std::max(out[s].largest_gap, std::abs(centre[s][m] - centre[0][m]));
  }
  return out;
}

void expect_theory(const LinearProblem& p, const std::string& graph, uint64_t seed) {
  constexpr uint32_t runs = 4000;
  const Mixing A = test::mixing(graph);
  const std::array<Measured, 4> measured = simulate(p, A, runs, seed);
  for (size_t s = 0; s < 4; ++s) {
    Moments m(p, all_strategies[s]);
    for (int n = 0; n < 60; ++n) m.step(A);
    const std::string what = graph + " " + name(all_strategies[s]) + " B = " + std::to_string(p.batch);
    const auto expect_within = [&](const Mean& mean, double theory, const char* quantity) {
      EXPECT_NEAR(mean.of(runs), theory, 4 * mean.error(runs) + 1e-16) << what << " " << quantity;
      EXPECT_LT(mean.error(runs), 0.05 * theory + 1e-16) << what << " " << quantity;  // the comparison says something
    };
    expect_within(measured[s].risk, m.excess_risk().total(), "ER");
    expect_within(measured[s].centroid, m.excess_risk_mean().total(), "ER^c");
    expect_within(measured[s].distance, m.consensus_distance(), "consensus distance");
    if (p.common_hessian()) {
      EXPECT_LT(measured[s].largest_gap, 1e-14) << what;
    }
  }
}

TEST(Simulation, C2OneSampleAStepOnTheRing) { expect_theory(t1(1), "ring", 1); }
TEST(Simulation, C2LargeBatchOnTheRing) { expect_theory(t1(64), "ring", 2); }
TEST(Simulation, C2Grid) { expect_theory(t1(1), "grid", 3); }
TEST(Simulation, HeterogeneousHessiansOnADirectedGraph) { expect_theory(t1h(4), "directed exponential", 4); }

}  // namespace
}  // namespace orrery::diffusion
