#include "kernels/blend.hpp"
#include "kernels/core/launch.cuh"
#include "kernels/core/rounding.cuh"

namespace orrery::detail {
namespace {

constexpr unsigned block_threads = 256;

// Grid: x = strips of 256 columns, y = rows (strided).
template <class T>
__global__ void blend_kernel(VectorView<const double> a, MatrixView<const T> x, VectorView<const double> b,
                             MatrixView<T> y) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= y.extent(1)) return;
  for (int64_t r = blockIdx.y; r < y.extent(0); r += gridDim.y) {
    const T share = static_cast<T>(b[r]), add = rounded_product(static_cast<T>(a[r]), x(r, j));
    y(r, j) = share == T{0} ? add : add + rounded_product(share, y(r, j));
  }
}

}  // namespace

template <class T, Backend B>
void blend_impl(const Context& ctx, VectorView<const double> a, MatrixView<const T> x, VectorView<const double> b,
                MatrixView<T> y) {
  const dim3 grid(static_cast<unsigned>((y.extent(1) + block_threads - 1) / block_threads),
                  static_cast<unsigned>(y.extent(0) < 65535 ? y.extent(0) : 65535));
  launch(blend_kernel<T>, grid, dim3(block_threads), 0, ctx.stream(), a, x, b, y);
}

#define ORRERY_INSTANTIATE(T)                                                                               \
  template void blend_impl<T, Backend::cuda>(const Context&, VectorView<const double>, MatrixView<const T>, \
                                             VectorView<const double>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
