#include "kernels/clock.hpp"
#include "kernels/core/launch.cuh"

namespace orrery::detail {
namespace {

__global__ void count_steps_kernel(Rows rows, Slot slot, int64_t n, VectorView<int64_t> steps) {
  const int64_t r = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (r < rows.count) steps[r] += steps_taken(rows, r, slot.at().slot, n);
}

__global__ void advance_clock_kernel(VectorView<int64_t> base, int64_t n) { base[0] += n; }

}  // namespace

template <>
void count_steps_impl<Backend::cuda>(const Context& ctx, const Rows& rows, Slot slot, int64_t n,
                                     VectorView<int64_t> steps) {
  launch(count_steps_kernel, dim3(static_cast<unsigned>((rows.count + 127) / 128)), dim3(128), 0, ctx.stream(), rows,
         slot, n, steps);
}

template <>
void advance_clock_impl<Backend::cuda>(const Context& ctx, VectorView<int64_t> base, int64_t n) {
  launch(advance_clock_kernel, dim3(1), dim3(1), 0, ctx.stream(), base, n);
}

}  // namespace orrery::detail
