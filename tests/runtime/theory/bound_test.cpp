// O10 of h-sgd.md and Q8 of mll-sgd.md in short form: smooth objectives with known constants, simulated here in float64,
// stay below the bounds; and not so far below that a wrong constant would go unseen.
//
//   F_j(w) = sum_k h_k log cosh(w_k - 1.5) + b_j^T w,  sum_j b_j = 0;  gradient noise of variance sigma^2 in all
//   L = max h_k;  divergences are those of the b_j, at every w;  f* = 0
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/core/rng.hpp"
#include "runtime/theory/h_sgd.hpp"
#include "runtime/theory/mll_sgd.hpp"
#include "tests/runtime/network/make_network.hpp"

namespace orrery {
namespace {

using test::build;
constexpr size_t dimension = 8;
constexpr double curvature(size_t k) { return 0.3 + 0.1 * static_cast<double>(k); }  // L = 1
constexpr double largest = curvature(dimension - 1);

double log_cosh(double x) { return std::abs(x) + std::log1p(std::exp(-2 * std::abs(x))) - std::log(2.0); }

struct Simulated {
  double gradient = 0, dispersion = 0, gap = 0;  // time averages; f(w_0) - f*
};

// b (n, dimension); every worker starts at 0.
Simulated simulate(const Network& network, const std::vector<double>& b, double eta, double sigma2, int64_t steps) {
  const auto& a = network.weights();
  const auto& rates = network.spec().rates;
  const size_t n = a.size();
  const Schedule schedule(network.spec());
  std::vector<double> w(n * dimension), u(dimension);
  Simulated s;
  for (size_t k = 0; k < dimension; ++k) s.gap += curvature(k) * log_cosh(-1.5);
  for (int64_t t = 0; t < steps; ++t) {
    for (size_t k = 0; k < dimension; ++k) {
      u[k] = 0;
      for (size_t i = 0; i < n; ++i) u[k] += a[i] * w[i * dimension + k];
      const double g = curvature(k) * std::tanh(u[k] - 1.5);
      s.gradient += g * g / static_cast<double>(steps);
      for (size_t i = 0; i < n; ++i)
        s.dispersion +=
            a[i] * (w[i * dimension + k] - u[k]) * (w[i * dimension + k] - u[k]) / static_cast<double>(steps);
    }
    for (size_t i = 0; i < n; ++i) {
      const auto worker = static_cast<uint32_t>(i);
      if (!Stream(3, Draw::rate, worker, static_cast<uint64_t>(t)).bernoulli(0, rates[i])) continue;
      const Stream noise(3, Draw::gradient_noise, worker, static_cast<uint64_t>(t));
      for (size_t k = 0; k < dimension; ++k) {
        double& x = w[i * dimension + k];
        x -= eta * (curvature(k) * std::tanh(x - 1.5) + b[i * dimension + k] +
                    std::sqrt(sigma2 / dimension) * noise.normal(static_cast<uint32_t>(k)));
      }
    }
    const Action action = schedule.after(t + 1);
    if (action.kind == Action::Kind::none) continue;
    const Groups& g =
        action.kind == Action::Kind::tier ? network.tiers()[static_cast<size_t>(action.tier)] : network.top();
    std::vector<double> mean(static_cast<size_t>(g.nodes()) * dimension), to = mean;
    for (size_t m = 0; m < n; ++m)
      for (size_t k = 0; k < dimension; ++k) {
        const auto i = static_cast<size_t>(g.member[m]);
        mean[static_cast<size_t>(g.node_of[i]) * dimension + k] += g.weight[m] * w[i * dimension + k];
      }
    if (action.kind == Action::Kind::graph) {
      const auto h = network.mixing()[0].dense();
      for (size_t j = 0; j < h.size(); ++j)
        for (size_t d = 0; d < h.size(); ++d)
          for (size_t k = 0; k < dimension; ++k) to[d * dimension + k] += h[j][d] * mean[j * dimension + k];
    } else {
      to = mean;
    }
    for (size_t i = 0; i < n; ++i)
      for (size_t k = 0; k < dimension; ++k)
        w[i * dimension + k] = to[static_cast<size_t>(g.node_of[i]) * dimension + k];
  }
  return s;
}

// Slopes that differ between workers and, more, between the blocks of four; they sum to zero.
std::vector<double> slopes(size_t n, double size) {
  std::vector<double> b(n * dimension);
  for (size_t k = 0; k < dimension; ++k) {
    double mean = 0;
    for (size_t i = 0; i < n; ++i) {
      b[i * dimension + k] = size * (std::sin(1.0 + 2.3 * static_cast<double>(i * dimension + k)) +
                                     std::cos(0.7 * static_cast<double>(i / 4) + static_cast<double>(k)));
      mean += b[i * dimension + k] / static_cast<double>(n);
    }
    for (size_t i = 0; i < n; ++i) b[i * dimension + k] -= mean;
  }
  return b;
}

// Divergence of the slopes by the levels of a tree with equal weights, from the root downward.
std::vector<double> divergences(const Network& network, const std::vector<double>& b) {
  std::vector<double> squares;  // per tier from the workers upward: sum of mass |mean|^2
  double square = 0;
  const size_t n = network.weights().size();
  for (const double v : b) square += v * v / static_cast<double>(n);
  squares.push_back(square);
  for (const Groups& g : network.tiers()) {
    square = 0;
    for (size_t node = 0; node < static_cast<size_t>(g.nodes()); ++node)
      for (size_t k = 0; k < dimension; ++k) {
        double mean = 0;
        for (auto m = g.begin[node]; m < g.begin[node + 1]; ++m) {
          const auto at = static_cast<size_t>(m);
          mean += g.weight[at] * b[static_cast<size_t>(g.member[at]) * dimension + k];
        }
        square += g.mass[node] * mean * mean;
      }
    squares.push_back(square);
  }
  std::vector<double> eps;
  for (size_t k = squares.size() - 1; k > 0; --k) eps.push_back(squares[k - 1] - squares[k]);
  return eps;
}

TEST(Bounds, OfHierarchicalSgdLieAboveWhatIsMeasured) {  // O10
  struct Setting {
    const char* network;
    double slope, sigma2;
  };
  for (const auto& [text, slope, sigma2] :
       {Setting{"workers = 12\ntiers = [{ nodes = 1, period = 8 }]", 0.4, 1},
        {"workers = 10\ntiers = [{ nodes = 2, period = 4 }, { nodes = 1, period = 20 }]", 0.4, 1},
        {"workers = 16\ntiers = [{ nodes = 4, period = 5 }, { nodes = 1, period = 20 }]", 0, 4},
        {"workers = 16\ntiers = [{ nodes = 4, period = 5 }, { nodes = 1, period = 20 }]", 1, 0},
        {"workers = 24\ntiers = [{ nodes = 6, period = 3 }, { nodes = 3, period = 6 }, { nodes = 1, period = 24 }]",
         0.5, 2},
        {"workers = 24\ntiers = [{ nodes = 12, period = 2 }, { nodes = 6, period = 4 }, { nodes = 3, period = 8 }, "
         "{ nodes = 1, period = 16 }]",
         0.5, 2}}) {
    const auto b = build(text);
    const h_sgd::Tree tree = h_sgd::tree_of(b.network).tree;
    const double gamma = 0.9 / (2 * std::sqrt(6.0) * static_cast<double>(tree.period[0]) * largest);
    const auto slope_of = slopes(b.network.weights().size(), slope);
    const int64_t steps = 4000 + 7;  // not a multiple of the periods
    const Simulated s = simulate(b.network, slope_of, gamma, sigma2, steps);
    const h_sgd::Setting setting{.gamma = gamma,
                                 .L = largest,
                                 .sigma2 = sigma2,
                                 .gap = s.gap,
                                 .steps = static_cast<double>(steps),
                                 .divergence = divergences(b.network, slope_of)};
    ASSERT_TRUE(h_sgd::condition(tree, gamma, largest).holds);
    const h_sgd::Bound bound = h_sgd::bound(tree, setting);
    EXPECT_LE(s.gradient, bound.total()) << text;
    EXPECT_LE(s.dispersion, bound.dispersion()) << text;
    EXPECT_GT(s.dispersion, 0.1 * bound.dispersion()) << text << ": a bound that is far away tests nothing";
  }
}

TEST(Bounds, OfTheoremOneLieAboveWhatIsMeasured) {  // Q8
  for (const auto& [text, tau, q] :
       {std::tuple{"workers = 20\nrates = [0.6, 0.9]\ntiers = [{ nodes = 4, period = 8 }]\n"
                   "[network.graph]\nkind = \"complete\"\nmixing = \"average\"\nperiod = 32\n",
                   8.0, 4.0},
        {"workers = 20\nrates = [0.6, 0.9]\ntiers = [{ nodes = 5, period = 8 }]\n"
         "[network.graph]\nkind = \"path\"\nperiod = 32\n",
         8.0, 4.0},
        {"workers = 20\nrates = [0.6, 0.9]\ntiers = [{ nodes = 4, period = 1 }]\n"
         "[network.graph]\nkind = \"complete\"\nmixing = \"average\"\nperiod = 1\n",
         1.0, 1.0}}) {
    const auto b = build(text);
    const auto &p = b.network.spec().rates, &a = b.network.weights();
    const double zeta = b.network.zeta(), edge = mll_sgd::largest_eta_L(p, a, 0, tau, q, zeta);
    ASSERT_GT(edge, 0);
    const double eta = 0.999 * edge / largest;
    ASSERT_TRUE(mll_sgd::verdict(p, a, 0, eta * largest, tau, q, zeta).holds);
    const int64_t steps = 6400;
    const Simulated s = simulate(b.network, std::vector<double>(20 * dimension), eta, 1, steps);
    const double bound = mll_sgd::bound({.eta = eta,
                                         .L = largest,
                                         .sigma2 = 1,
                                         .gap = s.gap,
                                         .tau = tau,
                                         .q = q,
                                         .zeta = zeta,
                                         .slots = static_cast<double>(steps),
                                         .p = p,
                                         .a = a})
                             .total();
    EXPECT_LE(s.gradient, bound) << text;
    EXPECT_GT(s.gradient, 0.2 * bound) << text << ": a bound that is far away tests nothing";
  }
}

}  // namespace
}  // namespace orrery
