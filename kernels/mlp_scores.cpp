#include "kernels/mlp_scores.hpp"

#include <algorithm>

namespace orrery {

int64_t detail::mlp_scores_models(const MlpView& model, int64_t element_size, int64_t models, int64_t n) {
  const int64_t count = std::min(mlp_scores_gathered, n), hidden = model.units() - model.in(0);
  return std::clamp<int64_t>((int64_t{64} << 20) / (count * hidden * element_size + 16 * n + 1), 1, models);
}

int64_t mlp_scores_bytes(Backend backend, const MlpView& model, int64_t element_size, int64_t models, int64_t n) {
  if (models == 0 || n == 0) return 0;
  if (backend == Backend::cpu) return detail::scores_sums_bytes(models, n, detail::mlp_scores_piece);
  const int64_t count = std::min(detail::mlp_scores_gathered, n);
  const int64_t at_once = detail::mlp_scores_models(model, element_size, models, n);
  return count * (model.in(0) + at_once * (model.units() - model.in(0))) * element_size +
         at_once * (2 * n + 1) * int64_t{sizeof(double)} + models * int64_t{sizeof(int64_t)};
}

template <class T>
Scores mlp_scores(const Context& ctx, const MlpView& model, MatrixView<const T> w, MatrixView<const double> u,
                  const std::vector<int64_t>& row_of_model) {
  detail::check_scores<T>(ctx, w, model.parameters(), model.samples.count(), u, row_of_model);
  if (w.extent(0) == 0) return {};
  Scores scores =
      dispatch(ctx.backend, [&]<Backend B>() { return detail::mlp_scores_impl<T, B>(ctx, model, w, u, row_of_model); });
  for (int l = 0; l < model.layers(); ++l)
    detail::add_penalty<T>(ctx, model.l2, w.columns(model.weights(l), model.in(l)*model.out(l)), scores);
  return scores;
}

template Scores mlp_scores<float>(const Context&, const MlpView&, MatrixView<const float>, MatrixView<const double>,
                                  const std::vector<int64_t>&);
template Scores mlp_scores<double>(const Context&, const MlpView&, MatrixView<const double>, MatrixView<const double>,
                                   const std::vector<int64_t>&);

}  // namespace orrery
