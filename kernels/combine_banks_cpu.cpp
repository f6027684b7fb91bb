#include <algorithm>

#include "kernels/combine_banks.hpp"

namespace orrery::detail {
namespace {

// y may be one of the x: an element is read before it is written, so that the loop may still go several at a time.
template <class T, int N>
void combine_strip(const T* const* x, const T* a, bool shrinks, T theta, T* y, int64_t n) {
#pragma GCC ivdep
  for (int64_t j = 0; j < n; ++j) {
    T sum = a[0] * x[0][j];
    for (int k = 1; k < N; ++k) sum += a[k] * x[k][j];
    y[j] = sum;
  }
  if (!shrinks) return;
  for (int64_t j = 0; j < n; ++j) y[j] = shrunk(y[j], theta);
}

template <class T, int N>
void combine(VectorView<const double> rate, const BankSum<T>& sum, MatrixView<T> y) {
  constexpr int64_t strip = 4096, worth_threads = 1 << 15;
  const int64_t columns = y.extent(1), strips = (columns + strip - 1) / strip;
#pragma omp parallel for collapse(2) schedule(static) if (y.size() >= worth_threads)
  for (int64_t r = 0; r < y.extent(0); ++r)
    for (int64_t s = 0; s < strips; ++s) {
      const int64_t first = s * strip;
      const double of_row = rate.size() > 0 ? rate[r] : 1;
      const T* x[N];
      T a[N];
      for (int k = 0; k < N; ++k) {
        x[k] = sum.term[k].x.row(r) + first;
        a[k] = bank_coefficient<T>(sum.term[k].factor, sum.term[k].power, of_row);
      }
      combine_strip<T, N>(x, a, sum.shrink > 0, static_cast<T>(sum.shrink * of_row), y.row(r) + first,
                          std::min(strip, columns - first));
    }
}

}  // namespace

template <class T, Backend B>
void combine_banks_impl(const Context&, VectorView<const double> rate, const BankSum<T>& sum, MatrixView<T> y) {
  switch (sum.terms) {
    case 1: return combine<T, 1>(rate, sum, y);
    case 2: return combine<T, 2>(rate, sum, y);
    case 3: return combine<T, 3>(rate, sum, y);
    case 4: return combine<T, 4>(rate, sum, y);
    case 5: return combine<T, 5>(rate, sum, y);
    default: return combine<T, 6>(rate, sum, y);
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                    \
  template void combine_banks_impl<T, Backend::cpu>(const Context&, VectorView<const double>, const BankSum<T>&, \
                                                    MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
