// A block's search for the place where a row is cut, so that its k largest stay (top_signs.hpp says in which order). The whole block of
// top_threads threads calls; every thread gets the result.
#pragma once

#include <cmath>

#include "kernels/core/launch.cuh"
#include "kernels/top_signs.hpp"

namespace orrery::detail {

inline constexpr unsigned top_threads = 512;
inline constexpr int top_warps = top_threads / 32;

// The sum of `value` over the threads before this one, and over all; of_warp: shared, one element per warp. The whole block calls.
struct Scan {
  unsigned before, all;
};
__device__ inline Scan block_scan(unsigned value, unsigned* of_warp) {
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  unsigned upto = value;
#pragma unroll
  for (unsigned d = 1; d < 32; d *= 2) {
    const unsigned below = __shfl_up_sync(0xffffffffu, upto, d);
    if (lane >= d) upto += below;
  }
  if (lane == 31) of_warp[warp] = upto;
  __syncthreads();
  Scan scan{upto - value, 0};
  for (unsigned w = 0; w < top_warps; ++w) {
    if (w < warp) scan.before += of_warp[w];
    scan.all += of_warp[w];
  }
  __syncthreads();  // of_warp may be written again
  return scan;
}

// What a block knows of its cut: `among` columns share the bits of `prefix` from the last digit up, and `left` of those are kept.
struct Search {
  uint64_t prefix;
  int64_t left, among, last;
};

// Counts the digit below `shift` of the columns that share prefix, and appends to it the digit of the last one that is kept.
template <class T>
__device__ void next_digit(const T* e, int64_t begin, int64_t end, int shift, int width, Search* search,
                           unsigned* count, unsigned* of_warp) {
  const uint64_t prefix = search->prefix, mask = (uint64_t{1} << width) - 1;
  const int64_t left = search->left;
  for (int i = static_cast<int>(threadIdx.x); i < digits; i += static_cast<int>(top_threads)) count[i] = 0;
  __syncthreads();
  for (int64_t j = begin + threadIdx.x; j < end; j += top_threads) {
    const uint64_t bits = magnitude_bits(e[j]);
    if (bits >> shift == prefix >> shift) atomicAdd(&count[bits >> (shift - width) & mask], 1u);
  }
  __syncthreads();

  // from the largest digit down, a few of a thread
  constexpr int each = digits / static_cast<int>(top_threads);
  const int top = digits - 1 - each * static_cast<int>(threadIdx.x);
  unsigned mine = 0;
  for (int i = 0; i < each; ++i) mine += count[top - i];
  int64_t above = block_scan(mine, of_warp).before;
  if (above < left && left <= above + mine) {
    int digit = top;
    for (; above + count[digit] < left; --digit) above += count[digit];
    *search = {prefix | static_cast<uint64_t>(digit) << (shift - width), left - above, int64_t{count[digit]}, 0};
  }
  __syncthreads();
}

// The cut of columns begin ... end - 1 of a row.
template <class T>
__device__ TopCut block_cut(const T* row, int64_t begin, int64_t end, int64_t keep) {
  ORRERY_SHARED(unsigned, count, digits);
  ORRERY_SHARED(unsigned, of_warp, top_warps);
  ORRERY_SHARED(Search, found, 1);
  ORRERY_SHARED(TopCut, cut, 1);
  if (keep <= 0) return keep_none();
  if (keep >= end - begin) return keep_from(0);
  Search* const search = &found[0];
  if (threadIdx.x == 0) *search = {0, keep, end - begin, 0};
  __syncthreads();
  for (int shift = magnitude_width<T>; shift > 0 && search->left < search->among;) {
    const int width = shift < digit_bits ? shift : digit_bits;
    next_digit(row, begin, end, shift, width, search, count, of_warp);
    shift -= width;
  }

  // all that share the digits are kept, or the first of equal ones
  if (search->left == search->among) {
    if (threadIdx.x == 0) cut[0] = keep_from(search->prefix);
  } else {
    const uint64_t prefix = search->prefix;
    int64_t left = search->left;
    for (int64_t j = begin; left > 0; j += top_threads) {
      const int64_t mine = j + threadIdx.x;
      const bool equal = mine < end && magnitude_bits(row[mine]) == prefix;
      const Scan scan = block_scan(equal ? 1u : 0u, of_warp);
      if (equal && scan.before + 1 == left) cut[0] = {prefix, mine};
      left -= scan.all;
    }
  }
  __syncthreads();
  const TopCut result = cut[0];
  __syncthreads();  // the search and the cut may be written again
  return result;
}

// Room on the chip for a row of P that keeps k, so that memory is read once: for the row itself, or, where that is too long and few are kept, for the
// candidates above a magnitude that a sample names: the k largest are all but sure to be among them, and what is not is seen and searched in memory.
struct TopRoom {
  static constexpr int64_t most_bytes = 216 * 1024, sample = 8192;
  bool whole = false;
  int64_t candidates = 0;  // places for (number, coordinate)
  int64_t rank = 0;        // of the sample, from the largest: as many are kept of it, and four deviations more
  int64_t bytes = 0;

  static TopRoom of(int64_t P, int64_t k, int64_t element_size) {
    TopRoom room;
    if (P * element_size <= most_bytes) {
      room.whole = true;
      room.bytes = P * element_size;
      return room;
    }
    if (k > P / 4) return room;
    const double share = static_cast<double>(k) / static_cast<double>(P) * sample;
    room.rank = static_cast<int64_t>(share + 4 * std::sqrt(share)) + 8;
    const auto rank = static_cast<double>(room.rank);
    const auto places = static_cast<int64_t>((rank + 4 * std::sqrt(rank)) / sample * static_cast<double>(P)) + 1;
    const int64_t bytes =
        places * (element_size + 4) > sample * element_size ? places * (element_size + 4) : sample * element_size;
    if (bytes > most_bytes) return TopRoom();
    room.candidates = places;
    room.bytes = bytes;
    return room;
  }
};

template <class T>
__device__ inline bool is_kept(const TopCut& cut, T x, int64_t j) {
  const uint64_t bits = magnitude_bits(x);
  return bits > cut.bits || (bits == cut.bits && j <= cut.last);
}

}  // namespace orrery::detail
