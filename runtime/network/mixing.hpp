// Mixing matrices H (D,D) of a graph; column d = destination, y^(d) = sum_j H_{j,d} z^(j). Columns sum to one, entries
// are not negative, and H_{j,d} > 0 off the diagonal only where the graph links j and d. b_d > 0 = weight of node d,
// sum 1; deg_d = number of neighbours.
//
//   metropolis   H_{j,d} = min(q_d, q_j b_j/b_d)   on links, q_j = 1/(1+deg_j); the diagonal takes the rest. This is
//                                                  Metropolis-Hastings for b; equal b: 1/(1 + max(deg_d, deg_j))
//   uniform      H_{j,d} = 1/(1+deg_d)             on links and the diagonal
//   laplacian    H = I - alpha Lap diag(b)^-1      alpha <= min_d b_d/deg_d; Lap = diag(deg) - adjacency
//   average      H = b 1^T                         complete graphs only
//   file         as given
//   one-peer     H_k = (I + shift by 2^k)/2        k = 0 ... ceil(log2 D)-1: node d hears from node d + 2^k mod D
//   directed     h = 1/(1 + hops) for node d and nodes d + 2^k mod D, 2^k < D: the exponential graph used one way (circulant)
//   lazy         (I + H)/2                         of any of them
//
// H b = b, so that the weighted mean is conserved: metropolis, laplacian, average (they satisfy H_{j,d} b_d = H_{d,j}
// b_j). With equal b also one-peer, and uniform on regular graphs. Sources: papers/mll-sgd.md 3.3,
// papers/diffusion-flatness.md 3.
//
// A Mixing made here stores the diagonal of every column, zero or not, and no other zeros.
#pragma once

#include <vector>

#include "runtime/network/graph.hpp"
#include "runtime/network/network.hpp"

namespace orrery {

// One matrix, or the cycle of a time-varying graph. Throws NetworkError where a rule does not fit the graph or the
// weights, and for a given matrix of the wrong size, with negative entries, with columns that do not sum to one (1e-9),
// off the graph, or not connected.
std::vector<Mixing> make_mixing(const GraphSpec&, const Graph&, const std::vector<double>& b);

// Links that carry a model when H acts: one for each non-zero off the diagonal.
int64_t directed_links(const Mixing&);

// max_d |(H b)_d - b_d|: zero (to rounding) exactly if mixing conserves the b-weighted mean.
double balance_defect(const Mixing&, const std::vector<double>& b);

}  // namespace orrery
