// Binary logistic regression in float64, from the formulas of kernels/logistic_steps.hpp; beside each value a bound on what rounding in T may
// add.
#pragma once

#include <optional>

#include "kernels/core/shuffle.hpp"
#include "kernels/logistic_steps.hpp"
#include "tests/support.hpp"

namespace orrery::test {

struct LogisticCase {
  int64_t d;
  int32_t all;  // samples of the workers whose batch is all of them
  Storage storage;
  double l2 = 0;
  bool bias = true;
  double mu = 0;
  bool shuffle = false;
  int classes = 2;  // 5: the labels 0 and 3 count as y = 1
};

inline const LogisticCase kLogisticCases[] = {
    {1, 3, Storage::floats},
    {7, 64, Storage::bytes, 0.1},
    {20, 65, Storage::floats, 0.03, false, 0.9},
    {33, 150, Storage::bytes, 0, true, 0.5, true},
    {40, 9, Storage::floats, 0, true, 0, true, 5},
    {1, 3, Storage::sparse},
    {13, 65, Storage::sparse, 0, true, 0, true},
    {40, 70, Storage::sparse, 0.05, false},
    {150, 20, Storage::sparse, 0.02, true, 0.9, false, 5},
    {8200, 5, Storage::floats, 0.01},  // past what CUDA keeps in shared memory, in float and double
};

constexpr int64_t kLogisticSlot = 21;

// Ragged batches of two replicas; rows that skip; `all` samples in row 2; one to three gradient steps per slot.
struct LogisticRows : Rows {
  static constexpr int32_t pattern[5] = {1, 2, 3, 1, 2};

  LogisticRows(Backend b, int32_t all, bool shuffle) : Rows(b, specs_for(all), kLogisticSlot), view_(Rows::view()) {
    std::vector<int32_t> each;
    for (int64_t r = 0; r < count(); ++r) each.push_back(repeats(r));
    view_.repeats = (repeats_ = {context(b), each}).view();
    view_.max_repeats = 3;
    view_.shuffle = shuffle;
  }
  const orrery::Rows& view() const { return view_; }
  static int32_t repeats(int64_t r) { return pattern[r % 5]; }

  // sample k of the batch of row r in the repeat-th gradient step of local step `step`
  int32_t drawn(int64_t r, int64_t step, int32_t repeat, int64_t k) const {
    const RowSpec& s = spec(r);
    const auto size = static_cast<uint32_t>(s.samples.size());
    if (s.batch == 0) return s.samples[static_cast<size_t>(k)];
    const int64_t slot = kLogisticSlot + step;
    const auto worker = static_cast<uint32_t>(s.worker);
    if (view_.shuffle) {
      const int64_t place = (slot * repeats(r) + repeat) * s.batch + k;
      return s.samples[shuffled(s.seed, worker, static_cast<uint64_t>(place / size),
                                static_cast<uint32_t>(place % size), size)];
    }
    const Stream draws(s.seed, Draw::minibatch, worker,
                       static_cast<uint64_t>(slot) + (static_cast<uint64_t>(repeat) << 40));
    return s.samples[static_cast<size_t>(std::floor(size * (draws.bits(static_cast<uint32_t>(k)) / 4294967296.0)))];
  }

 private:
  static std::vector<RowSpec> specs_for(int32_t all) {
    std::vector<RowSpec> rows;
    for (uint64_t seed : {17ull, 5ull << 40})
      for (int32_t w = 0; w < 5; ++w)
        rows.push_back({.seed = seed,
                        .worker = w,
                        .learning_rate = 0.05 + 0.02 * w,
                        .rate = w == 3   ? 0.0
                                : w == 4 ? 0.6
                                         : 1.0,
                        .batch = std::vector<int32_t>{1, 6, 0, 4, 3}[static_cast<size_t>(w)],
                        .samples = range_of(2 * w, w == 2 ? all : 9)});
    return rows;
  }
  orrery::Rows view_;
  Buffer<int32_t> repeats_;
};

struct Bounded {
  std::vector<double> value, error;
};

struct LogisticProblem {
  LogisticCase p;
  Samples samples;
  Matrix<uint8_t> positive;
  LogisticView view;
  int64_t d, P;
  double L = 0;  // bounds the Hessian: max |(x, 1)|^2 / 4 + l2

  // The CPU's pieces of 64 samples are its own: elsewhere (the emulated device among it) 20 are enough.
  LogisticProblem(Backend b, const LogisticCase& q)
      : p(q),
        samples(b, 170, q.d, q.classes, q.storage, 3,
                q.d > 1000                    ? 0.01
                : q.storage == Storage::bytes ? 1 / 127.5
                                              : 0.8,
                q.d > 1000 || q.storage == Storage::sparse ? 0 : -0.4),
        positive(b, 1, 5, std::vector<uint8_t>{1, 0, 0, 1, 0}) {
    if (b != Backend::cpu) p.all = std::min(p.all, 20);
    view = {samples.view(), q.classes == 5 ? VectorView<const uint8_t>(positive.vector()) : VectorView<const uint8_t>(),
            q.l2, q.bias};
    d = q.d;
    P = view.parameters();
    for (int64_t s = 0; s < samples.count(); ++s) {
      double square = 1;
      for (int64_t j = 0; j < d; ++j) square += samples.x(s, j) * samples.x(s, j);
      L = std::max(L, square / 4 + p.l2);
    }
  }
  LogisticRows rows(Backend b) const { return {b, p.all, p.shuffle}; }

