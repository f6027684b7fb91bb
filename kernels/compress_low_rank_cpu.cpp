#include <cmath>

#include "kernels/compress_low_rank_host.hpp"
#include "kernels/row_lanes.hpp"

namespace orrery::detail {

template <class T, Backend B>
void low_rank_start_impl(const Context&, const Rows& rows, Slot slot, MatrixRank m, bool alike, MatrixView<T> right) {
  const uint64_t step = slot.at().key();
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    const Stream draws = start_draws(rows.seed[r], rows.worker[r], alike, step);
    for (int64_t a = 0; a < m.rank; ++a) {
      T* const at = right.row(r) + a * m.n2;
      if (std::any_of(at, at + m.n2, [](T v) { return v != T{0}; })) continue;
      for (int64_t j = 0; j < m.n2; ++j) at[j] = static_cast<T>(draws.normal(static_cast<uint32_t>(a * m.n2 + j)));
    }
  }
}

template <class T, Backend B>
void orthonormalise_impl(const Context&, int64_t rank, MatrixView<T> left) {
  const int64_t n = left.extent(1) / rank;
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < left.extent(0); ++r)
    for (int64_t a = 0; a < rank; ++a) {
      T* const v = left.row(r) + a * n;
      const auto product = [&](const T* u) {
        return lane_sum(n, [&](int64_t j) { return static_cast<double>(u[j]) * static_cast<double>(v[j]); });
      };
      const double before = std::sqrt(product(v));
      for (int pass = 0; pass < 2; ++pass)
        for (int64_t b = 0; b < a; ++b) {
          const T* const u = left.row(r) + b * n;
          const T share = static_cast<T>(product(u));
          for (int64_t j = 0; j < n; ++j) v[j] -= share * u[j];
        }
      const double length = std::sqrt(product(v));
      const bool gone = !(length > nothing_left<T> * before);
      for (int64_t j = 0; j < n; ++j) v[j] = gone ? T{0} : static_cast<T>(static_cast<double>(v[j]) / length);
    }
}

template <class T, Backend B>
void low_rank_expand_impl(const Context&, MatrixRank m, MatrixView<const T> left, MatrixView<const T> right,
                          MatrixView<T> q) {
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < q.extent(0); ++r) expand_row(m, left.row(r), right.row(r), q.row(r));
}

#define ORRERY_INSTANTIATE(T)                                                                             \
  template void low_rank_start_impl<T, Backend::cpu>(const Context&, const Rows&, Slot, MatrixRank, bool, \
                                                     MatrixView<T>);                                      \
  template void orthonormalise_impl<T, Backend::cpu>(const Context&, int64_t, MatrixView<T>);             \
  template void low_rank_expand_impl<T, Backend::cpu>(const Context&, MatrixRank, MatrixView<const T>,    \
                                                      MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
