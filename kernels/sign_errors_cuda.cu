#include "kernels/core/block.cuh"
#include "kernels/core/launch.cuh"
#include "kernels/sign_errors.hpp"

namespace orrery::detail {
namespace {

constexpr unsigned block_threads = 256;

unsigned up_to(int64_t n, int64_t most) { return static_cast<unsigned>(n < most ? n : most); }

// Grid: rows (strided); a block goes along its row, the lanes of a warp read one word.
__global__ void sign_errors_kernel(SignsIn signs, VectorView<const double> g, VectorView<double> out) {
  for (int64_t r = blockIdx.x; r < out.size(); r += gridDim.x) {
    double sum = 0;
    for (int64_t j = threadIdx.x; j < signs.coordinates; j += blockDim.x) {
      const SignWord w = sign_word(signs, r, j / bits_of_word);
      const int bit = static_cast<int>(j % bits_of_word);
      sum += sign_error(g[j], w.positive >> bit & 1u, w.zero >> bit & 1u);
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) out[r] = sum;
  }
}

// Grid: x = rows (strided), y = classes (strided); a thread takes whole words.
__global__ void count_errors_kernel(SignsIn signs, SignsIn reference, MatrixView<const uint32_t> classes,
                                    MatrixView<int64_t> out) {
  for (int64_t c = blockIdx.y; c < out.extent(1); c += gridDim.y)
    for (int64_t r = blockIdx.x; r < out.extent(0); r += gridDim.x) {
      int64_t sum = 0;
      for (int64_t k = threadIdx.x; k < signs.words(); k += blockDim.x) {
        const SignWord w = sign_word(signs, r, k);
        const uint32_t mask = classes(c, k);
        sum += 2 * __popc(opposite(w, reference.positive(0, k)) & mask) + __popc(w.zero & mask);
      }
      sum = block_sum(sum);
      if (threadIdx.x == 0) out(r, c) = sum;
    }
}

}  // namespace

template <Backend B>
void sign_errors_impl(const Context& ctx, const SignsIn& signs, VectorView<const double> g, VectorView<double> out) {
  launch(sign_errors_kernel, dim3(up_to(out.size(), 1 << 20)), dim3(block_threads), 0, ctx.stream(), signs, g, out);
}

template <Backend B>
void count_errors_impl(const Context& ctx, const SignsIn& signs, const SignsIn& reference,
                       MatrixView<const uint32_t> classes, MatrixView<int64_t> out) {
  launch(count_errors_kernel, dim3(up_to(out.extent(0), 1 << 20), up_to(out.extent(1), 65535)), dim3(block_threads), 0,
         ctx.stream(), signs, reference, classes, out);
}

template void sign_errors_impl<Backend::cuda>(const Context&, const SignsIn&, VectorView<const double>,
                                              VectorView<double>);
template void count_errors_impl<Backend::cuda>(const Context&, const SignsIn&, const SignsIn&,
                                               MatrixView<const uint32_t>, MatrixView<int64_t>);

}  // namespace orrery::detail
