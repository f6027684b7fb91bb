// Who of a group takes part, on the host: the kernel's draw (kernels/participation.hpp), shared with the waiting clock.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/core/rng.hpp"

namespace orrery {

// Stream of one group in one local period; `index`: the group's place in its replica.
ORRERY_HD inline Stream participation_stream(uint64_t seed, int64_t index, int64_t period) {
  return Stream(seed, Draw::participation, static_cast<uint32_t>(index), static_cast<uint64_t>(period));
}

// `count` of the places 0 ... n-1: those with the smallest words, of equal words the earlier place. 1 <= count <= n < 2^32.
// drawn: in no particular order; room is kept from call to call.
inline void draw_places(const Stream& draw, int64_t n, int64_t count, std::vector<uint64_t>& drawn) {
  drawn.resize(static_cast<size_t>(n));
  for (int64_t m = 0; m < n; ++m)
    drawn[static_cast<size_t>(m)] =
        static_cast<uint64_t>(draw.bits(static_cast<uint32_t>(m))) << 32 | static_cast<uint64_t>(m);
  std::nth_element(drawn.begin(), drawn.begin() + (count - 1), drawn.end());
  drawn.resize(static_cast<size_t>(count));
  for (uint64_t& d : drawn) d &= 0xffffffffu;
}

}  // namespace orrery
