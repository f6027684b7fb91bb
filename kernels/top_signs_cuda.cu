#include "kernels/ordered_tally.cuh"
#include "kernels/tensors.hpp"
#include "kernels/top_search.cuh"
#include "kernels/top_signs.hpp"

namespace orrery::detail {
namespace {

constexpr unsigned block_threads = top_threads;

// Grid: one block per pair of row and tensor (strided).
template <class T>
__global__ void top_cuts_kernel(VectorView<const int64_t> offset, VectorView<const int64_t> keep, MatrixView<const T> e,
                                MatrixView<TopCut> cuts, VectorView<const uint8_t> present) {
  const int64_t tensors = cuts.extent(1);
  for (int64_t pair = blockIdx.x; pair < cuts.size(); pair += gridDim.x) {
    const int64_t r = pair / tensors, t = pair % tensors;
    if (!takes_part(present, r)) continue;
    const TopCut cut = block_cut(e.row(r), offset[t], offset[t + 1], keep[t]);
    if (threadIdx.x == 0) cuts(r, t) = cut;
  }
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
