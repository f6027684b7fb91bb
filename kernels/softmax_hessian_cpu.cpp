#include <algorithm>
#include <vector>

#include "kernels/batched_gemm.hpp"
#include "kernels/minibatch_inline.hpp"
#include "kernels/softmax_hessian.hpp"

namespace orrery::detail {

template <class T, Backend B>
void softmax_hessian_impl(const Context&, const SoftmaxView& model, const Rows& rows, Slot slot, MatrixView<const T> w,
                          MatrixView<const T> v, MatrixView<T> out, SoftmaxWorkspace<T>&) {
  constexpr int64_t places = 64;  // samples of one pass
  const int64_t d = model.samples.features(), classes = model.classes, weights = model.weights();
  const Step t = slot.at();
#pragma omp parallel
  {
    std::vector<T> x(static_cast<size_t>(places * d)), z(static_cast<size_t>(places * classes)), a(z.size());
#pragma omp for schedule(dynamic)
    for (int64_t r = 0; r < rows.count; ++r) {
      std::fill(out.row(r), out.row(r) + out.extent(1), T{0});
      if (!rows.active(r, t)) continue;
      const int64_t size = rows.batch_size(r);
      const T inverse = static_cast<T>(1.0 / static_cast<double>(size));
      for (int64_t first = 0; first < size; first += places) {
        const int64_t count = std::min(places, size - first);
        for (int64_t k = 0; k < count; ++k)
          copy_features(model.samples, rows.sample(r, t, first + k), x.data() + k * d);
        gemm(false, true, count, classes, d, T{1}, x.data(), d, w.row(r), d, T{0}, z.data(), classes);
        gemm(false, true, count, classes, d, T{1}, x.data(), d, v.row(r), d, T{0}, a.data(), classes);
        for (int64_t k = 0; k < count; ++k) {
          T* s = z.data() + k * classes;
          softmax_curvature(s, w.row(r) + weights, a.data() + k * classes, v.row(r) + weights, model.classes, inverse);
          for (int64_t c = 0; c < classes; ++c) out(r, weights + c) += s[c];
        }
        gemm(true, false, classes, d, count, T{1}, z.data(), classes, x.data(), d, T{1}, out.row(r), d);
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
