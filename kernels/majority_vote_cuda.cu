#include "kernels/majority_vote.hpp"
#include "kernels/signs.cuh"

namespace orrery::detail {
namespace {

constexpr int lanes = 32;  // words of a block: one per lane
constexpr int max_warps = 8;

// Bit-sliced counters of a lane's word, in registers.
template <int Planes>
struct Counters {
  uint32_t plane[Planes] = {};
  __device__ void add_eight(const uint32_t (&r)[8]) {
    const uint32_t a = carry_save(plane[0], r[0], r[1]), b = carry_save(plane[0], r[2], r[3]);
    const uint32_t c = carry_save(plane[0], r[4], r[5]), d = carry_save(plane[0], r[6], r[7]);
    const uint32_t e = carry_save(plane[1], a, b), f = carry_save(plane[1], c, d);
    uint32_t carry = carry_save(plane[2], e, f);
#pragma unroll
    for (int p = 3; p < Planes; ++p) {
      const uint32_t next = plane[p] & carry;
      plane[p] ^= carry;
      carry = next;
    }
  }
};

// The count of one plane of signs over group k, for the word `word` of each lane: warp y counts the y-th range of members, then warp 0
// adds the ranges in their order and returns them; `voters` is the number of members present. The whole block calls.
template <int Planes>
__device__ Counters<Planes> count(const Ballots& b, const MatrixView<const uint32_t>& signs, int64_t k, int64_t word,
                                  int64_t* voters) {
  ORRERY_SHARED(uint32_t, part, max_warps * Planes * lanes);
  ORRERY_SHARED(int64_t, present, max_warps);
  const int lane = static_cast<int>(threadIdx.x), warp = static_cast<int>(threadIdx.y),
            warps = static_cast<int>(blockDim.y);
  const int64_t begin = b.groups.begin[k], end = b.groups.begin[k + 1], range = (end - begin + warps - 1) / warps;
  const int64_t first = begin + warp * range, last = first + range < end ? first + range : end;

  Counters<Planes> mine;
  int64_t here = 0;
  for (int64_t m = first; m < last; m += 8) {
    uint32_t r[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      r[i] = 0;
      if (m + i < last) {
        const int64_t row = b.groups.member[m + i];
        const bool votes = b.votes(row);
        here += votes ? 1 : 0;
        if (votes && word < b.signs.words()) r[i] = signs(row, word);
      }
    }
    mine.add_eight(r);
  }
#pragma unroll
  for (int p = 0; p < Planes; ++p) part[(warp * Planes + p) * lanes + lane] = mine.plane[p];
  if (lane == 0) present[warp] = here;
  __syncthreads();

  if (warp == 0) {
    for (int y = 1; y < warps; ++y) {
      uint32_t carry = 0;
#pragma unroll
      for (int p = 0; p < Planes; ++p) carry = carry_save(mine.plane[p], part[(y * Planes + p) * lanes + lane], carry);
      here += present[y];
    }
  }
  *voters = here;
  __syncthreads();  // part may be written again
  return mine;
}

// Grid: x = strips of 32 words, y = groups (strided). Block: 32 words by up to 8 ranges of members.
template <int Planes>
__global__ void majority_vote_kernel(Ballots b, Decision out) {
  const int64_t word = int64_t{blockIdx.x} * lanes + threadIdx.x;
  for (int64_t k = blockIdx.y; k < b.groups.nodes; k += gridDim.y) {
    int64_t voters = 0;
    const Counters<Planes> p = count<Planes>(b, b.signs.positive, k, word, &voters);
    Counters<Planes> z;
    if (b.signs.has_zeros()) z = count<Planes>(b, b.signs.zero, k, word, &voters);
    if (threadIdx.y != 0 || word >= b.signs.words()) continue;
    Comparison compared;
#pragma unroll
    for (int bit = 0; bit < Planes + 2; ++bit)
      compared.bit(bit > 0 && bit <= Planes ? p.plane[bit - 1] : 0u, bit < Planes ? z.plane[bit] : 0u,
                   all_bits(voters, bit));
    const uint32_t used = bits_in_use(b.signs.coordinates, word);
    store(out.signs, k, word, settle({compared.greater & used, compared.equal & used}, out.tie, out.coins(k), word));
  }
}

// The same grid; warp 0 puts the counters where every warp can read them, and a warp then writes 32 coordinates of one word.
template <int Planes>
__global__ void vote_counts_kernel(Ballots b, MatrixView<int32_t> counts) {
  ORRERY_SHARED(uint32_t, total, 2 * Planes * lanes);
  ORRERY_SHARED(int64_t, present, 1);
  const int lane = static_cast<int>(threadIdx.x), warp = static_cast<int>(threadIdx.y);
  const int64_t first = int64_t{blockIdx.x} * lanes;
  for (int64_t k = blockIdx.y; k < b.groups.nodes; k += gridDim.y) {
    int64_t voters = 0;
    const Counters<Planes> p = count<Planes>(b, b.signs.positive, k, first + lane, &voters);
    Counters<Planes> z;
    if (b.signs.has_zeros()) z = count<Planes>(b, b.signs.zero, k, first + lane, &voters);
    if (warp == 0) {
#pragma unroll
      for (int i = 0; i < Planes; ++i) {
        total[i * lanes + lane] = p.plane[i];
        total[(Planes + i) * lanes + lane] = z.plane[i];
      }
      if (lane == 0) present[0] = voters;
    }
    __syncthreads();
    for (int w = warp; w < lanes; w += static_cast<int>(blockDim.y)) {
      const int64_t j = (first + w) * bits_of_word + lane;
      int64_t sum = 0;  // 2 #(+1) + #(0)
      for (int i = 0; i < Planes; ++i)
        sum += (int64_t{total[i * lanes + w] >> lane & 1u} << (i + 1)) +
               (int64_t{total[(Planes + i) * lanes + w] >> lane & 1u} << i);
      if (j < counts.extent(1)) counts(k, j) = static_cast<int32_t>(sum - present[0]);
    }
    __syncthreads();  // total may be written again
  }
}

template <class S>
__device__ S sum_of(const GroupTable& g, MatrixView<const S> sums, int64_t k, int64_t j) {
  S total{0};
  if (j < sums.extent(1))
    for (int64_t m = g.begin[k]; m < g.begin[k + 1]; ++m) total += sums(g.member[m], j);
  return total;
}

// Grid: x = strips of 256 coordinates, y = groups (strided); of sum_vote a warp makes one word.
template <class S>
__global__ void forward_sums_kernel(GroupTable g, MatrixView<const S> sums, MatrixView<S> out) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= sums.extent(1)) return;
  for (int64_t k = blockIdx.y; k < g.nodes; k += gridDim.y) out(k, j) = sum_of(g, sums, k, j);
}

