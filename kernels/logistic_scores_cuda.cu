#include <algorithm>

#include "kernels/core/buffer.hpp"
#include "kernels/core/launch.cuh"
#include "kernels/logistic_inline.cuh"
#include "kernels/logistic_scores.hpp"

namespace orrery::detail {
namespace {

// One warp per (model, sample): x = samples, y = models, strided.
template <class T>
__global__ void logistic_score_kernel(LogisticView model, MatrixView<const T> w, MatrixView<const double> u,
                                      VectorView<const int64_t> row_of_model, MatrixView<double> loss,
                                      MatrixView<double> hits) {
  const int64_t n = model.samples.count(), s = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / 32;
  if (s >= n) return;  // a whole warp
  for (int64_t m = blockIdx.y; m < w.extent(0); m += gridDim.y) {
    const T z = warp_dot(model.samples, s, w.row(m)) + (model.bias ? w(m, model.weights()) : T{0});
    if (threadIdx.x % 32 != 0) continue;
    bool hit = false;
    const double one = logistic_score(z, model.one(s), hit);
    const double weight = u.extent(0) == 0 ? 1.0 / static_cast<double>(n) : u(row_of_model[m], s);
    loss(m, s) = weight * one;
    hits(m, s) = hit ? weight : 0.0;
  }
}

}  // namespace

template <class T, Backend B>
Scores logistic_scores_impl(const Context& ctx, const LogisticView& model, MatrixView<const T> w,
                            MatrixView<const double> u, const std::vector<int64_t>& row_of_model) {
  const int64_t n = model.samples.count();
  const int64_t models = scores_models(w.extent(0), n);
  Buffer<double> loss(ctx, models * n), hits(ctx, models * n), sums(ctx, models);
  Buffer<int64_t> row(ctx,
                      row_of_model.empty() ? std::vector<int64_t>(static_cast<size_t>(w.extent(0))) : row_of_model);
  Scores scores;
  for (int64_t begin = 0; begin < w.extent(0); begin += models) {
    const int64_t many = std::min(models, w.extent(0) - begin);
    launch(logistic_score_kernel<T>,
           dim3(static_cast<unsigned>((n + 3) / 4), static_cast<unsigned>(std::min<int64_t>(many, 65535))), dim3(128),
           0, ctx.stream(), model, w.rows(begin, many), u, row.view().part(begin, many), loss.view(many, n),
           hits.view(many, n));
    append_sums(ctx, loss.view(many, n), hits.view(many, n), sums.view().part(0, many), scores);
  }
  return scores;
}

#define ORRERY_INSTANTIATE(T)                                                                                      \
  template Scores logistic_scores_impl<T, Backend::cuda>(const Context&, const LogisticView&, MatrixView<const T>, \
                                                         MatrixView<const double>, const std::vector<int64_t>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
