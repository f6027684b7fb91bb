// Packed signs of gradients in memory, one bit per coordinate (signSGD: Bernstein et al., ICML 2018).
//
//   Y[r,j] <- sign(g[r,j])      -1, 0 or +1 in the layout of signs.hpp; -0 is zero, a NaN is negative
//   zeros  as the rule says: they stay (needs the second plane), become +1, or follow bit j mod 32 of
//          draw floor(j/32) of Stream(seed of the row's replica, sign_zero; worker, step)
//
// Shapes   g (rows, P) of any stride; signs.positive, signs.zero (rows, ceil(P/32)); rows: seed and worker of each.
// Result   the same bits on both backends, for any grid, number of threads and rows beside it.
// Cost     reads sizeof(T) and writes 1/8 byte (1/4 with the second plane) per coordinate: memory bound. A gradient kernel that packs in
//          its own epilogue (pack_signs, ballot_signs) pays only for the bits.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/signs.hpp"

namespace orrery {

template <class T>
void sign_pack(const Context&, const Rows&, Slot, SignZero, MatrixView<const T> g, const SignsOut& signs);

// the coins of a row: what its zeros become under SignZero::random
ORRERY_HD inline Stream sign_coins(uint64_t seed, int32_t worker, uint64_t step) {
  return Stream(seed, Draw::sign_zero, static_cast<uint32_t>(worker), step);
}

namespace detail {
template <class T, Backend B>
void sign_pack_impl(const Context&, const Rows&, Slot, SignZero, MatrixView<const T> g, const SignsOut& signs);
void check_signs(const Context&, const SignsIn&);  // planes of the right shape on the context's side
}  // namespace detail

}  // namespace orrery
