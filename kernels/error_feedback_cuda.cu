#include "kernels/core/rounding.cuh"
#include "kernels/error_feedback.hpp"
#include "kernels/ordered_tally.cuh"
#include "kernels/signs.cuh"
#include "kernels/tensors.hpp"

namespace orrery::detail {
namespace {

constexpr unsigned block_threads = 256;

dim3 grid_for(int64_t columns, int64_t rows) {
  return dim3(static_cast<unsigned>((columns + block_threads - 1) / block_threads),
              static_cast<unsigned>(rows < 65535 ? rows : 65535));
}

// Grid of all but the mean: x = strips of 256 coordinates, y = rows (strided).
// A warp makes one word.
template <class T>
__global__ void scaled_signs_kernel(VectorView<const int64_t> offset, MatrixView<const double> norms, MatrixView<T> e,
                                    SignsOut signs, MatrixView<double> scales, VectorView<const uint8_t> present) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const bool inside = j < e.extent(1);
  const int64_t t = inside ? tensor_of(offset, j) : 0;
  for (int64_t r = blockIdx.y; r < e.extent(0); r += gridDim.y) {
    if (!takes_part(present, r)) continue;  // the whole block
    const T p = inside ? e(r, j) : T{0};
    const uint32_t positive = __ballot_sync(0xffffffffu, inside && p >= T{0});
    if (inside) {
      const T scale = scale_of<T>(norms(r, t), offset[t + 1] - offset[t]);
      e(r, j) = p - (p >= T{0} ? scale : -scale);
      if (threadIdx.x % 32 == 0) signs.positive(r, j / bits_of_word) = positive;
    }
    for (int64_t s = j; s < scales.extent(1); s += int64_t{gridDim.x} * blockDim.x)
      scales(r, s) = static_cast<double>(scale_of<T>(norms(r, s), offset[s + 1] - offset[s]));
  }
}

// Grid: x = words, y = nodes (strided). Block: 32 coordinates by up to 8 warps of members.
template <class T>
__global__ void scaled_mean_kernel(GroupTable g, ScaledSigns sent, MatrixView<T> out,
                                   VectorView<const uint8_t> present) {
  ORRERY_SHARED(Tally, part, tally_warps * tally_lanes);
  const int64_t word = blockIdx.x, j = word * bits_of_word + threadIdx.x;
  const int bit = static_cast<int>(threadIdx.x);
  const bool inside = j < out.extent(1);
  const int64_t t = inside ? tensor_of(sent.offset, j) : 0;
  for (int64_t k = blockIdx.y; k < g.nodes; k += gridDim.y) {
    const auto add = [&](Tally& mine, int64_t r) {
      if (!inside || !takes_part(present, r)) return;
      const int sign = sign_at(sign_word(sent.signs, r, word), bit);
      const double scale = sent.scales(r, t);
      mine.sum += sign > 0 ? scale : sign < 0 ? -scale : 0.0;
      ++mine.count;
    };
    const Tally total = ordered_tally(g, k, add, part);
    if (threadIdx.y == 0 && inside) out(k, j) = mean_of<T>(total.sum, total.count);
  }
}

}  // namespace

template <class T, Backend B>
void scaled_signs_impl(const Context& ctx, VectorView<const int64_t> offset, MatrixView<const double> norms,
                       MatrixView<T> e, const SignsOut& signs, MatrixView<double> scales,
                       VectorView<const uint8_t> present) {
  launch(scaled_signs_kernel<T>, grid_for(e.extent(1), e.extent(0)), dim3(block_threads), 0, ctx.stream(), offset,
         norms, e, signs, scales, present);
}

template <class T, Backend B>
void scaled_mean_impl(const Context& ctx, const GroupTable& g, const ScaledSigns& sent, MatrixView<T> out,
                      VectorView<const uint8_t> present) {
  launch(scaled_mean_kernel<T>, tally_grid(g, out.extent(1)), tally_block(g), 0, ctx.stream(), g, sent, out, present);
}

#define ORRERY_INSTANTIATE(T)                                                                                 \
  template void scaled_signs_impl<T, Backend::cuda>(const Context&, VectorView<const int64_t>,                \
                                                    MatrixView<const double>, MatrixView<T>, const SignsOut&, \
                                                    MatrixView<double>, VectorView<const uint8_t>);           \
  template void scaled_mean_impl<T, Backend::cuda>(const Context&, const GroupTable&, const ScaledSigns&,     \
                                                   MatrixView<T>, VectorView<const uint8_t>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
