// Combination matrices and their eigenpairs: the reference spectra for 16 agents, projections, bad input (papers/diffusion-flatness.md 2, 3).
#include "runtime/theory/diffusion/graph_modes.hpp"

#include "runtime/network/mixing.hpp"
#include "runtime/network/network_error.hpp"
#include "runtime/network/spectrum.hpp"
#include "tests/runtime/theory/diffusion/beds.hpp"

namespace orrery::diffusion {
namespace {

using test::expect_printed;
using test::mixing;

const std::vector<double> equal(16, 1.0 / 16);

// ---- matrices

TEST(Combination, ReferenceSpectraForSixteenAgents) {
  for (const char* graph : {"kind = \"ring\", mixing = \"metropolis\"", "kind = \"ring\", mixing = \"uniform\""}) {
    const GraphModes ring = graph_modes(mixing(graph));
    expect_printed(ring.rho(), "0.949253", "ring");
    expect_printed(ring.smallest(), "-0.333333", "ring");
    EXPECT_EQ(ring.second(), ring.rho());
  }
  expect_printed(graph_modes(mixing("grid")).rho(), "0.868641", "grid");
  expect_printed(graph_modes(mixing("grid")).smallest(), "-0.430843", "grid");
  EXPECT_NEAR(graph_modes(everyone(16)).rho(), 0, 4e-15);
  EXPECT_NEAR(graph_modes(everyone(16)).smallest(), 0, 4e-15);
  expect_printed(spectrum(directed_exponential(16), equal).zeta, "0.600000", "static exponential");
}

TEST(Combination, DirectedExponentialHearsFromPowersOfTwo) {
  const auto A = directed_exponential(16).dense();
  for (int k = 0; k < 16; ++k)
    for (int l = 0; l < 16; ++l) {
      const int hop = (l - k + 16) % 16;
      EXPECT_EQ(A[l][k], hop == 0 || hop == 1 || hop == 2 || hop == 4 || hop == 8 ? 0.2 : 0);
    }
  EXPECT_LE(balance_defect(directed_exponential(11), std::vector<double>(11, 1.0 / 11)), 1e-15);  // doubly stochastic
  EXPECT_EQ(directed_exponential(1).dense(), alone(1).dense());
  EXPECT_EQ(directed_exponential(3).dense(), everyone(3).dense());
}

TEST(Combination, SymmetrizedAndLazy) {
  const auto A = directed_exponential(16).dense(), S = symmetrized(directed_exponential(16)).dense();
  for (int k = 0; k < 16; ++k)
    for (int l = 0; l < 16; ++l) EXPECT_EQ(S[l][k], (A[l][k] + A[k][l]) / 2);
  EXPECT_LE(balance_defect(symmetrized(directed_exponential(16)), equal), 1e-15);
  const GraphModes grid = graph_modes(mixing("grid")), halfway = graph_modes(lazy(mixing("grid")));
  for (size_t i = 0; i < 16; ++i) EXPECT_NEAR(halfway.lambda[i], (1 + grid.lambda[i]) / 2, 1e-14);
  EXPECT_GE(halfway.smallest(), 0);
  EXPECT_EQ(lazy(alone(5)).dense(), alone(5).dense());
}

// ---- modes

TEST(GraphModes, AreEigenpairsWithTheMeanFirst) {
  for (const char* graph : {"ring", "grid", "star", "exponential", "full"}) {
    const GraphModes g = graph_modes(mixing(graph));
    const auto A = mixing(graph).dense();
    EXPECT_EQ(g.lambda[0], 1);
    for (size_t k = 0; k < 16; ++k) EXPECT_EQ(g.U[k * 16], 0.25);
    for (size_t i = 0; i < 16; ++i) {
      if (i > 1) {
        EXPECT_LE(g.lambda[i], g.lambda[i - 1]);
      }
      for (size_t k = 0; k < 16; ++k) {
        double applied = 0, inner = 0;
        for (size_t l = 0; l < 16; ++l)
          applied += A[k][l] * g.U[l * 16 + i], inner += g.U[l * 16 + i] * g.U[l * 16 + k];
        EXPECT_NEAR(applied, g.lambda[i] * g.U[k * 16 + i], 1e-14) << graph << " mode " << i;
        EXPECT_NEAR(inner, i == k, 1e-14) << graph << " modes " << i << ", " << k;
      }
    }
  }
}

// A ring of four without self-weight has eigenvalues 1, 0, 0, -1: the mode at -1 is not taken for the mean's.
TEST(GraphModes, AnEigenvalueOfMinusOneIsKept) {
  const GraphModes g = graph_modes(of_matrix({{0, 0.5, 0, 0.5}, {0.5, 0, 0.5, 0}, {0, 0.5, 0, 0.5}, {0.5, 0, 0.5, 0}}));
  EXPECT_NEAR(g.smallest(), -1, 4e-15);
  EXPECT_NEAR(g.rho(), 1, 4e-15);
  EXPECT_NEAR(g.second(), 0, 4e-15);
  const GraphModes one = graph_modes(alone(1));
  EXPECT_EQ(one.gap(), 1);
}

TEST(GraphModes, Projections) {
  const GraphModes g = graph_modes(of_matrix({{0.5, 0.5}, {0.5, 0.5}}));
  const std::vector<double> d = g.project({1, 10, 3, 20}), r = g.project_squared({1, 10, 3, 20});
  EXPECT_NEAR(d[0], 4 / std::sqrt(2), 1e-14);  // mode of the mean
  EXPECT_NEAR(d[1], 30 / std::sqrt(2), 1e-14);
  EXPECT_NEAR(std::abs(d[2]), 2 / std::sqrt(2), 1e-14);
  EXPECT_NEAR(std::abs(d[3]), 10 / std::sqrt(2), 1e-14);
  for (const size_t i : {0, 2}) {
    EXPECT_NEAR(r[i], 2, 1e-14);
    EXPECT_NEAR(r[i + 1], 15, 1e-14);
  }
  EXPECT_THROW(g.project({1, 2, 3}), std::logic_error);
}

void expect_sentence(const Mixing& A, const std::string& part) {
  try {
    graph_modes(A);
    ADD_FAILURE() << "expected an error with: " << part;
  } catch (const NetworkError& e) {
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}
TEST(GraphModes, MatricesWithoutModesAreRefused) {
  expect_sentence(directed_exponential(16), "symmetric");
  expect_sentence(mixing("kind = \"star\", mixing = \"uniform\""), "symmetric");
  expect_sentence(of_matrix({{0.5, 0.4}, {0.4, 0.5}}), "row 0 sums to 0.9");
  expect_sentence(alone(3), "some agents never hear of others");
  expect_sentence(of_matrix({{0.5, 0.5, 0, 0}, {0.5, 0.5, 0, 0}, {0, 0, 0.5, 0.5}, {0, 0, 0.5, 0.5}}), "never hear");
  EXPECT_THROW(of_matrix({{1, 0}, {1}}), std::logic_error);
  EXPECT_THROW(everyone(0), std::logic_error);
}

}  // namespace
}  // namespace orrery::diffusion
