// The MLP in float64 from the formulas of kernels/mlp_view.hpp and mlp_steps.hpp, one sample and one number after the other, and beside
// each value a bound on what rounding in T may add.
//
// Roundings, u each, for one layer with k inputs:
//   z_j      k products, k sums and the bias: (k + 2) u (sum_i |h_i W_ij| + |b_j|), and the inputs' errors times |W_ij|
//   h_j      relu passes errors on; tanh: slope at most 1, and 4 u of its own (a library tanh is within 2 ulp)
//   delta    of the logits: q_c times the errors of the exponents and (C + 11) u, the label's class 2 u more and its own
//            (softmax_steps_test.cpp); of a hidden unit: (n + 1) u sum_j |delta_j W_ij|, the deltas' errors, the slope's error
//            (relu: the whole sum where |z| is below its error; tanh: 2 |h| dh + 2 u)
//   g        (B + 4) u sum_k |h delta|, and the errors of both factors; (B + 3) u |l2 w|: the sum may begin there
#pragma once

#include "kernels/mlp_view.hpp"
#include "tests/support.hpp"

namespace orrery::test {

struct Bounded {
  std::vector<double> value, error;
  explicit Bounded(size_t n = 0) : value(n), error(n) {}
};

struct MlpSample {
  std::vector<Bounded> h;  // per layer, the logits last
  std::vector<Bounded> z;  // before the activation
};

template <class T>
MlpSample mlp_forward(const MlpView& m, const Samples& samples, int64_t s, const std::vector<double>& w) {
  const double u = unit<T>;
  MlpSample out;
  out.h.emplace_back(static_cast<size_t>(m.in(0)));
  for (int64_t j = 0; j < m.in(0); ++j) {
    out.h[0].value[static_cast<size_t>(j)] = samples.x(s, j);
    out.h[0].error[static_cast<size_t>(j)] = 3 * u * samples.x_size(s, j);
  }
  for (int l = 0; l < m.layers(); ++l) {
    const Bounded h = out.h.back();
    Bounded z(static_cast<size_t>(m.out(l))), next(static_cast<size_t>(m.out(l)));
    for (int64_t j = 0; j < m.out(l); ++j) {
      double sum = w[static_cast<size_t>(m.bias(l) + j)], size = std::abs(sum), carried = 0;
      for (int64_t i = 0; i < m.in(l); ++i) {
        const double v = w[static_cast<size_t>(m.weights(l) + i * m.out(l) + j)];
        sum += h.value[static_cast<size_t>(i)] * v;
        size += std::abs(h.value[static_cast<size_t>(i)] * v);
        carried += h.error[static_cast<size_t>(i)] * std::abs(v);
      }
      const auto at = static_cast<size_t>(j);
      z.value[at] = sum;
      z.error[at] = carried + static_cast<double>(m.in(l) + 2) * u * (size + carried);
      const bool last = l + 1 == m.layers();
      next.value[at] = last ? sum : m.activation == Activation::relu ? std::max(0.0, sum) : std::tanh(sum);
      next.error[at] = z.error[at] + (!last && m.activation == Activation::tanh ? 4 * u : 0);
    }
    out.z.push_back(z);
    out.h.push_back(next);
  }
  return out;
}

template <class T>
Bounded mlp_gradient(const MlpView& m, const Samples& samples, const Rows& rows, int64_t r, int64_t step,
                     const std::vector<double>& w) {
  const double u = unit<T>, B = static_cast<double>(rows.batch_size(r));
  Bounded g(w.size());
  std::vector<double> size(w.size());
  for (int64_t k = 0; k < rows.batch_size(r); ++k) {
    const int64_t s = rows.sample(r, k, step);
    const MlpSample at = mlp_forward<T>(m, samples, s, w);
    const auto& z = at.h.back();
    const size_t top = static_cast<size_t>(std::max_element(z.value.begin(), z.value.end()) - z.value.begin());
    double total = 0, share = 0;
    Bounded delta(z.value.size());
    std::vector<double> dz(z.value.size());
    for (size_t c = 0; c < dz.size(); ++c) {
      total += std::exp(z.value[c] - z.value[top]);
      dz[c] = z.error[c] + (c == top ? 0 : z.error[top]) + u * std::abs(z.value[c] - z.value[top]);
      share = std::max(share, dz[c]);
    }
    for (size_t c = 0; c < dz.size(); ++c) {
      const double q = std::exp(z.value[c] - z.value[top]) / total;
      const bool label = static_cast<int32_t>(c) == samples.label(s);
      delta.value[c] = (q - label) / B;
      delta.error[c] = q * (dz[c] + share + static_cast<double>(m.classes() + 11) * u) / B;
      if (label) delta.error[c] += 2 * u / B + u * std::abs(delta.value[c]);
    }
    for (int l = m.layers() - 1; l >= 0; --l) {
      const Bounded& h = at.h[static_cast<size_t>(l)];
      Bounded below(static_cast<size_t>(m.in(l)));
      for (int64_t i = 0; i <= m.in(l); ++i) {
        const bool bias = i == m.in(l);
        const double x = bias ? 1 : h.value[static_cast<size_t>(i)], dx = bias ? 0 : h.error[static_cast<size_t>(i)];
        double sum = 0, terms = 0, carried = 0;
        for (int64_t j = 0; j < m.out(l); ++j) {
          const auto to = static_cast<size_t>(bias ? m.bias(l) + j : m.weights(l) + i * m.out(l) + j);
          const double d = delta.value[static_cast<size_t>(j)], dd = delta.error[static_cast<size_t>(j)];
          g.value[to] += d * x;
          size[to] += (std::abs(d) + dd) * (std::abs(x) + dx);
          g.error[to] += dd * (std::abs(x) + dx) + std::abs(d) * dx;
          sum += d * w[to];
          terms += std::abs(d * w[to]);
          carried += dd * std::abs(w[to]);
        }
        if (bias || l == 0) continue;
        const auto at_i = static_cast<size_t>(i);
        const double zi = at.z[static_cast<size_t>(l) - 1].value[at_i],
                     ez = at.z[static_cast<size_t>(l) - 1].error[at_i];
        const bool relu = m.activation == Activation::relu;
        const double slope = relu ? (zi > 0) : 1 - x * x;
        const double slope_error = relu ? (std::abs(zi) <= ez ? 1 : 0) : 2 * std::abs(x) * dx + dx * dx + 2 * u;
        const double off = carried + static_cast<double>(m.out(l) + 1) * u * (terms + carried);
        below.value[at_i] = sum * slope;
        below.error[at_i] =
            off * (std::abs(slope) + slope_error) + std::abs(sum) * slope_error + u * std::abs(sum * slope);
      }
      delta = below;
    }
  }
  for (size_t i = 0; i < w.size(); ++i) g.error[i] += (B + 4) * u * size[i];
  for (int l = 0; l < m.layers(); ++l)
    for (int64_t i = m.weights(l); i < m.bias(l); ++i) {
      const auto at = static_cast<size_t>(i);
      g.error[at] += u * ((B + 3) * std::abs(m.l2 * w[at]) + std::abs(g.value[at] + m.l2 * w[at]));
      g.value[at] += m.l2 * w[at];
    }
  return g;
}

}  // namespace orrery::test
