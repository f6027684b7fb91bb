#include "kernels/core/buffer.hpp"
#include "kernels/signs.cuh"
#include "kernels/weighted_vote.hpp"

namespace orrery::detail {
namespace {

constexpr int lanes = 32;  // coordinates of a block: one word, one coordinate per lane
constexpr int max_warps = 8;

struct Range {
  int64_t first, last;
};
// the members of group k that this warp takes
__device__ Range range_of(const GroupTable& g, int64_t k) {
  const int64_t begin = g.begin[k], end = g.begin[k + 1], n = (end - begin + blockDim.y - 1) / blockDim.y;
  const int64_t first = begin + threadIdx.y * n;
  return {first, first + n < end ? first + n : end};
}

// The weighted sum over a range of members in this lane's coordinate; the loads of four members are under way at once.
template <class W>
__device__ double sum_of(const Ballots& b, const W& weights, Range range, int64_t word) {
  constexpr int together = 4;
  const int lane = static_cast<int>(threadIdx.x);
  double sum = 0;
  for (int64_t m = range.first; m < range.last; m += together) {
    double vote[together];
#pragma unroll
    for (int i = 0; i < together; ++i) {
      vote[i] = 0;
      const int64_t r = b.groups.member[m + i < range.last ? m + i : m];
      if (m + i < range.last && b.votes(r))
        vote[i] = weights.of(r).weight(word * bits_of_word + lane) * sign_at(sign_word(b.signs, r, word), lane);
    }
#pragma unroll
    for (int i = 0; i < together; ++i) sum += vote[i];
  }
  return sum;
}

// What the members of this warp's range learn from the decoded word; the whole warp calls.
template <class W>
__device__ void learn_range(const Ballots& b, const W& weights, Range range, int64_t word, SignWord decoded,
                            VectorView<int64_t> agreed) {
  const int lane = static_cast<int>(threadIdx.x);
  const int64_t j = word * bits_of_word + lane;
  const uint32_t used = bits_in_use(b.signs.coordinates, word);
  for (int64_t m = range.first; m < range.last; ++m) {
    const int64_t r = b.groups.member[m];
    if (!b.votes(r)) continue;
    const uint32_t same = agreement(decoded, sign_word(b.signs, r, word)) & used;
    if constexpr (W::learns) {
      if (used >> lane & 1u) weights.of(r).learn(j, same >> lane & 1u);
    }
    if (lane == 0 && agreed.size() > 0)
      atomicAdd(reinterpret_cast<unsigned long long*>(&agreed[r]), static_cast<unsigned long long>(__popc(same)));
  }
}

// Grid: x = words, strided; y = groups, strided. Block: 32 coordinates by up to 8 ranges of members, whose sums are exact.
template <class W>
__global__ void weighted_vote_kernel(Ballots b, W weights, Decision out, VoteRecord record) {
  ORRERY_SHARED(double, part, max_warps* lanes);
  ORRERY_SHARED(uint32_t, decided, 2);
  const int lane = static_cast<int>(threadIdx.x), warp = static_cast<int>(threadIdx.y);
  for (int64_t k = blockIdx.y; k < b.groups.nodes; k += gridDim.y)
    for (int64_t word = blockIdx.x; word < b.signs.words(); word += gridDim.x) {
      const int64_t j = word * bits_of_word + lane;
      const bool inside = j < b.signs.coordinates;
      const Range range = range_of(b.groups, k);
      double sum = inside ? sum_of(b, weights, range, word) : 0.0;
      part[warp * lanes + lane] = sum;
      __syncthreads();

      if (warp == 0) {
        for (int y = 1; y < static_cast<int>(blockDim.y); ++y) sum += part[y * lanes + lane];
        if (inside && record.scores.size() > 0) record.scores(k, j) = sum;
        const SignWord raw = ballot_signs(sum, inside);
        if (lane == 0) {
          const SignWord settled = settle(raw, out.tie, out.coins(k), word);
          store(out.signs, k, word, settled);
          decided[0] = settled.positive, decided[1] = settled.zero;
        }
      }
      __syncthreads();
      if (record.learn) learn_range(b, weights, range, word, {decided[0], decided[1]}, record.agreed);
      __syncthreads();  // decided may be written again
    }
}

template <class W>
__global__ void learn_agreements_kernel(Ballots b, SignsIn decoded, W weights, VectorView<int64_t> agreed) {
  for (int64_t k = blockIdx.y; k < b.groups.nodes; k += gridDim.y)
    for (int64_t word = blockIdx.x; word < b.signs.words(); word += gridDim.x)
      learn_range(b, weights, range_of(b.groups, k), word, sign_word(decoded, k, word), agreed);
}

void clear(const Context& ctx, VectorView<int64_t> agreed) {
  if (agreed.size() > 0) zero(ctx, agreed.data(), agreed.size() * int64_t{sizeof(int64_t)});
}

dim3 grid_for(const Ballots& b) {
  const int64_t words = b.signs.words(), nodes = b.groups.nodes;
  return dim3(static_cast<unsigned>(words < (1 << 20) ? words : 1 << 20),
              static_cast<unsigned>(nodes < 65535 ? nodes : 65535));
}
// at least 8 members for each warp
dim3 block_for(const GroupTable& g) {
  const int64_t warps = (g.largest + 7) / 8;
  return dim3(lanes, static_cast<unsigned>(warps < 1 ? 1 : warps > max_warps ? max_warps : warps));
}

}  // namespace

template <class W, Backend B>
void weighted_vote_impl(const Context& ctx, const Ballots& b, const W& weights, const Decision& out,
                        const VoteRecord& record) {
  if (record.learn) clear(ctx, record.agreed);
  launch(weighted_vote_kernel<W>, grid_for(b), block_for(b.groups), 0, ctx.stream(), b, weights, out, record);
}

template <class W, Backend B>
void learn_agreements_impl(const Context& ctx, const Ballots& b, const SignsIn& decoded, const W& weights,
                           VectorView<int64_t> agreed) {
  clear(ctx, agreed);
  launch(learn_agreements_kernel<W>, grid_for(b), block_for(b.groups), 0, ctx.stream(), b, decoded, weights, agreed);
}

#define ORRERY_INSTANTIATE(W)                                                                                     \
  template void weighted_vote_impl<W, Backend::cuda>(const Context&, const Ballots&, const W&, const Decision&,   \
                                                     const VoteRecord&);                                          \
  template void learn_agreements_impl<W, Backend::cuda>(const Context&, const Ballots&, const SignsIn&, const W&, \
                                                        VectorView<int64_t>);
ORRERY_INSTANTIATE(WorkerWeights)
ORRERY_INSTANTIATE(CountedWeights)
ORRERY_INSTANTIATE(FadingWeights)

}  // namespace orrery::detail
