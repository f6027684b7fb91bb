// Excess risk in closed form, mode by mode, where all agents share one Hessian and A is symmetric (papers/diffusion-flatness.md
// 4.3). All agents start at w*. For mode i of the graph and curvature h of H, with v_h its direction. Host only, float64:
//
//                   factor gamma_i(h)          input gain c_i
//   centralized     1 - mu h if i = 1, else 0  1 if i = 1, else 0
//   diffusion       lambda_i (1 - mu h)        lambda_i
//   diffusion_cta   lambda_i (1 - mu h)        1
//   consensus       lambda_i - mu h            1
//
//   bias_i,n(h) = mu c_i (1 - gamma^n)/(1 - gamma) <dhat_i, v_h>
//   var_i,n(h)  = mu^2 c_i^2 (1 - gamma^2n)/(1 - gamma^2) (v_h^T Rhat_i v_h)/B
//   ER_n = (1/2K) sum_i sum_h h (bias^2 + var);   the centroid's is mode 1 alone: the same for all four
//
//   biases are ordered, consensus above diffusion, for lambda_i >= 0 and 0 < mu h < 1 at every n; for lambda_i < 0 in the limit
//   exactly while mu h <= (1 - lambda_i^2)/(2 |lambda_i|). Variances always are.
//
// Cost  O(K^2 M^2) to make (K M^3 where H is dense), O(K M) per value, any n.
// Errors  std::logic_error from check(), where the sizes of the problem and the graph differ, or the Hessians do.
#pragma once

#include "runtime/theory/diffusion/axes.hpp"
#include "runtime/theory/diffusion/graph_modes.hpp"
#include "runtime/theory/diffusion/moments.hpp"

namespace orrery::diffusion {

struct ModeResponse {
  double complement = 1;  // 1 - gamma, without cancellation
  double gain = 0;        // c
};
ModeResponse mode_response(Strategy, double lambda, double mu_h, bool mean_mode);

class ModeTheory {
 public:
  ModeTheory(const LinearProblem&, GraphModes);

  // n >= 0 steps; infinity: the limit, infinite where there is none.
  ExcessRisk excess_risk(Strategy, double n) const;
  ExcessRisk excess_risk_mean(Strategy, double n) const;
  ExcessRisk of_mode(Strategy, size_t i, double n) const;  // its part of excess_risk

 private:
  GraphModes modes_;
  Axes axes_;
  double step_, batch_;
  std::vector<double> dhat_, Rhat_;  // (K,M): <dhat_i, v_h>, v_h^T Rhat_i v_h
};

// sum_{t<n} q^t of q = 1 - complement; n may be infinite. Infinite where it does not converge.
double geometric_sum(double complement, double n);

double bias_order_limit(double lambda);  // the largest such mu h; infinite for lambda >= 0. lambda in (-1, 1)

}  // namespace orrery::diffusion
