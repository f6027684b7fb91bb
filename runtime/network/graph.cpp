#include "runtime/network/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/core/rng.hpp"
#include "runtime/network/network_error.hpp"

namespace orrery {
namespace {

using Links = std::vector<std::pair<int64_t, int64_t>>;

// Every pair of nodes that a graph may link is looked at, and links are kept in memory: both are bounded first.
constexpr double most_links = 5e7, most_pairs = 2e9;
double pairs(int64_t n) { return 0.5 * static_cast<double>(n) * static_cast<double>(n - 1); }

Links complete(int64_t n) {
  if (pairs(n) > most_links)
    throw NetworkError(
        "graph.kind", fmt::format("a complete graph over {} nodes has {:.3g} links, and at most {:.0e} are kept; use a "
                                  "tier with nodes = 1, which is the same average, or a sparser graph",
                                  n, pairs(n), most_links));
  Links links;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i + 1; j < n; ++j) links.emplace_back(i, j);
  return links;
}

Links path(int64_t n) {
  Links links;
  for (int64_t i = 0; i + 1 < n; ++i) links.emplace_back(i, i + 1);
  return links;
}

Links ring(int64_t n) {
  Links links = path(n);
  links.emplace_back(n - 1, 0);
  return links;
}

Links star(int64_t n) {
  Links links;
  for (int64_t i = 1; i < n; ++i) links.emplace_back(0, i);
  return links;
}

Links lattice(const GraphSpec& spec, int64_t n, bool wrap) {
  const int64_t r = spec.rows > 0 ? spec.rows : most_square_rows(n);
  if (r < 2 || n % r != 0 || n / r < 2)
    throw NetworkError(
        "graph.kind",
        fmt::format("{} nodes make no {} of r rows and c columns with r, c >= 2; change the number of nodes, "
                    "or use kind = \"{}\"",
                    n, spec.kind, wrap ? "ring" : "path"));
  const int64_t c = n / r;
  Links links;
  for (int64_t i = 0; i < r; ++i)
    for (int64_t j = 0; j < c; ++j) {
      if (wrap || i + 1 < r) links.emplace_back(i * c + j, (i + 1) % r * c + j);
      if (wrap || j + 1 < c) links.emplace_back(i * c + j, i * c + (j + 1) % c);
    }
  return links;
}

Links exponential(int64_t n) {
  Links links;
  for (int64_t hop = 1; hop < n; hop *= 2)
    for (int64_t i = 0; i < n; ++i) links.emplace_back(i, (i + hop) % n);
  return links;
}

Graph erdos_renyi(const GraphSpec& spec, int64_t n, uint64_t seed) {
  if (spec.probability * pairs(n) > most_links)
    throw NetworkError("graph.probability", fmt::format("{} over {} nodes means about {:.3g} links, and at most {:.0e} "
                                                        "are kept; lower it",
                                                        spec.probability, n, spec.probability * pairs(n), most_links));
  if (pairs(n) > most_pairs)
    throw NetworkError("graph.kind", fmt::format("a random graph over {} nodes draws for {:.3g} pairs of nodes; use "
                                                 "fewer nodes, or kind = \"exponential\"",
                                                 n, pairs(n)));
  // With n (1-p)^(n-1) lonely nodes to be expected, a draw is connected with probability about exp(-that): beyond 20,
  // trying is in vain.
  const double lonely = static_cast<double>(n) * std::pow(1 - spec.probability, static_cast<double>(n - 1));
  const int attempts = lonely > 20 ? 0 : 1000;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    Links links;
    for (int64_t i = 0; i < n; ++i) {
      const Stream draw(seed, Draw::graph, static_cast<uint32_t>(i), static_cast<uint64_t>(attempt));
      for (int64_t j = i + 1; j < n; ++j)
        if (draw.bernoulli(static_cast<uint32_t>(j), spec.probability)) links.emplace_back(i, j);
    }
    Graph graph(n, std::move(links));
    if (!unreachable(graph.neighbours)) return graph;
  }
  throw NetworkError("graph.probability",
                     fmt::format("{} is too small: a random graph over {} nodes is then hardly ever "
                                 "connected; go above the connectivity threshold ln(n)/n = {:.4g}",
                                 spec.probability, n, std::log(n) / n));
}

