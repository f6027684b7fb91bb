#include "kernels/minibatch.cuh"
#include "kernels/minibatch.hpp"

namespace orrery::detail {
namespace {

// Grid: one block per place of a batch, strided over rows * count; its threads share one draw and copy the features.
template <class T>
__global__ void minibatch_kernel(Rows rows, SampleView samples, Slot slot, int64_t first, int64_t count,
                                 MatrixView<T> x, MatrixView<int32_t> y) {
  const int64_t d = samples.features();
  const Step t = slot.at();
  for (int64_t place = blockIdx.x; place < rows.count * count; place += gridDim.x) {
    const int64_t r = place / count, k = place % count;
    const bool used = first + k < rows.batch_size(r) && rows.active(r, t);
    const int64_t s = used ? rows.sample(r, t, first + k) : 0;
    T* out = x.row(r) + k * d;
    if (used)
      block_copy(samples, s, out);
    else
      for (int64_t j = threadIdx.x; j < d; j += blockDim.x) out[j] = T{0};
    if (threadIdx.x == 0) y(r, k) = used ? samples.labels[s] : -1;
  }
}

template <class T>
__global__ void gather_kernel(SampleView samples, int64_t first, int64_t count, MatrixView<T> x) {
  for (int64_t k = blockIdx.x; k < count; k += gridDim.x) block_copy(samples, first + k, x.row(k));
}

constexpr int64_t max_blocks = 1 << 20;
unsigned blocks(int64_t n) { return static_cast<unsigned>(n < max_blocks ? n : max_blocks); }

}  // namespace

template <class T, Backend B>
void minibatch_impl(const Context& ctx, const Rows& rows, const SampleView& samples, Slot slot, int64_t first,
                    int64_t count, MatrixView<T> x, MatrixView<int32_t> y) {
  launch(minibatch_kernel<T>, dim3(blocks(rows.count * count)), dim3(128), 0, ctx.stream(), rows, samples, slot, first,
         count, x, y);
}

template <class T, Backend B>
void gather_impl(const Context& ctx, const SampleView& samples, int64_t first, int64_t count, MatrixView<T> x) {
  launch(gather_kernel<T>, dim3(blocks(count)), dim3(128), 0, ctx.stream(), samples, first, count, x);
}

#define ORRERY_INSTANTIATE(T)                                                                                   \
  template void minibatch_impl<T, Backend::cuda>(const Context&, const Rows&, const SampleView&, Slot, int64_t, \
                                                 int64_t, MatrixView<T>, MatrixView<int32_t>);                  \
  template void gather_impl<T, Backend::cuda>(const Context&, const SampleView&, int64_t, int64_t, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
