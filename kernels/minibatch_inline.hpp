// One sample's features, normalised, for the CPU kernels that gather for themselves.
#pragma once

#include "kernels/rows.hpp"

namespace orrery::detail {

template <class T>
inline void copy_features(const SampleView& samples, int64_t s, T* __restrict__ out) {
  const int64_t d = samples.features();
  const T scale = static_cast<T>(samples.scale), shift = static_cast<T>(samples.shift);
  if (samples.sparse()) {
    for (int64_t j = 0; j < d; ++j) out[j] = T{0};
    for (int64_t i = samples.rows.begin[s]; i < samples.rows.begin[s + 1]; ++i)
      out[samples.rows.column[i]] = scaled(samples, static_cast<T>(samples.rows.value[i]));
  } else if (samples.bytes.size() > 0) {
    const uint8_t* __restrict__ in = samples.bytes.row(s);
    for (int64_t j = 0; j < d; ++j) out[j] = scale * static_cast<T>(in[j]) + shift;
  } else {
    const float* __restrict__ in = samples.values.row(s);
    for (int64_t j = 0; j < d; ++j) out[j] = scale * static_cast<T>(in[j]) + shift;
  }
}

}  // namespace orrery::detail
