#include "kernels/activation.hpp"
#include "kernels/core/launch.cuh"

namespace orrery::detail {
namespace {

// Grid: x = blocks of 128 threads along the columns, so that neighbours read neighbours; y = rows, strided.
template <class T>
__global__ void activate_rows_kernel(Activation a, int64_t count, int64_t n, MatrixView<const T> bias,
                                     MatrixView<T> h) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= n) return;
  for (int64_t r = blockIdx.y; r < h.extent(0); r += gridDim.y) activate_column(a, count, n, bias(r, j), h.row(r) + j);
}

template <class T>
__global__ void activation_backward_kernel(Activation a, int64_t count, int64_t n, MatrixView<const T> h,
                                           MatrixView<T> delta, MatrixView<T> bias_out) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= n) return;
  for (int64_t r = blockIdx.y; r < h.extent(0); r += gridDim.y)
    backward_column(a, count, n, h.row(r) + j, delta.row(r) + j, bias_out(r, j));
}

dim3 grid_for(int64_t columns, int64_t rows) {
  return dim3(static_cast<unsigned>((columns + 127) / 128), static_cast<unsigned>(rows < 65535 ? rows : 65535));
}

}  // namespace

template <class T, Backend B>
void activate_rows_impl(const Context& ctx, Activation a, int64_t count, int64_t n, MatrixView<const T> bias,
                        MatrixView<T> h) {
  launch(activate_rows_kernel<T>, grid_for(n, h.extent(0)), dim3(128), 0, ctx.stream(), a, count, n, bias, h);
}

template <class T, Backend B>
void activation_backward_impl(const Context& ctx, Activation a, int64_t count, int64_t n, MatrixView<const T> h,
                              MatrixView<T> delta, MatrixView<T> bias_out) {
  launch(activation_backward_kernel<T>, grid_for(n, h.extent(0)), dim3(128), 0, ctx.stream(), a, count, n, h, delta,
         bias_out);
}

#define ORRERY_INSTANTIATE(T)                                                                            \
  template void activate_rows_impl<T, Backend::cuda>(const Context&, Activation, int64_t, int64_t,       \
                                                     MatrixView<const T>, MatrixView<T>);                \
  template void activation_backward_impl<T, Backend::cuda>(const Context&, Activation, int64_t, int64_t, \
                                                           MatrixView<const T>, MatrixView<T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
