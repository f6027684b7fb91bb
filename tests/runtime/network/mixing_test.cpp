#include "runtime/network/mixing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "runtime/network/spectrum.hpp"
#include "tests/runtime/network/make_network.hpp"

namespace orrery {
namespace {

using test::build;
using test::Dense;
using test::product;

void expect_equal(const Dense& a, const Dense& b, double tolerance, const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t j = 0; j < a.size(); ++j) ASSERT_NEAR(a[i][j], b[i][j], tolerance) << what << " at " << i << ", " << j;
}

Mixing sparse(const Dense& h) {
  Mixing m;
  m.begin.push_back(0);
  for (size_t d = 0; d < h.size(); ++d) {
    for (size_t j = 0; j < h.size(); ++j) m.source.push_back(static_cast<int64_t>(j)), m.weight.push_back(h[j][d]);
    m.begin.push_back(static_cast<int64_t>(m.source.size()));
  }
  return m;
}

// papers/mll-sgd.md M11
const char* const golden = R"(workers = 6
weights = [1, 3, 2, 2, 1, 1]
tiers = [{ nodes = 3, period = 2 }]
graph = { kind = "path", period = 4, mixing = "laplacian", alpha = 0.05 })";

TEST(Mixing, TheGoldenRunsMatrixIsTheDigests) {
  const auto b = build(golden);
  expect_equal(b.network.mixing()[0].dense(), {{0.875, 0.125, 0}, {0.125, 0.75, 0.25}, {0, 0.125, 0.75}}, 1e-15, "H");
  EXPECT_NEAR(b.network.zeta(), 0.827254248594, 5e-13);
  EXPECT_THAT(b.network.top().mass, testing::Pointwise(testing::DoubleNear(1e-15), {0.4, 0.4, 0.2}));
}

TEST(Mixing, DriftIsTheLargestChangeOfTheMeansWeights) {
  // star of 5 under the uniform rule: the hub's column is 1/5 each, a leaf's 1/2 for itself and for the hub
  EXPECT_NEAR(build("workers = 5\ngraph = { kind = \"star\", mixing = \"uniform\" }").network.drift(),
              1. / 5 / 5 + 4 * (1. / 2 / 5) - 1. / 5, 1e-15);
  EXPECT_LE(build(golden).network.drift(), 1e-15);
  EXPECT_EQ(build("workers = 5").network.drift(), 0);
  // one peer at a time: exact for equal weights, not for others
  EXPECT_LE(build("workers = 6\ngraph.kind = \"one-peer-exponential\"").network.drift(), 1e-15);
  EXPECT_GT(build("workers = 6\nweights = [1, 2]\ngraph.kind = \"one-peer-exponential\"").network.drift(), 0.01);
}

// Networks whose rule conserves the weighted mean, with weights that differ.
const std::vector<std::string> conserving = {
    golden,
    "workers = 12\nweights = [1, 3, 2, 2, 1]\ngrouping = \"random\"\ntiers = [{ nodes = 4, period = 3 }]\ngraph.kind = "
    "\"ring\"",
    "workers = 9\nweights = [1, 0.1, 7]\ntiers = [{ groups = [[0, 8], [1, 2, 3, 4, 5], [6], [7]], period = 1 "
    "}]\ngraph.kind = \"star\"",
    "workers = 20\nweights = [3, 1, 4, 1, 5, 9, 2]\ntiers = [{ nodes = 10, period = 2 }, { nodes = 5, period = 4 }]\n"
    "graph = { kind = \"path\", lazy = true }",
    "workers = 10\nweights = [2, 7, 1, 8]\ntiers = [{ nodes = 3, period = 1 }]\ngraph = { kind = \"complete\", mixing "
    "= \"average\" }",
    "workers = 7\nweights = [1, 2, 3]\ngraph = { kind = \"erdos-renyi\", probability = 0.5 }",
    "workers = 13\nweights = [5, 6, 7]\ntiers = [{ nodes = 6, period = 1 }]\ngraph = { kind = \"grid\", mixing = "
    "\"laplacian\", alpha = 0.03 }",
    "workers = 11\nweights = [1, 100]\ngraph.kind = \"exponential\"",
    "workers = 12\nweights = [1, 2]\ngraph.kind = \"torus\"",
    "workers = 5\nweights = [1, 2]\ntiers = [{ nodes = 1, period = 1 }]\ngraph.kind = \"ring\"",
};

