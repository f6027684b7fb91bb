#include "runtime/theory/diffusion/mode_theory.hpp"

#include <cmath>
#include <limits>

#include "kernels/core/error.hpp"

namespace orrery::diffusion {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

// Rows (K, M or M*M) to the axes: <., v_h> or v_h^T . v_h, (K,M).
template <class Along>
std::vector<double> along(const std::vector<double>& rows, size_t K, Along onto) {
  std::vector<double> out;
  for (size_t i = 0; i < K; ++i) {
    const std::vector<double> values = onto(&rows[i * (rows.size() / K)]);
    out.insert(out.end(), values.begin(), values.end());
  }
  return out;
}

}  // namespace

double geometric_sum(double t, double n) {
  expects(n >= 0, "steps of 0 at least");
  if (t == 0) return n;
  if (std::isinf(n)) return t > 0 && t < 2 ? 1 / t : infinite;
  // close to q = 1 the difference 1 - q^n cancels; below q = 1/2 it does not
  return t < 0.5 ? -std::expm1(n * std::log1p(-t)) / t : (1 - std::pow(1 - t, n)) / t;
}

ModeResponse mode_response(Strategy strategy, double lambda, double mu_h, bool mean_mode) {
  if (mean_mode) return {mu_h, 1};
  switch (strategy) {
    case Strategy::centralized: return {1, 0};
    case Strategy::consensus: return {1 - lambda + mu_h, 1};
    case Strategy::diffusion: return {1 - lambda + lambda * mu_h, lambda};
    case Strategy::diffusion_cta: return {1 - lambda + lambda * mu_h, 1};
  }
  return {};
}

ModeTheory::ModeTheory(const LinearProblem& p, GraphModes modes)
    : modes_(std::move(modes)), step_(p.step), batch_(p.batch) {
  check(p);
  expects(modes_.agents() == static_cast<size_t>(p.agents), "a graph of the problem's agents");
  expects(p.common_hessian(), "agents that share one Hessian");
  axes_ = axes({p.H.begin(), p.H.begin() + p.width()}, p.dimension, p.diagonal);
  dhat_ = along(modes_.project(p.d), modes_.agents(), [&](const double* x) { return axes_.project(x); });
  Rhat_ = along(modes_.project_squared(p.R), modes_.agents(), [&](const double* x) { return axes_.variance(x); });
  for (size_t m = 0; m < axes_.h.size(); ++m) dhat_[m] = 0;  // sum_k d_k = 0, without the rounding
}

ExcessRisk ModeTheory::of_mode(Strategy strategy, size_t i, double n) const {
  expects(i < modes_.agents(), "a mode of the graph");
  ExcessRisk er;
  for (size_t m = 0; m < axes_.h.size(); ++m) {
    const double h = axes_.h[m], scale = h / (2 * static_cast<double>(modes_.agents()));
    const ModeResponse r = mode_response(strategy, modes_.lambda[i], step_ * h, i == 0);
    if (h == 0 || r.gain == 0) continue;
    const size_t at = i * axes_.h.size() + m;
    const double push = step_ * r.gain * dhat_[at], shake = step_ * step_ * r.gain * r.gain * Rhat_[at] / batch_;
    // 1 - gamma^2 = (1 - gamma)(2 - (1 - gamma))
    if (push != 0) er.bias += scale * std::pow(push * geometric_sum(r.complement, n), 2);
    if (shake != 0) er.noise += scale * shake * geometric_sum(r.complement * (2 - r.complement), n);
  }
  return er;
}

ExcessRisk ModeTheory::excess_risk(Strategy strategy, double n) const {
  ExcessRisk er;
  for (size_t i = 0; i < modes_.agents(); ++i) {
    const ExcessRisk mode = of_mode(strategy, i, n);
    er.bias += mode.bias, er.noise += mode.noise;
  }
  return er;
}

ExcessRisk ModeTheory::excess_risk_mean(Strategy strategy, double n) const { return of_mode(strategy, 0, n); }

double bias_order_limit(double lambda) {
  expects(lambda > -1 && lambda < 1, "an eigenvalue inside (-1, 1)");
  return lambda < 0 ? (1 - lambda * lambda) / (-2 * lambda) : infinite;
}

}  // namespace orrery::diffusion
