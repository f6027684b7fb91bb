#include <omp.h>

#include <algorithm>

#include "kernels/logistic_inline.hpp"
#include "kernels/logistic_scores.hpp"
#include "kernels/minibatch_inline.hpp"

namespace orrery::detail {

template <class T, Backend B>
Scores logistic_scores_impl(const Context& ctx, const LogisticView& model, MatrixView<const T> w,
                            MatrixView<const double> u, const std::vector<int64_t>& row_of_model) {
  constexpr int64_t piece = scores_piece, places = scores_places;
  const SampleView& samples = model.samples;
  const int64_t n = samples.count(), d = samples.features(), models = w.extent(0);
  const int64_t pieces = (n + piece - 1) / piece;
  const Buffer<double> loss(ctx, pieces * models), hits(ctx, pieces * models);
  const Buffer<T> room(ctx, samples.sparse() ? 0 : threads() * places * d);
#pragma omp parallel
  {
    T* x = room.data() + omp_get_thread_num() * (samples.sparse() ? 0 : places * d);
#pragma omp for schedule(dynamic)
    for (int64_t p = 0; p < pieces; ++p)
      for (int64_t first = p * piece; first < std::min(n, (p + 1) * piece); first += places) {
        const int64_t count = std::min(places, n - first);
        if (!samples.sparse())
          for (int64_t k = 0; k < count; ++k) copy_features(samples, first + k, x + k * d);
        for (int64_t m = 0; m < models; ++m) {
          const T* at = w.row(m);
          double &l = loss.data()[p * models + m], &h = hits.data()[p * models + m];
          for (int64_t k = 0; k < count; ++k) {
            const T z = (samples.sparse() ? sparse_dot(samples, first + k, at) : dot(x + k * d, at, d)) +
                        (model.bias ? at[d] : T{0});
            bool hit = false;
            const double one = logistic_score(z, model.one(first + k), hit);
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

#define ORRERY_INSTANTIATE(T)                                                                                     \
  template Scores logistic_scores_impl<T, Backend::cpu>(const Context&, const LogisticView&, MatrixView<const T>, \
                                                        MatrixView<const double>, const std::vector<int64_t>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
