#include "runtime/theory/compressed/graph_numbers.hpp"

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "runtime/compressed/laplacian.hpp"

namespace orrery::compressed_theory {
namespace {
constexpr int64_t most_nodes = 512;
}

std::optional<GraphNumbers> graph_numbers(const Network& network, bool unit, std::string* why_not) {
  const int64_t n = network.spec().workers;
  if (n < 2) return *why_not = "one node has no neighbours", std::nullopt;
  if (n > most_nodes) return *why_not = "the graph has more than 512 nodes", std::nullopt;
  if (network.mixing().size() > 1) return *why_not = "the graph changes over time", std::nullopt;
  std::vector<double> dense, lambda(static_cast<size_t>(n));
  const auto rows = laplacian_of(network, unit).dense();
  for (size_t i = 0; i < rows.size(); ++i)
    for (size_t j = 0; j < rows.size(); ++j) {
      if (std::abs(rows[i][j] - rows[j][i]) > 1e-12) return *why_not = "the weights are not symmetric", std::nullopt;
      dense.push_back(rows[i][j]);
    }
  const auto order = static_cast<lapack_int>(n);
  if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'N', 'U', order, dense.data(), order, lambda.data()) != 0)
    throw std::runtime_error("the symmetric eigenvalue routine did not converge");
  GraphNumbers g{.lambda_2 = lambda[1], .lambda_n = lambda.back()};
  if (!unit) {
    double second = 0;  // modulus of W's eigenvalues but the one at 1
    for (size_t i = 1; i < lambda.size(); ++i) second = std::max(second, std::abs(1 - lambda[i]));
    g.gap = 1 - second;
    g.norm = std::max(std::abs(lambda[0]), std::abs(lambda.back()));
  }
  return g;
}

}  // namespace orrery::compressed_theory
