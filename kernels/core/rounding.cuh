// A product that is rounded by itself: nvcc may not fuse it with the sum it goes into, so that both backends give the same bits.
#pragma once

#include "kernels/core/launch.cuh"

namespace orrery {

__device__ __forceinline__ float rounded_product(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ double rounded_product(double a, double b) { return __dmul_rn(a, b); }

}  // namespace orrery
