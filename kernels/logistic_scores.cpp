#include "kernels/logistic_scores.hpp"

namespace orrery {

int64_t logistic_scores_bytes(Backend backend, int64_t features, bool sparse, int64_t element_size, int64_t models,
                              int64_t n) {
  if (models == 0 || n == 0) return 0;
  if (backend == Backend::cpu)
    return (sparse ? 0 : threads() * detail::scores_places * features * element_size) +
           detail::scores_sums_bytes(models, n, detail::scores_piece);
  return detail::scores_models(models, n) * (2 * n + 1) * int64_t{sizeof(double)} + models * int64_t{sizeof(int64_t)};
}

template <class T>
Scores logistic_scores(const Context& ctx, const LogisticView& model, MatrixView<const T> w, MatrixView<const double> u,
                       const std::vector<int64_t>& row_of_model) {
  detail::check_scores<T>(ctx, w, model.parameters(), model.samples.count(), u, row_of_model);
  if (w.extent(0) == 0) return {};
  Scores scores = dispatch(
      ctx.backend, [&]<Backend B>() { return detail::logistic_scores_impl<T, B>(ctx, model, w, u, row_of_model); });
  detail::add_penalty<T>(ctx, model.l2, w.columns(0, model.weights()), scores);
  return scores;
}

template Scores logistic_scores<float>(const Context&, const LogisticView&, MatrixView<const float>,
                                       MatrixView<const double>, const std::vector<int64_t>&);
template Scores logistic_scores<double>(const Context&, const LogisticView&, MatrixView<const double>,
                                        MatrixView<const double>, const std::vector<int64_t>&);

}  // namespace orrery
