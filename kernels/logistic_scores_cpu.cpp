#include <algorithm>

#include "kernels/logistic_inline.hpp"
#include "kernels/logistic_scores.hpp"
#include "kernels/minibatch_inline.hpp"

namespace orrery::detail {

template <class T, Backend B>
Scores logistic_scores_impl(const Context&, const LogisticView& model, MatrixView<const T> w,
                            MatrixView<const double> u, const std::vector<int64_t>& row_of_model) {
  constexpr int64_t piece = 256;  // samples of one task; fixed, so that the order of the sums is
  const SampleView& samples = model.samples;
  const int64_t n = samples.count(), d = samples.features(), models = w.extent(0);
  const int64_t pieces = (n + piece - 1) / piece;
  std::vector<double> loss(static_cast<size_t>(pieces * models)), hits(loss.size());
#pragma omp parallel
  {
    std::vector<T> x(samples.sparse() ? 0 : static_cast<size_t>(piece * d));
#pragma omp for schedule(dynamic)
    for (int64_t p = 0; p < pieces; ++p) {
      const int64_t first = p * piece, count = std::min(piece, n - first);
      if (!samples.sparse())
        for (int64_t k = 0; k < count; ++k) copy_features(samples, first + k, x.data() + k * d);
      for (int64_t m = 0; m < models; ++m) {
        const T* at = w.row(m);
        double l = 0, h = 0;
        for (int64_t k = 0; k < count; ++k) {
          const T z = (samples.sparse() ? sparse_dot(samples, first + k, at) : dot(x.data() + k * d, at, d)) +
                      (model.bias ? at[d] : T{0});
          bool hit = false;
          const double one = logistic_score(z, model.one(first + k), hit);
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

#define ORRERY_INSTANTIATE(T)                                                                                     \
  template Scores logistic_scores_impl<T, Backend::cpu>(const Context&, const LogisticView&, MatrixView<const T>, \
                                                        MatrixView<const double>, const std::vector<int64_t>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
