#include "kernels/core/launch.cuh"
#include "kernels/group_mean.hpp"

namespace orrery::detail {
namespace {

constexpr int lanes = 32;  // columns of a block: one per lane
constexpr int max_warps = 8;

// The weighted sum of group k in column j, in the order of the header: warp y adds the blocks y, y + warps, ... of 32 members, and the
// blocks' sums are added in order behind a barrier. Every thread of column j gets the total.
template <class T>
__device__ T ordered_sum(const GroupTable& g, int64_t k, MatrixView<const T> x, int64_t j, T* part, T* total) {
  const int64_t begin = g.begin[k], end = g.begin[k + 1];
  const int lane = static_cast<int>(threadIdx.x), warp = static_cast<int>(threadIdx.y),
            warps = static_cast<int>(blockDim.y);
  T sum{0};
  for (int64_t b = begin; b < end; b += int64_t{warps} * sum_block) {
    const int64_t first = b + warp * sum_block;
    const int64_t last = first + sum_block < end ? first + sum_block : end;
    T mine{0};
    if (j < x.extent(1))
      for (int64_t m = first; m < last; ++m) mine += static_cast<T>(g.weight[m]) * x(g.member[m], j);
    part[warp * lanes + lane] = mine;
    __syncthreads();
    if (warp == 0)
      for (int y = 0; y < warps && b + y * sum_block < end; ++y) sum += part[y * lanes + lane];
    __syncthreads();
  }
  if (warp == 0) total[lane] = sum;
  __syncthreads();
  sum = total[lane];
  __syncthreads();
  return sum;
}

// Grid: x = strips of 32 columns, y = nodes (strided). Block: 32 columns by up to 8 warps of members.
template <class T>
__global__ void group_mean_kernel(GroupTable g, MatrixView<const T> x, MatrixView<T> means) {
  ORRERY_SHARED(T, part, max_warps * lanes);
  ORRERY_SHARED(T, total, lanes);
  const int64_t j = int64_t{blockIdx.x} * lanes + threadIdx.x;
  for (int64_t k = blockIdx.y; k < g.nodes; k += gridDim.y) {
    const T sum = ordered_sum(g, k, x, j, part, total);
    if (threadIdx.y == 0 && j < x.extent(1)) means(k, j) = sum;
  }
}

template <class T>
__global__ void group_average_kernel(GroupTable g, MatrixView<T> x) {
  ORRERY_SHARED(T, part, max_warps * lanes);
  ORRERY_SHARED(T, total, lanes);
  const int64_t j = int64_t{blockIdx.x} * lanes + threadIdx.x;
  for (int64_t k = blockIdx.y; k < g.nodes; k += gridDim.y) {
    const T sum = ordered_sum<T>(g, k, x, j, part, total);
    if (j < x.extent(1))
      for (int64_t m = g.begin[k] + threadIdx.y; m < g.begin[k + 1]; m += blockDim.y) x(g.member[m], j) = sum;
  }
}

template <class T>
__global__ void group_mix_kernel(GroupTable g, MixTable mix, MatrixView<const T> means, MatrixView<T> x) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= x.extent(1)) return;
  for (int64_t k = blockIdx.y; k < g.nodes; k += gridDim.y) {
    T sum{0};
    for (int64_t e = mix.begin[k]; e < mix.begin[k + 1]; ++e)
      sum += static_cast<T>(mix.weight[e]) * means(mix.source[e], j);
    for (int64_t m = g.begin[k]; m < g.begin[k + 1]; ++m) x(g.member[m], j) = sum;
  }
}

// Grid: x = strips of 256 columns, y = members (strided).
template <class T>
__global__ void group_clear_kernel(GroupTable g, MatrixView<T> x) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= x.extent(1)) return;
  for (int64_t m = blockIdx.y; m < g.member.size(); m += gridDim.y) x(g.member[m], j) = T{0};
}

dim3 grid_for(int64_t columns, int64_t width, int64_t nodes) {
  return dim3(static_cast<unsigned>((columns + width - 1) / width),
              static_cast<unsigned>(nodes < 65535 ? nodes : 65535));
}
dim3 block_for(const GroupTable& g) {
  const int64_t warps = (g.largest + sum_block - 1) / sum_block;
  return dim3(lanes, static_cast<unsigned>(warps < 1 ? 1 : warps > max_warps ? max_warps : warps));
}

}  // namespace

template <class T, Backend B>
void group_mean_impl(const Context& ctx, const GroupTable& g, MatrixView<const T> x, MatrixView<T> means) {
  launch(group_mean_kernel<T>, grid_for(x.extent(1), lanes, g.nodes), block_for(g), 0, ctx.stream(), g, x, means);
}
template <class T, Backend B>
void group_average_impl(const Context& ctx, const GroupTable& g, MatrixView<T> x) {
  launch(group_average_kernel<T>, grid_for(x.extent(1), lanes, g.nodes), block_for(g), 0, ctx.stream(), g, x);
}
template <class T, Backend B>
void group_mix_impl(const Context& ctx, const GroupTable& g, const MixTable& mix, MatrixView<const T> means,
                    MatrixView<T> x) {
  launch(group_mix_kernel<T>, grid_for(x.extent(1), 256, g.nodes), dim3(256), 0, ctx.stream(), g, mix, means, x);
}

template <class T, Backend B>
void group_clear_impl(const Context& ctx, const GroupTable& g, MatrixView<T> x) {
  launch(group_clear_kernel<T>, grid_for(x.extent(1), 256, g.member.size()), dim3(256), 0, ctx.stream(), g, x);
}

#define ORRERY_INSTANTIATE(T)                                                                             \
  template void group_clear_impl<T, Backend::cuda>(const Context&, const GroupTable&, MatrixView<T>);     \
  template void group_mean_impl<T, Backend::cuda>(const Context&, const GroupTable&, MatrixView<const T>, \
                                                  MatrixView<T>);                                         \
  template void group_average_impl<T, Backend::cuda>(const Context&, const GroupTable&, MatrixView<T>);   \
  template void group_mix_impl<T, Backend::cuda>(const Context&, const GroupTable&, const MixTable&,      \
                                                 MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
