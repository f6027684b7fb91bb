#include "kernels/logistic_scores.hpp"

#include "kernels/distances.hpp"

namespace orrery {

int64_t logistic_scores_bytes(Backend backend, int64_t features, bool sparse, int64_t element_size, int64_t models,
                              int64_t n) {
  if (models == 0 || n == 0) return 0;
  if (backend == Backend::cpu)
    return (sparse ? 0 : threads() * detail::scores_places * features * element_size) +
           (n + detail::scores_piece - 1) / detail::scores_piece * models * 2 * int64_t{sizeof(double)};
  return detail::scores_models(models, n) * (2 * n + 1) * int64_t{sizeof(double)} + models * int64_t{sizeof(int64_t)};
}

template <class T>
Scores logistic_scores(const Context& ctx, const LogisticView& model, MatrixView<const T> w, MatrixView<const double> u,
                       const std::vector<int64_t>& row_of_model) {
  expects(w.extent(1) == model.parameters() && w.where() == ctx.backend,
          "models of shape (M, P) on the context's side");
  expects(u.extent(0) == 0 ||
              (u.extent(1) == model.samples.count() && row_of_model.size() == static_cast<size_t>(w.extent(0))),
          "a row of sample weights for every model");
  if (w.extent(0) == 0) return {};
  Scores scores = dispatch(
      ctx.backend, [&]<Backend B>() { return detail::logistic_scores_impl<T, B>(ctx, model, w, u, row_of_model); });
  if (model.l2 != 0) {
    Buffer<double> norms(ctx, w.extent(0));
    row_distances<T>(ctx, w.columns(0, model.weights()), {}, {}, norms.view());
    const auto host = norms.to_host(ctx);
    for (size_t m = 0; m < host.size(); ++m) scores.loss[m] += 0.5 * model.l2 * host[m];
  }
  return scores;
}

template Scores logistic_scores<float>(const Context&, const LogisticView&, MatrixView<const float>,
                                       MatrixView<const double>, const std::vector<int64_t>&);
template Scores logistic_scores<double>(const Context&, const LogisticView&, MatrixView<const double>,
                                        MatrixView<const double>, const std::vector<int64_t>&);

}  // namespace orrery
