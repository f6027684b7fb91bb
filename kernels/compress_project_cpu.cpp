#include "kernels/compress_project_host.hpp"

namespace orrery::detail {

template <Backend B>
void probe_fill_impl(const Context&, const Rows& rows, Slot slot, const ProbeRule& rule, VectorView<const int32_t> lead,
                     MatrixView<double> psi) {
  const int64_t t = slot.at().slot;
#pragma omp parallel for schedule(static) if (psi.size() >= 1 << 12)
  for (int64_t m = 0; m < psi.extent(0); ++m) {
    const int64_t r = lead[m];
    probe_row(rule, rows.seed[r], rows.worker[r], t, psi.row(m), psi.extent(1));
  }
}

template <class T, Backend B>
void scalarize_impl(const Context&, MatrixView<const double> psi, VectorView<const int32_t> which, double factor,
                    MatrixView<const T> x, MatrixView<T> y, MatrixView<T> q) {
  const int64_t P = psi.extent(1);
#pragma omp parallel for schedule(static) if (which.size() * P >= 1 << 13)
  for (int64_t r = 0; r < which.size(); ++r) {
    const double* __restrict__ const direction = psi.row(which[r]);
    if (x.size() > 0) y(r, 0) = probe_product(direction, x.row(r), P);
    if (q.size() > 0) {
      T* __restrict__ const out = q.row(r);
      const T sent = y(r, 0);
      for (int64_t j = 0; j < P; ++j) out[j] = expanded(factor, direction[j], sent);
    }
  }
}

template void probe_fill_impl<Backend::cpu>(const Context&, const Rows&, Slot, const ProbeRule&,
                                            VectorView<const int32_t>, MatrixView<double>);
#define ORRERY_INSTANTIATE(T)                                                                                        \
  template void scalarize_impl<T, Backend::cpu>(const Context&, MatrixView<const double>, VectorView<const int32_t>, \
                                                double, MatrixView<const T>, MatrixView<T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
