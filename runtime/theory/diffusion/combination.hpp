// Combination matrices beyond the rules of network/mixing.hpp, for theory and checks (papers/diffusion-flatness.md 3, 7). K agents;
// doubly stochastic:
//
//   alone                   I                                                         no agent hears of another
//   everyone                (1/K) 1 1^T                                               lambda_i = 0 for i >= 2
//   directed_exponential    a_{lk} = 1/(1 + ceil(log2 K)), l = k and l = k + 2^j mod K    static, circulant, not symmetric; K = 16:
//                                                                                     hops 1, 2, 4, 8, weights 1/5, rho_2 = 0.6
//   symmetrized             (A + A^T)/2                                               symmetric; doubly stochastic where A is
//   lazy                    (I + A)/2                                                 of a symmetric A no eigenvalue is below 0
//   of_matrix               A[l][k] as given                                          nothing is checked but the shape
//
// Every column stores its diagonal. Errors  std::logic_error where K < 1 or a matrix is not square.
#pragma once

#include "runtime/network/network.hpp"

namespace orrery::diffusion {

Mixing alone(int64_t agents);
Mixing everyone(int64_t agents);
Mixing directed_exponential(int64_t agents);
Mixing symmetrized(const Mixing&);
Mixing lazy(const Mixing&);
Mixing of_matrix(const std::vector<std::vector<double>>& A);

}  // namespace orrery::diffusion
