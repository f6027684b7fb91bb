#include "kernels/mlp_scores.hpp"

#include "kernels/distances.hpp"

namespace orrery {

template <class T>
Scores mlp_scores(const Context& ctx, const MlpView& model, MatrixView<const T> w, MatrixView<const double> u,
                  const std::vector<int64_t>& row_of_model) {
  expects(w.extent(1) == model.parameters() && w.where() == ctx.backend,
          "models of shape (M, P) on the context's side");
  expects(u.extent(0) == 0 ||
              (u.extent(1) == model.samples.count() && row_of_model.size() == static_cast<size_t>(w.extent(0))),
          "a row of sample weights for every model");
  if (w.extent(0) == 0) return {};
  Scores scores =
      dispatch(ctx.backend, [&]<Backend B>() { return detail::mlp_scores_impl<T, B>(ctx, model, w, u, row_of_model); });
  for (int l = 0; model.l2 != 0 && l < model.layers(); ++l) {
    Buffer<double> norms(ctx, w.extent(0));
    row_distances<T>(ctx, w.columns(model.weights(l), model.in(l)*model.out(l)), {}, {}, norms.view());
    const auto host = norms.to_host(ctx);
    for (size_t m = 0; m < host.size(); ++m) scores.loss[m] += 0.5 * model.l2 * host[m];
  }
  return scores;
}

template Scores mlp_scores<float>(const Context&, const MlpView&, MatrixView<const float>, MatrixView<const double>,
                                  const std::vector<int64_t>&);
template Scores mlp_scores<double>(const Context&, const MlpView&, MatrixView<const double>, MatrixView<const double>,
                                   const std::vector<int64_t>&);

}  // namespace orrery
