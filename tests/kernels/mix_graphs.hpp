// Shared by the tests of mix_step: graphs, their tables on the backend's side, one step of drawn models.
#pragma once

#include <numeric>

#include "kernels/mix_step.hpp"
#include "tests/support.hpp"

namespace orrery::test {

// Destination columns: (source, weight) of every node, sources within one replica.
using Graph = std::vector<std::vector<std::pair<int64_t, double>>>;

inline double drawn(int64_t i) { return Stream(0x317, Draw::grouping, 0, 0).uniform(static_cast<uint32_t>(i)); }

inline Graph averaging(const std::vector<std::vector<int64_t>>& sources) {
  Graph g;
  for (const auto& from : sources) {
    g.emplace_back();
    for (int64_t l : from) g.back().emplace_back(l, 1.0 / static_cast<double>(from.size()));
  }
  return g;
}
inline Graph ring(int64_t W) {
  std::vector<std::vector<int64_t>> from;
  for (int64_t k = 0; k < W; ++k) from.push_back({(k + W - 1) % W, k, (k + 1) % W});  // small rings name a source twice
  return averaging(from);
}
inline Graph complete(int64_t W) {
  std::vector<int64_t> all(static_cast<size_t>(W));
  std::iota(all.begin(), all.end(), 0);
  return averaging(std::vector<std::vector<int64_t>>(static_cast<size_t>(W), all));
}
inline Graph star(int64_t W) {
  Graph g(static_cast<size_t>(W));
  const double h = 1.0 / static_cast<double>(W);  // Metropolis
  for (int64_t k = 0; k < W; ++k) g[0].emplace_back(k, h);
  for (int64_t k = 1; k < W; ++k) g[static_cast<size_t>(k)] = {{k, 1 - h}, {0, h}};
  return g;
}
// Any sources in any order with weights of either sign; now and then none at all, or one that is named twice.
inline Graph sparse(int64_t W, int64_t key) {
  Graph g(static_cast<size_t>(W));
  for (int64_t k = 0; k < W; ++k) {
    const auto at = [&](int64_t i) { return drawn(key * 100000 + k * 16 + i); };
    const auto degree = static_cast<int64_t>(8 * at(0));
    for (int64_t e = 0; e < degree; ++e)
      g[static_cast<size_t>(k)].emplace_back(static_cast<int64_t>(static_cast<double>(W) * at(1 + e)),
                                             at(8 + e % 7) - 0.4);
  }
  return g;
}
inline Graph alone(int64_t W) {
  Graph g(static_cast<size_t>(W));
  for (int64_t k = 0; k < W; ++k) g[static_cast<size_t>(k)] = {{k, 1.0}};
  return g;
}

// The replicas' graphs on the backend's side.
struct Table {
  std::vector<Graph> graphs;
  Buffer<int64_t> begins, sources;
  Buffer<double> weights;
  MixTable view;

  Table(Backend b, std::vector<Graph> replicas) : graphs(std::move(replicas)) {
    std::vector<int64_t> begin{0}, source;
    std::vector<double> weight;
    int64_t first = 0;
    for (const Graph& g : graphs) {
      for (const auto& column : g) {
        for (auto [l, a] : column) source.push_back(first + l), weight.push_back(a);
        begin.push_back(static_cast<int64_t>(source.size()));
      }
      first += static_cast<int64_t>(g.size());
    }
    view.begin = (begins = {context(b), begin}).view();
    view.source = (sources = {context(b), source}).view();
    view.weight = (weights = {context(b), weight}).view();
  }
  int64_t nodes() const { return static_cast<int64_t>(graphs[0].size()); }
  int64_t rows() const { return nodes() * static_cast<int64_t>(graphs.size()); }
};

inline Buffer<double> rates(Backend b, int64_t rows) {
  std::vector<double> eta;
  for (int64_t r = 0; r < rows; ++r) eta.push_back(0.05 + 0.2 * drawn(r));
  return {context(b), eta};
}

// One step of models drawn from key 1 along directions drawn from key 2.
template <class T>
std::vector<T> stepped(Backend b, const Table& table, int64_t P, MixForm form, MixPath path) {
  const Context& ctx = context(b);
  const MixPlan<T> plan(ctx, table.view, table.nodes(), P, path);
  if (path != MixPath::by_cost) {
    EXPECT_EQ(plan.dense(), path == MixPath::dense);
  }
  Matrix<T> w(b, table.rows(), P, 1, P + 3), g(b, table.rows(), P, 2, P + 1);
  const auto eta = rates(b, table.rows());
  mix_step<T>(ctx, plan, form, eta.view(), g.view(), w.view());
  EXPECT_EQ(g.host(), g.dense());
  return w.host();
}

}  // namespace orrery::test
