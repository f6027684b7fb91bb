// Sums and maxima over a warp or a block. T is float, double or int64_t (int and unsigned too).
//
// Every thread of the warp or block must call, with the same T; the block is a multiple of 32 threads, at most 1024, in
// one dimension. Every thread gets the result. Safe to call repeatedly, also between other uses of shared memory.
//
// Result   fixed order: lanes by halving distance, then warps the same way. Same bits run to run, in every thread.
// Cost     5 shuffles per warp; a block adds 5 more, two barriers and 32 elements of shared memory.
#pragma once

#include <cstdint>

#include "kernels/core/launch.cuh"

namespace orrery {

namespace detail {

struct Plus {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};
struct Larger {  // as fmax: a NaN loses against a number
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a > b || b != b ? a : b;
  }
};

template <class T, class F>
__device__ __forceinline__ T warp_reduce(T value, F combine) {
#pragma unroll
  for (int distance = 16; distance > 0; distance >>= 1)
    value = combine(value, __shfl_xor_sync(0xffffffffu, value, distance));
  return value;
}

template <class T, class F>
__device__ T block_reduce(T value, T neutral, F combine) {
  ORRERY_SHARED(T, of_warp, 32);
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
  value = warp_reduce(value, combine);
  if (lane == 0) of_warp[warp] = value;
  __syncthreads();
  value = warp_reduce(lane < warps ? of_warp[lane] : neutral, combine);
  __syncthreads();  // of_warp may be written again
  return value;
}

}  // namespace detail

template <class T>
__device__ __forceinline__ T warp_sum(T value) {
  return detail::warp_reduce(value, detail::Plus{});
}
template <class T>
__device__ __forceinline__ T warp_max(T value) {
  return detail::warp_reduce(value, detail::Larger{});
}
template <class T>
__device__ T block_sum(T value) {
  return detail::block_reduce(value, T(0), detail::Plus{});
}
template <class T>
__device__ T block_max(T value) {
  return detail::block_reduce(value, value, detail::Larger{});  // neutral: any value of the block
}

}  // namespace orrery
