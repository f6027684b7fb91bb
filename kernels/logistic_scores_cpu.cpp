#include "kernels/logistic_inline.hpp"
#include "kernels/logistic_scores.hpp"
#include "kernels/minibatch_inline.hpp"
#include "kernels/scores_cpu.hpp"

namespace orrery::detail {
namespace {

template <class T>
struct Batch {  // of one thread; sparse samples stay where they are
  const LogisticView& model;
  MatrixView<const T> w;
  T* x;  // (places, d)
  const T* at = nullptr;
  int64_t first = 0;

  void gather(int64_t from, int64_t n) {
    first = from;
    if (model.samples.sparse()) return;
    for (int64_t k = 0; k < n; ++k) copy_features(model.samples, from + k, x + k * model.samples.features());
  }
  void load(int64_t m) { at = w.row(m); }
  double score(int64_t k, bool& hit) const {
    const int64_t d = model.samples.features();
    const T z = (model.samples.sparse() ? sparse_dot(model.samples, first + k, at) : dot(x + k * d, at, d)) +
                (model.bias ? at[d] : T{0});
    return logistic_score(z, model.one(first + k), hit);
  }
};

}  // namespace

template <class T, Backend B>
Scores logistic_scores_impl(const Context& ctx, const LogisticView& model, MatrixView<const T> w,
                            MatrixView<const double> u, const std::vector<int64_t>& row_of_model) {
  const int64_t each = model.samples.sparse() ? 0 : scores_places * model.samples.features();
  const Buffer<T> room(ctx, threads() * each);
  std::vector<Batch<T>> batches;
  for (int64_t i = 0; i < threads(); ++i) batches.push_back({model, w, room.data() + i * each});
  return sum_scores(ctx, batches, model.samples.count(), w.extent(0), scores_piece, scores_places, u, row_of_model);
}

#define ORRERY_INSTANTIATE(T)                                                                                     \
  template Scores logistic_scores_impl<T, Backend::cpu>(const Context&, const LogisticView&, MatrixView<const T>, \
                                                        MatrixView<const double>, const std::vector<int64_t>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
