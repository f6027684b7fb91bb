// The short-term model around a minimizer w* of J = (1/K) sum_k J_k (papers/diffusion-flatness.md 2, 3). Host only, float64.
//
//   mini-batch gradient of agent k:   ghat_k(w) = H_k (w - w*) + d_k + s_k,    E s_k = 0, Cov s_k = R_k / B, independent
//   sum_k d_k = 0 (w* is stationary), Hbar = (1/K) sum_k H_k, Rbar = (1/K) sum_k R_k
//
// Exact where the J_k are quadratic and the noise does not depend on the state.
//
// Shapes  H, R (K,M,M), symmetric; diagonal problems keep the diagonals alone, (K,M). d (K,M). Row-major.
#pragma once

#include <cstdint>
#include <vector>

namespace orrery::diffusion {

struct LinearProblem {
  int64_t agents = 1, dimension = 1;  // K, M
  bool diagonal = true;
  std::vector<double> H, d, R;
  double step = 0.1;  // mu > 0
  double batch = 1;   // B > 0; infinite: no noise

  int64_t width() const { return diagonal ? dimension : dimension * dimension; }  // numbers of one H_k
  std::vector<double> mean_hessian() const;                                       // Hbar, (M) or (M,M)
  std::vector<double> mean_noise() const;                                         // Rbar, (M) or (M,M)
  bool common_hessian() const;                                                    // all H_k the same numbers
  double heterogeneity() const;                                                   // zeta^2 = (1/K) sum_k |d_k|^2
};

// Throws std::logic_error: wrong sizes, numbers that are not finite, mu or B not above 0, H_k or R_k not symmetric (1e-12 of
// the largest entry), variances below 0, sum_k d_k further from 0 than 1e-9 sum_k |d_k|.
void check(const LinearProblem&);

}  // namespace orrery::diffusion
