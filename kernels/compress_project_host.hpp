// A direction on the host: what the CPU's scalarizers and the packers of their messages share (compress_project.hpp).
#pragma once

#include <algorithm>

#include "kernels/compress_project.hpp"
#include "kernels/row_lanes.hpp"

namespace orrery::detail {

// rule.given, where it is used, on the host
inline void probe_row(const ProbeRule& rule, uint64_t seed, int32_t worker, int64_t slot, double* to, int64_t P) {
  using Family = ProbeRule::Family;
  if (rule.family == Family::trigonometric) {
    for (int64_t j = 0; j < P; ++j) to[j] = trigonometric_probe(rule.frequency, slot, j, P);
  } else if (rule.family == Family::cycle) {
    std::copy_n(rule.given.row(slot / rule.dwell % rule.given.extent(0)), P, to);
  } else {
    const Stream draws = probe_draws(rule, seed, worker, slot);
    for (int64_t j = 0; j < P; j += 4) {
      double g[4];
      draws.four_normals(static_cast<uint32_t>(j / 4), g);
      std::copy_n(g, std::min<int64_t>(4, P - j), to + j);
    }
    const double length = std::sqrt(lane_sum(P, [&](int64_t j) { return to[j] * to[j]; }));
    for (int64_t j = 0; j < P; ++j) to[j] /= length;
  }
}

// psi . x, rounded to T
template <class T>
T probe_product(const double* __restrict__ psi, const T* __restrict__ x, int64_t P) {
  return static_cast<T>(lane_sum(P, [&](int64_t j) { return psi[j] * static_cast<double>(x[j]); }));
}

}  // namespace orrery::detail
