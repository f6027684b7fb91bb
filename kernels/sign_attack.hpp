// What adversaries do to the bits they send (papers/signsgd-fv.md 6.2, 7.5).
//
//   flip_signs    Y[r,j] <- -Y[r,j] with probability q_r, each coordinate alone      q = 1: inversion; q = 1/2: coins; q = 0: honest
//                 the coins of coordinate j: draw j of Stream(seed of the row's replica, attack; worker, step)
//   oppose_signs  Y[r,j] <- -u[node_r, j], and -1 where u is zero                      for rows r that are chosen: colluders who know u
//
// A zero stays a zero where it is flipped, and is no vote; layout of signs.hpp.
// Shapes   signs of the rows; q float64 (rows); u (nodes, P), node int64 (rows), chosen (rows).
// Result   the same bits on both backends, for any grid, number of threads and rows beside it.
// Cost     flip_signs: rows with q = 1 read and write their bits; those with 0 < q < 1 draw a number per coordinate; honest rows cost
//          nothing. oppose_signs: reads u, writes the bits of the chosen.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/signs.hpp"

namespace orrery {

void flip_signs(const Context&, const Rows&, Slot, VectorView<const double> probability, const SignsOut&);
void oppose_signs(const Context&, const SignsIn& u, VectorView<const int64_t> node, VectorView<const uint8_t> chosen,
                  const SignsOut&);

namespace detail {
template <Backend B>
void flip_signs_impl(const Context&, const Rows&, Slot, VectorView<const double> probability, const SignsOut&);
template <Backend B>
void oppose_signs_impl(const Context&, const SignsIn& u, VectorView<const int64_t> node,
                       VectorView<const uint8_t> chosen, const SignsOut&);

// the coordinates of word k that are flipped
ORRERY_HD inline uint32_t flips(const Stream& coins, double probability, int64_t k) {
  if (probability >= 1) return 0xffffffffu;
  uint32_t all = 0;
  for (uint32_t block = 0; block < 8; ++block) {
    const PhiloxBlock draws = coins.block(static_cast<uint32_t>(k) * 8 + block);
    for (uint32_t i = 0; i < 4; ++i)
      all |= (static_cast<double>(draws.word[i]) < probability * 4294967296.0 ? 1u : 0u) << (block * 4 + i);
  }
  return all;
}
ORRERY_HD inline SignWord flipped(SignWord w, uint32_t which, uint32_t used) {
  return {(w.positive ^ which) & ~w.zero & used, w.zero};
}
ORRERY_HD inline SignWord opposed(SignWord u, uint32_t used) { return {~(u.positive | u.zero) & used, 0u}; }
}  // namespace detail

}  // namespace orrery