  bool one(int64_t s) const {
    const int32_t label = samples.label(s);
    return p.classes == 5 ? label == 0 || label == 3 : label == 1;
  }
  double x(int64_t s, int64_t j) const { return j < d ? samples.x(s, j) : 1; }
  double x_size(int64_t s, int64_t j) const { return j < d ? samples.x_size(s, j) : 1; }

  // a . (x_s, 1). At most d products and sums, the feature's 3 roundings, and the bias' sum.
  template <class T>
  std::pair<double, double> along(const std::vector<double>& a, int64_t s) const {
    double sum = 0, terms = 0;
    for (int64_t j = 0; j < P; ++j) {
      sum += a[static_cast<size_t>(j)] * x(s, j);
      terms += std::abs(a[static_cast<size_t>(j)]) * x_size(s, j);
    }
    return {sum, (static_cast<double>(d + 3) * terms + std::abs(sum)) * unit<T>};
  }

  // The gradient of a batch at w; with a direction v the Hessian product. The derivative of a sample: sigmoid has slopes of at most 1/4,
  // sigmoid' of at most 0.1; 12 roundings of exp, quotient, product and scale. Then B products and sums, the feature's 3, and l2's 3.
  template <class T>
  Bounded derivative(const std::vector<int32_t>& batch, const std::vector<double>& w,
                     const std::vector<double>* v = nullptr) const {
    const double u = unit<T>, B = static_cast<double>(batch.size());
    Bounded g{std::vector<double>(w.size()), std::vector<double>(w.size())};
    for (int32_t s : batch) {
      const auto [z, dz] = along<T>(w, s);
      const double q = 1 / (1 + std::exp(-z));
      double delta = one(s) ? -1 / (1 + std::exp(z)) : q, off = dz / 4;
      if (v) {
        const auto [a, da] = along<T>(*v, s);
        delta = q * (1 - q) * a;
        off = 0.1 * dz * (std::abs(a) + da) + q * (1 - q) * da;
      }
      off += 12 * u * std::abs(delta);
      for (size_t j = 0; j < w.size(); ++j) {
        g.value[j] += delta * x(s, static_cast<int64_t>(j)) / B;
        g.error[j] += ((B + 4) * u * std::abs(delta) + off) * x_size(s, static_cast<int64_t>(j)) / B;
      }
    }
    const std::vector<double>& point = v ? *v : w;
    for (size_t j = 0; j < static_cast<size_t>(d); ++j) {
      g.error[j] += u * (3 * std::abs(p.l2 * point[j]) + std::abs(g.value[j] + p.l2 * point[j]));
      g.value[j] += p.l2 * point[j];
    }
    return g;
  }
  std::vector<int32_t> batch(const LogisticRows& rows, int64_t r, int64_t step = 0, int32_t repeat = 0) const {
    std::vector<int32_t> out;
    for (int64_t k = 0; k < rows.batch_size(r); ++k) out.push_back(rows.drawn(r, step, repeat, k));
    return out;
  }

  // `steps` local steps of row r from w and v (changed in place); the result bounds the error of w, and `v_error` that of v, in the 2-norm.
  // An error E of w changes a gradient by L E at most. Folding the B deltas rounds what they are summed onto B
  // times; 4 more roundings for products, eta, mu and the difference.
  template <class T>
  double walk(const LogisticRows& rows, int64_t r, int64_t steps, std::vector<double>& w, std::vector<double>& v,
              double* v_error = nullptr) const {
    const double u = unit<T>, eta = rows.spec(r).learning_rate;
    double e_w = 0, e_v = 0;
    const auto norm = [](const std::vector<double>& a) {
      double sum = 0;
      for (double x : a) sum += x * x;
      return std::sqrt(sum);
    };
    for (int64_t s = 0; s < steps; ++s)
      for (int32_t k = 0; k < rows.repeats(r) && rows.active(r, s); ++k) {
        const Bounded g = derivative<T>(batch(rows, r, s, k), w);
        const double onto = static_cast<double>(rows.batch_size(r) + 4) * u;
        if (p.mu > 0) {
          e_v = p.mu * e_v + L * e_w + norm(g.error) + onto * (p.mu * norm(v) + norm(g.value));
          for (size_t j = 0; j < w.size(); ++j) v[j] = p.mu * v[j] + g.value[j];
          e_w += eta * e_v + u * (2 * norm(w) + 4 * eta * norm(v));
          for (size_t j = 0; j < w.size(); ++j) w[j] -= eta * v[j];
        } else {
          e_w = (1 + eta * L) * e_w + eta * norm(g.error) + onto * norm(w) + 4 * u * eta * norm(g.value);
          for (size_t j = 0; j < w.size(); ++j) w[j] -= eta * g.value[j];
        }
      }
    if (v_error) *v_error = e_v;
    return e_w;
  }
};

template <class T>
std::vector<double> row_of(const Matrix<T>& w, int64_t r, int64_t P) {
  return {w.initial().begin() + r * P, w.initial().begin() + (r + 1) * P};
}

template <class T>
void expect_near(const std::vector<T>& got, int64_t r, const Bounded& want, Near& near) {
  for (size_t i = 0; i < want.value.size(); ++i)
    near(got[static_cast<size_t>(r) * want.value.size() + i], want.value[i], want.error[i], r, static_cast<int64_t>(i));
}

}  // namespace orrery::test
