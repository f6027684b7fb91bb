#include <algorithm>

#include "kernels/group_mean.hpp"

namespace orrery::detail {
namespace {

constexpr int64_t strip = 1024;  // columns of one task: sums stay in L1

// total[0..n) <- weighted sum over group k of columns j0 .. j0+n-1, in the order of the header
template <class T>
void sum_strip(const GroupTable& g, int64_t k, MatrixView<const T> x, int64_t j0, int64_t n, T* __restrict__ total) {
  T part[strip];
  std::fill(total, total + n, T{0});
  for (int64_t b = g.begin[k]; b < g.begin[k + 1]; b += sum_block) {
    const int64_t end = std::min(b + sum_block, g.begin[k + 1]);
    std::fill(part, part + n, T{0});
    for (int64_t m = b; m < end; ++m) {
      const T v = static_cast<T>(g.weight[m]);
      const T* __restrict__ in = x.row(g.member[m]) + j0;
      for (int64_t j = 0; j < n; ++j) part[j] += v * in[j];
    }
    for (int64_t j = 0; j < n; ++j) total[j] += part[j];
  }
}

// All (node, strip) pairs, each on one thread; where threads cost more than they save, all on one.
template <class F>
void for_strips(const GroupTable& g, int64_t columns, F f) {
  constexpr int64_t worth_threads = 1 << 15;  // elements

  const int64_t strips = (columns + strip - 1) / strip;
#pragma omp parallel for collapse(2) schedule(static) if (g.member.size() * columns >= worth_threads)
  for (int64_t k = 0; k < g.nodes; ++k)
    for (int64_t s = 0; s < strips; ++s) f(k, s * strip, std::min(strip, columns - s * strip));
}

}  // namespace

template <class T, Backend B>
void group_mean_impl(const Context&, const GroupTable& g, MatrixView<const T> x, MatrixView<T> means) {
  for_strips(g, x.extent(1), [&](int64_t k, int64_t j0, int64_t n) { sum_strip(g, k, x, j0, n, means.row(k) + j0); });
}

template <class T, Backend B>
void group_average_impl(const Context&, const GroupTable& g, MatrixView<T> x) {
  for_strips(g, x.extent(1), [&](int64_t k, int64_t j0, int64_t n) {
    T total[strip];
    sum_strip<T>(g, k, x, j0, n, total);
    for (int64_t m = g.begin[k]; m < g.begin[k + 1]; ++m) std::copy(total, total + n, x.row(g.member[m]) + j0);
  });
}

template <class T, Backend B>
void group_mix_impl(const Context&, const GroupTable& g, const MixTable& mix, MatrixView<const T> means,
                    MatrixView<T> x) {
  for_strips(g, x.extent(1), [&](int64_t k, int64_t j0, int64_t n) {
    T total[strip];
    std::fill(total, total + n, T{0});
    for (int64_t e = mix.begin[k]; e < mix.begin[k + 1]; ++e) {
      const T h = static_cast<T>(mix.weight[e]);
      const T* __restrict__ in = means.row(mix.source[e]) + j0;
      for (int64_t j = 0; j < n; ++j) total[j] += h * in[j];
    }
    for (int64_t m = g.begin[k]; m < g.begin[k + 1]; ++m) std::copy(total, total + n, x.row(g.member[m]) + j0);
  });
}

template <class T, Backend B>
void group_clear_impl(const Context&, const GroupTable& g, MatrixView<T> x) {
#pragma omp parallel for schedule(static)
  for (int64_t m = 0; m < g.member.size(); ++m) std::fill(x.row(g.member[m]), x.row(g.member[m]) + x.extent(1), T{0});
}

#define ORRERY_INSTANTIATE(T)                                                                            \
  template void group_clear_impl<T, Backend::cpu>(const Context&, const GroupTable&, MatrixView<T>);     \
  template void group_mean_impl<T, Backend::cpu>(const Context&, const GroupTable&, MatrixView<const T>, \
                                                 MatrixView<T>);                                         \
  template void group_average_impl<T, Backend::cpu>(const Context&, const GroupTable&, MatrixView<T>);   \
  template void group_mix_impl<T, Backend::cpu>(const Context&, const GroupTable&, const MixTable&,      \
                                                MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
