// One row of kernels/nonconvex.hpp: the same operations on both backends.
#pragma once

#include "kernels/nonconvex.hpp"

namespace orrery::detail {

// (s / sqrt(B)) n of a row in a step
template <class Risk>
ORRERY_HD inline double nonconvex_noise(const Risk& f, const Rows& rows, int64_t r, Step t) {
  if (!(f.noise > 0 && rows.batch[r] > 0)) return 0;
  const Stream draw(rows.seed[r], Draw::gradient_noise, static_cast<uint32_t>(rows.worker[r]), t.key());
  return f.noise / std::sqrt(static_cast<double>(rows.batch[r])) * draw.normal(0);
}

template <class Risk, class T>
ORRERY_HD inline void nonconvex_gradient(const Risk& f, const Rows& rows, int64_t r, Step t, const T* x, T* g) {
  double at[Risk::parameters], out[Risk::parameters];
  for (int j = 0; j < Risk::parameters; ++j) at[j] = static_cast<double>(x[j]);
  f.gradient(f.own[rows.worker[r]], at, nonconvex_noise(f, rows, r, t), out);
  for (int j = 0; j < Risk::parameters; ++j) g[j] = static_cast<T>(out[j]);
}

// All steps of one row; v: its velocity, null without momentum.
template <class Risk, class T>
ORRERY_HD inline void nonconvex_row_steps(const Risk& f, const Rows& rows, int64_t r, int64_t first, int64_t steps,
                                          T* x, T* v, T mu) {
  const T eta = static_cast<T>(rows.learning_rate[r]);
  for (int64_t s = 0; s < steps; ++s) {
    if (!rows.active(r, first + s)) continue;
    for (int32_t k = 0; k < rows.repeats_of(r); ++k) {
      T g[Risk::parameters];
      nonconvex_gradient(f, rows, r, {first + s, k}, x, g);
      for (int j = 0; j < Risk::parameters; ++j) {
        if (v) v[j] = mu * v[j] + g[j];
        x[j] -= eta * (v ? v[j] : g[j]);
      }
    }
  }
}

template <class Risk, class T>
ORRERY_HD inline void nonconvex_row_gradient(const Risk& f, const Rows& rows, int64_t r, Step t, const T* x, T* g) {
  if (rows.active(r, t))
    nonconvex_gradient(f, rows, r, t, x, g);
  else
    for (int j = 0; j < Risk::parameters; ++j) g[j] = T{0};
}

template <class Risk, class T>
ORRERY_HD inline void nonconvex_row_hessian(const Risk& f, const Rows& rows, int64_t r, Step t, const T* x, const T* v,
                                            T* out) {
  const bool active = rows.active(r, t);
  double at[Risk::parameters], along[Risk::parameters], product[Risk::parameters];
  for (int j = 0; j < Risk::parameters; ++j) at[j] = static_cast<double>(x[j]), along[j] = static_cast<double>(v[j]);
  f.hessian(f.own[rows.worker[r]], at, along, nonconvex_noise(f, rows, r, t), product);
  for (int j = 0; j < Risk::parameters; ++j) out[j] = active ? static_cast<T>(product[j]) : T{0};
}

template <class Risk, class T>
ORRERY_HD inline double nonconvex_loss(const Risk& f, int32_t which, const T* x) {
  double at[Risk::parameters];
  for (int j = 0; j < Risk::parameters; ++j) at[j] = static_cast<double>(x[j]);
  return f.loss(f.own[which], at);
}

}  // namespace orrery::detail
