// Expected metrics of a run on quadratics at its record points, exact: the moments of dispersion.hpp coordinate by coordinate.
//
//   dispersion of a tier   sum over coordinates of E (its split)
//   grad_norm_sq           sum_j E (H_j u_j - R_j)^2,   H_j = sum_i a_i a_ij, R_j = sum_i a_i a_ij c_ij
//
// Coordinates with equal curvature, centres, start and noise are computed once. Cost: distinct coordinates x (steps x W where all curvatures are 0,
// else steps x W^2); refused with `why_not` above 5e8 operations.
#pragma once

#include <string>
#include <vector>

#include "models/model.hpp"
#include "runtime/network/network.hpp"

namespace orrery {

struct QuadraticCurves {
  std::vector<std::vector<double>> dispersion;  // [tier, then the top nodes][record point]
  std::vector<double> consensus_distance, grad_norm_sq;
  std::string why_not;
};
struct QuadraticRun {
  double learning_rate = 0;
  std::vector<int64_t> batch;  // (W), 0: whole gradients, no noise
  // (1, P) or (W, P): of each replica, or one for all. Expectations are means over them.
  std::vector<std::vector<double>> starts;
  int64_t start_rows = 1;
  std::vector<int64_t> record_steps;  // ascending
};
QuadraticCurves quadratic_curves(const QuadraticRisk&, const Network&, const QuadraticRun&);

}  // namespace orrery
