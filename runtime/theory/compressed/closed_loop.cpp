#include "runtime/theory/compressed/closed_loop.hpp"

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

#include "kernels/core/error.hpp"

namespace orrery::compressed_theory {
namespace {

using Method = CompressedSpec::Method;
constexpr int64_t largest_order = 600;
constexpr int64_t fewest_factors = 400;

std::vector<std::complex<double>> eigenvalues(std::vector<double> matrix) {
  const auto n = static_cast<lapack_int>(std::lround(std::sqrt(static_cast<double>(matrix.size()))));
  std::vector<double> re(static_cast<size_t>(n)), im(re.size());
  if (LAPACKE_dgeev(LAPACK_COL_MAJOR, 'N', 'N', n, matrix.data(), n, re.data(), im.data(), nullptr, n, nullptr, n) != 0)
    throw std::runtime_error("the eigenvalue routine did not converge");
  std::vector<std::complex<double>> all;
  for (size_t i = 0; i < re.size(); ++i) all.emplace_back(re[i], im[i]);
  return all;
}

double norm(const LoopState& z) {
  double sum = 0;
  for (const auto* bank : {&z.x, &z.v, &z.h})
    for (const double x : *bank) sum += x * x;
  return std::sqrt(sum);
}

}  // namespace

ClosedLoop::ClosedLoop(const CompressedSpec& spec, double learning_rate, const std::vector<double>& weights,
                       const Mixing& laplacian, const std::vector<double>& curvature, LinearMaps& maps)
    : spec_(spec),
      s_(learning_rate),
      weights_(weights),
      laplacian_(laplacian),
      curvature_(curvature),
      maps_(maps),
      n_(static_cast<int64_t>(weights.size())),
      P_(maps.parameters()),
      has_v_(spec.has_dual() || spec.method == Method::lead || spec.method == Method::prox_lead ||
             spec.method == Method::cedas),
      has_h_(!spec.is_flow() || spec.observes()) {
  expects(spec.takes_gradients() ? curvature.size() == weights.size() * static_cast<size_t>(P_) : curvature.empty(),
          "curvatures of shape (n, P) where gradients are taken");
  expects(spec.star() || laplacian.nodes() == n_, "a Laplacian of n nodes");
}

LoopState ClosedLoop::zero(int64_t m) const {
  const std::vector<double> bank(static_cast<size_t>(n_ * m), 0.0);
  return {bank, has_v_ ? bank : std::vector<double>{}, has_h_ ? bank : std::vector<double>{}};
}

double ClosedLoop::step_cost(int64_t m) const {
  const double links = spec_.star() ? 0 : static_cast<double>(laplacian_.source.size());
  const double maps = static_cast<double>(P_) * (maps_.alike() ? 1 : static_cast<double>(n_));  // at() fills them whole
  return static_cast<double>(m) * (2 * links + 20 * static_cast<double>(n_)) + 2 * maps;
}

std::vector<double> ClosedLoop::period_matrix(int64_t first, int64_t m) {
  const auto bank = static_cast<size_t>(n_ * m), order = static_cast<size_t>(banks()) * bank;
  std::vector<double> matrix;
  for (size_t c = 0; c < order; ++c) {
    LoopState z = zero(m);
    auto* const second = has_v_ ? &z.v : &z.h;
    (c < bank ? z.x : c < 2 * bank ? *second : z.h)[c % bank] = 1;
    // only what can be reached: modes at rest are projected out, a server has one model
    if (!spec_.takes_gradients()) take_mean_out(m, z.x);
    if (has_v_) take_mean_out(m, z.v);
    if (spec_.star() && c < bank)
      for (int64_t i = 0; i < n_; ++i)
        z.x[static_cast<size_t>(i) * static_cast<size_t>(m) + c % static_cast<size_t>(m)] =
            weights_[c / static_cast<size_t>(m)];
    for (int64_t t = 0; t < maps_.period(); ++t) step(t, first, m, z);
    for (const auto* b : {&z.x, &z.v, &z.h}) matrix.insert(matrix.end(), b->begin(), b->end());
  }
  return matrix;
}

std::optional<LoopDecay> ClosedLoop::decay(int64_t steps, double operations) {
  const int64_t T = maps_.period();
  // coordinates that do not mix, one of each kind; else all together
  std::vector<int64_t> firsts{0};
  if (maps_.diagonal() && !curvature_.empty()) {
    std::set<std::vector<double>> seen;
    firsts.clear();
    for (int64_t j = 0; j < P_; ++j) {
      std::vector<double> column;
      for (int64_t i = 0; i < n_; ++i) column.push_back(curvature_[static_cast<size_t>(i * P_ + j)]);
      if (seen.insert(column).second) firsts.push_back(j);
    }
  }
  const int64_t m = maps_.diagonal() ? 1 : P_, order = banks() * n_ * m;
  const auto size = static_cast<double>(order);
  if (T > 0 && order <= largest_order &&
      static_cast<double>(firsts.size()) * (20 * size * size * size + size * static_cast<double>(T) * step_cost(m)) <=
          operations * 10) {
    LoopDecay d{.period = T};
    d.radius = 0;
    for (const int64_t first : firsts)
      for (const auto lambda : eigenvalues(period_matrix(first, m))) {
        d.radius = std::max(d.radius, std::abs(lambda));
        if (T == 1) d.eigenvalues.push_back(lambda);
      }
    d.decay = -std::log(d.radius) / static_cast<double>(T);
    return d;
  }

  // the growth of one product, from a start that is in no special place
  const auto factors = static_cast<int64_t>(std::min(static_cast<double>(steps), operations / step_cost(P_)));
  if (factors < fewest_factors) return std::nullopt;
  LoopState z = zero(P_);
  double place = 0;
  for (auto* bank : {&z.x, &z.v, &z.h})
    for (double& x : *bank) place += 0.6180339887498949, place -= std::floor(place), x = place - 0.5;
  if (spec_.star())
    for (int64_t i = 1; i < n_; ++i) std::copy_n(z.x.begin(), P_, z.x.begin() + i * P_);
  double length = 0, half = 0;
  for (int64_t t = 0; t < factors; ++t) {
    step(t, 0, P_, z);
    const double now = norm(z);
    if (now == 0 || !std::isfinite(now)) return std::nullopt;
    length += std::log(now);
    for (auto* bank : {&z.x, &z.v, &z.h})
      for (double& x : *bank) x /= now;
    if (t + 1 == factors / 2) half = length;
  }
  LoopDecay d{.period = 0, .exact = false, .steps = factors};
  d.decay = (half - length) / static_cast<double>(factors - factors / 2);
  d.radius = std::exp(-d.decay);
  return d;
}

std::optional<int64_t> ClosedLoop::first_below(const LoopState& start, double tolerance, int64_t steps,
                                               double operations) {
  if (static_cast<double>(steps) * step_cost(P_) > operations) return std::nullopt;
  LoopState z = start;
  const bool apart = spec_.starts_apart();
  for (int64_t t = 0; t <= steps; ++t) {
    if (distance(z) < tolerance) return t;
    step(t, 0, P_, z, apart && t == 0);
  }
  return -1;
}

}  // namespace orrery::compressed_theory
