#include <algorithm>

#include "kernels/batched_gemm.hpp"
#include "kernels/minibatch_inline.hpp"
#include "kernels/softmax_loss.hpp"
#include "kernels/softmax_scores.hpp"

namespace orrery::detail {

template <class T, Backend B>
Scores softmax_scores_impl(const Context&, const SoftmaxView& model, MatrixView<const T> w, MatrixView<const double> u,
                           const std::vector<int64_t>& row_of_model) {
  constexpr int64_t piece = 256;  // samples of one task; fixed, so that the order of the sums is
  const int64_t n = model.samples.count(), d = model.samples.features(), classes = model.classes, models = w.extent(0);
  const int64_t pieces = (n + piece - 1) / piece;
  std::vector<double> loss(static_cast<size_t>(pieces * models)), hits(loss.size());
#pragma omp parallel
  {
    std::vector<T> x(static_cast<size_t>(piece * d)), z(static_cast<size_t>(piece * classes));
#pragma omp for schedule(dynamic)
    for (int64_t p = 0; p < pieces; ++p) {
      const int64_t first = p * piece, count = std::min(piece, n - first);
      for (int64_t k = 0; k < count; ++k) copy_features(model.samples, first + k, x.data() + k * d);
      for (int64_t m = 0; m < models; ++m) {
        gemm(false, true, count, classes, d, T{1}, x.data(), d, w.row(m), d, T{0}, z.data(), classes);
        double l = 0, h = 0;
        for (int64_t k = 0; k < count; ++k) {
          bool hit = false;
          const double one = softmax_score(z.data() + k * classes, w.row(m) + model.weights(), model.classes,
                                           model.samples.labels[first + k], hit);
          const double weight =
              u.extent(0) == 0 ? 1.0 / static_cast<double>(n) : u(row_of_model[static_cast<size_t>(m)], first + k);
          l += weight * one;
          h += hit ? weight : 0.0;
        }
        loss[static_cast<size_t>(p * models + m)] = l;
        hits[static_cast<size_t>(p * models + m)] = h;
      }
    }
  }
  Scores scores{std::vector<double>(static_cast<size_t>(models)), std::vector<double>(static_cast<size_t>(models))};
  for (size_t i = 0; i < loss.size(); ++i) {
    scores.loss[i % static_cast<size_t>(models)] += loss[i];
    scores.hits[i % static_cast<size_t>(models)] += hits[i];
  }
  return scores;
}

#define ORRERY_INSTANTIATE(T)                                                                                   \
  template Scores softmax_scores_impl<T, Backend::cpu>(const Context&, const SoftmaxView&, MatrixView<const T>, \
                                                       MatrixView<const double>, const std::vector<int64_t>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
