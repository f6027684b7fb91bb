#include "kernels/core/block.cuh"
#include "kernels/core/launch.cuh"
#include "kernels/participation.hpp"

namespace orrery::detail {
namespace {

constexpr int threads_of_block = 128;

// Grid: x = groups, strided. Block: 128 threads over the members. The c-th smallest word is found bit by bit, from the highest: how many
// words lie below prefix + bit.
__global__ void draw_kernel(ParticipationTable t, VectorView<const uint64_t> seed, Slot slot,
                            VectorView<uint32_t> words, VectorView<uint8_t> present, VectorView<double> scale) {
  const int64_t now = slot.at().slot;
  for (int64_t k = blockIdx.x; k < t.groups.nodes; k += gridDim.x) {
    const int64_t begin = t.groups.begin[k], end = t.groups.begin[k + 1], count = t.count[k];
    const Stream draw = participation_stream(seed[t.groups.member[begin]], t.index[k], now / t.period[k]);
    for (int64_t m = begin + threadIdx.x; m < end; m += blockDim.x)
      words[t.groups.member[m]] = draw.bits(static_cast<uint32_t>(m - begin));
    // from here on every thread reads its own words only, until equal words are told apart

    uint32_t kth = 0;
    int64_t smaller = 0;  // words below kth
    for (int bit = 31; bit >= 0; --bit) {
      const uint64_t bound = uint64_t{kth} + (uint64_t{1} << bit);
      int64_t below = 0;
      for (int64_t m = begin + threadIdx.x; m < end; m += blockDim.x)
        below += words[t.groups.member[m]] < bound ? 1 : 0;
      below = block_sum(below);
      if (below < count) kth = static_cast<uint32_t>(bound), smaller = below;
    }
    __syncthreads();

    double sum = 0;
    for (int64_t m = begin + threadIdx.x; m < end; m += blockDim.x) {
      const uint32_t word = words[t.groups.member[m]];
      bool drawn = word < kth;
      if (word == kth) {  // of equal words the earlier members
        int64_t before = smaller;
        for (int64_t i = begin; i < m; ++i) before += words[t.groups.member[i]] == kth ? 1 : 0;
        drawn = before < count;
      }
      present[t.groups.member[m]] = drawn ? 1 : 0;
      if (drawn) sum += t.groups.weight[m];
    }
    sum = block_sum(sum);
    const double factor = count == end - begin ? 1.0 : 1.0 / sum;
    for (int64_t m = begin + threadIdx.x; m < end; m += blockDim.x)
      scale[t.groups.member[m]] = present[t.groups.member[m]] ? factor : 0.0;
  }
}

__global__ void scale_kernel(VectorView<const int64_t> member, VectorView<const double> weight,
                             VectorView<const double> scale, VectorView<double> live) {
  const int64_t m = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (m < member.size()) live[m] = weight[m] * scale[member[m]];
}

}  // namespace

template <>
void draw_participants_impl<Backend::cuda>(const Context& ctx, const ParticipationTable& t,
                                           VectorView<const uint64_t> seed, Slot slot, VectorView<uint32_t> words,
                                           VectorView<uint8_t> present, VectorView<double> scale) {
  const int64_t nodes = t.groups.nodes < (1 << 20) ? t.groups.nodes : 1 << 20;
  launch(draw_kernel, dim3(static_cast<unsigned>(nodes)), dim3(threads_of_block), 0, ctx.stream(), t, seed, slot, words,
         present, scale);
}

template <>
void scale_weights_impl<Backend::cuda>(const Context& ctx, VectorView<const int64_t> member,
                                       VectorView<const double> weight, VectorView<const double> scale,
                                       VectorView<double> live) {
  launch(scale_kernel, dim3(static_cast<unsigned>((member.size() + 255) / 256)), dim3(256), 0, ctx.stream(), member,
         weight, scale, live);
}

}  // namespace orrery::detail
