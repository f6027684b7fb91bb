#include "kernels/softmax_loss.hpp"

namespace orrery {

template <class T>
void softmax_loss(const Context& ctx, const Rows& rows, Fold fold, int64_t count, int classes, MatrixView<T> logits,
                  MatrixView<const int32_t> y, MatrixView<const T> bias, MatrixView<T> bias_out) {
  expects(logits.extent(0) == rows.count && logits.extent(1) == count * classes, "logits of shape (rows, count * C)");
  expects(y.extent(0) == rows.count && y.extent(1) == count, "y of shape (rows, count)");
  expects(bias.extent(1) == classes && bias_out.extent(1) == classes, "bias of shape (rows, C)");
  expects(logits.where() == ctx.backend, "logits on the context's side");
  if (rows.count == 0 || count == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() {
    detail::softmax_loss_impl<T, B>(ctx, rows, fold, count, classes, logits, y, bias, bias_out);
  });
}

#define ORRERY_INSTANTIATE(T)                                                                   \
  template void softmax_loss<T>(const Context&, const Rows&, Fold, int64_t, int, MatrixView<T>, \
                                MatrixView<const int32_t>, MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
