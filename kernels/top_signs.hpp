// The largest of every tensor, as signs (S3GD-MV: Park and Lee, ISIT 2023) or as values (Top-K), and the server's mean of what was sent.
//
//   per row r and tensor t: I = the k_t coordinates with the largest |e[r,j]|, of equal ones those with the lowest j first
//   top_signs    Y[r,j] <- sign(e[r,j]) on I, 0 elsewhere (and where e itself is 0);   e[r,j] <- 0 on I
//   top_values   out[r,j] <- e[r,j] on I, 0 elsewhere;                                 e[r,j] <- 0 on I
//   sparse_mean  out[k,j] <- sum_m sent[m,j] / (n_kj + 1e-5)     n_kj members of group k that are present sent a number other than 0 at j
//
// k_t = kept(kappa, d_t); the caller adds e <- lambda e + G before (blend.hpp).
//
// Shapes   e, sent (rows, P) of any stride; offset (tensors + 1): 0 = offset[0] <= ... = P, tensors of fewer than 2^31 coordinates; keep (tensors),
//          more than a tensor has keeps all of it, 0 or less nothing; cuts (rows, tensors) scratch, written; signs with their second plane;
//          out of top_values (rows, P), not overlapping e; of sparse_mean (nodes, P). No NaN in e: it would count as larger than all numbers.
//          present (rows): rows with 0 keep e, cuts, signs and out, and are no members; empty: all take part.
// Method   the bits of |e| are ordered as the numbers are: digits of 11 bits are counted from the highest down until the place of the k_t-th is
//          known (the CPU sorts what shares its digits once it is short); then one pass over the row writes.
// Result   integers decide, and each group's sum is in float64 over members in blocks of 32 whose sums are added in order (as in
//          group_mean.hpp): the same bits for any grid, number of threads, rows beside it, and on both backends.
// Cost     CUDA reads a row 4 times (double 7) and writes it once; the CPU reads it 2 to 4 times, from cache where a tensor fits. sparse_mean
//          reads each member once: memory bound.
#pragma once

#include <cmath>
#include <cstring>

#include "kernels/core/context.hpp"
#include "kernels/group_mean.hpp"
#include "kernels/signs.hpp"

namespace orrery {

// k_t: ceil(kappa d) where kappa d is not a whole number but for rounding; at least 1 where kappa > 0, at most d
inline int64_t kept(double kappa, int64_t d) {
  const double n = std::ceil(kappa * static_cast<double>(d) * (1 - 1e-12));
  return n >= static_cast<double>(d) ? d : n > 0 ? static_cast<int64_t>(n) : 0;
}

// Where a tensor of a row is cut: kept are magnitudes above `bits`, and those equal to it up to coordinate `last` of the row.
struct TopCut {
  uint64_t bits;
  int64_t last;
};

template <class T>
void top_signs(const Context&, VectorView<const int64_t> offset, VectorView<const int64_t> keep, MatrixView<T> e,
               MatrixView<TopCut> cuts, const SignsOut& signs, VectorView<const uint8_t> present = {});
template <class T>
void top_values(const Context&, VectorView<const int64_t> offset, VectorView<const int64_t> keep, MatrixView<T> e,
                MatrixView<TopCut> cuts, MatrixView<T> out, VectorView<const uint8_t> present = {});
template <class T>
void sparse_mean(const Context&, const GroupTable&, MatrixView<const T> sent, MatrixView<T> out,
                 VectorView<const uint8_t> present = {});

namespace detail {
// cuts <- where the tensors of the rows are cut
template <class T, Backend B>
void top_cuts_impl(const Context&, VectorView<const int64_t> offset, VectorView<const int64_t> keep,
                   MatrixView<const T> e, MatrixView<TopCut> cuts, VectorView<const uint8_t> present);
template <class T, Backend B>
void cut_signs_impl(const Context&, VectorView<const int64_t> offset, MatrixView<const TopCut> cuts, MatrixView<T> e,
                    const SignsOut& signs, VectorView<const uint8_t> present);
template <class T, Backend B>
void cut_values_impl(const Context&, VectorView<const int64_t> offset, MatrixView<const TopCut> cuts, MatrixView<T> e,
                     MatrixView<T> out, VectorView<const uint8_t> present);
template <class T, Backend B>
void sparse_mean_impl(const Context&, const GroupTable&, MatrixView<const T> sent, MatrixView<T> out,
                      VectorView<const uint8_t> present);

// ---- on both backends

// the bits of |x|: ordered as |x| is
ORRERY_HD inline uint32_t magnitude_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits & 0x7fffffffu;
}
ORRERY_HD inline uint64_t magnitude_bits(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits & 0x7fffffffffffffffull;
}
template <class T>
inline constexpr int magnitude_width = sizeof(T) * 8 - 1;

inline constexpr int digit_bits = 11, digits = 1 << digit_bits;

ORRERY_HD inline TopCut keep_from(uint64_t bits) { return {bits, INT64_MAX}; }  // magnitudes of these bits and above
ORRERY_HD inline TopCut keep_none() { return {UINT64_MAX, -1}; }

template <class T>
ORRERY_HD inline T sparse_mean_of(double sum, int64_t senders) {
  return static_cast<T>(sum / (static_cast<double>(senders) + 1e-5));
}
}  // namespace detail

}  // namespace orrery
