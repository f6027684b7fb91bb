// Sums and counts over the members of a group, in the order of group_mean.hpp: blocks of 32 members, whose sums are added in order. Which warp
// adds which block does not matter to the result.
#pragma once

#include "kernels/core/launch.cuh"
#include "kernels/group_mean.hpp"

namespace orrery {

struct Tally {
  double sum;
  int64_t count;
};

inline constexpr int tally_lanes = 32;  // columns of a block: one per lane
inline constexpr int tally_warps = 8;   // at most

inline dim3 tally_block(const GroupTable& g) {
  const int64_t warps = (g.largest + sum_block - 1) / sum_block;
  return dim3(tally_lanes, static_cast<unsigned>(warps < 1 ? 1 : warps > tally_warps ? tally_warps : warps));
}
inline dim3 tally_grid(const GroupTable& g, int64_t columns) {
  return dim3(static_cast<unsigned>((columns + tally_lanes - 1) / tally_lanes),
              static_cast<unsigned>(g.nodes < 65535 ? g.nodes : 65535));
}

// add(tally, row) for the members of group k, in the column of the lane; part: tally_warps * tally_lanes shared elements. The whole block calls;
// warp 0 gets the result.
template <class F>
__device__ Tally ordered_tally(const GroupTable& g, int64_t k, F add, Tally* part) {
  const int64_t begin = g.begin[k], end = g.begin[k + 1];
  const int lane = static_cast<int>(threadIdx.x), warp = static_cast<int>(threadIdx.y),
            warps = static_cast<int>(blockDim.y);
  Tally total{0, 0};
  for (int64_t b = begin; b < end; b += int64_t{warps} * sum_block) {
    const int64_t first = b + warp * sum_block;
    const int64_t last = first + sum_block < end ? first + sum_block : end;
    Tally mine{0, 0};
    for (int64_t m = first; m < last; ++m) add(mine, g.member[m]);
    part[warp * tally_lanes + lane] = mine;
    __syncthreads();
    if (warp == 0)
      for (int y = 0; y < warps && b + y * sum_block < end; ++y) {
        total.sum += part[y * tally_lanes + lane].sum;
        total.count += part[y * tally_lanes + lane].count;
      }
    __syncthreads();  // part may be written again
  }
  return total;
}

}  // namespace orrery