template <class S>
__global__ void sum_vote_kernel(GroupTable g, MatrixView<const S> sums, Decision out) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  for (int64_t k = blockIdx.y; k < g.nodes; k += gridDim.y) {
    const S total = sum_of(g, sums, k, j);
    const SignWord word = ballot_signs(total, j < sums.extent(1));
    if (threadIdx.x % 32 == 0 && j < sums.extent(1))
      store(out.signs, k, j / bits_of_word, settle(word, out.tie, out.coins(k), j / bits_of_word));
  }
}

dim3 grid_for(int64_t items, int64_t width, int64_t nodes) {
  return dim3(static_cast<unsigned>((items + width - 1) / width), static_cast<unsigned>(nodes < 65535 ? nodes : 65535));
}
// at least 8 members for each warp
dim3 block_for(const GroupTable& g) {
  const int64_t warps = (g.largest + 7) / 8;
  return dim3(lanes, static_cast<unsigned>(warps < 1 ? 1 : warps > max_warps ? max_warps : warps));
}

// f.operator()<Planes>() with enough planes for the largest group
template <class F>
void with_planes(const GroupTable& g, F f) {
  if (g.largest < (1 << 8))
    f.template operator()<8>();
  else if (g.largest < (1 << 12))
    f.template operator()<12>();
  else
    f.template operator()<counter_planes>();
}

}  // namespace

template <>
void majority_vote_impl<Backend::cuda>(const Context& ctx, const Ballots& b, const Decision& out) {
  with_planes(b.groups, [&]<int Planes>() {
    launch(majority_vote_kernel<Planes>, grid_for(b.signs.words(), lanes, b.groups.nodes), block_for(b.groups), 0,
           ctx.stream(), b, out);
  });
}

template <>
void vote_counts_impl<Backend::cuda>(const Context& ctx, const Ballots& b, MatrixView<int32_t> counts) {
  with_planes(b.groups, [&]<int Planes>() {
    launch(vote_counts_kernel<Planes>, grid_for(b.signs.words(), lanes, b.groups.nodes), block_for(b.groups), 0,
           ctx.stream(), b, counts);
  });
}

template <class S, Backend B>
void forward_sums_impl(const Context& ctx, const GroupTable& g, MatrixView<const S> sums, MatrixView<S> out) {
  launch(forward_sums_kernel<S>, grid_for(sums.extent(1), 256, g.nodes), dim3(256), 0, ctx.stream(), g, sums, out);
}

template <class S, Backend B>
void sum_vote_impl(const Context& ctx, const GroupTable& g, MatrixView<const S> sums, const Decision& out) {
  launch(sum_vote_kernel<S>, grid_for(sums.extent(1), 256, g.nodes), dim3(256), 0, ctx.stream(), g, sums, out);
}

#define ORRERY_INSTANTIATE(S)                                                                               \
  template void forward_sums_impl<S, Backend::cuda>(const Context&, const GroupTable&, MatrixView<const S>, \
                                                    MatrixView<S>);                                         \
  template void sum_vote_impl<S, Backend::cuda>(const Context&, const GroupTable&, MatrixView<const S>,     \
                                                const Decision&);
ORRERY_INSTANTIATE(int32_t)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
