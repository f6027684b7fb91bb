#include "kernels/mlp_batch.hpp"
#include "kernels/mlp_scores.hpp"
#include "kernels/scores_cpu.hpp"

namespace orrery::detail {
namespace {

template <class T>
struct Batch {  // of one thread
  const MlpView& model;
  MatrixView<const T> w;
  MlpBatch<T> batch;
  const T* bias = nullptr;

  void gather(int64_t first, int64_t n) {
    batch.gather(n, [&](int64_t k) { return first + k; });
  }
  void load(int64_t m) {
    batch.forward(w.row(m));
    bias = w.row(m) + model.bias(model.layers() - 1);
  }
  double score(int64_t k, bool& hit) const {
    return softmax_score(batch.logits(k), bias, model.classes(), batch.label(k), hit);
  }
};

}  // namespace

template <class T, Backend B>
Scores mlp_scores_impl(const Context& ctx, const MlpView& model, MatrixView<const T> w, MatrixView<const double> u,
                       const std::vector<int64_t>& row_of_model) {
  std::vector<Batch<T>> batches;
  for (int i = 0; i < threads(); ++i) batches.push_back({model, w, MlpBatch<T>(model)});
  return sum_scores(ctx, batches, model.samples.count(), w.extent(0), mlp_scores_piece, MlpBatch<T>::most, u,
                    row_of_model);
}

#define ORRERY_INSTANTIATE(T)                                                                           \
  template Scores mlp_scores_impl<T, Backend::cpu>(const Context&, const MlpView&, MatrixView<const T>, \
                                                   MatrixView<const double>, const std::vector<int64_t>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