TEST(Mixing, FactsOfTheDigestHoldForTheDenseOperators) {
  for (const std::string& text : conserving) {
    const auto built = build(text);
    const Network& n = built.network;
    const Groups& top = n.top();
    const size_t N = n.weights().size();
    std::vector<double> v(N);
    for (size_t m = 0; m < N; ++m) v[top.member[m]] = top.weight[m];
    const Dense h = n.mixing()[0].dense();
    Dense V(N, std::vector<double>(N)), Z = V, a(N, std::vector<double>(1));
    for (size_t i = 0; i < N; ++i) {
      a[i][0] = n.weights()[i];
      for (size_t j = 0; j < N; ++j) {
        V[i][j] = top.node_of[i] == top.node_of[j] ? v[i] : 0;
        Z[i][j] = h[top.node_of[i]][top.node_of[j]] * v[i];
      }
    }
    for (const Dense& T : {V, Z}) {
      const Dense Ta = product(T, a);
      for (size_t i = 0; i < N; ++i) {
        EXPECT_NEAR(Ta[i][0], a[i][0], 1e-14) << text;
        double column = 0;
        for (size_t j = 0; j < N; ++j) column += T[j][i];
        EXPECT_NEAR(column, 1, 1e-14) << text;
      }
    }
    expect_equal(product(V, V), V, 1e-14, "V V = V: " + text);
    expect_equal(product(V, Z), Z, 1e-14, "V Z = Z: " + text);
    expect_equal(product(Z, V), Z, 1e-14, "Z V = Z: " + text);
    EXPECT_LT(balance_defect(n.mixing()[0], top.mass), 1e-15) << text;  // H b = b
    EXPECT_NEAR(spectrum(sparse(Z), std::vector<double>(N, 1.0)).zeta, n.zeta(), 1e-10)
        << text;  // by the general eigenvalue routine
  }
}

TEST(Mixing, ConservingRulesAreInDetailedBalanceAndStayOnTheGraph) {
  for (const std::string& text : conserving) {
    const auto built = build(text);
    const auto& b = built.network.top().mass;
    const Dense h = built.network.mixing()[0].dense();
    std::vector<std::vector<int>> linked(h.size(), std::vector<int>(h.size(), 0));
    for (const auto& [i, j] : built.network.edges()) linked[i][j] = linked[j][i] = 1;
    for (size_t i = 0; i < h.size(); ++i)
      for (size_t j = 0; j < h.size(); ++j) {
        EXPECT_NEAR(h[i][j] * b[j], h[j][i] * b[i], 1e-16) << text;
        EXPECT_GE(h[i][j], 0) << text;
        if (i != j) {
          EXPECT_EQ(h[i][j] > 0, linked[i][j] == 1) << text;
        }
      }
  }
}

TEST(Mixing, MetropolisWithEqualWeightsUsesTheLargerDegree) {
  const auto built = build("workers = 12\ngraph.kind = \"grid\"");
  const Dense h = built.network.mixing()[0].dense();
  std::vector<double> degree(12, 0);
  for (const auto& [i, j] : built.network.edges()) ++degree[i], ++degree[j];
  for (const auto& [i, j] : built.network.edges())
    EXPECT_NEAR(h[i][j], 1 / (1 + std::max(degree[i], degree[j])), 1e-15);
}

TEST(Mixing, UniformAveragesTheClosedNeighbourhoodAndConservesTheMeanOnRegularGraphsOnly) {
  const auto path = build("workers = 3\ngraph = { kind = \"path\", mixing = \"uniform\" }");
  expect_equal(path.network.mixing()[0].dense(), {{1. / 2, 1. / 3, 0}, {1. / 2, 1. / 3, 1. / 2}, {0, 1. / 3, 1. / 2}},
               1e-16, "path");
  EXPECT_GT(balance_defect(path.network.mixing()[0], path.network.top().mass), 0.05);
  const auto ring = build("workers = 9\ngraph = { kind = \"ring\", mixing = \"uniform\" }");
  EXPECT_LT(balance_defect(ring.network.mixing()[0], ring.network.top().mass), 1e-16);
}

TEST(Mixing, AverageGivesEveryNodeTheSameColumnBitForBit) {
  const auto built = build("workers = 7\nweights = [1, 2, 3]\ngraph = { kind = \"complete\", mixing = \"average\" }");
  const Dense h = built.network.mixing()[0].dense();
  for (size_t j = 0; j < 7; ++j)
    for (size_t d = 0; d < 7; ++d) EXPECT_EQ(h[j][d], built.network.top().mass[j]);
}

