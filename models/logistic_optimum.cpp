#include "models/logistic_optimum.hpp"

#include <cblas.h>

#include <algorithm>
#include <functional>

#include "kernels/logistic_inline.hpp"

namespace orrery {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  return cblas_ddot(static_cast<int>(a.size()), a.data(), 1, b.data(), 1);
}

// The samples on the host.
struct HostSamples {
  HostSamples(const Context& ctx, const LogisticView& m) : view(m) {
    if (ctx.backend == Backend::cpu) return;
    const Context host;
    const SampleView& s = m.samples;
    labels_ = {host, to_host(ctx, s.labels)};
    view.samples.labels = labels_.view();
    if (m.positive.size() > 0) positive_ = {host, to_host(ctx, m.positive)}, view.positive = positive_.view();
    if (s.sparse()) {
      begin_ = {host, to_host(ctx, s.rows.begin)}, column_ = {host, to_host(ctx, s.rows.column)};
      value_ = {host, to_host(ctx, s.rows.value)};
      view.samples.rows = {begin_.view(), column_.view(), value_.view(), s.rows.columns};
    } else if (s.bytes.size() > 0) {
      bytes_ = {host, to_host(ctx, s.bytes)};
      view.samples.bytes = bytes_.view(s.bytes.extent(0), s.bytes.extent(1));
    } else {
      value_ = {host, to_host(ctx, s.values)};
      view.samples.values = value_.view(s.values.extent(0), s.values.extent(1));
    }
  }
  LogisticView view;

 private:
  Buffer<int32_t> labels_, column_;
  Buffer<int64_t> begin_;
  Buffer<float> value_;
  Buffer<uint8_t> bytes_, positive_;
};

class Problem {
 public:
  Problem(const LogisticView& view, Vector u) : m_(view), u_(std::move(u)), slope_(u_.size()), bend_(u_.size()) {}

  // f at w; leaves the derivatives by the scores there
  double value(const Vector& w) {
    const double loss = over_samples([&](int64_t s, double& sum, double*) {
      const double z = score(s, w), sign = m_.one(s) ? 1 : -1;
      const double small = std::exp(-std::abs(z));  // neither overflows
      const double sigmoid = z >= 0 ? 1 / (1 + small) : small / (1 + small);
      const auto i = static_cast<size_t>(s);
      slope_[i] = u_[i] * (sigmoid - (m_.one(s) ? 1 : 0));
      bend_[i] = u_[i] * small / ((1 + small) * (1 + small));
      sum += u_[i] * (std::max(0.0, -sign * z) + std::log1p(small));
    });
    double squares = 0;
    for (int64_t j = 0; j < m_.weights(); ++j) squares += w[static_cast<size_t>(j)] * w[static_cast<size_t>(j)];
    return loss + m_.l2 / 2 * squares;
  }
  Vector gradient(const Vector& w) {
    return weighted(w, [&](int64_t s) { return slope_[static_cast<size_t>(s)]; });
  }
  Vector times_hessian(const Vector& v) {
    return weighted(v, [&](int64_t s) { return bend_[static_cast<size_t>(s)] * score(s, v); });
  }

 private:
  static constexpr int64_t pieces = 64;

