#include <algorithm>

#include "kernels/batched_gemm.hpp"
#include "kernels/core/launch.cuh"
#include "kernels/descend.hpp"
#include "kernels/minibatch.hpp"
#include "kernels/softmax_hessian.hpp"

namespace orrery::detail {
namespace {

// Grid: one block per row (strided). First one thread per sample, then, behind a barrier, one per class for the bias, in order of k.
template <class T>
__global__ void softmax_curvature_kernel(Rows rows, int64_t count, int classes, MatrixView<T> logits,
                                         MatrixView<const T> along, MatrixView<const int32_t> y,
                                         MatrixView<const T> bias, MatrixView<const T> bias_along,
                                         MatrixView<T> bias_out) {
  for (int64_t r = blockIdx.x; r < rows.count; r += gridDim.x) {
    const T inverse = static_cast<T>(1.0 / static_cast<double>(rows.batch_size(r)));
    for (int64_t k = threadIdx.x; k < count; k += blockDim.x) {
      T* z = logits.row(r) + k * classes;
      if (y(r, k) < 0)
        for (int c = 0; c < classes; ++c) z[c] = T{0};
      else
        softmax_curvature(z, bias.row(r), along.row(r) + k * classes, bias_along.row(r), classes, inverse);
    }
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
void softmax_hessian_impl(const Context& ctx, const SoftmaxView& model, const Rows& all, Slot slot,
                          MatrixView<const T> w_all, MatrixView<const T> v_all, MatrixView<T> out_all,
                          SoftmaxWorkspace<T>& space) {
  const int64_t d = model.samples.features(), classes = model.classes, weights = model.weights();
  const int64_t places = std::min(space.places, all.max_batch), most = std::min(space.rows, all.count);
  Buffer<T> tangents(ctx, most * places * classes);
  zero(ctx, out_all.data(), out_all.size() * int64_t{sizeof(T)});
  for (int64_t begin = 0; begin < all.count; begin += most) {
    const int64_t n = std::min(most, all.count - begin);
    const Rows rows = all.part(begin, n);
    const MatrixView<const T> w = w_all.rows(begin, n), v = v_all.rows(begin, n);
    const MatrixView<T> out = out_all.rows(begin, n);
    for (int64_t first = 0; first < all.max_batch; first += places) {
      const int64_t count = std::min(places, all.max_batch - first);
      const MatrixView<T> x = space.x.view(n, count * d), z = space.logits.view(n, count * classes),
                          a = tangents.view(n, count * classes);
      const MatrixView<int32_t> y = space.y.view(n, count);
      minibatch<T>(ctx, rows, model.samples, slot, first, count, x, y);
      for (const auto& [product, point] : {std::pair{&z, &w}, std::pair{&a, &v}})
        batched_gemm<T>(ctx, count, classes, d, T{1}, {x.data(), d, count * d},
                        {point->data(), d, point->stride(), true}, T{0}, {product->data(), classes, count * classes},
                        n);
      launch(softmax_curvature_kernel<T>, dim3(static_cast<unsigned>(n)), dim3(128), 0, ctx.stream(), rows, count,
             model.classes, z, MatrixView<const T>(a), MatrixView<const int32_t>(y), w.columns(weights, classes),
             v.columns(weights, classes), out.columns(weights, classes));
      batched_gemm<T>(ctx, classes, d, count, T{1}, {z.data(), classes, count * classes, true},
                      {x.data(), d, count * d}, T{1}, {out.data(), d, out.stride()}, n);
    }
    add_decay<T>(ctx, rows, slot, model.l2, weights, v, out);
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                   \
  template void softmax_hessian_impl<T, Backend::cuda>(const Context&, const SoftmaxView&, const Rows&, Slot,   \
                                                       MatrixView<const T>, MatrixView<const T>, MatrixView<T>, \
                                                       SoftmaxWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
