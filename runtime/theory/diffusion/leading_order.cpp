#include "runtime/theory/diffusion/leading_order.hpp"

#include <cmath>
#include <limits>

#include "kernels/core/error.hpp"
#include "runtime/theory/diffusion/axes.hpp"
#include "runtime/theory/diffusion/common_part.hpp"

namespace orrery::diffusion {
namespace {

// Of the problem as the graph sees it: |dhat_i|^2_Hbar and Tr(Hbar Rhat_i) for every mode.
struct Modal {
  std::vector<double> dhat, pull, noise;  // (K,M), (K), (K)
};

double inner(const std::vector<double>& H, const double* x, size_t M) {  // x^T H x
  double sum = 0;
  for (size_t i = 0; i < M; ++i)
    if (H.size() == M)
      sum += H[i] * x[i] * x[i];
    else
      for (size_t j = 0; j < M; ++j) sum += H[i * M + j] * x[i] * x[j];
  return sum;
}

Modal modal(const LinearProblem& p, const GraphModes& g) {
  check(p);
  expects(g.agents() == static_cast<size_t>(p.agents), "a graph of the problem's agents");
  for (size_t i = 1; i < g.agents(); ++i) expects(std::abs(g.lambda[i]) < 1, "eigenvalues inside (-1, 1)");
  const std::vector<double> H = p.mean_hessian(), R = g.project_squared(p.R);
  Modal out{g.project(p.d), {}, {}};
  for (size_t i = 0; i < g.agents(); ++i) {
    out.pull.push_back(inner(H, &out.dhat[i * static_cast<size_t>(p.dimension)], static_cast<size_t>(p.dimension)));
    double trace = 0;
    for (size_t m = 0; m < H.size(); ++m) trace += H[m] * R[i * H.size() + m];
    out.noise.push_back(trace);
  }
  return out;
}

Strategy gradients_of(Strategy s) { return s == Strategy::diffusion_cta ? Strategy::diffusion : s; }

// q = (1/K) sum_k H_k g_k with g = mu P d of where the gradients are taken.
std::vector<double> pull_on_centroid(const LinearProblem& p, Strategy s, const GraphModes& g, const Modal& modal) {
  const auto M = static_cast<size_t>(p.dimension), K = g.agents(), width = static_cast<size_t>(p.width());
  std::vector<double> q(M);
  for (size_t k = 0; k < K; ++k) {
    std::vector<double> at(M);
    for (size_t i = 1; i < K; ++i)
      for (size_t m = 0; m < M; ++m)
        at[m] += p.step * g.U[k * K + i] * displacement(gradients_of(s), g.lambda[i]) * modal.dhat[i * M + m];
    for (size_t m = 0; m < M; ++m)
      if (p.diagonal)
        q[m] += p.H[k * width + m] * at[m] / static_cast<double>(K);
      else
        for (size_t j = 0; j < M; ++j) q[m] += p.H[k * width + m * M + j] * at[j] / static_cast<double>(K);
  }
  return q;
}

// (1/2) b^T Hbar b in the axes of Hbar: (1/2) sum_h (1 - (1 - mu h)^n)^2 <q, v_h>^2 / h.
double centroid_shift(const LinearProblem& p, const std::vector<double>& q, double n) {
  const Axes a = axes(p.mean_hessian(), p.dimension, p.diagonal);
  const std::vector<double> along = a.project(q.data());
  double sum = 0;
  for (size_t m = 0; m < along.size(); ++m) {
    if (along[m] == 0 || a.h[m] == 0) continue;
    const double gone = 1 - std::pow(1 - p.step * a.h[m], n);
    sum += gone * gone * along[m] * along[m] / (2 * a.h[m]);
  }
  return sum;
}

}  // namespace

double displacement(Strategy s, double lambda) {
  if (s == Strategy::centralized) return 0;
  return (s == Strategy::diffusion ? lambda : 1) / (1 - lambda);
}

double noise_gain(Strategy s, double lambda) {
  if (s == Strategy::centralized) return 0;
  return (s == Strategy::diffusion ? lambda * lambda : 1) / (1 - lambda * lambda);
}

LeadingOrder leading_order(const LinearProblem& p, Strategy s, const GraphModes& g, double n) {
  const Modal modes = modal(p, g);
  const double scale = p.step * p.step / (2 * static_cast<double>(p.agents));
  LeadingOrder er{.common = common_part(p, n)};
  if (s == Strategy::centralized) return er;
  for (size_t i = 1; i < g.agents(); ++i) {
    er.heterogeneity += scale * std::pow(displacement(s, g.lambda[i]), 2) * modes.pull[i];
    er.noise += scale / p.batch * noise_gain(s, g.lambda[i]) * modes.noise[i];
  }
  if (!p.common_hessian()) er.centroid = centroid_shift(p, pull_on_centroid(p, s, g, modes), n);
  return er;
}

double large_batch(const LinearProblem& p, Strategy s, const GraphModes& g) {
  const Modal modes = modal(p, g);
  double pull = 0, trace = 0;
  for (size_t i = 1; i < g.agents(); ++i) pull += std::pow(displacement(s, g.lambda[i]), 2) * modes.pull[i];
  const std::vector<double> R = axes(p.mean_hessian(), p.dimension, p.diagonal).variance(p.mean_noise().data());
  for (const double r : R) trace += r;
  return pull > 0 ? trace / (2 * p.step * pull) : std::numeric_limits<double>::infinity();
}

double consensus_minus_diffusion(const LinearProblem& p, const GraphModes& g) {
  const Modal modes = modal(p, g);
  double sum = 0;
  for (size_t i = 1; i < g.agents(); ++i)
    sum += (1 + g.lambda[i]) / (1 - g.lambda[i]) * modes.pull[i] + modes.noise[i] / p.batch;
  return p.step * p.step / (2 * static_cast<double>(p.agents)) * sum;
}

}  // namespace orrery::diffusion
