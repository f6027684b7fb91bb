#include "kernels/core/launch.cuh"
#include "kernels/sine_map.hpp"

namespace orrery::detail {
namespace {

constexpr unsigned block_threads = 256;

// Grid: x = strips of 256 columns, y = rows (strided).
template <class T>
__global__ void sine_map_kernel(double a, MatrixView<const T> x, MatrixView<T> q) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= x.extent(1)) return;
  for (int64_t r = blockIdx.y; r < x.extent(0); r += gridDim.y) q(r, j) = sine_mapped(a, x(r, j));
}

}  // namespace

template <class T, Backend B>
void sine_map_impl(const Context& ctx, double a, MatrixView<const T> x, MatrixView<T> q) {
  const dim3 grid(static_cast<unsigned>((x.extent(1) + block_threads - 1) / block_threads),
                  static_cast<unsigned>(x.extent(0) < 65535 ? x.extent(0) : 65535));
  launch(sine_map_kernel<T>, grid, dim3(block_threads), 0, ctx.stream(), a, x, q);
}

#define ORRERY_INSTANTIATE(T) \
  template void sine_map_impl<T, Backend::cuda>(const Context&, double, MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
