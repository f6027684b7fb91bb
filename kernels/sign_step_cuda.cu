#include "kernels/core/launch.cuh"
#include "kernels/core/rounding.cuh"
#include "kernels/sign_step.hpp"

namespace orrery::detail {
namespace {

constexpr unsigned block_threads = 256;

// Grid: x = strips of 256 coordinates, y = rows (strided). The lanes of a warp read one word.
template <class T>
__global__ void sign_step_kernel(SignsIn u, VectorView<const double> delta, MatrixView<T> x,
                                 VectorView<const double> factor) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= x.extent(1)) return;
  const int bit = static_cast<int>(j % bits_of_word);
  for (int64_t r = blockIdx.y; r < x.extent(0); r += gridDim.y) {
    const SignWord w = sign_word(u, r, j / bits_of_word);
    const T now = factor.size() > 0 ? rounded_product(static_cast<T>(factor[r]), x(r, j)) : x(r, j);
    x(r, j) = stepped(now, static_cast<T>(delta[r]), w.positive >> bit & 1u, w.zero >> bit & 1u);
  }
}

}  // namespace

template <class T, Backend B>
void sign_step_impl(const Context& ctx, const SignsIn& u, VectorView<const double> delta, MatrixView<T> x,
                    VectorView<const double> factor) {
  const dim3 grid(static_cast<unsigned>((x.extent(1) + block_threads - 1) / block_threads),
                  static_cast<unsigned>(x.extent(0) < 65535 ? x.extent(0) : 65535));
  launch(sign_step_kernel<T>, grid, dim3(block_threads), 0, ctx.stream(), u, delta, x, factor);
}

#define ORRERY_INSTANTIATE(T)                                                                              \
  template void sign_step_impl<T, Backend::cuda>(const Context&, const SignsIn&, VectorView<const double>, \
                                                 MatrixView<T>, VectorView<const double>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
