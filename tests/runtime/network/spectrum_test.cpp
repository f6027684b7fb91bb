#include "runtime/network/spectrum.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/runtime/network/make_network.hpp"

namespace orrery {
namespace {

using test::adjacency_text;
using test::build;

Spectrum of(const std::string& text) {
  const auto b = build(text);
  return spectrum(b.network.mixing()[0], b.network.top().mass);
}

const double pi = std::acos(-1.0);

// papers/diffusion-flatness.md, reference spectra for K = 16; six digits are printed there.
TEST(Spectrum, ReferenceSpectraForSixteenAgents) {
  for (const char* mixing : {"metropolis", "uniform"}) {
    const Spectrum ring = of(fmt::format("workers = 16\ngraph = {{ kind = \"ring\", mixing = \"{}\" }}", mixing));
    EXPECT_NEAR(ring.zeta, 0.949253, 5e-7);
    EXPECT_NEAR(ring.smallest, -0.333333, 5e-7);
    EXPECT_NEAR(ring.gap(), 1 - (1 + 2 * std::cos(2 * pi / 16)) / 3, 1e-14);
  }
  const Spectrum grid = of("workers = 16\ngraph.kind = \"grid\"");
  EXPECT_NEAR(grid.zeta, 0.868641, 5e-7);
  EXPECT_NEAR(grid.smallest, -0.430843, 5e-7);
  const Spectrum complete =
      of("workers = 16\nweights = [1, 2, 3]\ngraph = { kind = \"complete\", mixing = \"average\" }");
  EXPECT_NEAR(complete.zeta, 0, 1e-14);
  EXPECT_NEAR(complete.smallest, 0, 1e-14);
}

// Hops 1, 2, 4, 8 with weights 1/5: circulant, not symmetric, so the general routine; 0.600000 in the digest.
TEST(Spectrum, DirectedExponentialGraphHasComplexEigenvalues) {
  const int n = 16;
  Mixing h;
  h.begin.push_back(0);
  for (int d = 0; d < n; ++d) {
    for (int j = 0; j < n; ++j)
      for (const int hop : {0, 1, 2, 4, 8})
        if ((d + hop) % n == j) h.source.push_back(j), h.weight.push_back(0.2);
    h.begin.push_back(static_cast<int64_t>(h.source.size()));
  }
  const Spectrum s = spectrum(h, std::vector<double>(n, 1.0 / n));
  EXPECT_NEAR(s.zeta, 0.6, 1e-12);
  double imaginary = 0;
  for (const auto value : s.values) imaginary = std::max(imaginary, std::abs(value.imag()));
  EXPECT_GT(imaginary, 0.1);
}

// papers/mll-sgd.md 3.3: H = I - Lap/(deg_max+1), i.e. alpha = 1/(D (deg_max+1)); on a path Metropolis is the same
// matrix.
TEST(Spectrum, PathsOfHubsHaveTheZetaOfTheDigest) {
  const std::pair<int, double> paths[] = {{5, 0.872678}, {10, 0.967371}, {20, 0.991792}, {50, 0.998684}};
  for (const auto& [D, zeta] : paths) {
    const Spectrum laplacian = of(fmt::format(
        "workers = {}\ngraph = {{ kind = \"path\", mixing = \"laplacian\", alpha = {:.17g} }}", D, 1.0 / (3 * D)));
    const Spectrum metropolis = of(fmt::format("workers = {}\ngraph.kind = \"path\"", D));
    EXPECT_NEAR(laplacian.zeta, zeta, 5e-7);
    EXPECT_NEAR(metropolis.zeta, zeta, 5e-7);
    EXPECT_NEAR(metropolis.zeta, 1 - 2.0 / 3 * (1 - std::cos(pi / D)), 1e-13);
  }
}

TEST(Spectrum, RepositoryGraphsHaveTheZetaOfTheDigest) {
  const std::vector<std::pair<int, int>> graph_1 = {{0, 2}, {1, 7}, {2, 3}, {2, 5}, {2, 6},
                                                    {3, 4}, {5, 7}, {5, 8}, {5, 9}};
  const std::vector<std::pair<int, int>> graph_3 = {
      {0, 2}, {0, 4}, {0, 5}, {0, 8}, {1, 4}, {1, 5}, {1, 6}, {1, 7}, {1, 8}, {1, 9}, {2, 3}, {2, 4}, {2, 6},
      {2, 7}, {2, 8}, {3, 4}, {3, 6}, {3, 7}, {4, 5}, {4, 6}, {4, 8}, {4, 9}, {5, 9}, {6, 7}, {7, 8}, {8, 9}};
  const auto zeta = [](const std::vector<std::pair<int, int>>& edges) {
    std::vector<int> degree(10, 0);
    for (const auto& [i, j] : edges) ++degree[i], ++degree[j];
    const int largest = *std::max_element(degree.begin(), degree.end());
    const auto b = build(fmt::format(
        "workers = 100\ntiers = [{{ nodes = 10, period = 8 }}]\ngraph = {{ kind = \"file\", path = {}, period = 32, "
        "mixing = \"laplacian\", alpha = {:.17g} }}",
        adjacency_text(10, edges), 0.1 / (largest + 1)));
    EXPECT_EQ(b.network.edges().size(), edges.size());
    return b.network.zeta();
  };
  EXPECT_NEAR(zeta(graph_1), 0.9534, 5e-5);
  EXPECT_NEAR(zeta(graph_3), 0.7410, 5e-5);
}

// Of a matrix taken twice the squares of its own; of a cycle the product, whose order of factors shows where they do not commute.
TEST(Spectrum, OfACycleIsThatOfTheProduct) {
  const auto one = build("workers = 9\nweights = [1, 5, 25]\ngraph.kind = \"star\"");
  const auto b = one.network.top().mass;
  const Mixing star = one.network.mixing()[0], path = build("workers = 9\ngraph.kind = \"path\"").network.mixing()[0];
  const Spectrum alone = spectrum(star, b), twice = cycle_spectrum({star, star}, b);
  EXPECT_EQ(cycle_spectrum({star}, b).values, alone.values);
  for (size_t i = 0; i < 9; ++i) EXPECT_NEAR(std::abs(twice.values[i]), std::norm(alone.values[i]), 1e-13);

  // oracle: power iteration with the two applied in turn, on what sums to zero under their fixed left vectors
  const Spectrum both = cycle_spectrum({star, path, path}, b);
  std::vector<double> x(9), y(9);
  const auto apply = [&](const Mixing& m) {
    for (size_t d = 0; d < 9; ++d) {
      y[d] = 0;
      for (auto k = static_cast<size_t>(m.begin[d]); k < static_cast<size_t>(m.begin[d + 1]); ++k)
        y[d] += m.weight[k] * x[static_cast<size_t>(m.source[k])];
    }
    x.swap(y);
  };
  for (size_t d = 0; d < 9; ++d) x[d] = std::sin(1.0 + static_cast<double>(d));
  double factor = 0;
  for (int round = 0; round < 200; ++round) {
    apply(star), apply(path), apply(path);
    for (double& v : x) v -= x[8];  // constants pass unchanged: differences to the last node know nothing of them
    double size = 0;
    for (const double v : x) size = std::max(size, std::abs(v));
    for (double& v : x) v /= size;
    factor = size;
  }
  EXPECT_NEAR(both.zeta, factor, 1e-9);
}

TEST(Spectrum, WeightedMatricesHaveARealSpectrumWithOneAtTheFront) {
  const Spectrum s = of("workers = 9\nweights = [1, 5, 25]\ngraph.kind = \"star\"");
  ASSERT_EQ(s.values.size(), 9u);
  EXPECT_NEAR(std::abs(s.values[0] - 1.0), 0, 1e-14);
  for (size_t i = 1; i < 9; ++i) {
    EXPECT_EQ(s.values[i].imag(), 0);
    EXPECT_LT(std::abs(s.values[i]), 1);
    if (i > 1) {
      EXPECT_LE(std::abs(s.values[i]), std::abs(s.values[i - 1]));
    }
  }
}

TEST(Spectrum, LazyMixingHasNoNegativeEigenvalue) {
  const Spectrum lazy = of("workers = 16\ngraph = { kind = \"grid\", lazy = true }");
  EXPECT_GE(lazy.smallest, 0);
  EXPECT_NEAR(lazy.smallest, (1 - 0.430843) / 2, 5e-7);
}

TEST(Spectrum, ZetaIsTheModulusAlsoWhereTheLargestIsNegative) {
  // Two nodes that swap most of their values: eigenvalues 1 and -0.8
  const auto b =
      build("workers = 2\ngraph = { kind = \"path\", mixing = \"file\", matrix = [[0.1, 0.9], [0.9, 0.1]] }");
  EXPECT_NEAR(b.network.zeta(), 0.8, 1e-14);
  // A ring of six: 0.04 + 0.96 cos(2 pi j / 6) = 1, 0.52, 0.52, -0.44, -0.44, -0.92
  const auto ring = build("workers = 6\ngraph = { kind = \"ring\", mixing = \"laplacian\", alpha = 0.08 }");
  EXPECT_NEAR(ring.network.zeta(), 0.92, 1e-14);
  EXPECT_EQ(build("workers = 2").network.zeta(), 0);  // no graph
}

}  // namespace
}  // namespace orrery
