// Exact moments: M12 of mll-sgd.md (but the two graphs whose edges the digest does not list), H11 - H13 of h-sgd.md, and the recursion against its definition by matrices.
#include "runtime/theory/dispersion.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/runtime/network/make_network.hpp"

namespace orrery {
namespace {

using test::build;
using test::Built;

// ---- M12: 10 x 10, eta = sigma = 1, cycle-averaged dispersion per coordinate in the periodic regime

const std::vector<std::pair<int, int>> graph_1{{0, 2}, {1, 7}, {2, 3}, {2, 5}, {2, 6}, {3, 4}, {5, 7}, {5, 8}, {5, 9}};
const std::vector<std::pair<int, int>> graph_3{{0, 2}, {0, 4}, {0, 5}, {0, 8}, {1, 4}, {1, 5}, {1, 6}, {1, 7}, {1, 8},
                                               {1, 9}, {2, 3}, {2, 4}, {2, 6}, {2, 7}, {2, 8}, {3, 4}, {3, 6}, {3, 7},
                                               {4, 5}, {4, 6}, {4, 8}, {4, 9}, {5, 9}, {6, 7}, {7, 8}, {8, 9}};

// H = I - Lap/(deg_max + 1) is the Laplacian rule with alpha = 1/(D (deg_max + 1)).
std::string hubs(const std::string& kind, int hubs, int largest_degree, int tau, int q, double rate) {
  std::string text = fmt::format("workers = 100\nrates = {}\ntiers = [{{ name = \"hub\", nodes = {}, period = {} }}]\n",
                                 rate, hubs, tau);
  text += fmt::format("[network.graph]\nperiod = {}\n", tau * q);
  if (kind == "complete") return text + "kind = \"complete\"\nmixing = \"average\"\n";
  text += fmt::format("mixing = \"laplacian\"\nalpha = {:.17g}\n", 1.0 / (hubs * (largest_degree + 1)));
  if (kind == "path") return text + "kind = \"path\"\n";
  return text + "kind = \"file\"\npath = " + kind + "\n";
}

struct Cell {
  int tau, q;
  double rate;
};
const Cell columns[] = {{32, 1, 1}, {8, 4, 1}, {4, 8, 1}, {1, 32, 1}, {1, 1, 1}, {8, 4, 0.55}};

// Tolerance: half a unit of the last printed digit.
void expect_row(const std::string& kind, int degree, const std::vector<double>& row, double tolerance) {
  for (size_t k = 0; k < row.size(); ++k) {
    const Built b = build(hubs(kind, 10, degree, columns[k].tau, columns[k].q, columns[k].rate));
    const LinearDispersion d = linear_dispersion(b.network);
    EXPECT_EQ(d.why_not, "");
    EXPECT_NEAR(d.total(), row[k], tolerance) << kind << " column " << k;
  }
}
TEST(Dispersion, M12Complete) { expect_row("complete", 9, {15.345, 4.545, 2.745, 1.395, 0, 2.49975}, 1e-9); }
TEST(Dispersion, M12Path) { expect_row("path", 2, {21.6106, 10.8106, 9.0106, 7.6606, 0.1958, 5.9459}, 5.01e-5); }

std::string adjacency(const std::vector<std::pair<int, int>>& edges) { return test::adjacency_text(10, edges); }
TEST(Dispersion, M12GraphsOfTheRepository) {
  expect_row(adjacency(graph_1), 4, {22.3079, 11.5079, 9.7079, 8.3579, 0.2176, 6.3294}, 5.01e-5);
  expect_row(adjacency(graph_3), 8, {16.1921, 5.3921, 3.5921, 2.2421, 0.0265, 2.9656}, 5.01e-5);
}
TEST(Dispersion, M12PathsOfOtherLengths) {
  for (const auto& [nodes, want] : {std::pair{5, 5.1178}, {10, 10.8106}, {20, 34.1963}})
    EXPECT_NEAR(linear_dispersion(build(hubs("path", nodes, 2, 8, 4, 1)).network).total(), want, 5.01e-5) << nodes;
}

// Complete graph, equal weights: the closed form of 4.4.
TEST(Dispersion, ClosedFormOfTheCompleteGraph) {
  for (const auto& c : columns) {
    const LinearDispersion d = linear_dispersion(build(hubs("complete", 10, 9, c.tau, c.q, c.rate)).network);
    EXPECT_NEAR(d.part[1], c.rate * (c.tau * c.q - 1) / 2.0 * 9 / 100, 1e-12);
    EXPECT_NEAR(d.part[0], c.rate * (c.tau - 1) / 2.0 * 0.9, 1e-12);
  }
}

// The periodic regime by the N x N recursion itself, walked until it stands still: graphs, rates and weights.
std::vector<double> walked(const Network& network, int cycles) {
  const size_t n = network.weights().size();
  const LinearSlot slot{.eta = 1,
                        .h = std::vector<double>(n),
                        .mu = std::vector<double>(n),
                        .sigma2 = std::vector<double>(n, 1.0),
                        .p = network.spec().rates};
  const Schedule schedule(network.spec());
  Moments x(std::vector<double>(n, 0.0));
  std::vector<double> sum;
  for (int64_t t = 0; t < cycles * schedule.round(); ++t) {
    if (t >= (cycles - 1) * schedule.round()) {
      const auto parts = x.split(network);
      sum.resize(parts.size());
      for (size_t k = 0; k < parts.size(); ++k) sum[k] += parts[k] / static_cast<double>(schedule.round());
    }
    x.slot(slot);
    x.act(network, schedule.after(t + 1));
  }
  return sum;
}
TEST(Dispersion, PeriodicRegimeIsWhereTheRecursionSettles) {
  for (const char* text :
       {"workers = 6\nweights = [1, 3, 2, 2, 1, 1]\nrates = [0.6, 0.9, 1, 0.5, 0.8, 0.7]\n"
        "tiers = [{ nodes = 3, period = 2 }]\n[network.graph]\nkind = \"path\"\nperiod = 4\nmixing = "
        "\"laplacian\"\nalpha = 0.05\n",
        "workers = 8\nrates = [1, 0.5]\n[network.graph]\nkind = \"one-peer-exponential\"\nperiod = 3\n",
        "workers = 5\n[network.graph]\nkind = \"ring\"\nperiod = 1\nlazy = true\n",
        "workers = 7\nweights = [1, 2]\nrates = [0.5, 1]\ntiers = [{ nodes = 3, period = [2, 4, 3] }, { nodes = 1, "
        "period = 12 }]\n",
        "workers = 6\ntiers = [{ nodes = 3, period = [1, 2, 4] }]\n[network.graph]\nkind = \"path\"\nperiod = 8\n",
        "workers = 7\nweights = [1, 2]\nrates = [0.5, 1]\ntiers = [{ nodes = 3, period = 2 }, { nodes = 2, period = 4 "
        "}, "
        "{ nodes = 1, period = 12 }]\n"}) {
    const Built b = build(text);
    const LinearDispersion d = linear_dispersion(b.network);
    const auto want = walked(b.network, 120);
    ASSERT_EQ(d.part.size(), want.size()) << text;
    for (size_t k = 0; k < want.size(); ++k) EXPECT_NEAR(d.part[k], want[k], 1e-9) << text << " part " << k;
  }
}
TEST(Dispersion, WithoutAveragesNothingIsPeriodic) {
  EXPECT_NE(linear_dispersion(build("workers = 4").network).why_not, "");
  EXPECT_NE(linear_dispersion(build("workers = 4\ntiers = [{ nodes = 2, period = 3 }]").network).why_not, "");
}

// ---- H11, H12, H13

struct Shape {
  const char* network;
  std::vector<double> share, period;  // from the workers upward
};
const Shape two_levels{
    "workers = 10\ntiers = [{ nodes = 2, period = 5 }, { nodes = 1, period = 50 }]", {0.8, 0.1}, {5, 50}};
const Shape three_levels{
    "workers = 24\ntiers = [{ nodes = 6, period = 5 }, { nodes = 2, period = 20 }, { nodes = 1, period = 40 }]",
    {18.0 / 24, 4.0 / 24, 1.0 / 24},
    {5, 20, 40}};

// H11: constant gradients without noise; the average over a global period is exact from the first on.
TEST(Dispersion, H11ConstantGradients) {
  for (const Shape& shape : {two_levels, three_levels}) {
    const Built b = build(shape.network);
    const size_t n = b.network.weights().size();
    LinearSlot slot{.eta = 0.1,
                    .h = std::vector<double>(n),
                    .mu = {},
                    .sigma2 = std::vector<double>(n),
                    .p = std::vector<double>(n, 1.0)};
    for (size_t i = 0; i < n; ++i)
      slot.mu.push_back(static_cast<double>(7 * i % 11) / 3 - (2 * i < n ? 2.0 : 0.5) + (i % 4 == 1 ? 1.5 : 0));
    // divergences of the b_j by tiers: the split of the vector itself
    const auto eps = Moments(slot.mu).split(b.network);
    const Schedule schedule(b.network.spec());
    Moments x(std::vector<double>(n, 2.5));
    std::vector<double> sum(eps.size());
    for (int64_t t = 0; t < schedule.round(); ++t) {
      const auto parts = x.split(b.network);
      for (size_t k = 0; k < parts.size(); ++k) sum[k] += parts[k] / static_cast<double>(schedule.round());
      x.slot(slot);
      x.act(b.network, schedule.after(t + 1));
    }
    for (size_t k = 0; k < eps.size(); ++k) {
      const double p = shape.period[k], want = 0.01 * (p - 1) * (2 * p - 1) / 6 * eps[k];
      EXPECT_GT(eps[k], 0.01);
      EXPECT_NEAR(sum[k], want, 1e-10 * want) << "tier " << k;
    }
  }
}

// H12: noise alone.
TEST(Dispersion, H12NoiseAlone) {
  EXPECT_NEAR(0.01 * linear_dispersion(build(two_levels.network).network).total(), 0.0405, 1e-15);
  EXPECT_NEAR(0.01 * linear_dispersion(build(three_levels.network).network).total(), 0.0389583, 5e-8);
  for (const Shape& shape : {two_levels, three_levels}) {
    const auto d = linear_dispersion(build(shape.network).network);
    for (size_t k = 0; k < shape.share.size(); ++k)
      EXPECT_NEAR(d.part[k], (shape.period[k] - 1) / 2 * shape.share[k], 1e-12);
  }
}

// H13: common curvature a; s steps after an average the parts are geometric sums.
TEST(Dispersion, H13CommonCurvature) {
  const Built b = build(two_levels.network);
  const double gamma = 0.1, a = 0.7, rho = 1 - gamma * a;
  const LinearSlot slot{.eta = gamma,
                        .h = std::vector<double>(10, a),
                        .mu = std::vector<double>(10, -0.4),
                        .sigma2 = std::vector<double>(10, 2.0),
                        .p = std::vector<double>(10, 1.0)};
  const Schedule schedule(b.network.spec());
  Moments x(std::vector<double>(10, 1.0));
  for (int64_t t = 0; t < 120; ++t) {
    const auto parts = x.split(b.network);
    const auto grown = [&](int64_t s) {
      return gamma * gamma * 2.0 * (1 - std::pow(rho, 2.0 * static_cast<double>(s))) / (1 - rho * rho);
    };
    EXPECT_NEAR(parts[1], grown(t % 50) * 0.1, 1e-14) << t;
    EXPECT_NEAR(parts[0], grown(t % 5) * 0.8, 1e-14) << t;
    EXPECT_NEAR(x.dispersion(b.network.weights()), parts[0] + parts[1], 1e-14);
    x.slot(slot);
    x.act(b.network, schedule.after(t + 1));
  }
}

// ---- one slot and one average by the definition: moments over all outcomes of theta and of a two-point noise

TEST(Dispersion, ASlotIsTheAverageOverItsOutcomes) {
  const std::vector<double> start{0.3, -1.1, 0.8};
  const LinearSlot s{
      .eta = 0.2, .h = {0.5, 1.5, 0}, .mu = {0.1, -0.7, 0.4}, .sigma2 = {0.09, 0.25, 1}, .p = {0.6, 1, 0.3}};
  // two slots, so that the second meets covariances; 2^3 outcomes of theta, 2^3 signs of the noise, each slot
  struct State {
    double probability;
    std::vector<double> x;
  };
  std::vector<State> states{{1, start}};
  const Built b = build(
      "workers = 3\nweights = [1, 2, 1]\ntiers = [{ groups = [[0, 2], [1]], period = 1 }]\n[network.graph]\nkind = "
      "\"complete\"\nmixing = \"file\"\nmatrix = [[0.7, 0.3], [0.3, 0.7]]\nperiod = 2\n");
  Moments m(start);
  const Schedule schedule(b.network.spec());
  for (int64_t t = 1; t <= 2; ++t) {
    std::vector<State> next;
    for (const auto& state : states)
      for (int outcome = 0; outcome < 64; ++outcome) {
        State to = state;
        for (int i = 0; i < 3; ++i) {
          const auto k = static_cast<size_t>(i);
          const bool steps = (outcome >> i & 1) != 0;
          const double sign = (outcome >> (3 + i) & 1) != 0 ? 1 : -1;
          to.probability *= 0.5 * (steps ? s.p[k] : 1 - s.p[k]);
          if (steps) to.x[k] -= s.eta * (s.h[k] * to.x[k] + s.mu[k] + sign * std::sqrt(s.sigma2[k]));
        }
        // hub 0: workers 0 and 2, weights 1 and 1; hub 1: worker 1
        const double z0 = (to.x[0] + to.x[2]) / 2, z1 = to.x[1];
        const bool mixes = t == 2;
        to.x[0] = to.x[2] = mixes ? 0.7 * z0 + 0.3 * z1 : z0;
        to.x[1] = mixes ? 0.3 * z0 + 0.7 * z1 : z1;
        if (to.probability > 0) next.push_back(to);
      }
    states = std::move(next);
    m.slot(s);
    m.act(b.network, schedule.after(t));
    for (size_t i = 0; i < 3; ++i)
      for (size_t k = 0; k < 3; ++k) {
        double mi = 0, mk = 0, both = 0;
        for (const auto& state : states)
          mi += state.probability * state.x[i], mk += state.probability * state.x[k],
              both += state.probability * state.x[i] * state.x[k];
        EXPECT_NEAR(m.mean()[i], mi, 1e-13);
        EXPECT_NEAR(m.covariance(i, k), both - mi * mk, 1e-13) << "slot " << t << ": " << i << ", " << k;
      }
  }
}

}  // namespace
}  // namespace orrery
