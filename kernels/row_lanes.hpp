// Sums over one row whose order depends on its length alone, so that they have the same bits on both backends.
//
//   lane l adds terms l, l + lanes, ...; then the lanes by halving distance, within 32 first (as block_sum of core/block.cuh does)
//
// lanes = 32 up to 1,024 terms, 256 up to 16,384, 1,024 beyond: the threads of the CUDA block that has the row.
#pragma once

#include <cstdint>

#include "kernels/core/backend.hpp"

namespace orrery::detail {

inline constexpr int most_row_lanes = 1024;
ORRERY_HD constexpr int row_lanes(int64_t n) { return n <= 1024 ? 32 : n <= 16384 ? 256 : most_row_lanes; }

#if !defined(__CUDACC__)
// sum of term(j), j = 0 ... n - 1, in float64; on the host
template <class Term>
double lane_sum(int64_t n, Term term) {
  const int lanes = row_lanes(n);
  double lane[most_row_lanes] = {};
  int64_t i = 0;
  const auto whole = [&]<int L>() {
    for (; i + L <= n; i += L)
      for (int l = 0; l < L; ++l) lane[l] += term(i + l);
  };
  if (lanes == 32)
    whole.template operator()<32>();
  else if (lanes == 256)
    whole.template operator()<256>();
  else
    whole.template operator()<most_row_lanes>();
  for (int l = 0; i + l < n; ++l) lane[l] += term(i + l);

  const auto halve = [](double* at, int count, int stride) {
    for (int d = count / 2; d > 0; d /= 2)
      for (int l = 0; l < d; ++l) at[l * stride] += at[(l + d) * stride];
  };
  for (int w = 0; w < lanes; w += 32) halve(lane + w, 32, 1);
  halve(lane, lanes / 32, 32);
  return lane[0];
}
#endif

}  // namespace orrery::detail
