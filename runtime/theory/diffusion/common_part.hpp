// The part of the excess risk that all strategies share: that of the centralized one, and of the centroid where all agents have
// one Hessian (papers/diffusion-flatness.md 4.3). Start at w*. Exact for any H_k, Hbar and Rbar alone matter. Host only, float64:
//
//   e(n)   = (mu/(2 K B)) Tr[ (I - (I - mu Hbar)^2n) (2 I - mu Hbar)^-1 Rbar ]
//   early  ~ mu^2 n/(2 K B) Tr(Hbar Rbar)      n much below 1/(mu h_max): alignment of Hessian and noise
//   late   ~ mu/(4 K B) Tr(Rbar)               n to infinity and mu h_max much below 1: independent of Hbar
//
// Directions without curvature contribute nothing. Errors  std::logic_error from check(), and for n < 0.
#pragma once

#include "runtime/theory/diffusion/linear_problem.hpp"

namespace orrery::diffusion {

double common_part(const LinearProblem&, double n);  // n may be infinite; infinite where mu h_max >= 2 then
double common_part_early(const LinearProblem&, double n);
double common_part_late(const LinearProblem&);

}  // namespace orrery::diffusion
