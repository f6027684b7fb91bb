#include <algorithm>
#include <vector>

#include "kernels/quadratic.hpp"

namespace orrery::detail {

template <class T, Backend B>
void quadratic_steps_impl(const Context&, const QuadraticView<T>& q, const Rows& rows, Slot slot, int64_t steps,
                          MatrixView<T> x, const Momentum<T>& m) {
  const int64_t t = slot.at().slot, columns = x.extent(1);
  const T mu = static_cast<T>(m.mu);
#pragma omp parallel
  {
    std::vector<T> none(m.on() ? 0 : static_cast<size_t>(columns));
#pragma omp for schedule(static)
    for (int64_t r = 0; r < rows.count; ++r) {
      const T eta = static_cast<T>(rows.learning_rate[r]);
      T* v = m.on() ? m.velocity.row(r) : none.data();
      for (int64_t s = 0; s < steps; ++s) {
        if (!rows.active(r, t + s)) continue;
        for (int32_t k = 0; k < rows.repeats_of(r); ++k)
          for (int64_t j = 0; j < columns; ++j)
            quadratic_update(x(r, j), v[j], quadratic_gradient(q, rows, r, {t + s, k}, j, x(r, j)), eta, mu, m.on());
      }
    }
  }
}

template <class T, Backend B>
void quadratic_gradients_impl(const Context&, const QuadraticView<T>& q, const Rows& rows, Slot slot,
                              MatrixView<const T> x, MatrixView<T> g) {
  const Step t = slot.at();
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    const bool active = rows.active(r, t);
    for (int64_t j = 0; j < g.extent(1); ++j) g(r, j) = active ? quadratic_gradient(q, rows, r, t, j, x(r, j)) : T{0};
  }
}

template <class T, Backend B>
void quadratic_hessian_impl(const Context&, const QuadraticView<T>& q, const Rows& rows, Slot slot,
                            MatrixView<const T> v, MatrixView<T> out) {
  const Step t = slot.at();
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    const bool active = rows.active(r, t);
    for (int64_t j = 0; j < out.extent(1); ++j) out(r, j) = active ? q.curvature(rows.worker[r], j) * v(r, j) : T{0};
  }
}

template <class T, Backend B>
void quadratic_losses_impl(const Context&, const QuadraticView<T>& q, const Rows& rows, MatrixView<const T> x,
                           VectorView<double> out) {
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    const int64_t w = rows.worker[r];
    double sum = 0;
    for (int64_t j = 0; j < x.extent(1); ++j) {
      const double away = static_cast<double>(x(r, j)) - static_cast<double>(q.center(w, j));
      sum += 0.5 * static_cast<double>(q.curvature(w, j)) * away * away;
    }
    out[r] = sum;
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                         \
  template void quadratic_steps_impl<T, Backend::cpu>(const Context&, const QuadraticView<T>&, const Rows&, Slot,     \
                                                      int64_t, MatrixView<T>, const Momentum<T>&);                    \
  template void quadratic_gradients_impl<T, Backend::cpu>(const Context&, const QuadraticView<T>&, const Rows&, Slot, \
                                                          MatrixView<const T>, MatrixView<T>);                        \
  template void quadratic_hessian_impl<T, Backend::cpu>(const Context&, const QuadraticView<T>&, const Rows&, Slot,   \
                                                        MatrixView<const T>, MatrixView<T>);                          \
  template void quadratic_losses_impl<T, Backend::cpu>(const Context&, const QuadraticView<T>&, const Rows&,          \
                                                       MatrixView<const T>, VectorView<double>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
