#include "kernels/activation.hpp"

namespace orrery::detail {

template <class T, Backend B>
void activate_rows_impl(const Context&, Activation a, int64_t count, int64_t n, MatrixView<const T> bias,
                        MatrixView<T> h) {
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < h.extent(0); ++r)
    for (int64_t j = 0; j < n; ++j) activate_column(a, count, n, bias(r, j), h.row(r) + j);
}

template <class T, Backend B>
void activation_backward_impl(const Context&, Activation a, int64_t count, int64_t n, MatrixView<const T> h,
                              MatrixView<T> delta, MatrixView<T> bias_out) {
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < h.extent(0); ++r)
    for (int64_t j = 0; j < n; ++j) backward_column(a, count, n, h.row(r) + j, delta.row(r) + j, bias_out(r, j));
}

#define ORRERY_INSTANTIATE(T)                                                                                          \
  template void activate_rows_impl<T, Backend::cpu>(const Context&, Activation, int64_t, int64_t, MatrixView<const T>, \
                                                    MatrixView<T>);                                                    \
  template void activation_backward_impl<T, Backend::cpu>(const Context&, Activation, int64_t, int64_t,                \
                                                          MatrixView<const T>, MatrixView<T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
