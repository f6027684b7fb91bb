// One slot of the linear recursion, written out from papers/st-compression.md 4.5, A.2 - A.7.
#include <cmath>

#include "runtime/theory/compressed/closed_loop.hpp"

namespace orrery::compressed_theory {
namespace {
using Flow = CompressedSpec::Flow;
using Method = CompressedSpec::Method;
}  // namespace

void ClosedLoop::gradients(int64_t first, int64_t m, const std::vector<double>& x) {
  g_.assign(x.size(), 0.0);
  if (curvature_.empty()) return;
  for (int64_t i = 0; i < n_; ++i)
    for (int64_t j = 0; j < m; ++j) {
      const auto at = static_cast<size_t>(i * m + j);
      g_[at] = curvature_[static_cast<size_t>(i * P_ + first + j)] * x[at];
    }
}

void ClosedLoop::send(int64_t first, int64_t m, const std::vector<double>& x) {
  q_.resize(x.size());
  for (int64_t i = 0; i < n_; ++i) maps_.apply(i, first, m, x.data() + i * m, q_.data() + i * m);
}

void ClosedLoop::mix(int64_t m, const std::vector<double>& x, std::vector<double>& out) const {
  out.assign(x.size(), 0.0);
  for (int64_t i = 0; i < n_; ++i)
    for (auto e = laplacian_.begin[static_cast<size_t>(i)]; e < laplacian_.begin[static_cast<size_t>(i) + 1]; ++e) {
      const double weight = laplacian_.weight[static_cast<size_t>(e)];
      const double* from = x.data() + laplacian_.source[static_cast<size_t>(e)] * m;
      double* to = out.data() + i * m;
      for (int64_t j = 0; j < m; ++j) to[j] += weight * from[j];
    }
}

void ClosedLoop::take_mean_out(int64_t m, std::vector<double>& bank) const {
  for (int64_t j = 0; j < m; ++j) {
    double mean = 0;
    for (int64_t i = 0; i < n_; ++i) mean += bank[static_cast<size_t>(i * m + j)] / static_cast<double>(n_);
    for (int64_t i = 0; i < n_; ++i) bank[static_cast<size_t>(i * m + j)] -= mean;
  }
}

void ClosedLoop::flow_step(int64_t first, int64_t m, LoopState& z) {
  const bool discrete = spec_.method == Method::compressed_primal_dual;
  const double s = s_, kappa = discrete ? spec_.psi : s * spec_.kappa, eta = discrete ? 1.0 : spec_.eta;
  if (spec_.flow == Flow::uncompressed) {
    mix(m, z.x, l_);
  } else if (spec_.flow == Flow::direct) {
    send(first, m, z.x);
    mix(m, q_, l_);
  } else {
    y_ = z.x;
    for (size_t i = 0; i < y_.size(); ++i) y_[i] -= z.h[i];
    send(first, m, y_);
    for (size_t i = 0; i < y_.size(); ++i) {
      y_[i] = z.h[i] + (spec_.flow == Flow::observer_plus ? q_[i] : 0.0);  // xc
      z.h[i] += kappa * q_[i];
    }
    mix(m, y_, l_);
  }
  gradients(first, m, z.x);
  for (size_t i = 0; i < z.x.size(); ++i) {
    z.x[i] -= s * (spec_.alpha * l_[i] + eta * g_[i]);
    if (!has_v_) continue;
    z.x[i] -= s * spec_.beta * z.v[i];
    z.v[i] += s * spec_.beta * l_[i];
  }
}

void ClosedLoop::choco_step(int64_t first, int64_t m, LoopState& z) {
  if (spec_.takes_gradients()) {
    gradients(first, m, z.x);
    for (size_t i = 0; i < z.x.size(); ++i) z.x[i] -= s_ * g_[i];
  }
  y_ = z.x;
  for (size_t i = 0; i < y_.size(); ++i) y_[i] -= z.h[i];
  send(first, m, y_);
  for (size_t i = 0; i < y_.size(); ++i) z.h[i] += q_[i];
  mix(m, z.h, l_);
  for (size_t i = 0; i < y_.size(); ++i) z.x[i] -= spec_.gamma * l_[i];
}

void ClosedLoop::lead_step(int64_t first, int64_t m, LoopState& z, bool nothing_sent) {
  const double dual = spec_.method == Method::cedas ? 1.0 : s_;  // what d is multiplied by
  gradients(first, m, z.x);
  for (size_t i = 0; i < z.x.size(); ++i) z.x[i] -= s_ * g_[i] + dual * z.v[i];  // y
  if (nothing_sent) return;
  y_ = z.x;
  for (size_t i = 0; i < y_.size(); ++i) y_[i] -= z.h[i];
  send(first, m, y_);
  for (size_t i = 0; i < y_.size(); ++i) {
    y_[i] = z.h[i] + q_[i];
    z.h[i] += spec_.a * q_[i];
  }
  mix(m, y_, l_);
  for (size_t i = 0; i < y_.size(); ++i) {
    z.v[i] += spec_.gamma / (2 * dual) * l_[i];
    z.x[i] -= spec_.gamma / 2 * l_[i];
  }
}

// All rows of x are the server's model.
void ClosedLoop::server_step(int64_t first, int64_t m, LoopState& z) {
  const bool ef21 = spec_.method == Method::ef21;
  gradients(first, m, z.x);
  y_ = g_;
  for (size_t i = 0; i < y_.size(); ++i) y_[i] = ef21 ? g_[i] - z.h[i] : s_ * g_[i] + z.h[i];
  send(first, m, y_);
  for (size_t i = 0; i < y_.size(); ++i) z.h[i] = ef21 ? z.h[i] + q_[i] : y_[i] - q_[i];
  for (int64_t j = 0; j < m; ++j) {
    double step = 0;
    for (int64_t i = 0; i < n_; ++i) {
      const auto at = static_cast<size_t>(i * m + j);
      step += weights_[static_cast<size_t>(i)] * (ef21 ? s_ * z.h[at] : q_[at]);
    }
    for (int64_t i = 0; i < n_; ++i) z.x[static_cast<size_t>(i * m + j)] -= step;
  }
}

void ClosedLoop::step(int64_t slot, int64_t first, int64_t m, LoopState& z, bool nothing_sent) {
  maps_.at(slot, n_);
  switch (spec_.method) {
    case Method::consensus_flow:
    case Method::primal_dual:
    case Method::compressed_primal_dual: flow_step(first, m, z); break;
    case Method::choco_gossip:
    case Method::choco_sgd: choco_step(first, m, z); break;
    case Method::ef_sgd:
    case Method::ef21: server_step(first, m, z); break;
    default: lead_step(first, m, z, nothing_sent);
  }
  if (!spec_.takes_gradients()) take_mean_out(m, z.x);
  if (has_v_) take_mean_out(m, z.v);
}

double ClosedLoop::distance(const LoopState& z) const {
  const auto m = static_cast<int64_t>(z.x.size()) / n_;
  double sum = 0;
  for (int64_t i = 0; i < n_; ++i)
    for (int64_t j = 0; j < m; ++j) {
      const double x = z.x[static_cast<size_t>(i * m + j)];
      sum += weights_[static_cast<size_t>(i)] * x * x;
    }
  return std::sqrt(sum);
}

}  // namespace orrery::compressed_theory
