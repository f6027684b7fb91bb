#include "kernels/core/launch.cuh"
#include "kernels/softmax_loss.hpp"

namespace orrery::detail {
namespace {

// Grid: one block per row (strided). First one thread per sample, then, behind a barrier, one thread per class
// for the bias.
template <class T>
__global__ void softmax_loss_kernel(Rows rows, Fold fold, int64_t count, int classes, MatrixView<T> logits,
                                    MatrixView<const int32_t> y, MatrixView<const T> bias, MatrixView<T> bias_out) {
  for (int64_t r = blockIdx.x; r < rows.count; r += gridDim.x) {
    const T scale = static_cast<T>(coefficient(rows, r, fold));
    for (int64_t k = threadIdx.x; k < count; k += blockDim.x)
      softmax_delta(logits.row(r) + k * classes, bias.row(r), classes, y(r, k), scale);
    __syncthreads();
    for (int c = static_cast<int>(threadIdx.x); c < classes; c += static_cast<int>(blockDim.x)) {
      T sum = bias_out(r, c);
      for (int64_t k = 0; k < count; ++k) sum += logits(r, k * classes + c);
      bias_out(r, c) = sum;
    }
    __syncthreads();
  }
}

}  // namespace

template <class T, Backend B>
void softmax_loss_impl(const Context& ctx, const Rows& rows, Fold fold, int64_t count, int classes,
                       MatrixView<T> logits, MatrixView<const int32_t> y, MatrixView<const T> bias,
                       MatrixView<T> bias_out) {
  const unsigned threads = count <= 32 ? 32 : count <= 64 ? 64 : 128;
  const unsigned blocks = static_cast<unsigned>(rows.count < (1 << 20) ? rows.count : (1 << 20));
  launch(softmax_loss_kernel<T>, dim3(blocks), dim3(threads), 0, ctx.stream(), rows, fold, count, classes, logits, y,
         bias, bias_out);
}

#define ORRERY_INSTANTIATE(T)                                                                                       \
  template void softmax_loss_impl<T, Backend::cuda>(const Context&, const Rows&, Fold, int64_t, int, MatrixView<T>, \
                                                    MatrixView<const int32_t>, MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
