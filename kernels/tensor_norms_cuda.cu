#include "kernels/core/block.cuh"
#include "kernels/core/launch.cuh"
#include "kernels/tensor_norms.hpp"

namespace orrery::detail {
namespace {

// a norm so far, with one element more; the product apart from the sum, as on the CPU
template <Norm N>
__device__ double with(double a, double x) {
  if constexpr (N == Norm::l1) return a + fabs(x);
  if constexpr (N == Norm::l2_squared) return a + __dmul_rn(x, x);
  return Larger{}(a, fabs(x));
}

// Grid: one block per pair of row and tensor (strided); a thread is a lane of the header.
template <Norm N, class T>
__global__ void tensor_norms_kernel(VectorView<const int64_t> offset, MatrixView<const T> g, MatrixView<double> out) {
  const int64_t tensors = out.extent(1);
  for (int64_t pair = blockIdx.x; pair < out.size(); pair += gridDim.x) {
    const int64_t r = pair / tensors, t = pair % tensors, end = offset[t + 1];
    double value = 0;
#pragma unroll 4
    for (int64_t j = offset[t] + threadIdx.x; j < end; j += norm_lanes)
      value = with<N>(value, static_cast<double>(g(r, j)));
    value = N == Norm::max ? block_max(value) : block_sum(value);
    if (threadIdx.x == 0) out(r, t) = value;
  }
}

}  // namespace

template <class T, Backend B>
void tensor_norms_impl(const Context& ctx, VectorView<const int64_t> offset, MatrixView<const T> g, Norm which,
                       MatrixView<double> out) {
  const auto kernel = which == Norm::l1           ? tensor_norms_kernel<Norm::l1, T>
                      : which == Norm::l2_squared ? tensor_norms_kernel<Norm::l2_squared, T>
                                                  : tensor_norms_kernel<Norm::max, T>;
  launch(kernel, dim3(static_cast<unsigned>(out.size() < (1 << 20) ? out.size() : (1 << 20))), dim3(norm_lanes), 0,
         ctx.stream(), offset, g, out);
}

#define ORRERY_INSTANTIATE(T)                                                                                       \
  template void tensor_norms_impl<T, Backend::cuda>(const Context&, VectorView<const int64_t>, MatrixView<const T>, \
                                                    Norm, MatrixView<double>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
