#include "kernels/core/launch.cuh"
#include "kernels/descend.hpp"

namespace orrery::detail {
namespace {

// Grid: x = blocks of 256 threads along the parameters; y = rows, strided (y is at most 65535).
dim3 grid_for(int64_t parameters, int64_t rows) {
  return dim3(static_cast<unsigned>((parameters + 255) / 256), static_cast<unsigned>(rows < 65535 ? rows : 65535));
}

template <class T>
__global__ void descend_kernel(Rows rows, MatrixView<T> w, MatrixView<const T> g) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= w.extent(1)) return;
  for (int64_t r = blockIdx.y; r < rows.count; r += gridDim.y)
    w(r, j) -= static_cast<T>(rows.learning_rate[r]) * g(r, j);
}

template <class T>
__global__ void add_decay_kernel(Rows rows, Slot slot, double lambda, int64_t n, MatrixView<const T> w,
                                 MatrixView<T> g) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= n) return;
  for (int64_t r = blockIdx.y; r < rows.count; r += gridDim.y)
    if (rows.active(r, slot.at())) g(r, j) += static_cast<T>(lambda) * w(r, j);
}

template <class T>
__global__ void decay_kernel(Rows rows, Slot slot, double lambda, int64_t n, MatrixView<T> w) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= n) return;
  for (int64_t r = blockIdx.y; r < rows.count; r += gridDim.y)
    if (rows.active(r, slot.at())) w(r, j) -= static_cast<T>(rows.learning_rate[r] * lambda) * w(r, j);
}

}  // namespace

template <class T, Backend B>
void descend_impl(const Context& ctx, const Rows& rows, MatrixView<T> w, MatrixView<const T> g) {
  launch(descend_kernel<T>, grid_for(w.extent(1), rows.count), dim3(256), 0, ctx.stream(), rows, w, g);
}
template <class T, Backend B>
void add_decay_impl(const Context& ctx, const Rows& rows, Slot slot, double lambda, int64_t n, MatrixView<const T> w,
                    MatrixView<T> g) {
  launch(add_decay_kernel<T>, grid_for(n, rows.count), dim3(256), 0, ctx.stream(), rows, slot, lambda, n, w, g);
}
template <class T, Backend B>
void decay_impl(const Context& ctx, const Rows& rows, Slot slot, double lambda, int64_t n, MatrixView<T> w) {
  launch(decay_kernel<T>, grid_for(n, rows.count), dim3(256), 0, ctx.stream(), rows, slot, lambda, n, w);
}

#define ORRERY_INSTANTIATE(T)                                                                                    \
  template void descend_impl<T, Backend::cuda>(const Context&, const Rows&, MatrixView<T>, MatrixView<const T>); \
  template void add_decay_impl<T, Backend::cuda>(const Context&, const Rows&, Slot, double, int64_t,             \
                                                 MatrixView<const T>, MatrixView<T>);                            \
  template void decay_impl<T, Backend::cuda>(const Context&, const Rows&, Slot, double, int64_t, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
