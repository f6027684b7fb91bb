#include "runtime/theory/diffusion/stability.hpp"

#include <fmt/format.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "kernels/core/error.hpp"
#include "runtime/network/spectrum.hpp"
#include "runtime/theory/diffusion/axes.hpp"
#include "runtime/theory/diffusion/error_recursion.hpp"

namespace orrery::diffusion {

double largest_curvature(const LinearProblem& p, Strategy s) {
  check(p);
  if (s == Strategy::centralized) return axes(p.mean_hessian(), p.dimension, p.diagonal).largest();
  if (p.diagonal) return *std::max_element(p.H.begin(), p.H.end());
  double largest = -std::numeric_limits<double>::infinity();
  for (auto H = p.H.begin(); H != p.H.end(); H += p.width())
    largest = std::max(largest, axes({H, H + p.width()}, p.dimension, false).largest());
  return largest;
}

double curvature_limit(Strategy s, const Mixing& A) {
  if (s != Strategy::consensus) return 2;
  double limit = 2;  // of the eigenvalue 1
  for (const auto lambda : spectrum(A, std::vector<double>(static_cast<size_t>(A.nodes()), 1.0)).values)
    limit = std::min(limit, lambda.real() + std::sqrt(std::max(0.0, 1 - lambda.imag() * lambda.imag())));
  return limit;
}

double step_limit(const LinearProblem& p, Strategy s, const Mixing& A) {
  expects(A.nodes() == p.agents, "a combination matrix with a column per agent");
  const double h = largest_curvature(p, s);
  return h > 0 ? curvature_limit(s, A) / h : std::numeric_limits<double>::infinity();
}

double spectral_radius(const LinearProblem& p, Strategy s, const Mixing& A) {
  check(p);
  expects(A.nodes() == p.agents, "a combination matrix with a column per agent");
  double radius = 0;
  for (const ErrorRecursion& part : error_recursions(p, s)) {
    std::vector<double> L = part.linear_part(A), re(part.size()), im(part.size());
    const auto n = static_cast<lapack_int>(part.size());
    if (LAPACKE_dgeev(LAPACK_ROW_MAJOR, 'N', 'N', n, L.data(), n, re.data(), im.data(), nullptr, n, nullptr, n) != 0)
      throw std::runtime_error("the eigenvalue routine did not converge");
    for (size_t i = 0; i < part.size(); ++i) radius = std::max(radius, std::hypot(re[i], im[i]));
  }
  return radius;
}

std::optional<std::string> step_warning(const LinearProblem& p, Strategy s, const Mixing& A) {
  const double limit = step_limit(p, s, A);
  if (p.step < limit) return std::nullopt;
  return step_sentence(s, p.step, curvature_limit(s, A), largest_curvature(p, s),
                       s == Strategy::centralized || p.common_hessian());
}

std::string step_sentence(Strategy s, double step, double curvature_limit, double curvature, bool exact) {
  return fmt::format(
      "the step size {:.6g} is not below {:.6g}, the stability limit of {} ({:.6g} over the largest curvature {:.6g}): "
      "the error {}; lower the step size{}",
      step, curvature_limit / curvature, name(s), curvature_limit, curvature,
      exact ? "grows without bound" : "may grow without bound",
      s == Strategy::consensus ? ", or make the mixing lazy" : "");
}

}  // namespace orrery::diffusion
