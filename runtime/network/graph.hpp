// Undirected graphs over n nodes, by kind:
//
//   complete              every pair                      star    node 0 with every other
//   ring                  i and i+1 mod n                 path    i and i+1
//   grid, torus           node k at (k / c, k mod c) of an r x c lattice, r, c >= 2; the torus wraps around
//   exponential           i and i + 2^k mod n for 2^k < n; static, links used both ways (degree 7 for n = 16) unless directed
//   one-peer-exponential  the same links, one k at a time (see mixing.hpp)
//   erdos-renyi           each pair with the given probability, drawn again until connected, 1000 times at most
//   file                  from a 0/1 adjacency matrix; its diagonal is ignored
//
// A graph of one node has no links, whatever its kind.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/network/network.hpp"

namespace orrery {

struct Graph {
  std::vector<std::pair<int64_t, int64_t>> edges;  // i < j, ascending, each once
  std::vector<std::vector<int64_t>> neighbours;    // ascending, without the node itself

  Graph(int64_t nodes,
        std::vector<std::pair<int64_t, int64_t>> links);  // links: in any order and direction, repeats allowed
  int64_t nodes() const { return static_cast<int64_t>(neighbours.size()); }
  int64_t degree(int64_t node) const { return static_cast<int64_t>(neighbours[node].size()); }
  bool linked(int64_t i, int64_t j) const;
};

// Throws NetworkError: adjacency of the wrong shape, not 0/1, not symmetric or not connected; a lattice that does not
// fit; no connected draw.
Graph make_graph(const GraphSpec&, int64_t nodes, uint64_t seed);

// Two nodes such that the second cannot be reached from the first; nothing where every node reaches every other.
// successors[i] = the nodes that i leads to; directed.
std::optional<std::pair<int64_t, int64_t>> unreachable(const std::vector<std::vector<int64_t>>& successors);

// The rows r of the most square r x c = nodes with r, c >= 2; 0 where there is none (a prime, or fewer than 4).
int64_t most_square_rows(int64_t nodes);

// Matrices in the cycle of a graph: ceil(log2 nodes) for one-peer-exponential, else 1; at least 1.
int64_t cycle_length(const GraphSpec&, int64_t nodes);

}  // namespace orrery
