// Sparsifiers: a message holds some coordinates of a row (greedy: Alistarh et al., NeurIPS 2018; random: Stich et al., NeurIPS 2018).
//
//   keep           q_j <- a x_j on I, +0 elsewhere
//   keep_places    places[r,i] <- the i-th element of I in the message's order, -1 where I has fewer than the matrix has columns
//   keep_gather    y[r,i] <- x[r, places[r,i]]                  0 where there is none
//   keep_scatter   q[r,:] <- 0, then q[r, places[r,i]] <- a y[r,i]
//
//   top     I = the k largest |x_j|, of equal ones those with the lowest j first; in ascending order
//   drawn   I = {pi(0), ..., pi(k-1)}, pi the permutation of core/shuffle.hpp keyed by Stream(seed of the row's replica, compression_choice; who,
//           step): who = the worker, or 0 where all workers of a replica draw alike
//   block   I = block b = floor(t / dwell) mod B of B: coordinates floor(b P / B) ... floor((b+1) P / B) - 1, t the slot
//
// Shapes   x, q (rows, P) of any stride, not overlapping; y (rows, m), places (rows, m) int32; P < 2^30. rows: seed and worker of each. No NaN in x
//          of top: it would count as larger than all numbers.
// Result   each number is copied, or multiplied once: same bits for any grid, number of threads and rows beside it, and on both backends.
// Cost     one launch each. top: CUDA reads a row of up to 216 KiB once, and a longer one once where the candidates that a sample lets through
//          fit (k up to about P / 10 at P = 200,000 in fp32) and none are equal at the cut, else 4 times (double 7); it writes it once; the CPU reads it
//          once from memory where it fits the cache (twice in all where at most a quarter is kept), and asks for a row a thread; drawn and block write a row and read what they keep.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/core/shuffle.hpp"
#include "kernels/rows.hpp"

namespace orrery {

struct KeepRule {
  enum class Which { top, drawn, block } which = Which::top;
  int64_t k = 1;       // top, drawn: 1 <= k <= P
  bool alike = false;  // drawn
  int64_t blocks = 1;  // B <= P
  int64_t dwell = 1;   // slots
  double factor = 1;   // a
};

template <class T>
void keep(const Context&, const Rows&, Slot, const KeepRule&, MatrixView<const T> x, MatrixView<T> q);
template <class T>
void keep_places(const Context&, const Rows&, Slot, const KeepRule&, MatrixView<const T> x, MatrixView<int32_t> places);
template <class T>
void keep_gather(const Context&, MatrixView<const int32_t> places, MatrixView<const T> x, MatrixView<T> y);
template <class T>
void keep_scatter(const Context&, MatrixView<const int32_t> places, double factor, MatrixView<const T> y,
                  MatrixView<T> q);

// the permutation of a row: its i-th place is drawn i-th
ORRERY_HD inline Permutation keep_draws(uint64_t seed, int32_t who, uint64_t step, int64_t P) {
  return {Stream(seed, Draw::compression_choice, static_cast<uint32_t>(who), step), static_cast<uint32_t>(P)};
}
// the first coordinate of block b of B
ORRERY_HD constexpr int64_t block_begin(int64_t b, int64_t B, int64_t P) { return b * P / B; }
ORRERY_HD constexpr int64_t block_at(int64_t slot, int64_t dwell, int64_t B) { return slot / dwell % B; }

namespace detail {
template <class T, Backend B>
void keep_impl(const Context&, const Rows&, Slot, const KeepRule&, MatrixView<const T> x, MatrixView<T> q);
template <class T, Backend B>
void keep_places_impl(const Context&, const Rows&, Slot, const KeepRule&, MatrixView<const T> x,
                      MatrixView<int32_t> places);
template <class T, Backend B>
void keep_gather_impl(const Context&, MatrixView<const int32_t> places, MatrixView<const T> x, MatrixView<T> y);
template <class T, Backend B>
void keep_scatter_impl(const Context&, MatrixView<const int32_t> places, double factor, MatrixView<const T> y,
                       MatrixView<T> q);

template <class T>
ORRERY_HD inline T kept_value(double factor, T x) {
  return factor == 1 ? x : static_cast<T>(factor) * x;
}
}  // namespace detail

}  // namespace orrery