TEST(Mixing, LazyIsTheMeanOfTheIdentityAndTheMatrix) {
  const Dense h = build("workers = 6\nweights = [1, 2]\ngraph.kind = \"star\"").network.mixing()[0].dense();
  const Dense lazy =
      build("workers = 6\nweights = [1, 2]\ngraph = { kind = \"star\", lazy = true }").network.mixing()[0].dense();
  for (size_t i = 0; i < 6; ++i)
    for (size_t j = 0; j < 6; ++j) EXPECT_NEAR(lazy[i][j], 0.5 * ((i == j) + h[i][j]), 1e-16);
}

TEST(Mixing, AGivenMatrixIsTakenAsItIs) {
  const Dense h = {{0.5, 0.25, 0}, {0.5, 0.5, 0.5}, {0, 0.25, 0.5}};
  const auto built = build(
      "workers = 3\ngraph = { kind = \"path\", mixing = \"file\", matrix = [[0.5,0.25,0],[0.5,0.5,0.5],[0,0.25,0.5]] "
      "}");
  EXPECT_EQ(built.network.mixing()[0].dense(), h);
}

TEST(Mixing, LaplacianAtItsLimitIsAllowedAndHasAZeroOnTheDiagonal) {
  const auto built = build(
      "workers = 3\nweights = [2, 1, 2]\ngraph = { kind = \"path\", mixing = \"laplacian\", alpha = 0.1 }");  // 0.2 / 2
  EXPECT_NEAR(built.network.mixing()[0].dense()[1][1], 0, 1e-15);
  EXPECT_EQ(directed_links(built.network.mixing()[0]), 4);
}

TEST(Mixing, OnePeerMatricesAreDoublyStochasticWithTwoEntriesEach) {
  for (const int n : {2, 3, 5, 8, 12}) {
    const auto built = build("workers = " + std::to_string(n) + "\ngraph.kind = \"one-peer-exponential\"");
    const auto& cycle = built.network.mixing();
    for (size_t k = 0; k < cycle.size(); ++k) {
      const Dense h = cycle[k].dense();
      for (int d = 0; d < n; ++d) {
        double row = 0, column = 0;
        for (int j = 0; j < n; ++j) row += h[d][j], column += h[j][d];
        EXPECT_EQ(row, 1);
        EXPECT_EQ(column, 1);
        EXPECT_EQ(h[d][d], 0.5);
        EXPECT_EQ(h[(d + (1 << k)) % n][d], 0.5);
      }
      EXPECT_EQ(directed_links(cycle[k]), n);
    }
  }
}

// The exponential graph used one way: K = 16 with weights 1/5 has the second eigenvalue 0.6 of diffusion-flatness.md 3.
TEST(Mixing, ADirectedExponentialGraphIsCirculantAndDoublyStochastic) {
  for (const int n : {2, 3, 5, 16}) {
    const auto built =
        build("workers = " + std::to_string(n) + "\ngraph = { kind = \"exponential\", directed = true }");
    const Mixing& mixing = built.network.mixing().at(0);
    const Dense h = mixing.dense();
    int hops = 0;
    for (int hop = 1; hop < n; hop *= 2) ++hops;
    for (int d = 0; d < n; ++d) {
      double row = 0, column = 0;
      for (int j = 0; j < n; ++j) row += h[d][j], column += h[j][d];
      EXPECT_NEAR(row, 1, 1e-15);
      EXPECT_NEAR(column, 1, 1e-15);
      for (int hop = 1; hop < n; hop *= 2) EXPECT_EQ(h[(d + hop) % n][d], 1.0 / (1 + hops));
    }
    EXPECT_EQ(directed_links(mixing), n * hops);
    if (n == 16) EXPECT_NEAR(spectrum(mixing, std::vector<double>(16, 1.0 / 16)).zeta, 0.6, 1e-12);
  }
}

TEST(Mixing, OnePeerCyclesAverageExactlyForPowersOfTwo) {
  for (const int n : {2, 4, 8, 16}) {
    const auto built = build("workers = " + std::to_string(n) + "\ngraph.kind = \"one-peer-exponential\"");
    Dense all = built.network.mixing()[0].dense();
    for (size_t k = 1; k < built.network.mixing().size(); ++k) all = product(all, built.network.mixing()[k].dense());
    for (const auto& row : all)
      for (const double x : row) EXPECT_EQ(x, 1.0 / n);
  }
}

}  // namespace
}  // namespace orrery
