#include "kernels/core/launch.cuh"
#include "kernels/softmax_loss.hpp"
#include "kernels/tangents.hpp"

namespace orrery::detail {
namespace {

// Grid: x = blocks of 128 threads along the columns, so that neighbours read neighbours; y = rows, strided.
template <class T>
__global__ void activate_tangent_kernel(Activation a, int64_t count, int64_t n, MatrixView<const T> bias,
                                        MatrixView<const T> h, MatrixView<T> dh) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= n) return;
  for (int64_t r = blockIdx.y; r < h.extent(0); r += gridDim.y)
    activate_tangent_column(a, count, n, bias(r, j), h.row(r) + j, dh.row(r) + j);
}

template <class T>
__global__ void backward_tangent_kernel(Activation a, int64_t count, int64_t n, MatrixView<const T> h,
                                        MatrixView<const T> dh, MatrixView<T> e, MatrixView<T> de, MatrixView<T> out) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= n) return;
  for (int64_t r = blockIdx.y; r < h.extent(0); r += gridDim.y)
    backward_tangent_column(a, count, n, h.row(r) + j, dh.row(r) + j, e.row(r) + j, de.row(r) + j, out(r, j));
}

// Grid: one block per row (strided). First one thread per sample, then, behind a barrier, one per class for the bias, in order of k.
template <class T>
__global__ void softmax_loss_tangent_kernel(Rows rows, int64_t count, int classes, MatrixView<T> z, MatrixView<T> dz,
                                            MatrixView<const int32_t> y, MatrixView<const T> bias,
                                            MatrixView<const T> bias_along, MatrixView<T> out) {
  for (int64_t r = blockIdx.x; r < rows.count; r += gridDim.x) {
    const T scale = static_cast<T>(coefficient(rows, r, Fold::gradient));
    for (int64_t k = threadIdx.x; k < count; k += blockDim.x)
      softmax_delta_tangent(z.row(r) + k * classes, dz.row(r) + k * classes, bias.row(r), bias_along.row(r), classes,
                            y(r, k), scale);
    __syncthreads();
    for (int c = static_cast<int>(threadIdx.x); c < classes; c += static_cast<int>(blockDim.x)) {
      T sum = out(r, c);
      for (int64_t k = 0; k < count; ++k) sum += dz(r, k * classes + c);
      out(r, c) = sum;
    }
    __syncthreads();
  }
}

dim3 grid_for(int64_t columns, int64_t rows) {
  return dim3(static_cast<unsigned>((columns + 127) / 128), static_cast<unsigned>(rows < 65535 ? rows : 65535));
}

}  // namespace

template <class T, Backend B>
void activate_tangent_impl(const Context& ctx, Activation a, int64_t count, int64_t n, MatrixView<const T> bias,
                           MatrixView<const T> h, MatrixView<T> dh) {
  launch(activate_tangent_kernel<T>, grid_for(n, h.extent(0)), dim3(128), 0, ctx.stream(), a, count, n, bias, h, dh);
}

template <class T, Backend B>
void softmax_loss_tangent_impl(const Context& ctx, const Rows& rows, int64_t count, int classes, MatrixView<T> z,
                               MatrixView<T> dz, MatrixView<const int32_t> y, MatrixView<const T> bias,
                               MatrixView<const T> bias_along, MatrixView<T> out) {
  const unsigned threads = count <= 32 ? 32 : count <= 64 ? 64 : 128;
  const unsigned blocks = static_cast<unsigned>(rows.count < (1 << 20) ? rows.count : (1 << 20));
  launch(softmax_loss_tangent_kernel<T>, dim3(blocks), dim3(threads), 0, ctx.stream(), rows, count, classes, z, dz, y,
         bias, bias_along, out);
}

template <class T, Backend B>
void backward_tangent_impl(const Context& ctx, Activation a, int64_t count, int64_t n, MatrixView<const T> h,
                           MatrixView<const T> dh, MatrixView<T> e, MatrixView<T> de, MatrixView<T> out) {
  launch(backward_tangent_kernel<T>, grid_for(n, h.extent(0)), dim3(128), 0, ctx.stream(), a, count, n, h, dh, e, de,
         out);
}

#define ORRERY_INSTANTIATE(T)                                                                                         \
  template void activate_tangent_impl<T, Backend::cuda>(const Context&, Activation, int64_t, int64_t,                 \
                                                        MatrixView<const T>, MatrixView<const T>, MatrixView<T>);     \
  template void softmax_loss_tangent_impl<T, Backend::cuda>(const Context&, const Rows&, int64_t, int, MatrixView<T>, \
                                                            MatrixView<T>, MatrixView<const int32_t>,                 \
                                                            MatrixView<const T>, MatrixView<const T>, MatrixView<T>); \
  template void backward_tangent_impl<T, Backend::cuda>(const Context&, Activation, int64_t, int64_t,                 \
                                                        MatrixView<const T>, MatrixView<const T>, MatrixView<T>,      \
                                                        MatrixView<T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
