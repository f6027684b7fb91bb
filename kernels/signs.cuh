// Signs in the epilogue of a gradient kernel on CUDA.
#pragma once

#include "kernels/core/launch.cuh"
#include "kernels/signs.hpp"

namespace orrery {

// One word from the 32 lanes of a warp, lane b giving coordinate b; every lane calls, those past the last coordinate with inside = false,
// and every lane gets the word, before any rule for zeros (settle of signs.hpp). Two ballots.
template <class T>
__device__ __forceinline__ SignWord ballot_signs(T g, bool inside) {
  const uint32_t positive = __ballot_sync(0xffffffffu, inside && g > T{0});
  const uint32_t zero = __ballot_sync(0xffffffffu, inside && g == T{0});
  return {positive, zero};
}

}  // namespace orrery
