#include "kernels/softmax_loss.hpp"

namespace orrery::detail {

template <class T, Backend B>
void softmax_loss_impl(const Context&, const Rows& rows, Fold fold, int64_t count, int classes, MatrixView<T> logits,
                       MatrixView<const int32_t> y, MatrixView<const T> bias, MatrixView<T> bias_out) {
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    const T scale = static_cast<T>(coefficient(rows, r, fold));
    for (int64_t k = 0; k < count; ++k)
      softmax_delta(logits.row(r) + k * classes, bias.row(r), classes, y(r, k), scale);
    for (int64_t k = 0; k < count; ++k)
      for (int c = 0; c < classes; ++c) bias_out(r, c) += logits(r, k * classes + c);
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                      \
  template void softmax_loss_impl<T, Backend::cpu>(const Context&, const Rows&, Fold, int64_t, int, MatrixView<T>, \
                                                   MatrixView<const int32_t>, MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
