#include "runtime/theory/compressed/problem.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/compressed/compressed.hpp"
#include "runtime/compressed/laplacian.hpp"

namespace orrery::compressed_theory {
namespace {

using Method = CompressedSpec::Method;

constexpr int64_t most_numbers = int64_t{1} << 21;

bool lead_family(Method m) { return m == Method::lead || m == Method::prox_lead || m == Method::cedas; }

void read_quadratics(const QuadraticRisk& risk, const std::vector<double>& weights, bool batches, Problem& p) {
  const auto n = static_cast<int64_t>(weights.size()), P = risk.dimension;
  p.quadratic = true;
  p.noisy = batches && risk.noise_sq > 0;
  std::vector<double> steepest(weights.size());
  p.mu = HUGE_VAL;
  for (int64_t j = 0; j < P; ++j) {
    double above = 0, below = 0;
    for (int64_t i = 0; i < n; ++i) {
      const auto row = static_cast<size_t>(i);
      const double a = risk.curvature(i, j);
      above += weights[row] * a * risk.center(i, j), below += weights[row] * a;
      steepest[row] = std::max(steepest[row], a);
    }
    const double best = below > 0 ? above / below : 0.0;
    p.L = std::max(p.L, below), p.mu = std::min(p.mu, below);
    for (int64_t i = 0; i < n && !p.heterogeneous; ++i)
      p.heterogeneous = std::abs(risk.curvature(i, j) * (best - risk.center(i, j))) > 1e-12 * below;
    if (n * P <= most_numbers) p.optimum.push_back(best);
  }
  for (size_t i = 0; i < weights.size(); ++i) p.Lt += weights[i] * steepest[i] * steepest[i];
  p.Lt = std::sqrt(p.Lt);
  for (int64_t i = 0; i < n && !p.optimum.empty(); ++i)
    for (int64_t j = 0; j < P; ++j) p.curvature.push_back(risk.curvature(i, j)), p.center.push_back(risk.center(i, j));
}

}  // namespace

std::vector<double> gradients_at_optimum(const Problem& p) {
  std::vector<double> g(p.curvature.size());
  for (size_t i = 0; i < g.size(); ++i) g[i] = p.curvature[i] * (p.optimum[i % p.optimum.size()] - p.center[i]);
  return g;
}

Problem problem_of(const Experiment& e, size_t index, const RunResult& r) {
  const Arm& arm = e.arms[index];
  const Network& network = *r.arms[index].network;
  const CompressedSpec& s = *arm.algorithm->compressed();
  Problem p;
  if (!s.star()) p.laplacian = laplacian_of(network, s.unit_laplacian);
  const bool batches = std::any_of(arm.step.batch.begin(), arm.step.batch.end(), [](int64_t b) { return b > 0; });
  if (const auto risk = arm.model->quadratic_risk()) read_quadratics(*risk, network.weights(), batches, p);

  if (!arm.step.drops.empty())
    p.why_not_linear = "the step drops during the run";
  else if (s.takes_gradients() && !p.quadratic)
    p.why_not_linear = "gradients are not linear in the model";
  else if (r.parameters * e.workers() > most_numbers)
    p.why_not_linear = "too many nodes and parameters for the exact recursion";
  else if (s.method == Method::prox_lead && s.l1 > 0)
    p.why_not_linear = "the proximal step of |x|_1 is not linear";

  if (!s.takes_gradients()) return p;
  const BankShape shape = bank_shape(arm.model->layout(r.features, r.classes), r.parameters);
  const bool sends_all = s.compresses() && arm.compressor->traits(shape).delta.value_or(0) == 1;
  double dual = 0;
  for (const auto& row : s.dual_start)
    for (const double v : row) dual += v;
  if (p.quadratic && !(p.mu > 0))
    p.why_not_optimum = "a coordinate has no curvature, so there is no one minimum";
  else if (s.has_dual() && !(s.beta > 0))
    p.why_not_optimum = "without a dual gain (beta = 0) the nodes settle beside the optimum";
  else if (s.has_dual() && std::abs(dual) > 1e-12)
    p.why_not_optimum = "the dual states do not sum to zero, and the limit lies beside the optimum";
  else if ((s.method == Method::choco_sgd || (s.method == Method::ef_sgd && !sends_all)) && p.heterogeneous)
    p.why_not_optimum = "at a constant step and with objectives that differ it settles beside the optimum";
  else if (p.noisy)
    p.why_not_optimum = "noise of the gradients keeps the error at a floor";
  return p;
}

LoopState start_of(const Experiment& e, size_t index, const Problem& p) {
  const Arm& arm = e.arms[index];
  const CompressedSpec& s = *arm.algorithm->compressed();
  int64_t rows = 1;
  const auto start = replica_starts(e, *arm.model, &rows)[0];
  const auto n = static_cast<size_t>(e.workers()), P = start.size() / static_cast<size_t>(rows);
  const auto at = [&](size_t i, size_t j) { return start[(rows > 1 ? i * P : 0) + j]; };

  // what x goes to: the optimum, or the mean of the start
  std::vector<double> limit = p.optimum;
  if (!s.takes_gradients()) {
    limit.assign(P, 0.0);
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < P; ++j) limit[j] += at(i, j) / static_cast<double>(n);
  }
  LoopState z;
  const std::vector<double> g = s.takes_gradients() ? gradients_at_optimum(p) : std::vector<double>{};
  const bool lead = lead_family(s.method), server = s.star();
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < P; ++j) {
      const size_t k = i * P + j;
      z.x.push_back(at(i, j) - limit[j]);
      if (s.has_dual()) {
        const double eta = s.method == Method::compressed_primal_dual ? 1.0 : s.eta;
        const double given = s.dual_start.empty() ? 0.0 : s.dual_start[i][s.dual_start[i].size() == 1 ? 0 : j];
        z.v.push_back(given + eta / s.beta * g[k]);
      }
      if (lead) z.v.push_back(s.method == Method::cedas ? arm.step.learning_rate * g[k] : g[k]);
      if (s.method == Method::ef21)
        z.h.push_back(-g[k]);
      else if (s.method == Method::ef_sgd)
        z.h.push_back(0);
      else if (server || !s.is_flow() || s.observes())
        z.h.push_back(-limit[j]);
    }
  return z;
}

std::string why_not_strongly_convex(const ModelSpec& model, const Problem& p) {
  if (p.quadratic) return p.mu > 0 ? "" : "a coordinate of the quadratics has no curvature";
  if (const auto linear = model.linear_curvature())
    return linear->l2 > 0 ? "the objective is convex, and strongly so in the weights but not in the biases"
                          : "the objective is convex, not strongly";
  return "the objective is not convex, or nothing is known of that";
}

}  // namespace orrery::compressed_theory
