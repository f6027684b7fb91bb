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
  const Step t = slot.at();
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    if (!rows.active(r, t)) continue;
    for (int64_t j = 0; j < n; ++j) g(r, j) += static_cast<T>(lambda) * w(r, j);
  }
}

template <class T, Backend B>
void decay_impl(const Context&, const Rows& rows, Slot slot, double lambda, int64_t n, MatrixView<T> w) {
  const Step t = slot.at();
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    if (!rows.active(r, t)) continue;
    const T factor = static_cast<T>(rows.learning_rate[r] * lambda);
    for (int64_t j = 0; j < n; ++j) w(r, j) -= factor * w(r, j);
  }
}

template <class T, Backend B>
void damp_impl(const Context&, const Rows& rows, Slot slot, const Momentum<T>& m) {
  const Step t = slot.at();
  const MatrixView<T> v = m.velocity;
  const T mu = static_cast<T>(m.mu);
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    if (!rows.active(r, t)) continue;
    for (int64_t j = 0; j < v.extent(1); ++j) v(r, j) *= mu;
  }
}

template <class T, Backend B>
void push_impl(const Context&, const Rows& rows, Slot slot, const Momentum<T>& m, MatrixView<T> w) {
  const Step t = slot.at();
  const MatrixView<T> v = m.velocity;
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    if (!rows.active(r, t)) continue;
    const T eta = static_cast<T>(rows.learning_rate[r]);
    for (int64_t j = 0; j < w.extent(1); ++j) w(r, j) -= eta * v(r, j);
  }
}

template <class T, Backend B>
void momentum_descend_impl(const Context&, const Rows& rows, Slot slot, const Momentum<T>& m, MatrixView<T> w,
                           MatrixView<const T> g) {
  const Step t = slot.at();
  const MatrixView<T> v = m.velocity;
  const T mu = static_cast<T>(m.mu);
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    if (!rows.active(r, t)) continue;
    const T eta = static_cast<T>(rows.learning_rate[r]);
    for (int64_t j = 0; j < w.extent(1); ++j) {
      v(r, j) = mu * v(r, j) + g(r, j);
      w(r, j) -= eta * v(r, j);
    }
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                     \
  template void descend_impl<T, Backend::cpu>(const Context&, const Rows&, MatrixView<T>, MatrixView<const T>);   \
  template void add_decay_impl<T, Backend::cpu>(const Context&, const Rows&, Slot, double, int64_t,               \
                                                MatrixView<const T>, MatrixView<T>);                              \
  template void decay_impl<T, Backend::cpu>(const Context&, const Rows&, Slot, double, int64_t, MatrixView<T>);   \
  template void damp_impl<T, Backend::cpu>(const Context&, const Rows&, Slot, const Momentum<T>&);                \
  template void push_impl<T, Backend::cpu>(const Context&, const Rows&, Slot, const Momentum<T>&, MatrixView<T>); \
  template void momentum_descend_impl<T, Backend::cpu>(const Context&, const Rows&, Slot, const Momentum<T>&,     \
                                                       MatrixView<T>, MatrixView<const T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
