#include <algorithm>

#include "kernels/blend.hpp"

namespace orrery::detail {
namespace {

// one element, in the same operations on both backends
template <class T>
void blend_strip(T a, const T* __restrict__ x, T b, T* __restrict__ y, int64_t n) {
  if (b == T{0})
    for (int64_t j = 0; j < n; ++j) y[j] = a * x[j];
  else
    for (int64_t j = 0; j < n; ++j) y[j] = a * x[j] + b * y[j];
}

}  // namespace

template <class T, Backend B>
void blend_impl(const Context&, VectorView<const double> a, MatrixView<const T> x, VectorView<const double> b,
                MatrixView<T> y) {
  constexpr int64_t strip = 4096;
  const int64_t columns = y.extent(1), strips = (columns + strip - 1) / strip;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t r = 0; r < y.extent(0); ++r)
    for (int64_t s = 0; s < strips; ++s) {
      const int64_t first = s * strip;
      blend_strip(static_cast<T>(a[r]), x.row(r) + first, static_cast<T>(b[r]), y.row(r) + first,
                  std::min(strip, columns - first));
    }
}

#define ORRERY_INSTANTIATE(T)                                                                              \
  template void blend_impl<T, Backend::cpu>(const Context&, VectorView<const double>, MatrixView<const T>, \
                                            VectorView<const double>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
