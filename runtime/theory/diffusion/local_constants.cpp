#include "runtime/theory/diffusion/local_constants.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "kernels/core/error.hpp"
#include "runtime/theory/diffusion/leading_order.hpp"
#include "runtime/theory/diffusion/stability.hpp"

namespace orrery::diffusion {

std::vector<double> mode_pull(const LocalConstants& c, const GraphModes& g) {
  const size_t K = g.agents();
  expects(static_cast<int64_t>(K) == c.agents && c.inner.size() == K * K, "products of every pair of agents");
  const std::vector<double> half = g.project(c.inner);  // row i: sum_k U_ki inner_k
  std::vector<double> pull(K);
  for (size_t i = 0; i < K; ++i)
    for (size_t l = 0; l < K; ++l) pull[i] += half[i * K + l] * g.U[l * K + i];
  return pull;
}

std::vector<double> mode_noise(const LocalConstants& c, const GraphModes& g) {
  expects(static_cast<int64_t>(g.agents()) == c.agents && c.noise.size() == g.agents(), "the noise of every agent");
  return g.project_squared(c.noise);
}

double early_slope(const LocalConstants& c, double step, double batch) {
  return step * step / (2 * static_cast<double>(c.agents) * batch) * c.trace_HR;
}

double late_common(const LocalConstants& c, double step, double batch) {
  return step / (4 * static_cast<double>(c.agents) * batch) * c.trace_R;
}

Disagreement disagreement(const LocalConstants& c, Strategy s, const GraphModes& g, double step, double batch) {
  for (size_t i = 1; i < g.agents(); ++i) expects(std::abs(g.lambda[i]) < 1, "eigenvalues inside (-1, 1)");
  const std::vector<double> pull = mode_pull(c, g), noise = mode_noise(c, g);
  double displaced = 0, spread = 0;
  for (size_t i = 1; i < g.agents(); ++i) {
    displaced += std::pow(displacement(s, g.lambda[i]), 2) * pull[i];
    spread += noise_gain(s, g.lambda[i]) * noise[i];
  }
  const double scale = step * step / (2 * static_cast<double>(c.agents));
  return {scale * displaced, scale / batch * spread,
          displaced > 0 ? c.trace_R / (2 * step * displaced) : std::numeric_limits<double>::infinity()};
}

std::optional<std::string> step_warning(const LocalConstants& c, Strategy s, const Mixing& A, double step) {
  const double limit = curvature_limit(s, A);
  if (!(c.top_H > 0) || step * c.top_H < limit) return std::nullopt;
  return fmt::format(
      "the step size {:.6g} is not below {:.6g}, the stability limit of {} at the start ({:.6g} over the largest "
      "eigenvalue {:.6g} of the Hessian): the error may grow until the curvature falls; lower the step size{}",
      step, limit / c.top_H, name(s), limit, c.top_H, s == Strategy::consensus ? ", or make the mixing lazy" : "");
}

}  // namespace orrery::diffusion
