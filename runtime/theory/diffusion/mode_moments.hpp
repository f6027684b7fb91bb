// The recursion of moments.hpp mode by mode, where all agents share one diagonal Hessian and one noise, and A is symmetric and stays
// (papers/diffusion-flatness.md 4.3): hundreds to thousands of agents and parameters. Any start. Host only, float64.
//
//   in mode i and coordinate h, with gamma and c of mode_theory.hpp:  m <- gamma m + mu c dhat_ih,   v <- gamma^2 v + mu^2 c^2 R_h / B
//   ER_n = (1/2K) sum_i sum_h h (m^2 + v); the centroid's is mode 1 alone
//
// Memory  K^2 + 3 K M numbers. Cost: projecting K^2 M once, K M a step.
// Errors  std::logic_error from check(), where H or R differ between agents, are not diagonal, or sizes differ.
#pragma once

#include "runtime/theory/diffusion/mode_theory.hpp"

namespace orrery::diffusion {

class ModeMoments {
 public:
  ModeMoments(const LinearProblem&, Strategy, const GraphModes&,
              const std::vector<double>& start = {});  // wt_k,0 (K,M)

  void step();
  ExcessRisk excess_risk() const;
  ExcessRisk excess_risk_mean() const;

 private:
  ExcessRisk of_modes(size_t count) const;  // the first `count`
  size_t agents_, dimension_;
  std::vector<double> h_;              // (M)
  std::vector<double> mean_, input_;   // (K,M): m, mu c dhat
  std::vector<double> gamma_;          // (K,M)
  std::vector<double> noise_, added_;  // (K,M): v, mu^2 c^2 R / B
};

}  // namespace orrery::diffusion
