#include "kernels/descend.hpp"

namespace orrery::detail {

template <class T, Backend B>
void descend_impl(const Context&, const Rows& rows, MatrixView<T> w, MatrixView<const T> g) {
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    const T eta = static_cast<T>(rows.learning_rate[r]);
    for (int64_t j = 0; j < w.extent(1); ++j) w(r, j) -= eta * g(r, j);
  }
}

template <class T, Backend B>
void add_decay_impl(const Context&, const Rows& rows, Slot slot, double lambda, int64_t n, MatrixView<const T> w,
                    MatrixView<T> g) {
  const int64_t t = slot.at();
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    if (!rows.active(r, t)) continue;
    for (int64_t j = 0; j < n; ++j) g(r, j) += static_cast<T>(lambda) * w(r, j);
  }
}

template <class T, Backend B>
void decay_impl(const Context&, const Rows& rows, Slot slot, double lambda, int64_t n, MatrixView<T> w) {
  const int64_t t = slot.at();
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    if (!rows.active(r, t)) continue;
    const T factor = static_cast<T>(rows.learning_rate[r] * lambda);
    for (int64_t j = 0; j < n; ++j) w(r, j) -= factor * w(r, j);
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                   \
  template void descend_impl<T, Backend::cpu>(const Context&, const Rows&, MatrixView<T>, MatrixView<const T>); \
  template void add_decay_impl<T, Backend::cpu>(const Context&, const Rows&, Slot, double, int64_t,             \
                                                MatrixView<const T>, MatrixView<T>);                            \
  template void decay_impl<T, Backend::cpu>(const Context&, const Rows&, Slot, double, int64_t, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
