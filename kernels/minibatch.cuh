// One sample's features, normalised, by the threads of one block: for the CUDA kernels that gather.
#pragma once

#include "kernels/core/launch.cuh"
#include "kernels/rows.hpp"

namespace orrery::detail {

// A sparse row is spread over zeros. The caller's next write to `out` comes from the same thread or after a barrier.
template <class T>
__device__ void block_copy(const SampleView& samples, int64_t s, T* out) {
  const int64_t d = samples.features();
  if (!samples.sparse()) {
    for (int64_t j = threadIdx.x; j < d; j += blockDim.x) out[j] = feature<T>(samples, s, j);
    return;
  }
  for (int64_t j = threadIdx.x; j < d; j += blockDim.x) out[j] = T{0};
  __syncthreads();
  for (int64_t i = samples.rows.begin[s] + threadIdx.x; i < samples.rows.begin[s + 1]; i += blockDim.x)
    out[samples.rows.column[i]] = scaled(samples, static_cast<T>(samples.rows.value[i]));
}

}  // namespace orrery::detail
