// The inner products of logistic regression on the CPU: the order of a sum depends on its length alone.
#pragma once

#include "kernels/rows.hpp"

namespace orrery::detail {

template <class T>
inline T dot(const T* __restrict__ a, const T* __restrict__ b, int64_t n) {
  T sum{0};
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < n; ++j) sum += a[j] * b[j];
  return sum;
}

// out <- out + factor * x
template <class T>
inline void add(T* __restrict__ out, T factor, const T* __restrict__ x, int64_t n) {
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) out[j] += factor * x[j];
}

template <class T>
inline T sparse_dot(const SampleView& samples, int64_t s, const T* w) {
  T sum{0};
  for (int64_t i = samples.rows.begin[s]; i < samples.rows.begin[s + 1]; ++i)
    sum += scaled(samples, static_cast<T>(samples.rows.value[i])) * w[samples.rows.column[i]];
  return sum;
}
template <class T>
inline void sparse_add(T* out, T factor, const SampleView& samples, int64_t s) {
  for (int64_t i = samples.rows.begin[s]; i < samples.rows.begin[s + 1]; ++i)
    out[samples.rows.column[i]] += factor * scaled(samples, static_cast<T>(samples.rows.value[i]));
}

}  // namespace orrery::detail
