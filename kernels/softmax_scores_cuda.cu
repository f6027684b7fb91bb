#include <algorithm>

#include "kernels/batched_gemm.hpp"
#include "kernels/core/buffer.hpp"
#include "kernels/core/launch.cuh"
#include "kernels/minibatch.hpp"
#include "kernels/softmax_loss.hpp"
#include "kernels/softmax_scores.hpp"

namespace orrery::detail {
namespace {

// One thread per (model, sample): x = samples of the piece, y = models, strided.
template <class T>
__global__ void score_kernel(MatrixView<const T> logits, MatrixView<const T> bias, SampleView samples, int64_t first,
                             MatrixView<const double> u, VectorView<const int64_t> row_of_model, int classes,
                             MatrixView<double> loss, MatrixView<double> hits) {
  const int64_t k = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (k >= logits.extent(1) / classes) return;
  const double even = 1.0 / static_cast<double>(samples.count());
  for (int64_t m = blockIdx.y; m < logits.extent(0); m += gridDim.y) {
    bool hit = false;
    const double one = softmax_score(logits.row(m) + k * classes, bias.row(m), classes, samples.labels[first + k], hit);
    const double weight = u.extent(0) == 0 ? even : u(row_of_model[m], first + k);
    loss(m, first + k) = weight * one;
    hits(m, first + k) = hit ? weight : 0.0;
  }
}

}  // namespace

template <class T>
void score_logits(const Context& ctx, MatrixView<const T> logits, MatrixView<const T> bias, const SampleView& samples,
                  int64_t first, MatrixView<const double> u, VectorView<const int64_t> row_of_model, int classes,
                  MatrixView<double> loss, MatrixView<double> hits) {
  const int64_t count = logits.extent(1) / classes, many = logits.extent(0);
  launch(score_kernel<T>,
         dim3(static_cast<unsigned>((count + 127) / 128), static_cast<unsigned>(std::min<int64_t>(many, 65535))),
         dim3(128), 0, ctx.stream(), logits, bias, samples, first, u, row_of_model, classes, loss, hits);
}

template <class T, Backend B>
Scores softmax_scores_impl(const Context& ctx, const SoftmaxView& model, MatrixView<const T> w,
                           MatrixView<const double> u, const std::vector<int64_t>& row_of_model) {
  constexpr int64_t piece = scores_gathered;
  const int64_t n = model.samples.count(), d = model.samples.features(), classes = model.classes;
  const int64_t count_max = std::min(piece, n);
  const int64_t models = scores_models(w.extent(0), n);
  Buffer<T> x(ctx, count_max * d), logits(ctx, models * count_max * classes);
  Buffer<double> loss(ctx, models * n), hits(ctx, models * n), sums(ctx, models);
  Buffer<int64_t> row(ctx,
                      std::vector<int64_t>(row_of_model.empty() ? std::vector<int64_t>(w.extent(0)) : row_of_model));
  Scores scores;
  for (int64_t begin = 0; begin < w.extent(0); begin += models) {
    const int64_t many = std::min(models, w.extent(0) - begin);
    const MatrixView<const T> part = w.rows(begin, many);
    for (int64_t first = 0; first < n; first += piece) {
      const int64_t count = std::min(piece, n - first);
      gather<T>(ctx, model.samples, first, count, x.view(count, d));
      batched_gemm<T>(ctx, count, classes, d, T{1}, {x.data(), d, 0}, {part.data(), d, part.stride(), true}, T{0},
                      {logits.data(), classes, count * classes}, many);
      score_logits<T>(ctx, logits.view(many, count * classes), part.columns(model.weights(), classes), model.samples,
                      first, u, row.view().part(begin, many), model.classes, loss.view(many, n), hits.view(many, n));
    }
    append_sums(ctx, loss.view(many, n), hits.view(many, n), sums.view().part(0, many), scores);
  }
  return scores;
}

#define ORRERY_INSTANTIATE(T)                                                                                         \
  template void score_logits<T>(const Context&, MatrixView<const T>, MatrixView<const T>, const SampleView&, int64_t, \
                                MatrixView<const double>, VectorView<const int64_t>, int, MatrixView<double>,         \
                                MatrixView<double>);                                                                  \
  template Scores softmax_scores_impl<T, Backend::cuda>(const Context&, const SoftmaxView&, MatrixView<const T>,      \
                                                        MatrixView<const double>, const std::vector<int64_t>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
