// Eigenpairs of a symmetric combination matrix (papers/diffusion-flatness.md 2): A u_i = lambda_i u_i, U = [u_1 ... u_K].
// Host only, float64; O(K^3) in LAPACK.
//
//   lambda_1 = 1 with u_1 = 1/sqrt(K) exactly, then descending;  lambda_2 < 1
//   rho_2 = max_{i>=2} |lambda_i|, gap 1 - rho_2;   projections  dhat_i = sum_k U_ki d_k,  Rhat_i = sum_k U_ki^2 R_k
#pragma once

#include <vector>

#include "runtime/network/network.hpp"

namespace orrery::diffusion {

struct GraphModes {
  std::vector<double> lambda;  // (K)
  std::vector<double> U;       // (K,K), row = agent, column = mode

  size_t agents() const { return lambda.size(); }
  double second() const { return lambda.size() > 1 ? lambda[1] : 0; }  // lambda_2; 0 if K = 1
  double smallest() const { return lambda.back(); }
  double rho() const;  // rho_2; 0 if K = 1
  double gap() const { return 1 - rho(); }

  // x (K, width) over agents to (K, width) over modes, with U_ki or U_ki^2.
  std::vector<double> project(const std::vector<double>& x) const;
  std::vector<double> project_squared(const std::vector<double>& x) const;
};

// Throws NetworkError where A is not symmetric (1e-12), its rows do not sum to one (1e-9), or 1 is not a simple eigenvalue
// (1e-10): modes with lambda_2 = 1 never agree.
GraphModes graph_modes(const Mixing& A);

}  // namespace orrery::diffusion
