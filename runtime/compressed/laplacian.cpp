#include "runtime/compressed/laplacian.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace orrery {
namespace {

Mixing from_columns(const std::vector<std::map<int64_t, double>>& columns) {
  Mixing m;
  m.begin.push_back(0);
  for (const auto& column : columns) {
    for (const auto& [source, weight] : column) m.source.push_back(source), m.weight.push_back(weight);
    m.begin.push_back(static_cast<int64_t>(m.source.size()));
  }
  return m;
}

}  // namespace

Mixing laplacian_of(const Network& network, bool unit) {
  if (unit) {
    std::vector<std::map<int64_t, double>> columns(static_cast<size_t>(network.spec().workers));
    for (size_t k = 0; k < columns.size(); ++k) columns[k][static_cast<int64_t>(k)] = 0;
    for (const auto& [i, j] : network.edges())
      for (const auto& [from, to] : {std::pair{i, j}, std::pair{j, i}}) {
        columns[static_cast<size_t>(to)][from] = -1;
        columns[static_cast<size_t>(to)][to] += 1;
      }
    return from_columns(columns);
  }
  const Mixing& w = network.mixing()[0];
  std::vector<std::map<int64_t, double>> columns(static_cast<size_t>(w.nodes()));
  for (size_t k = 0; k < columns.size(); ++k) {
    columns[k][static_cast<int64_t>(k)] = 1;
    for (auto e = static_cast<size_t>(w.begin[k]); e < static_cast<size_t>(w.begin[k + 1]); ++e)
      columns[k][w.source[e]] -= w.weight[e];
  }
  return from_columns(columns);
}

void check_symmetric(const Network& network, const std::string& kind, const std::string& place) {
  const auto w = network.mixing()[0].dense();
  for (size_t i = 0; i < w.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (std::abs(w[i][j] - w[j][i]) > 1e-12)
        throw ExperimentError(
            fmt::format("{}: the weights {:g} and {:g} between nodes {} and {} differ, and {} is for "
                        "symmetric ones; choose \"metropolis\" or \"laplacian\"",
                        place, w[i][j], w[j][i], j, i, kind));
}

}  // namespace orrery
