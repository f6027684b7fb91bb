#include "kernels/core/block.cuh"
#include "kernels/core/launch.cuh"
#include "kernels/sign_errors.hpp"

namespace orrery::detail {
namespace {

constexpr unsigned block_threads = 256;

// Grid: x = rows (strided), y = vectors (strided); a block goes along its row, the lanes of a warp read one word.
__global__ void sign_errors_kernel(SignsIn signs, MatrixView<const double> g, MatrixView<double> out) {
  for (int64_t v = blockIdx.y; v < out.extent(1); v += gridDim.y)
    for (int64_t r = blockIdx.x; r < out.extent(0); r += gridDim.x) {
      double sum = 0;
      for (int64_t j = threadIdx.x; j < signs.coordinates; j += blockDim.x) {
        const SignWord w = sign_word(signs, r, j / bits_of_word);
        const int bit = static_cast<int>(j % bits_of_word);
        sum += sign_error(g(v, j), w.positive >> bit & 1u, w.zero >> bit & 1u);
      }
      sum = block_sum(sum);
      if (threadIdx.x == 0) out(r, v) = sum;
    }
}

}  // namespace

template <Backend B>
void sign_errors_impl(const Context& ctx, const SignsIn& signs, MatrixView<const double> g, MatrixView<double> out) {
  const dim3 grid(static_cast<unsigned>(out.extent(0) < (1 << 20) ? out.extent(0) : (1 << 20)),
                  static_cast<unsigned>(out.extent(1) < 65535 ? out.extent(1) : 65535));
  launch(sign_errors_kernel, grid, dim3(block_threads), 0, ctx.stream(), signs, g, out);
}

template void sign_errors_impl<Backend::cuda>(const Context&, const SignsIn&, MatrixView<const double>,
                                              MatrixView<double>);

}  // namespace orrery::detail
