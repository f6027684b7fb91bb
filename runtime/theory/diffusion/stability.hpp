// Up to which step size the error of a strategy stays bounded (papers/diffusion-flatness.md 4.4). Host only, float64.
//
//   centralized      mu h_max(Hbar) < 2                                                     exact, any H_k
//   diffusion, CTA   mu h_max < 2                                                           exact for common H
//   consensus        mu h_max < min_i Re(lambda_i) + sqrt(1 - Im(lambda_i)^2)               exact for common H
//                    (= 1 + lambda_min for a real spectrum)
//
// h_max is the largest curvature of any agent. Where the H_k differ these steps suffice if A is symmetric, all H_k >= 0 and
// Hbar > 0 (|I - mu H_k| <= 1; lambda_min(A - mu calH) > -1); larger ones may do, and the spectral radius decides.
//
// Cost  the limit one spectrum of A, O(K^3); the radius M general eigenvalue problems of size K, or one of K M.
// Errors  std::logic_error from check() and where sizes differ; std::runtime_error where LAPACK does not converge.
#pragma once

#include <optional>
#include <string>

#include "runtime/network/network.hpp"
#include "runtime/theory/diffusion/linear_problem.hpp"
#include "runtime/theory/diffusion/strategy.hpp"

namespace orrery::diffusion {

double largest_curvature(const LinearProblem&, Strategy);  // of Hbar where centralized, else of any H_k

double curvature_limit(Strategy, const Mixing& A);  // what mu h_max must stay below

// mu itself: the curvature limit over the largest curvature; infinite where nothing curves upward.
double step_limit(const LinearProblem&, Strategy, const Mixing& A);

// Largest modulus of the eigenvalues of calB = calA2 (calA1 - mu calH). Below 1: the moments have a limit.
double spectral_radius(const LinearProblem&, Strategy, const Mixing& A);

// One sentence that names the limit where mu is not below it; nothing else. For the network, exact or sufficient as above.
std::optional<std::string> step_warning(const LinearProblem&, Strategy, const Mixing& A);

// That sentence from its numbers; exact: the error surely grows.
std::string step_sentence(Strategy, double step, double curvature_limit, double curvature, bool exact);

}  // namespace orrery::diffusion
