#include <omp.h>

#include <algorithm>

#include "kernels/batched_gemm.hpp"
#include "kernels/minibatch_inline.hpp"
#include "kernels/softmax_hessian.hpp"

namespace orrery::detail {

template <class T, Backend B>
void softmax_hessian_impl(const Context& ctx, const SoftmaxView& model, const Rows& rows, Slot slot,
                          MatrixView<const T> w, MatrixView<const T> v, MatrixView<T> out, SoftmaxWorkspace<T>&) {
  constexpr int64_t places = 64;  // samples of one pass
  const int64_t d = model.samples.features(), classes = model.classes, weights = model.weights();
  const Step t = slot.at();
  const Buffer<T> room(ctx, threads() * places * (d + 2 * classes));  // of all threads, made before they start
#pragma omp parallel
  {
    T* const x = room.data() + omp_get_thread_num() * places * (d + 2 * classes);
    T *const z = x + places * d, *const a = z + places * classes;
#pragma omp for schedule(dynamic)
    for (int64_t r = 0; r < rows.count; ++r) {
      std::fill(out.row(r), out.row(r) + out.extent(1), T{0});
      if (!rows.active(r, t)) continue;
      const int64_t size = rows.batch_size(r);
      const T inverse = static_cast<T>(1.0 / static_cast<double>(size));
      for (int64_t first = 0; first < size; first += places) {
        const int64_t count = std::min(places, size - first);
        for (int64_t k = 0; k < count; ++k) copy_features(model.samples, rows.sample(r, t, first + k), x + k * d);
        gemm(false, true, count, classes, d, T{1}, x, d, w.row(r), d, T{0}, z, classes);
        gemm(false, true, count, classes, d, T{1}, x, d, v.row(r), d, T{0}, a, classes);
        for (int64_t k = 0; k < count; ++k) {
          T* s = z + k * classes;
          softmax_curvature(s, w.row(r) + weights, a + k * classes, v.row(r) + weights, model.classes, inverse);
          for (int64_t c = 0; c < classes; ++c) out(r, weights + c) += s[c];
        }
        gemm(true, false, classes, d, count, T{1}, z, classes, x, d, T{1}, out.row(r), d);
      }
      for (int64_t j = 0; j < (model.l2 != 0 ? weights : 0); ++j) out(r, j) += static_cast<T>(model.l2) * v(r, j);
    }
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                  \
  template void softmax_hessian_impl<T, Backend::cpu>(const Context&, const SoftmaxView&, const Rows&, Slot,   \
                                                      MatrixView<const T>, MatrixView<const T>, MatrixView<T>, \
                                                      SoftmaxWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
