#include "runtime/theory/diffusion/mode_moments.hpp"

#include "kernels/core/error.hpp"

namespace orrery::diffusion {

ModeMoments::ModeMoments(const LinearProblem& p, Strategy strategy, const GraphModes& modes,
                         const std::vector<double>& start)
    : agents_(static_cast<size_t>(p.agents)), dimension_(static_cast<size_t>(p.dimension)) {
  check(p);
  expects(p.diagonal && p.common_hessian(), "one diagonal Hessian for all agents");
  expects(modes.agents() == agents_, "a graph of these agents");
  const size_t M = dimension_, all = agents_ * M;
  expects(start.empty() || start.size() == all, "a start per agent");
  for (size_t i = M; i < p.R.size(); ++i) expects(p.R[i] == p.R[i - M], "one noise for all agents");

  h_.assign(p.H.begin(), p.H.begin() + static_cast<std::ptrdiff_t>(M));
  mean_ = start.empty() ? std::vector<double>(all) : modes.project(start);
  input_ = modes.project(p.d);
  gamma_.resize(all), noise_.assign(all, 0.0), added_.resize(all);
  for (size_t i = 0; i < agents_; ++i)
    for (size_t j = 0; j < M; ++j) {
      const ModeResponse r = mode_response(strategy, modes.lambda[i], p.step * h_[j], i == 0);
      gamma_[i * M + j] = 1 - r.complement;
      input_[i * M + j] *= p.step * r.gain;
      added_[i * M + j] = p.step * p.step * r.gain * r.gain * p.R[j] / p.batch;
    }
}

void ModeMoments::step() {
  for (size_t i = 0; i < mean_.size(); ++i) {
    mean_[i] = gamma_[i] * mean_[i] + input_[i];
    noise_[i] = gamma_[i] * gamma_[i] * noise_[i] + added_[i];
  }
}

ExcessRisk ModeMoments::of_modes(size_t count) const {
  ExcessRisk er;
  for (size_t i = 0; i < count * dimension_; ++i) {
    const double h = h_[i % dimension_] / static_cast<double>(2 * agents_);
    er.bias += h * mean_[i] * mean_[i];
    er.noise += h * noise_[i];
  }
  return er;
}
ExcessRisk ModeMoments::excess_risk() const { return of_modes(agents_); }
ExcessRisk ModeMoments::excess_risk_mean() const { return of_modes(1); }

}  // namespace orrery::diffusion
