#include "kernels/ordered_tally.cuh"
#include "kernels/tensors.hpp"
#include "kernels/top_signs.hpp"

namespace orrery::detail {
namespace {

constexpr unsigned block_threads = 256;
constexpr int warps = block_threads / 32;

// The sum of `value` over the threads before this one, and over all; of_warp: shared, one element per warp. The whole block calls.
struct Scan {
  unsigned before, all;
};
__device__ Scan block_scan(unsigned value, unsigned* of_warp) {
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
  for (unsigned w = 0; w < warps; ++w) {
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
  for (int i = static_cast<int>(threadIdx.x); i < digits; i += static_cast<int>(block_threads)) count[i] = 0;
  __syncthreads();
  for (int64_t j = begin + threadIdx.x; j < end; j += block_threads) {
    const uint64_t bits = magnitude_bits(e[j]);
    if (bits >> shift == prefix >> shift) atomicAdd(&count[bits >> (shift - width) & mask], 1u);
  }
  __syncthreads();

  // from the largest digit down, a few of a thread
  constexpr int each = digits / static_cast<int>(block_threads);
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

// Grid: one block per pair of row and tensor (strided).
template <class T>
__global__ void top_cuts_kernel(VectorView<const int64_t> offset, VectorView<const int64_t> keep, MatrixView<const T> e,
                                MatrixView<TopCut> cuts, VectorView<const uint8_t> present) {
  ORRERY_SHARED(unsigned, count, digits);
  ORRERY_SHARED(unsigned, of_warp, warps);
  ORRERY_SHARED(Search, found, 1);
  Search* const search = &found[0];
  const int64_t tensors = cuts.extent(1);
  for (int64_t pair = blockIdx.x; pair < cuts.size(); pair += gridDim.x) {
    const int64_t r = pair / tensors, t = pair % tensors, begin = offset[t], end = offset[t + 1];
    if (!takes_part(present, r)) continue;
    if (keep[t] <= 0 || keep[t] >= end - begin) {
      if (threadIdx.x == 0) cuts(r, t) = keep[t] <= 0 ? keep_none() : keep_from(0);
      continue;
    }
    const T* const row = e.row(r);
    if (threadIdx.x == 0) *search = {0, keep[t], end - begin, 0};
    __syncthreads();
    for (int shift = magnitude_width<T>; shift > 0 && search->left < search->among;) {
      const int width = shift < digit_bits ? shift : digit_bits;
      next_digit(row, begin, end, shift, width, search, count, of_warp);
      shift -= width;
    }

    // all that share the digits are kept, or the first of equal ones
    if (search->left == search->among) {
      if (threadIdx.x == 0) cuts(r, t) = keep_from(search->prefix);
    } else {
      const uint64_t prefix = search->prefix;
      int64_t left = search->left;
      for (int64_t j = begin; left > 0; j += block_threads) {
        const int64_t mine = j + threadIdx.x;
        const bool equal = mine < end && magnitude_bits(row[mine]) == prefix;
        const Scan scan = block_scan(equal ? 1u : 0u, of_warp);
        if (equal && scan.before + 1 == left) cuts(r, t) = {prefix, mine};
        left -= scan.all;
      }
    }
    __syncthreads();  // the search may be written again
  }
}

template <class T>
__device__ bool is_kept(const TopCut& cut, T x, int64_t j) {
  const uint64_t bits = magnitude_bits(x);
  return bits > cut.bits || (bits == cut.bits && j <= cut.last);
}

dim3 grid_for(int64_t columns, int64_t rows) {
  return dim3(static_cast<unsigned>((columns + block_threads - 1) / block_threads),
              static_cast<unsigned>(rows < 65535 ? rows : 65535));
}

// Grid: x = strips of 256 coordinates, y = rows (strided). A warp makes one word.
template <class T>
__global__ void cut_signs_kernel(VectorView<const int64_t> offset, MatrixView<const TopCut> cuts, MatrixView<T> e,
                                 SignsOut signs, VectorView<const uint8_t> present) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const bool inside = j < e.extent(1);
  const int64_t t = inside ? tensor_of(offset, j) : 0;
  for (int64_t r = blockIdx.y; r < e.extent(0); r += gridDim.y) {
    if (!takes_part(present, r)) continue;  // the whole block
    const T x = inside ? e(r, j) : T{0};
    const bool kept = inside && is_kept(cuts(r, t), x, j);
    const uint32_t positive = __ballot_sync(0xffffffffu, kept && x > T{0});
    const uint32_t zero = __ballot_sync(0xffffffffu, inside && (!kept || x == T{0}));
    if (kept) e(r, j) = T{0};
    if (inside && threadIdx.x % 32 == 0) store(signs, r, j / bits_of_word, {positive, zero});
  }
}

template <class T>
__global__ void cut_values_kernel(VectorView<const int64_t> offset, MatrixView<const TopCut> cuts, MatrixView<T> e,
                                  MatrixView<T> out, VectorView<const uint8_t> present) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= e.extent(1)) return;
  const int64_t t = tensor_of(offset, j);
  for (int64_t r = blockIdx.y; r < e.extent(0); r += gridDim.y) {
    if (!takes_part(present, r)) continue;
    const T x = e(r, j);
    const bool kept = is_kept(cuts(r, t), x, j);
    out(r, j) = kept ? x : T{0};
    if (kept) e(r, j) = T{0};
  }
}

// Grid: x = strips of 32 columns, y = nodes (strided). Block: 32 columns by up to 8 warps of members.
template <class T>
__global__ void sparse_mean_kernel(GroupTable g, MatrixView<const T> sent, MatrixView<T> out,
                                   VectorView<const uint8_t> present) {
  ORRERY_SHARED(Tally, part, tally_warps * tally_lanes);
  const int64_t j = int64_t{blockIdx.x} * tally_lanes + threadIdx.x;
  const bool inside = j < out.extent(1);
  for (int64_t k = blockIdx.y; k < g.nodes; k += gridDim.y) {
    const auto add = [&](Tally& mine, int64_t r) {
      if (!inside || !takes_part(present, r)) return;
      const T x = sent(r, j);
      mine.sum += static_cast<double>(x);
      mine.count += x != T{0} ? 1 : 0;
    };
    const Tally total = ordered_tally(g, k, add, part);
    if (threadIdx.y == 0 && inside) out(k, j) = sparse_mean_of<T>(total.sum, total.count);
  }
}

}  // namespace

