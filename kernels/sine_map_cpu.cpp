#include "kernels/sine_map.hpp"

namespace orrery::detail {

template <class T, Backend B>
void sine_map_impl(const Context&, double a, MatrixView<const T> x, MatrixView<T> q) {
#pragma omp parallel for schedule(static) if (x.size() >= 1 << 12)
  for (int64_t r = 0; r < x.extent(0); ++r) {
    const T* const from = x.row(r);
    T* const to = q.row(r);
    for (int64_t j = 0; j < x.extent(1); ++j) to[j] = sine_mapped(a, from[j]);
  }
}

#define ORRERY_INSTANTIATE(T) \
  template void sine_map_impl<T, Backend::cpu>(const Context&, double, MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
