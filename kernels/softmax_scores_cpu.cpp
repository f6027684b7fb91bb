#include "kernels/batched_gemm.hpp"
#include "kernels/minibatch_inline.hpp"
#include "kernels/scores_cpu.hpp"
#include "kernels/softmax_loss.hpp"
#include "kernels/softmax_scores.hpp"

namespace orrery::detail {
namespace {

template <class T>
struct Batch {  // of one thread
  const SoftmaxView& model;
  MatrixView<const T> w;
  T *x, *z;  // (places, d), (places, classes)
  const T* at = nullptr;
  int64_t first = 0, count = 0;

  void gather(int64_t from, int64_t n) {
    first = from, count = n;
    for (int64_t k = 0; k < n; ++k) copy_features(model.samples, from + k, x + k * model.samples.features());
  }
  void load(int64_t m) {
    const int64_t d = model.samples.features();
    at = w.row(m);
    gemm(false, true, count, model.classes, d, T{1}, x, d, at, d, T{0}, z, model.classes);
  }
  double score(int64_t k, bool& hit) const {
    return softmax_score(z + k * model.classes, at + model.weights(), model.classes, model.samples.labels[first + k],
                         hit);
  }
};

}  // namespace

template <class T, Backend B>
Scores softmax_scores_impl(const Context& ctx, const SoftmaxView& model, MatrixView<const T> w,
                           MatrixView<const double> u, const std::vector<int64_t>& row_of_model) {
  constexpr int64_t places = scores_places;
  const int64_t d = model.samples.features(), classes = model.classes;
  const Buffer<T> room_x(ctx, threads() * places * d), room_z(ctx, threads() * places * classes);
  std::vector<Batch<T>> batches;
  for (int64_t i = 0; i < threads(); ++i)
    batches.push_back({model, w, room_x.data() + i * places * d, room_z.data() + i * places * classes});
  return sum_scores(ctx, batches, model.samples.count(), w.extent(0), scores_piece, places, u, row_of_model);
}

#define ORRERY_INSTANTIATE(T)                                                                                   \
  template Scores softmax_scores_impl<T, Backend::cpu>(const Context&, const SoftmaxView&, MatrixView<const T>, \
                                                       MatrixView<const double>, const std::vector<int64_t>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
