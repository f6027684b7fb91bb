#include "kernels/core/launch.cuh"
#include "kernels/core/rounding.cuh"
#include "kernels/sign_noise.hpp"

namespace orrery::detail {
namespace {

constexpr unsigned block_threads = 256;

dim3 grid_for(int64_t threads, int64_t rows) {
  return dim3(static_cast<unsigned>((threads + block_threads - 1) / block_threads),
              static_cast<unsigned>(rows < 65535 ? rows : 65535));
}

// Grid: x = strips of 1024 coordinates, four of a thread, which come from one block of draws; y = rows (strided).
template <class T>
__global__ void sign_noise_kernel(Rows rows, Slot slot, Draw purpose, NoiseLaw law, VectorView<const double> scale,
                                  MatrixView<T> g) {
  const int64_t b = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const uint64_t step = slot.at().key();
  for (int64_t r = blockIdx.y; r < rows.count; r += gridDim.y) {
    const double s = scale[r];
    if (s == 0 || 4 * b >= g.extent(1)) continue;
    double xi[4];
    four_noises(noise_draws(rows.seed[r], rows.worker[r], step, purpose), law, static_cast<uint32_t>(b), xi);
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if (4 * b + i < g.extent(1)) g(r, 4 * b + i) += static_cast<T>(rounded_product(s, xi[i]));
  }
}

// Grid: x = strips of 256 coordinates, y = rows (strided).
template <class T>
__global__ void clear_rows_kernel(VectorView<const uint8_t> chosen, MatrixView<T> x) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= x.extent(1)) return;
  for (int64_t r = blockIdx.y; r < x.extent(0); r += gridDim.y)
    if (chosen[r] != 0) x(r, j) = T{0};
}

}  // namespace

template <class T, Backend B>
void sign_noise_impl(const Context& ctx, const Rows& rows, Slot slot, Draw purpose, NoiseLaw law,
                     VectorView<const double> scale, MatrixView<T> g) {
  launch(sign_noise_kernel<T>, grid_for((g.extent(1) + 3) / 4, rows.count), dim3(block_threads), 0, ctx.stream(), rows,
         slot, purpose, law, scale, g);
}

template <class T, Backend B>
void clear_rows_impl(const Context& ctx, VectorView<const uint8_t> chosen, MatrixView<T> x) {
  launch(clear_rows_kernel<T>, grid_for(x.extent(1), x.extent(0)), dim3(block_threads), 0, ctx.stream(), chosen, x);
}

#define ORRERY_INSTANTIATE(T)                                                                        \
  template void sign_noise_impl<T, Backend::cuda>(const Context&, const Rows&, Slot, Draw, NoiseLaw, \
                                                  VectorView<const double>, MatrixView<T>);          \
  template void clear_rows_impl<T, Backend::cuda>(const Context&, VectorView<const uint8_t>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
