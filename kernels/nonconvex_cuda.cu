// One thread per row: it keeps its one or two parameters in registers for all steps.
#include "kernels/core/launch.cuh"
#include "kernels/nonconvex_inline.hpp"

namespace orrery::detail {
namespace {

constexpr int kThreads = 128;
ORRERY_HD inline int64_t first_row(int64_t block, int64_t threads, int64_t thread) { return block * threads + thread; }
dim3 grid_for(int64_t rows) {
  const int64_t blocks = (rows + kThreads - 1) / kThreads;
  return dim3(static_cast<unsigned>(blocks < 65535 ? blocks : 65535));
}

template <class Risk, class T>
__global__ void nonconvex_steps_kernel(Risk f, Rows rows, Slot slot, int64_t steps, MatrixView<T> x, T mu,
                                       MatrixView<T> velocity) {
  const int64_t first = slot.at().slot;
  const bool momentum = velocity.size() > 0;
  for (int64_t r = first_row(blockIdx.x, blockDim.x, threadIdx.x); r < rows.count;
       r += int64_t{gridDim.x} * blockDim.x) {
    T at[Risk::parameters], v[Risk::parameters] = {};
    for (int j = 0; j < Risk::parameters; ++j) {
      at[j] = x(r, j);
      if (momentum) v[j] = velocity(r, j);
    }
    nonconvex_row_steps(f, rows, r, first, steps, at, momentum ? v : nullptr, mu);
    for (int j = 0; j < Risk::parameters; ++j) {
      x(r, j) = at[j];
      if (momentum) velocity(r, j) = v[j];
    }
  }
}

template <class Risk, class T>
__global__ void nonconvex_gradients_kernel(Risk f, Rows rows, Slot slot, MatrixView<const T> x, MatrixView<T> g) {
  const Step t = slot.at();
  for (int64_t r = first_row(blockIdx.x, blockDim.x, threadIdx.x); r < rows.count; r += int64_t{gridDim.x} * blockDim.x)
    nonconvex_row_gradient(f, rows, r, t, x.row(r), g.row(r));
}

template <class Risk, class T>
__global__ void nonconvex_hessian_kernel(Risk f, Rows rows, Slot slot, MatrixView<const T> x, MatrixView<const T> v,
                                         MatrixView<T> out) {
  const Step t = slot.at();
  for (int64_t r = first_row(blockIdx.x, blockDim.x, threadIdx.x); r < rows.count; r += int64_t{gridDim.x} * blockDim.x)
    nonconvex_row_hessian(f, rows, r, t, x.row(r), v.row(r), out.row(r));
}

template <class Risk, class T>
__global__ void nonconvex_losses_kernel(Risk f, VectorView<const int32_t> which, MatrixView<const T> x,
                                        VectorView<double> out) {
  for (int64_t r = first_row(blockIdx.x, blockDim.x, threadIdx.x); r < which.size();
       r += int64_t{gridDim.x} * blockDim.x)
    out[r] = nonconvex_loss(f, which[r], x.row(r));
}

}  // namespace

template <class Risk, class T, Backend B>
void nonconvex_steps_impl(const Context& ctx, const Risk& f, const Rows& rows, Slot slot, int64_t steps,
                          MatrixView<T> x, const Momentum<T>& m) {
  launch(nonconvex_steps_kernel<Risk, T>, grid_for(rows.count), dim3(kThreads), 0, ctx.stream(), f, rows, slot, steps,
         x, static_cast<T>(m.mu), m.velocity);
}
template <class Risk, class T, Backend B>
void nonconvex_gradients_impl(const Context& ctx, const Risk& f, const Rows& rows, Slot slot, MatrixView<const T> x,
                              MatrixView<T> g) {
  launch(nonconvex_gradients_kernel<Risk, T>, grid_for(rows.count), dim3(kThreads), 0, ctx.stream(), f, rows, slot, x,
         g);
}
template <class Risk, class T, Backend B>
void nonconvex_hessian_impl(const Context& ctx, const Risk& f, const Rows& rows, Slot slot, MatrixView<const T> x,
                            MatrixView<const T> v, MatrixView<T> out) {
  launch(nonconvex_hessian_kernel<Risk, T>, grid_for(rows.count), dim3(kThreads), 0, ctx.stream(), f, rows, slot, x, v,
         out);
}
template <class Risk, class T, Backend B>
void nonconvex_losses_impl(const Context& ctx, const Risk& f, VectorView<const int32_t> which, MatrixView<const T> x,
                           VectorView<double> out) {
  launch(nonconvex_losses_kernel<Risk, T>, grid_for(which.size()), dim3(kThreads), 0, ctx.stream(), f, which, x, out);
}

#define ORRERY_INSTANTIATE(Risk, T)                                                                                   \
  template void nonconvex_steps_impl<Risk, T, Backend::cuda>(const Context&, const Risk&, const Rows&, Slot, int64_t, \
                                                             MatrixView<T>, const Momentum<T>&);                      \
  template void nonconvex_gradients_impl<Risk, T, Backend::cuda>(const Context&, const Risk&, const Rows&, Slot,      \
                                                                 MatrixView<const T>, MatrixView<T>);                 \
  template void nonconvex_hessian_impl<Risk, T, Backend::cuda>(                                                       \
      const Context&, const Risk&, const Rows&, Slot, MatrixView<const T>, MatrixView<const T>, MatrixView<T>);       \
  template void nonconvex_losses_impl<Risk, T, Backend::cuda>(const Context&, const Risk&, VectorView<const int32_t>, \
                                                              MatrixView<const T>, VectorView<double>);
ORRERY_INSTANTIATE(TwoWell, float)
ORRERY_INSTANTIATE(TwoWell, double)
ORRERY_INSTANTIATE(Factorization, float)
ORRERY_INSTANTIATE(Factorization, double)
#undef ORRERY_INSTANTIATE

}  // namespace orrery::detail