Graph from_adjacency(const GraphSpec& spec, int64_t n) {
  const auto& a = spec.adjacency;
  for (int64_t i = 0; i < std::max(n, static_cast<int64_t>(a.size())); ++i)
    if (static_cast<int64_t>(a.size()) != n || static_cast<int64_t>(a[i].size()) != n)
      throw NetworkError("graph.path",
                         fmt::format("the adjacency matrix has {} rows and {} columns, and the graph links "
                                     "{} nodes; give a {} x {} matrix",
                                     a.size(), a.empty() ? 0 : a[i].size(), n, n, n));
  Links links;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j) {
      if (a[i][j] != 0 && a[i][j] != 1)
        throw NetworkError("graph.path",
                           fmt::format("the adjacency matrix has {} at row {}, column {}; use 0 and 1 only (weights go "
                                       "into mixing = \"file\")",
                                       a[i][j], i, j));
      if (a[i][j] != a[j][i])
        throw NetworkError(
            "graph.path",
            fmt::format("the adjacency matrix links node {} to node {} one way only; make it symmetric", i, j));
      if (i < j && a[i][j] == 1) links.emplace_back(i, j);
    }
  Graph graph(n, std::move(links));
  if (const auto apart = unreachable(graph.neighbours))
    throw NetworkError(
        "graph.path",
        fmt::format("the graph is not connected: there is no path between nodes {} and {}; add links until "
                    "every node reaches every other",
                    apart->first, apart->second));
  return graph;
}

// The nodes reached from node 0.
std::vector<char> reached(const std::vector<std::vector<int64_t>>& successors) {
  std::vector<char> seen(successors.size(), 0);
  std::vector<int64_t> open{0};
  seen[0] = 1;
  while (!open.empty()) {
    const int64_t i = open.back();
    open.pop_back();
    for (const int64_t j : successors[i])
      if (!seen[j]) {
        seen[j] = 1;
        open.push_back(j);
      }
  }
  return seen;
}

}  // namespace

Graph::Graph(int64_t nodes, Links links) : neighbours(nodes) {
  for (auto [i, j] : links)
    if (i != j) edges.emplace_back(std::min(i, j), std::max(i, j));
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  for (auto [i, j] : edges) {
    neighbours[i].push_back(j);
    neighbours[j].push_back(i);
  }
  for (auto& list : neighbours) std::sort(list.begin(), list.end());
}

bool Graph::linked(int64_t i, int64_t j) const {
  return std::binary_search(neighbours[i].begin(), neighbours[i].end(), j);
}

Graph make_graph(const GraphSpec& spec, int64_t n, uint64_t seed) {
  if (spec.kind == "file") return from_adjacency(spec, n);
  if (n == 1) return Graph(1, {});
  if (spec.kind == "complete") return Graph(n, complete(n));
  if (spec.kind == "ring") return Graph(n, ring(n));
  if (spec.kind == "path") return Graph(n, path(n));
  if (spec.kind == "star") return Graph(n, star(n));
  if (spec.kind == "grid") return Graph(n, lattice(spec, n, false));
  if (spec.kind == "torus") return Graph(n, lattice(spec, n, true));
  if (spec.kind == "exponential" || spec.kind == "one-peer-exponential") return Graph(n, exponential(n));
  expects(spec.kind == "erdos-renyi", "a known kind of graph");
  return erdos_renyi(spec, n, seed);
}

std::optional<std::pair<int64_t, int64_t>> unreachable(const std::vector<std::vector<int64_t>>& successors) {
  if (successors.empty()) return std::nullopt;
  // Every node reaches every other exactly if node 0 reaches all and all reach node 0.
  std::vector<std::vector<int64_t>> predecessors(successors.size());
  for (size_t i = 0; i < successors.size(); ++i)
    for (const int64_t j : successors[i]) predecessors[j].push_back(static_cast<int64_t>(i));
  const auto from_0 = reached(successors), to_0 = reached(predecessors);
  for (size_t i = 0; i < successors.size(); ++i) {
    if (!from_0[i]) return std::pair<int64_t, int64_t>(0, i);
    if (!to_0[i]) return std::pair<int64_t, int64_t>(i, 0);
  }
  return std::nullopt;
}

int64_t most_square_rows(int64_t nodes) {
  for (auto r = static_cast<int64_t>(std::sqrt(static_cast<double>(nodes))); r >= 2; --r)
    if (nodes % r == 0) return r;
  return 0;
}

int64_t cycle_length(const GraphSpec& spec, int64_t nodes) {
  if (spec.kind != "one-peer-exponential") return 1;
  int64_t length = 0;
  while ((int64_t{1} << length) < nodes) ++length;
  return std::max<int64_t>(length, 1);
}

}  // namespace orrery
