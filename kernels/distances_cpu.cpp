#include <algorithm>

#include "kernels/distances.hpp"

namespace orrery::detail {
namespace {

constexpr int64_t worth_threads = 1 << 15;  // elements below which threads cost more than they save
constexpr int64_t block = 256;              // a sum is made of sums of this many elements, added in order

template <class F>
double blocked_sum(int64_t n, F element) {
  double total = 0;
  for (int64_t b = 0; b < n; b += block) {
    double part = 0;
    const int64_t end = std::min(b + block, n);
#pragma omp simd reduction(+ : part)
    for (int64_t j = b; j < end; ++j) part += element(j);
    total += part;
  }
  return total;
}

}  // namespace

template <class T, Backend B>
void row_distances_impl(const Context&, MatrixView<const T> x, MatrixView<const T> y, VectorView<const int64_t> index,
                        VectorView<double> out) {
#pragma omp parallel for schedule(static) if (x.size() >= worth_threads)
  for (int64_t r = 0; r < x.extent(0); ++r) {
    const T* a = x.row(r);
    if (y.extent(0) == 0) {
      out[r] =
          blocked_sum(x.extent(1), [&](int64_t j) { return static_cast<double>(a[j]) * static_cast<double>(a[j]); });
    } else {
      const T* b = y.row(index[r]);
      out[r] = blocked_sum(x.extent(1), [&](int64_t j) {
        const double difference = static_cast<double>(a[j]) - static_cast<double>(b[j]);
        return difference * difference;
      });
    }
  }
}

template <Backend B>
void segment_sums_impl(const Context&, MatrixView<const double> values, VectorView<double> out) {
#pragma omp parallel for schedule(static)
  for (int64_t s = 0; s < values.extent(0); ++s)
    out[s] = blocked_sum(values.extent(1), [&](int64_t n) { return values(s, n); });
}

template <Backend B>
int64_t total_impl(const Context&, VectorView<const int64_t> values) {
  int64_t sum = 0;
  for (int64_t n = 0; n < values.size(); ++n) sum += values[n];
  return sum;
}

template void row_distances_impl<float, Backend::cpu>(const Context&, MatrixView<const float>, MatrixView<const float>,
                                                      VectorView<const int64_t>, VectorView<double>);
template void row_distances_impl<double, Backend::cpu>(const Context&, MatrixView<const double>,
                                                       MatrixView<const double>, VectorView<const int64_t>,
                                                       VectorView<double>);
template void segment_sums_impl<Backend::cpu>(const Context&, MatrixView<const double>, VectorView<double>);
template int64_t total_impl<Backend::cpu>(const Context&, VectorView<const int64_t>);

}  // namespace orrery::detail
