// Leading order of the excess risk from a few numbers of the neighbourhood of w*, without a Hessian (papers/diffusion-flatness.md 4.4, 4.5):
// what leading_order.hpp says of a LinearProblem, for models of any size. Host only, float64.
//
//   pull_i   |dhat_i|^2_Hbar = u_i^T (D Hbar D^T) u_i,  D (K,P) = rows d_k = grad J_k(w*)
//   noise_i  Tr(Hbar Rhat_i) = sum_k U_ki^2 Tr(Hbar R_k)
//   e(n)     early ~ n mu^2/(2KB) Tr(Hbar Rbar),  late ~ mu/(4KB) Tr(Rbar)
//   D = (mu^2/2K) sum_{i>=2} p_i^2 pull_i,  V = (mu^2/2KB) sum_{i>=2} q_i noise_i,  B* = Tr(Rbar)/(2 mu sum_{i>=2} p_i^2 pull_i)
//
// Modes i >= 2 do not see what all d_k have in common, so that a w* that is no exact minimizer leaves D as it is.
// Left out: Cb, the shift of the centroid where the H_k differ, which needs products with every H_k.
// Errors  std::logic_error where sizes differ or |lambda_i| = 1 for i >= 2.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/theory/diffusion/graph_modes.hpp"
#include "runtime/theory/diffusion/strategy.hpp"

namespace orrery::diffusion {

struct LocalConstants {
  int64_t agents = 1;                         // K
  double trace_H = 0, trace_H_error = 0;      // Tr(Hbar), and the standard error of its estimate
  double top_H = 0, top_H_residual = 0;       // lambda_max(Hbar); an eigenvalue lies within the residual times it
  double trace_R = 0;                         // Tr(Rbar)
  double trace_HR = 0, trace_HR_error = 0;    // Tr(Hbar Rbar)
  std::vector<double> noise;                  // (K) Tr(Hbar R_k)
  double heterogeneity = 0, gradient_sq = 0;  // zeta^2 = (1/K) sum_k |d_k|^2; |grad J|^2, 0 at a minimizer
  std::vector<double> inner;                  // (K,K) d_k^T Hbar d_l; empty where too large to take
  std::string hessian_of, noise_of, sums_of;  // which samples; of Tr(Hbar R_k) what beyond noise_of
  std::string no_inner;                       // why `inner` is empty
};

std::vector<double> mode_pull(const LocalConstants&, const GraphModes&);   // (K)
std::vector<double> mode_noise(const LocalConstants&, const GraphModes&);  // (K)

double early_slope(const LocalConstants&, double step, double batch);  // of e(n), per step; batch may be infinite
double late_common(const LocalConstants&, double step, double batch);

struct Disagreement {
  double heterogeneity = 0, noise = 0;  // D, V
  double large_batch = 0;               // B*; infinite where nothing is heterogeneous, or centralized
};
Disagreement disagreement(const LocalConstants&, Strategy, const GraphModes&, double step, double batch);

// One sentence where mu lambda_max(Hbar) is not below what `A` allows (stability.hpp).
std::optional<std::string> step_warning(const LocalConstants&, Strategy, const Mixing& A, double step);

}  // namespace orrery::diffusion