template <class T, Backend B>
void top_cuts_impl(const Context& ctx, VectorView<const int64_t> offset, VectorView<const int64_t> keep,
                   MatrixView<const T> e, MatrixView<TopCut> cuts, VectorView<const uint8_t> present) {
  launch(top_cuts_kernel<T>, dim3(static_cast<unsigned>(cuts.size() < (1 << 20) ? cuts.size() : (1 << 20))),
         dim3(block_threads), 0, ctx.stream(), offset, keep, e, cuts, present);
}
template <class T, Backend B>
void cut_signs_impl(const Context& ctx, VectorView<const int64_t> offset, MatrixView<const TopCut> cuts,
                    MatrixView<T> e, const SignsOut& signs, VectorView<const uint8_t> present) {
  launch(cut_signs_kernel<T>, grid_for(e.extent(1), e.extent(0)), dim3(block_threads), 0, ctx.stream(), offset, cuts, e,
         signs, present);
}
template <class T, Backend B>
void cut_values_impl(const Context& ctx, VectorView<const int64_t> offset, MatrixView<const TopCut> cuts,
                     MatrixView<T> e, MatrixView<T> out, VectorView<const uint8_t> present) {
  launch(cut_values_kernel<T>, grid_for(e.extent(1), e.extent(0)), dim3(block_threads), 0, ctx.stream(), offset, cuts,
         e, out, present);
}
template <class T, Backend B>
void sparse_mean_impl(const Context& ctx, const GroupTable& g, MatrixView<const T> sent, MatrixView<T> out,
                      VectorView<const uint8_t> present) {
  launch(sparse_mean_kernel<T>, tally_grid(g, out.extent(1)), tally_block(g), 0, ctx.stream(), g, sent, out, present);
}

#define ORRERY_INSTANTIATE(T)                                                                                          \
  template void top_cuts_impl<T, Backend::cuda>(const Context&, VectorView<const int64_t>, VectorView<const int64_t>,  \
                                                MatrixView<const T>, MatrixView<TopCut>, VectorView<const uint8_t>);   \
  template void cut_signs_impl<T, Backend::cuda>(const Context&, VectorView<const int64_t>, MatrixView<const TopCut>,  \
                                                 MatrixView<T>, const SignsOut&, VectorView<const uint8_t>);           \
  template void cut_values_impl<T, Backend::cuda>(const Context&, VectorView<const int64_t>, MatrixView<const TopCut>, \
                                                  MatrixView<T>, MatrixView<T>, VectorView<const uint8_t>);            \
  template void sparse_mean_impl<T, Backend::cuda>(const Context&, const GroupTable&, MatrixView<const T>,             \
                                                   MatrixView<T>, VectorView<const uint8_t>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
