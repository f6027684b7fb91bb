// The minimizer of a logistic objective with l2 > 0, on the host in float64.
//
//   f(w) = sum_s u_s log(1 + exp(-s_s z_s)) + (l2/2) |w|^2, the bias left out;  z_s = w.x_s + b   (kernels/logistic_steps.hpp)
//   Newton: p from H p = -g by conjugate gradients until |H p + g| <= min(1/10, sqrt(|g| / |g_0|)) |g|, then w <- w + t p with t = 1, 1/2, 1/4, ...
//   until f falls by t g.p / 10000 (Nocedal, Wright, "Numerical optimization", 2nd ed., 7.1, line search Newton-CG)
//
// Shapes  u (n) sample weights, sum_s u_s = 1; result (P). View and weights lie on either side.
// Stops   where |g| <= 1e-11 |g_0|, then f(w) - min f <= |g|^2 / (2 l2) along the weights, or where rounding lets f fall no further.
// Errors  std::logic_error where l2 = 0: separable samples have no minimizer.
// Result  samples in fixed pieces, added in order: the same bits for any number of threads.
// Cost    a step some tens of products with H, each 4 non-zeros flop; copies the samples where they lie on a GPU.
#pragma once

#include <vector>

#include "kernels/logistic_steps.hpp"

namespace orrery {

std::vector<double> logistic_optimum(const Context&, const LogisticView&, VectorView<const double> u);

}  // namespace orrery
