#include "kernels/softmax_loss.hpp"
#include "kernels/tangents.hpp"

namespace orrery::detail {

template <class T, Backend B>
void activate_tangent_impl(const Context&, Activation a, int64_t count, int64_t n, MatrixView<const T> bias,
                           MatrixView<const T> h, MatrixView<T> dh) {
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < h.extent(0); ++r)
    for (int64_t j = 0; j < n; ++j) activate_tangent_column(a, count, n, bias(r, j), h.row(r) + j, dh.row(r) + j);
}

template <class T, Backend B>
void softmax_loss_tangent_impl(const Context&, const Rows& rows, int64_t count, int classes, MatrixView<T> z,
                               MatrixView<T> dz, MatrixView<const int32_t> y, MatrixView<const T> bias,
                               MatrixView<const T> bias_along, MatrixView<T> out) {
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    const T scale = static_cast<T>(coefficient(rows, r, Fold::gradient));
    for (int64_t k = 0; k < count; ++k) {
      T* along = dz.row(r) + k * classes;
      softmax_delta_tangent(z.row(r) + k * classes, along, bias.row(r), bias_along.row(r), classes, y(r, k), scale);
      for (int c = 0; c < classes; ++c) out(r, c) += along[c];
    }
  }
}

template <class T, Backend B>
void backward_tangent_impl(const Context&, Activation a, int64_t count, int64_t n, MatrixView<const T> h,
                           MatrixView<const T> dh, MatrixView<T> e, MatrixView<T> de, MatrixView<T> out) {
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < h.extent(0); ++r)
    for (int64_t j = 0; j < n; ++j)
      backward_tangent_column(a, count, n, h.row(r) + j, dh.row(r) + j, e.row(r) + j, de.row(r) + j, out(r, j));
}

#define ORRERY_INSTANTIATE(T)                                                                                        \
  template void activate_tangent_impl<T, Backend::cpu>(const Context&, Activation, int64_t, int64_t,                 \
                                                       MatrixView<const T>, MatrixView<const T>, MatrixView<T>);     \
  template void softmax_loss_tangent_impl<T, Backend::cpu>(const Context&, const Rows&, int64_t, int, MatrixView<T>, \
                                                           MatrixView<T>, MatrixView<const int32_t>,                 \
                                                           MatrixView<const T>, MatrixView<const T>, MatrixView<T>); \
  template void backward_tangent_impl<T, Backend::cpu>(const Context&, Activation, int64_t, int64_t,                 \
                                                       MatrixView<const T>, MatrixView<const T>, MatrixView<T>,      \
                                                       MatrixView<T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
