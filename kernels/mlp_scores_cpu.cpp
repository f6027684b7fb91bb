#include <omp.h>

#include <algorithm>

#include "kernels/mlp_batch.hpp"
#include "kernels/mlp_scores.hpp"

namespace orrery::detail {

template <class T, Backend B>
Scores mlp_scores_impl(const Context&, const MlpView& model, MatrixView<const T> w, MatrixView<const double> u,
                       const std::vector<int64_t>& row_of_model) {
  constexpr int64_t piece = MlpBatch<T>::most;  // samples of one task; fixed, so that the order of the sums is
  const int64_t n = model.samples.count(), models = w.extent(0), pieces = (n + piece - 1) / piece;
  std::vector<double> loss(static_cast<size_t>(pieces * models)), hits(loss.size());
  std::vector<MlpBatch<T>> batches;
  for (int i = 0; i < threads(); ++i) batches.emplace_back(model);
#pragma omp parallel num_threads(static_cast <int>(batches.size()))
  {
    MlpBatch<T>& batch = batches[static_cast<size_t>(omp_get_thread_num())];
#pragma omp for schedule(dynamic)
    for (int64_t p = 0; p < pieces; ++p) {
      const int64_t first = p * piece, count = std::min(piece, n - first);
      batch.gather(count, [&](int64_t k) { return first + k; });
      for (int64_t m = 0; m < models; ++m) {
        batch.forward(w.row(m));
        double l = 0, h = 0;
        for (int64_t k = 0; k < count; ++k) {
          bool hit = false;
          const double one = softmax_score(batch.logits(k), w.row(m) + model.bias(model.layers() - 1), model.classes(),
                                           batch.label(k), hit);
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

#define ORRERY_INSTANTIATE(T)                                                                           \
  template Scores mlp_scores_impl<T, Backend::cpu>(const Context&, const MlpView&, MatrixView<const T>, \
                                                   MatrixView<const double>, const std::vector<int64_t>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
