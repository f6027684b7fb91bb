#include <thrust/execution_policy.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>
#include <thrust/reduce.h>

#include <cub/cub.cuh>

#include "kernels/core/block.cuh"
#include "kernels/core/buffer.hpp"
#include "kernels/core/check.hpp"
#include "kernels/core/launch.cuh"
#include "kernels/distances.hpp"

namespace orrery::detail {
namespace {

// Grid: one block of 256 threads per row (strided).
template <class T>
__global__ void row_distances_kernel(MatrixView<const T> x, MatrixView<const T> y, VectorView<const int64_t> index,
                                     VectorView<double> out) {
  for (int64_t r = blockIdx.x; r < x.extent(0); r += gridDim.x) {
    const T* b = y.extent(0) == 0 ? nullptr : y.row(index[r]);
    double sum = 0;
    for (int64_t j = threadIdx.x; j < x.extent(1); j += blockDim.x) {
      const double difference = static_cast<double>(x(r, j)) - (b ? static_cast<double>(b[j]) : 0.0);
      sum += difference * difference;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) out[r] = sum;
  }
}

struct SegmentStart {
  int64_t length;
  ORRERY_HD int64_t operator()(int64_t s) const { return s * length; }
};

}  // namespace

template <class T, Backend B>
void row_distances_impl(const Context& ctx, MatrixView<const T> x, MatrixView<const T> y,
                        VectorView<const int64_t> index, VectorView<double> out) {
  const int64_t rows = x.extent(0);
  launch(row_distances_kernel<T>, dim3(static_cast<unsigned>(rows < (1 << 20) ? rows : (1 << 20))), dim3(256), 0,
         ctx.stream(), x, y, index, out);
}

template <Backend B>
void segment_sums_impl(const Context& ctx, MatrixView<const double> values, VectorView<double> out) {
  const auto begins =
      thrust::make_transform_iterator(thrust::counting_iterator<int64_t>(0), SegmentStart{values.extent(1)});
  const int segments = static_cast<int>(values.extent(0));
  size_t bytes = 0;
  check(cub::DeviceSegmentedReduce::Sum(nullptr, bytes, values.data(), out.data(), segments, begins, begins + 1,
                                        ctx.stream()));
  Buffer<uint8_t> scratch(ctx, static_cast<int64_t>(bytes) + 1);
  check(cub::DeviceSegmentedReduce::Sum(scratch.data(), bytes, values.data(), out.data(), segments, begins, begins + 1,
                                        ctx.stream()));
}

template <Backend B>
int64_t total_impl([[maybe_unused]] const Context& ctx, VectorView<const int64_t> values) {
#ifdef ORRERY_EMULATED
  return thrust::reduce(thrust::host, values.data(), values.data() + values.size(), int64_t{0});
#else
  return thrust::reduce(thrust::cuda::par.on(ctx.stream()), values.data(), values.data() + values.size(), int64_t{0});
#endif
}

template void row_distances_impl<float, Backend::cuda>(const Context&, MatrixView<const float>, MatrixView<const float>,
                                                       VectorView<const int64_t>, VectorView<double>);
template void row_distances_impl<double, Backend::cuda>(const Context&, MatrixView<const double>,
                                                        MatrixView<const double>, VectorView<const int64_t>,
                                                        VectorView<double>);
template void segment_sums_impl<Backend::cuda>(const Context&, MatrixView<const double>, VectorView<double>);
template int64_t total_impl<Backend::cuda>(const Context&, VectorView<const int64_t>);

}  // namespace orrery::detail