  double score(int64_t s, const Vector& w) const {
    const int64_t d = m_.weights();
    double z = m_.bias ? w[static_cast<size_t>(d)] : 0;
    if (m_.samples.sparse()) return z + detail::sparse_dot(m_.samples, s, w.data());
    for (int64_t j = 0; j < d; ++j) z += feature<double>(m_.samples, s, j) * w[static_cast<size_t>(j)];
    return z;
  }
  // sum_s factor(s) x_s + l2 v, the bias without
  Vector weighted(const Vector& v, const std::function<double(int64_t)>& factor) {
    over_samples([&](int64_t s, double&, double* out) {
      const double f = factor(s);
      const int64_t d = m_.weights();
      if (m_.bias) out[d] += f;
      if (m_.samples.sparse()) return detail::sparse_add(out, f, m_.samples, s);
      for (int64_t j = 0; j < d; ++j) out[j] += f * feature<double>(m_.samples, s, j);
    });
    Vector out(v.size());
    for (int64_t k = 0; k < pieces; ++k)
      for (size_t j = 0; j < v.size(); ++j) out[j] += parts_[static_cast<size_t>(k) * v.size() + j];
    for (int64_t j = 0; j < m_.weights(); ++j) out[static_cast<size_t>(j)] += m_.l2 * v[static_cast<size_t>(j)];
    return out;
  }
  // f(s, sum, vector) of every sample, a piece of them per vector; returns the sum and leaves the vectors in parts_.
  template <class F>
  double over_samples(F f) {
    const auto P = static_cast<size_t>(m_.parameters());
    const auto n = static_cast<int64_t>(u_.size());
    parts_.assign(pieces * P, 0.0);
    Vector sums(pieces);
#pragma omp parallel for schedule(static)
    for (int64_t k = 0; k < pieces; ++k)
      for (int64_t s = n * k / pieces; s < n * (k + 1) / pieces; ++s)
        f(s, sums[static_cast<size_t>(k)], parts_.data() + static_cast<size_t>(k) * P);
    double sum = 0;
    for (const double v : sums) sum += v;
    return sum;
  }

  const LogisticView& m_;
  Vector u_, slope_, bend_, parts_;
};

// H p = -g, from 0.
Vector newton_direction(Problem& f, const Vector& g, double tolerance) {
  Vector p(g.size()), r = g, q(g.size());
  for (size_t j = 0; j < g.size(); ++j) q[j] = r[j] = -g[j];
  double rr = dot(r, r);
  const double stop = tolerance * tolerance * rr;
  for (size_t k = 0; k < 10 * g.size() + 100 && rr > stop; ++k) {
    const Vector hq = f.times_hessian(q);
    const double alpha = rr / dot(q, hq);
    cblas_daxpy(static_cast<int>(p.size()), alpha, q.data(), 1, p.data(), 1);
    cblas_daxpy(static_cast<int>(r.size()), -alpha, hq.data(), 1, r.data(), 1);
    const double next = dot(r, r), beta = next / rr;
    for (size_t j = 0; j < q.size(); ++j) q[j] = r[j] + beta * q[j];
    rr = next;
  }
  return p;
}

}  // namespace

std::vector<double> logistic_optimum(const Context& ctx, const LogisticView& m, VectorView<const double> u) {
  expects(m.l2 > 0, "a logistic objective has a minimizer where l2 > 0");
  const HostSamples samples(ctx, m);
  Problem f(samples.view, to_host(ctx, u));
  Vector w(static_cast<size_t>(m.parameters()));
  double value = f.value(w);
  double first = 0;
  constexpr int most_steps = 200;
  for (int step = 0; step < most_steps; ++step) {
    const Vector g = f.gradient(w);
    const double size = std::sqrt(dot(g, g));
    if (step == 0) first = size;
    if (size <= 1e-11 * first) break;
    const Vector p = newton_direction(f, g, std::min(0.1, std::sqrt(size / first)));
    const double slope = dot(g, p);
    double t = 1, lower = value;
    Vector next;
    for (; t > 1e-10; t /= 2) {
      next = w;
      cblas_daxpy(static_cast<int>(w.size()), t, p.data(), 1, next.data(), 1);
      lower = f.value(next);
      if (lower <= value + 1e-4 * t * slope) break;
    }
    // near the end the fall is below the rounding of f: a whole step that leaves a smaller gradient is one still
    if (!(t > 1e-10)) {
      next = w;
      cblas_daxpy(static_cast<int>(w.size()), 1.0, p.data(), 1, next.data(), 1);
      lower = f.value(next);
      const Vector after = f.gradient(next);
      if (!(dot(after, after) < size * size)) break;
    }
    w = std::move(next), value = lower;
  }
  return w;
}

}  // namespace orrery
