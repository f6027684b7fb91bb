// Composed: gather a piece of the set once, carry it through the layers of a chunk of models, score the logits.
#include <algorithm>

#include "kernels/activation.hpp"
#include "kernels/batched_gemm.hpp"
#include "kernels/minibatch.hpp"
#include "kernels/mlp_scores.hpp"
#include "kernels/softmax_scores.hpp"

namespace orrery::detail {

template <class T, Backend B>
Scores mlp_scores_impl(const Context& ctx, const MlpView& model, MatrixView<const T> w, MatrixView<const double> u,
                       const std::vector<int64_t>& row_of_model) {
  constexpr int64_t piece = mlp_scores_gathered;
  const int64_t n = model.samples.count(), count_max = std::min(piece, n);
  const int64_t models = mlp_scores_models(model, sizeof(T), w.extent(0), n);
  Buffer<T> x(ctx, count_max * model.in(0));
  std::vector<Buffer<T>> h;
  for (int l = 0; l < model.layers(); ++l) h.emplace_back(ctx, models * count_max * model.out(l));
  Buffer<double> loss(ctx, models * n), hits(ctx, models * n), sums(ctx, models);
  Buffer<int64_t> row(ctx,
                      row_of_model.empty() ? std::vector<int64_t>(static_cast<size_t>(w.extent(0))) : row_of_model);
  const int last = model.layers() - 1;
  Scores scores;
  for (int64_t begin = 0; begin < w.extent(0); begin += models) {
    const int64_t many = std::min(models, w.extent(0) - begin);
    const MatrixView<const T> part = w.rows(begin, many);
    for (int64_t first = 0; first < n; first += piece) {
      const int64_t count = std::min(piece, n - first);
      gather<T>(ctx, model.samples, first, count, x.view(count, model.in(0)));
      for (int l = 0; l <= last; ++l) {
        const int64_t k = model.in(l), m = model.out(l);
        const T* in = l == 0 ? x.data() : h[static_cast<size_t>(l) - 1].data();
        T* out = h[static_cast<size_t>(l)].data();
        batched_gemm<T>(ctx, count, m, k, T{1}, {in, k, l == 0 ? 0 : count * k},
                        {part.data() + model.weights(l), m, part.stride()}, T{0}, {out, m, count * m}, many);
        if (l < last)
          activate_rows<T>(ctx, model.activation, count, m, part.columns(model.bias(l), m),
                           {out, many, count * m, ctx.backend});
      }
      score_logits<T>(ctx, {h.back().data(), many, count * model.classes(), ctx.backend},
                      part.columns(model.bias(last), model.classes()), model.samples, first, u,
                      row.view().part(begin, many), model.classes(), loss.view(many, n), hits.view(many, n));
    }
    append_sums(ctx, loss.view(many, n), hits.view(many, n), sums.view().part(0, many), scores);
  }
  return scores;
}

#define ORRERY_INSTANTIATE(T)                                                                            \
  template Scores mlp_scores_impl<T, Backend::cuda>(const Context&, const MlpView&, MatrixView<const T>, \
                                                    MatrixView<const double>, const std::vector<int64_t>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
