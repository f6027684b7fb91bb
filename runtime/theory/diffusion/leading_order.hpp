// Excess risk to leading order in mu for any H_k, A symmetric (papers/diffusion-flatness.md 4.4). All agents start at w*; n much
// above 1/(1 - rho_2), mu h_max much below 1 - lambda_2. Host only, float64:
//
//   ER_n ~ e(n) + D + Cb + V                       e(n): common_part.hpp
//   m    = mu P d, P = sum_{i>=2} p_i u_i u_i^T    displacement of the agents, (K,M)
//   D    = (1/2K) sum_k m_k^T Hbar m_k = (mu^2/2K) sum_{i>=2} p_i^2 |dhat_i|^2_Hbar
//   Cb   = (1/2) b^T Hbar b,  b = -(I - (I - mu Hbar)^n) Hbar^-1 q,  q = (1/K) sum_k H_k g_k     shift of the centroid
//   V    = (mu^2/2KB) sum_{i>=2} q_i Tr(Hbar Rhat_i)
//
//                   p_i                      g_k: where agent k takes gradients   q_i
//   centralized     0                        0                                    0
//   diffusion       lambda_i/(1 - lambda_i)  m_k                                  lambda_i^2/(1 - lambda_i^2)
//   consensus       1/(1 - lambda_i)         m_k                                  1/(1 - lambda_i^2)
//   diffusion_cta   1/(1 - lambda_i)         that of diffusion                    1/(1 - lambda_i^2)
//
//   B*: D alone equals mu Tr(Rbar)/(4 K B*), the late noise; above it heterogeneity dominates:
//       B* = Tr(Rbar) / (2 mu sum_{i>=2} p_i^2 |dhat_i|^2_Hbar)            infinite where nothing is heterogeneous, or centralized
//   consensus - diffusion (common H) = (mu^2/2K) sum_{i>=2} [(1+lambda_i)/(1-lambda_i) |dhat_i|^2_Hbar + Tr(Hbar Rhat_i)/B]
//
// The ratio to the exact recursion tends to 1 linearly in mu; larger mu are over-estimated. The row of diffusion_cta follows
// from the recursion in the same way and is not in the digest.
// Errors  std::logic_error from check(), for n < 0, where the sizes of problem and graph differ, or |lambda_i| = 1 for i >= 2.
#pragma once

#include "runtime/theory/diffusion/graph_modes.hpp"
#include "runtime/theory/diffusion/linear_problem.hpp"
#include "runtime/theory/diffusion/strategy.hpp"

namespace orrery::diffusion {

double displacement(Strategy, double lambda);  // p_i
double noise_gain(Strategy, double lambda);    // q_i

struct LeadingOrder {
  double common = 0, heterogeneity = 0, centroid = 0, noise = 0;  // e(n), D, Cb, V
  double total() const { return common + heterogeneity + centroid + noise; }
};
LeadingOrder leading_order(const LinearProblem&, Strategy, const GraphModes&, double n);  // n may be infinite

double large_batch(const LinearProblem&, Strategy, const GraphModes&);  // B*; does not read the batch

double consensus_minus_diffusion(const LinearProblem&, const GraphModes&);

}  // namespace orrery::diffusion
