#include "kernels/nonconvex_inline.hpp"

namespace orrery::detail {

template <class Risk, class T, Backend B>
void nonconvex_steps_impl(const Context&, const Risk& f, const Rows& rows, Slot slot, int64_t steps, MatrixView<T> x,
                          const Momentum<T>& m) {
  const int64_t first = slot.at().slot;
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r)
    nonconvex_row_steps(f, rows, r, first, steps, x.row(r), m.on() ? m.velocity.row(r) : nullptr, static_cast<T>(m.mu));
}

template <class Risk, class T, Backend B>
void nonconvex_gradients_impl(const Context&, const Risk& f, const Rows& rows, Slot slot, MatrixView<const T> x,
                              MatrixView<T> g) {
  const Step t = slot.at();
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) nonconvex_row_gradient(f, rows, r, t, x.row(r), g.row(r));
}

template <class Risk, class T, Backend B>
void nonconvex_hessian_impl(const Context&, const Risk& f, const Rows& rows, Slot slot, MatrixView<const T> x,
                            MatrixView<const T> v, MatrixView<T> out) {
  const Step t = slot.at();
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) nonconvex_row_hessian(f, rows, r, t, x.row(r), v.row(r), out.row(r));
}

template <class Risk, class T, Backend B>
void nonconvex_losses_impl(const Context&, const Risk& f, VectorView<const int32_t> which, MatrixView<const T> x,
                           VectorView<double> out) {
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < which.size(); ++r) out[r] = nonconvex_loss(f, which[r], x.row(r));
}

#define ORRERY_INSTANTIATE(Risk, T)                                                                                  \
  template void nonconvex_steps_impl<Risk, T, Backend::cpu>(const Context&, const Risk&, const Rows&, Slot, int64_t, \
                                                            MatrixView<T>, const Momentum<T>&);                      \
  template void nonconvex_gradients_impl<Risk, T, Backend::cpu>(const Context&, const Risk&, const Rows&, Slot,      \
                                                                MatrixView<const T>, MatrixView<T>);                 \
  template void nonconvex_hessian_impl<Risk, T, Backend::cpu>(                                                       \
      const Context&, const Risk&, const Rows&, Slot, MatrixView<const T>, MatrixView<const T>, MatrixView<T>);      \
  template void nonconvex_losses_impl<Risk, T, Backend::cpu>(const Context&, const Risk&, VectorView<const int32_t>, \
                                                             MatrixView<const T>, VectorView<double>);
ORRERY_INSTANTIATE(TwoWell, float)
ORRERY_INSTANTIATE(TwoWell, double)
ORRERY_INSTANTIATE(Factorization, float)
ORRERY_INSTANTIATE(Factorization, double)
#undef ORRERY_INSTANTIATE

}  // namespace orrery::detail
