// The norm of a row on the host: what the CPU's quantiser and the packers of its messages share (compress_quantise.hpp).
#pragma once

#include "kernels/compress_quantise.hpp"
#include "kernels/row_lanes.hpp"
#include "kernels/top_signs.hpp"

namespace orrery::detail {

// max |x| by the order of bits, in which a NaN is the largest
template <class T>
T largest(const T* __restrict__ x, int64_t P) {
  using Bits = decltype(magnitude_bits(T{}));
  Bits most = 0;
  for (int64_t j = 0; j < P; ++j) {
    const Bits b = magnitude_bits(x[j]);
    most = b > most ? b : most;
  }
  T value;
  std::memcpy(&value, &most, sizeof value);
  return value;
}

template <class T>
double norm_of(QuantiseRule::Scale scale, const T* x, int64_t P) {
  using Scale = QuantiseRule::Scale;
  switch (scale) {
    case Scale::max: return static_cast<double>(largest(x, P));
    case Scale::l2:
      return lane_sum(P, [&](int64_t j) { return static_cast<double>(x[j]) * static_cast<double>(x[j]); });
    case Scale::mean_l1: return lane_sum(P, [&](int64_t j) { return std::abs(static_cast<double>(x[j])); });
  }
  return 0;
}

template <class T>
T row_scale(const QuantiseRule& rule, const T* x, int64_t P) {
  return scale_of<T>(rule, norm_of(rule.scale, x, P), P);
}

}  // namespace orrery::detail
