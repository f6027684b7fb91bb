// Where CHOCO-SGD settles at a constant step when the workers' objectives differ (papers/st-compression.md A.3), on quadratics of curvatures a_ij and
// centers c_ij. With q = 0 the observers hold the stepped models, so that for every deterministic compressor with C(x) = 0 at x = 0 alone
//
//   x = (I - gamma L)(x - eta A (x - c))       column by column, L = I - W: n linear equations each
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/network/network.hpp"

namespace orrery::compressed_theory {

// sqrt(mean_i |x_i - x*|^2) there. curvature, center (n, P), optimum (P); O(n^3 P).
double choco_sgd_floor(double eta, double gamma, const Mixing& laplacian, const std::vector<double>& curvature,
                       const std::vector<double>& center, const std::vector<double>& optimum);

}  // namespace orrery::compressed_theory
