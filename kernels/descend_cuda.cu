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

template <class T>
__global__ void damp_kernel(Rows rows, Slot slot, T mu, MatrixView<T> v) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= v.extent(1)) return;
  for (int64_t r = blockIdx.y; r < rows.count; r += gridDim.y)
    if (rows.active(r, slot.at())) v(r, j) *= mu;
}

template <class T>
__global__ void push_kernel(Rows rows, Slot slot, MatrixView<const T> v, MatrixView<T> w) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= w.extent(1)) return;
  for (int64_t r = blockIdx.y; r < rows.count; r += gridDim.y)
    if (rows.active(r, slot.at())) w(r, j) -= static_cast<T>(rows.learning_rate[r]) * v(r, j);
}

template <class T>
__global__ void momentum_descend_kernel(Rows rows, Slot slot, T mu, MatrixView<T> v, MatrixView<T> w,
                                        MatrixView<const T> g) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= w.extent(1)) return;
  for (int64_t r = blockIdx.y; r < rows.count; r += gridDim.y)
    if (rows.active(r, slot.at())) {
      v(r, j) = mu * v(r, j) + g(r, j);
      w(r, j) -= static_cast<T>(rows.learning_rate[r]) * v(r, j);
    }
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

template <class T, Backend B>
void damp_impl(const Context& ctx, const Rows& rows, Slot slot, const Momentum<T>& m) {
  launch(damp_kernel<T>, grid_for(m.velocity.extent(1), rows.count), dim3(256), 0, ctx.stream(), rows, slot,
         static_cast<T>(m.mu), m.velocity);
}
template <class T, Backend B>
void push_impl(const Context& ctx, const Rows& rows, Slot slot, const Momentum<T>& m, MatrixView<T> w) {
  launch(push_kernel<T>, grid_for(w.extent(1), rows.count), dim3(256), 0, ctx.stream(), rows, slot,
         MatrixView<const T>(m.velocity), w);
}
template <class T, Backend B>
void momentum_descend_impl(const Context& ctx, const Rows& rows, Slot slot, const Momentum<T>& m, MatrixView<T> w,
                           MatrixView<const T> g) {
  launch(momentum_descend_kernel<T>, grid_for(w.extent(1), rows.count), dim3(256), 0, ctx.stream(), rows, slot,
         static_cast<T>(m.mu), m.velocity, w, g);
}

#define ORRERY_INSTANTIATE(T)                                                                                      \
  template void descend_impl<T, Backend::cuda>(const Context&, const Rows&, MatrixView<T>, MatrixView<const T>);   \
  template void add_decay_impl<T, Backend::cuda>(const Context&, const Rows&, Slot, double, int64_t,               \
                                                 MatrixView<const T>, MatrixView<T>);                              \
  template void decay_impl<T, Backend::cuda>(const Context&, const Rows&, Slot, double, int64_t, MatrixView<T>);   \
  template void damp_impl<T, Backend::cuda>(const Context&, const Rows&, Slot, const Momentum<T>&);                \
  template void push_impl<T, Backend::cuda>(const Context&, const Rows&, Slot, const Momentum<T>&, MatrixView<T>); \
  template void momentum_descend_impl<T, Backend::cuda>(const Context&, const Rows&, Slot, const Momentum<T>&,     \
                                                        MatrixView<T>, MatrixView<const T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
