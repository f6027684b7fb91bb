#include "runtime/theory/diffusion/graph_modes.hpp"

#include <fmt/format.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "runtime/network/network_error.hpp"

namespace orrery::diffusion {
namespace {

std::vector<double> onto_modes(const std::vector<double>& weight, const std::vector<double>& x, size_t K) {
  expects(K > 0 && x.size() % K == 0, "a row per agent");
  const size_t width = x.size() / K;
  std::vector<double> out(x.size());
  for (size_t k = 0; k < K; ++k)
    for (size_t i = 0; i < K; ++i)
      for (size_t m = 0; m < width; ++m) out[i * width + m] += weight[k * K + i] * x[k * width + m];
  return out;
}

void check(const std::vector<std::vector<double>>& A) {
  const auto fail = [](const std::string& sentence) { throw NetworkError("graph.mixing", sentence); };
  for (size_t i = 0; i < A.size(); ++i) {
    double sum = 0;
    for (size_t j = 0; j < A.size(); ++j) {
      sum += A[i][j];
      if (!(std::abs(A[i][j] - A[j][i]) <= 1e-12))
        fail(fmt::format(
            "the closed forms need a symmetric matrix, and the entry at row {}, column {} is {} but its mirror "
            "image {}; use \"metropolis\" or \"laplacian\" with equal weights, or the recursion",
            i, j, A[i][j], A[j][i]));
    }
    if (!(std::abs(sum - 1) <= 1e-9)) fail(fmt::format("row {} sums to {:.12g}; every row must sum to one", i, sum));
  }
}

}  // namespace

double GraphModes::rho() const {
  return lambda.size() > 1 ? std::max(std::abs(lambda[1]), std::abs(lambda.back())) : 0;
}

std::vector<double> GraphModes::project(const std::vector<double>& x) const { return onto_modes(U, x, agents()); }

std::vector<double> GraphModes::project_squared(const std::vector<double>& x) const {
  std::vector<double> squares = U;
  for (double& u : squares) u *= u;
  return onto_modes(squares, x, agents());
}

GraphModes graph_modes(const Mixing& mixing) {
  const auto A = mixing.dense();
  const size_t K = A.size();
  expects(K >= 1, "an agent");
  check(A);

  // A - (4/K) 1 1^T has the same eigenvectors, and -3 in place of the 1 of the mean. All others are at least -1, so the mean's
  // mode comes first, and no other mixes with it.
  std::vector<double> shifted, value(K);
  for (const auto& row : A)
    for (const double a : row) shifted.push_back(a - 4 / static_cast<double>(K));
  const auto n = static_cast<lapack_int>(K);
  if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', n, shifted.data(), n, value.data()) != 0)
    throw std::runtime_error("the symmetric eigenvalue routine did not converge");

  GraphModes modes{std::vector<double>(K), std::vector<double>(K * K)};
  modes.lambda[0] = 1;
  for (size_t k = 0; k < K; ++k) modes.U[k * K] = 1 / std::sqrt(static_cast<double>(K));
  for (size_t i = 1; i < K; ++i) {  // ascending there, descending here
    modes.lambda[i] = value[K - i];
    for (size_t k = 0; k < K; ++k) modes.U[k * K + i] = shifted[k * K + (K - i)];
  }
  if (K > 1 && !(modes.lambda[1] < 1 - 1e-10))
    throw NetworkError("graph.mixing",
                       fmt::format("the second eigenvalue of the combination matrix is {:.12g}: some agents never "
                                   "hear of others; link them",
                                   modes.lambda[1]));
  return modes;
}

}  // namespace orrery::diffusion
