// Hessian-vector products of an MLP in float64 by an independent way: the plain loops of its gradient run on dual numbers (value and
// derivative along v), whose product and quotient rules know nothing of layers. Beside each number stands a bound on what rounding in T may do
// to it. Roundings, u each: one per product or quotient, as many as a sum has terms and 4 more, 4 of exp and tanh; relu's slope may be
// either where |z| is below its error.
#pragma once

#include "kernels/mlp_view.hpp"
#include "tests/support.hpp"

namespace orrery::test {

struct Bound {
  double value = 0, error = 0;
  double size() const { return std::abs(value) + error; }
};
template <class T>
Bound times(Bound a, Bound b) {
  const double product = a.value * b.value;
  return {product, a.size() * b.size() * (1 + unit<T>)-std::abs(product)};
}
template <class T>
struct Sum {
  double value = 0, error = 0, size = 0;
  int64_t terms = 4;
  void add(Bound a, Bound b) {
    value += a.value * b.value;
    error += a.size() * b.size() - std::abs(a.value * b.value);
    size += a.size() * b.size();
    ++terms;
  }
  Bound total() const { return {value, error + static_cast<double>(terms) * unit<T> * size}; }
};

struct Dual {
  Bound value, slope;
};
template <class T>
Dual times(Dual a, Dual b) {
  Sum<T> slope;
  slope.add(a.value, b.slope), slope.add(a.slope, b.value);
  return {times<T>(a.value, b.value), slope.total()};
}
template <class T>
Dual quotient(Dual a, Dual b) {
  const double q = a.value.value / b.value.value, least = std::abs(b.value.value) - b.value.error;
  const Bound value{q, (a.value.error + std::abs(q) * b.value.error) / least + 4 * unit<T> * std::abs(q)};
  Sum<T> above;  // a' - q b'
  above.add(a.slope, {1, 0}), above.add({-value.value, value.error}, b.slope);
  const double slope = above.value / b.value.value;
  return {value,
          {slope, (above.total().error + std::abs(slope) * b.value.error) / least + 4 * unit<T> * std::abs(slope)}};
}
template <class T>
struct DualSum {
  Sum<T> value, slope;
  void add(Dual a, Dual b) {
    value.add(a.value, b.value);
    slope.add(a.value, b.slope), slope.add(a.slope, b.value);
  }
  Dual total() const { return {value.total(), slope.total()}; }
};

constexpr Dual one{{1, 0}, {0, 0}};

template <class T>
struct Unit {  // of a hidden layer: phi(z) and phi'(z)
  Dual h, slope;
  Unit(Activation a, Dual z) {
    const double u = unit<T>;
    if (a == Activation::relu) {
      const bool on = z.value.value > 0, either = std::abs(z.value.value) <= z.value.error;
      h = on ? z : Dual{};
      h.value.error = z.value.error;
      if (either) h.slope.error = z.slope.size();
      slope.value = {on ? 1.0 : 0.0, either ? 1.0 : 0.0};
    } else {
      const Bound t{std::tanh(z.value.value), z.value.error + 4 * u};
      const Bound square = times<T>(t, t);
      slope.value = {1 - square.value, square.error + 2 * u};
      h = {t, times<T>(slope.value, z.slope)};
      slope.slope = times<T>(times<T>(t, h.slope), {-2, 0});
    }
  }
};

// The gradient of row r's batch at w as duals along v: its slopes are H v. off: v may be off by that share of itself.
template <class T>
std::vector<Dual> mlp_dual_gradient(const MlpView& m, const Samples& samples, const Rows& rows, int64_t r,
                                    const std::vector<double>& w, const std::vector<double>& v, double off = 0) {
  const double u = unit<T>, B = static_cast<double>(rows.batch_size(r));
  std::vector<Dual> p(w.size());
  for (size_t i = 0; i < w.size(); ++i) p[i] = {{w[i], 0}, {v[i], off * std::abs(v[i])}};
  const auto weight = [&](int l, int64_t i, int64_t j) {
    return p[static_cast<size_t>(m.weights(l) + i * m.out(l) + j)];
  };
  std::vector<DualSum<T>> g(w.size());
  for (int64_t k = 0; k < rows.batch_size(r); ++k) {
    const int64_t s = rows.sample(r, k);
    // forward
    std::vector<std::vector<Dual>> h(1), slope(1);
    for (int64_t j = 0; j < m.in(0); ++j) h[0].push_back({{samples.x(s, j), 3 * u * samples.x_size(s, j)}, {}});
    for (int l = 0; l < m.layers(); ++l) {
      std::vector<Dual> next, slopes;
      for (int64_t j = 0; j < m.out(l); ++j) {
        DualSum<T> z;
        for (int64_t i = 0; i < m.in(l); ++i) z.add(h.back()[static_cast<size_t>(i)], weight(l, i, j));
        z.add(p[static_cast<size_t>(m.bias(l) + j)], one);
        if (l + 1 == m.layers()) {
          next.push_back(z.total());
        } else {
          const Unit<T> unit_j(m.activation, z.total());
          next.push_back(unit_j.h), slopes.push_back(unit_j.slope);
        }
      }
      h.push_back(next), slope.push_back(slopes);
    }
    // softmax and its loss
    double top = -HUGE_VAL, top_error = 0;
    for (const Dual& z : h.back())
      if (z.value.value > top) top = z.value.value, top_error = z.value.error;
    std::vector<Dual> e;
    DualSum<T> all;
    for (const Dual& z : h.back()) {
      const double off_z = z.value.error + top_error + u * std::abs(z.value.value - top);
      const double value = std::exp(z.value.value - top);
      const Bound bound{value, value * (std::expm1(off_z) + 4 * u)};
      e.push_back({bound, times<T>(bound, z.slope)});
      all.add(e.back(), one);
    }
    std::vector<Dual> delta;
    for (size_t c = 0; c < e.size(); ++c) {
      Dual d = quotient<T>(e[c], all.total());
      const double label = static_cast<int32_t>(c) == samples.label(s);
      d.value.error += 3 * u * (d.value.size() + label);
      d.value.value -= label;
      delta.push_back(times<T>(d, {{1 / B, u / B}, {}}));
    }
    // backward
    for (int l = m.layers() - 1; l >= 0; --l) {
      std::vector<Dual> below;
      for (int64_t i = 0; i < m.in(l); ++i) {
        DualSum<T> sum;
        const Dual h_i = h[static_cast<size_t>(l)][static_cast<size_t>(i)];
        for (int64_t j = 0; j < m.out(l); ++j) {
          const Dual d = delta[static_cast<size_t>(j)];
          g[static_cast<size_t>(m.weights(l) + i * m.out(l) + j)].add(h_i, d);
          sum.add(d, weight(l, i, j));
        }
        if (l > 0) below.push_back(times<T>(sum.total(), slope[static_cast<size_t>(l)][static_cast<size_t>(i)]));
      }
      for (int64_t j = 0; j < m.out(l); ++j)
        g[static_cast<size_t>(m.bias(l) + j)].add(delta[static_cast<size_t>(j)], one);
      delta = below;
    }
  }
  for (int l = 0; l < m.layers(); ++l)
    for (int64_t i = m.weights(l); i < m.bias(l); ++i)
      g[static_cast<size_t>(i)].add(p[static_cast<size_t>(i)], {{m.l2, u * m.l2}, {}});
  std::vector<Dual> out;
  for (const auto& sum : g) out.push_back(sum.total());
  return out;
}

}  // namespace orrery::test
