#include <omp.h>

#include <algorithm>

#include "kernels/batched_gemm.hpp"
#include "kernels/minibatch_inline.hpp"
#include "kernels/softmax_loss.hpp"
#include "kernels/softmax_scores.hpp"

namespace orrery::detail {

template <class T, Backend B>
Scores softmax_scores_impl(const Context& ctx, const SoftmaxView& model, MatrixView<const T> w,
                           MatrixView<const double> u, const std::vector<int64_t>& row_of_model) {
  constexpr int64_t piece = scores_piece, places = scores_places;
  const int64_t n = model.samples.count(), d = model.samples.features(), classes = model.classes, models = w.extent(0);
  const int64_t pieces = (n + piece - 1) / piece;
  const Buffer<double> loss(ctx, pieces * models), hits(ctx, pieces * models);
  const Buffer<T> room_x(ctx, threads() * places * d), room_z(ctx, threads() * places * classes);
#pragma omp parallel
  {
    T *x = room_x.data() + omp_get_thread_num() * places * d,
      *z = room_z.data() + omp_get_thread_num() * places * classes;
#pragma omp for schedule(dynamic)
    for (int64_t p = 0; p < pieces; ++p)
      for (int64_t first = p * piece; first < std::min(n, (p + 1) * piece); first += places) {
        const int64_t count = std::min(places, n - first);
        for (int64_t k = 0; k < count; ++k) copy_features(model.samples, first + k, x + k * d);
        for (int64_t m = 0; m < models; ++m) {
          gemm(false, true, count, classes, d, T{1}, x, d, w.row(m), d, T{0}, z, classes);
          double &l = loss.data()[p * models + m], &h = hits.data()[p * models + m];
          for (int64_t k = 0; k < count; ++k) {
            bool hit = false;
            const double one = softmax_score(z + k * classes, w.row(m) + model.weights(), model.classes,
                                             model.samples.labels[first + k], hit);
            const double weight =
                u.extent(0) == 0 ? 1.0 / static_cast<double>(n) : u(row_of_model[static_cast<size_t>(m)], first + k);
            l += weight * one;
            h += hit ? weight : 0.0;
          }
        }
      }
  }
  Scores scores{std::vector<double>(static_cast<size_t>(models)), std::vector<double>(static_cast<size_t>(models))};
  for (int64_t i = 0; i < loss.size(); ++i) {
    scores.loss[static_cast<size_t>(i % models)] += loss.data()[i];
    scores.hits[static_cast<size_t>(i % models)] += hits.data()[i];
  }
  return scores;
}

#define ORRERY_INSTANTIATE(T)                                                                                   \
  template Scores softmax_scores_impl<T, Backend::cpu>(const Context&, const SoftmaxView&, MatrixView<const T>, \
                                                       MatrixView<const double>, const std::vector<int64_t>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
