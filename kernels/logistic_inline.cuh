// The inner product of logistic regression on CUDA: one warp, lanes strided over the features, summed in a fixed order.
#pragma once

#include "kernels/core/block.cuh"
#include "kernels/rows.hpp"

namespace orrery::detail {

// x_s . w; every lane of the warp must call and gets the result
template <class T>
__device__ T warp_dot(const SampleView& samples, int64_t s, const T* w) {
  const unsigned lane = threadIdx.x % 32;
  T sum{0};
  if (samples.sparse()) {
    for (int64_t i = samples.rows.begin[s] + lane; i < samples.rows.begin[s + 1]; i += 32)
      sum += scaled(samples, static_cast<T>(samples.rows.value[i])) * w[samples.rows.column[i]];
  } else {
    for (int64_t j = lane; j < samples.features(); j += 32) sum += feature<T>(samples, s, j) * w[j];
  }
  return warp_sum(sum);
}

}  // namespace orrery::detail
