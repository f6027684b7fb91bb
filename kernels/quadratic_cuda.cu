#include "kernels/core/block.cuh"
#include "kernels/core/launch.cuh"
#include "kernels/quadratic.hpp"

namespace orrery::detail {
namespace {

// Grid: x = blocks of 128 threads along the parameters; y = rows, strided. A thread keeps its element in a register for all steps.
template <class T>
__global__ void quadratic_steps_kernel(QuadraticView<T> q, Rows rows, Slot slot, int64_t steps, MatrixView<T> x, T mu,
                                       MatrixView<T> velocity) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= x.extent(1)) return;
  const int64_t t = slot.at().slot;
  const bool momentum = velocity.size() > 0;
  for (int64_t r = blockIdx.y; r < rows.count; r += gridDim.y) {
    const T eta = static_cast<T>(rows.learning_rate[r]);
    T value = x(r, j), v = momentum ? velocity(r, j) : T{0};
    for (int64_t s = 0; s < steps; ++s) {
      if (!rows.active(r, t + s)) continue;
      for (int32_t k = 0; k < rows.repeats_of(r); ++k)
        quadratic_update(value, v, quadratic_gradient(q, rows, r, {t + s, k}, j, value), eta, mu, momentum);
    }
    x(r, j) = value;
    if (momentum) velocity(r, j) = v;
  }
}

template <class T>
__global__ void quadratic_gradients_kernel(QuadraticView<T> q, Rows rows, Slot slot, MatrixView<const T> x,
                                           MatrixView<T> g) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= g.extent(1)) return;
  const Step t = slot.at();
  for (int64_t r = blockIdx.y; r < rows.count; r += gridDim.y)
    g(r, j) = rows.active(r, t) ? quadratic_gradient(q, rows, r, t, j, x(r, j)) : T{0};
}

template <class T>
__global__ void quadratic_hessian_kernel(QuadraticView<T> q, Rows rows, Slot slot, MatrixView<const T> v,
                                         MatrixView<T> out) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= out.extent(1)) return;
  const Step t = slot.at();
  for (int64_t r = blockIdx.y; r < rows.count; r += gridDim.y)
    out(r, j) = rows.active(r, t) ? q.curvature(rows.worker[r], j) * v(r, j) : T{0};
}

template <class T, class C>
__global__ void quadratic_losses_kernel(QuadraticView<C> q, Rows rows, MatrixView<const T> x, VectorView<double> out) {
  for (int64_t r = blockIdx.x; r < rows.count; r += gridDim.x) {
    const int64_t w = rows.worker[r];
    double sum = 0;
    for (int64_t j = threadIdx.x; j < x.extent(1); j += blockDim.x) {
      const double away = static_cast<double>(x(r, j)) - static_cast<double>(q.center(w, j));
      sum += 0.5 * static_cast<double>(q.curvature(w, j)) * away * away;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) out[r] = sum;
  }
}

dim3 grid_for(int64_t columns, int64_t rows) {
  return dim3(static_cast<unsigned>((columns + 127) / 128), static_cast<unsigned>(rows < 65535 ? rows : 65535));
}

}  // namespace

template <class T, Backend B>
void quadratic_steps_impl(const Context& ctx, const QuadraticView<T>& q, const Rows& rows, Slot slot, int64_t steps,
                          MatrixView<T> x, const Momentum<T>& m) {
  launch(quadratic_steps_kernel<T>, grid_for(x.extent(1), rows.count), dim3(128), 0, ctx.stream(), q, rows, slot, steps,
         x, static_cast<T>(m.mu), m.velocity);
}
template <class T, Backend B>
void quadratic_gradients_impl(const Context& ctx, const QuadraticView<T>& q, const Rows& rows, Slot slot,
                              MatrixView<const T> x, MatrixView<T> g) {
  launch(quadratic_gradients_kernel<T>, grid_for(g.extent(1), rows.count), dim3(128), 0, ctx.stream(), q, rows, slot, x,
         g);
}
template <class T, Backend B>
void quadratic_hessian_impl(const Context& ctx, const QuadraticView<T>& q, const Rows& rows, Slot slot,
                            MatrixView<const T> v, MatrixView<T> out) {
  launch(quadratic_hessian_kernel<T>, grid_for(out.extent(1), rows.count), dim3(128), 0, ctx.stream(), q, rows, slot, v,
         out);
}
template <class T, class C, Backend B>
void quadratic_losses_impl(const Context& ctx, const QuadraticView<C>& q, const Rows& rows, MatrixView<const T> x,
                           VectorView<double> out) {
  launch(quadratic_losses_kernel<T, C>, dim3(static_cast<unsigned>(rows.count < (1 << 20) ? rows.count : (1 << 20))),
         dim3(128), 0, ctx.stream(), q, rows, x, out);
}

#define ORRERY_INSTANTIATE(T)                                                                                          \
  template void quadratic_steps_impl<T, Backend::cuda>(const Context&, const QuadraticView<T>&, const Rows&, Slot,     \
                                                       int64_t, MatrixView<T>, const Momentum<T>&);                    \
  template void quadratic_gradients_impl<T, Backend::cuda>(const Context&, const QuadraticView<T>&, const Rows&, Slot, \
                                                           MatrixView<const T>, MatrixView<T>);                        \
  template void quadratic_hessian_impl<T, Backend::cuda>(const Context&, const QuadraticView<T>&, const Rows&, Slot,   \
                                                         MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)
#undef ORRERY_INSTANTIATE
#define ORRERY_INSTANTIATE(T, C)                                                                                 \
  template void quadratic_losses_impl<T, C, Backend::cuda>(const Context&, const QuadraticView<C>&, const Rows&, \
                                                           MatrixView<const T>, VectorView<double>);
ORRERY_INSTANTIATE(float, float)
ORRERY_INSTANTIATE(float, double)
ORRERY_INSTANTIATE(double, double)

}  // namespace orrery::detail
