// One row's product of factors on the host: what the CPU's kernel and the unpacker of its message share (compress_low_rank.hpp).
#pragma once

#include <algorithm>

#include "kernels/compress_low_rank.hpp"

namespace orrery::detail {

template <class T>
void expand_row(MatrixRank m, const T* left, const T* right, T* __restrict__ q) {
  constexpr int64_t strip = 512;  // columns whose sums lie in L1 at a time
  double sum[strip];
  for (int64_t i = 0; i < m.n1; ++i)
    for (int64_t first = 0; first < m.n2; first += strip) {
      const int64_t n = std::min(strip, m.n2 - first);
      std::fill_n(sum, n, 0.0);
      for (int64_t a = 0; a < m.rank; ++a) {
        const auto l = static_cast<double>(left[a * m.n1 + i]);
        const T* __restrict__ const r = right + a * m.n2 + first;
        for (int64_t j = 0; j < n; ++j) sum[j] += l * static_cast<double>(r[j]);
      }
      for (int64_t j = 0; j < n; ++j) q[i * m.n2 + first + j] = static_cast<T>(sum[j]);
    }
}

}  // namespace orrery::detail
