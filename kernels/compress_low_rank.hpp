// The parts of PowerSGD (Vogels, Karimireddy, Jaggi, NeurIPS 2019) that are no plain products. A row's matrix M (n1, n2) is sent as L^T R with L (r, n1)
// and R (r, n2), row-major:
//
//   low_rank_start    rows of R that are zero <- normal draws, a n2 + j of Stream(seed of the row's replica, compression_probe; who, step)
//   orthonormalise    L <- its rows made orthonormal in order (Gram-Schmidt, twice); a row of which less than 1e-7 (double 1e-14) is left becomes 0
//   low_rank_expand   q[r, i n2 + j] <- sum_a L[r; a, i] R[r; a, j]
//
// Between them, by batched_gemm: L <- R M^T, then R <- L M. R stays for the next step: the warm start.
//
// Shapes   left (rows, r n1), right (rows, r n2), q (rows, n1 n2) of any stride. who: the worker, or 0 where all workers of a replica start alike.
// Result   products summed in float64 in the order of row_lanes.hpp (orthonormalise) or of a (expand), each rounded to T: the same bits on both
//          backends, for any grid, number of threads and rows beside it; normal draws to rounding on CUDA.
// Cost     expand writes q once: memory bound for small r; the others touch r (n1 + n2) numbers a row.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/rows.hpp"

namespace orrery {

struct MatrixRank {
  int64_t n1 = 0, n2 = 0, rank = 0;  // rank <= min(n1, n2)
};

template <class T>
void low_rank_start(const Context&, const Rows&, Slot, MatrixRank, bool alike, MatrixView<T> right);
template <class T>
void orthonormalise(const Context&, int64_t rank, MatrixView<T> left);
template <class T>
void low_rank_expand(const Context&, MatrixRank, MatrixView<const T> left, MatrixView<const T> right, MatrixView<T> q);

namespace detail {
template <class T, Backend B>
void low_rank_start_impl(const Context&, const Rows&, Slot, MatrixRank, bool alike, MatrixView<T> right);
template <class T, Backend B>
void orthonormalise_impl(const Context&, int64_t rank, MatrixView<T> left);
template <class T, Backend B>
void low_rank_expand_impl(const Context&, MatrixRank, MatrixView<const T> left, MatrixView<const T> right,
                          MatrixView<T> q);

template <class T>
inline constexpr double nothing_left = sizeof(T) == 4 ? 1e-7 : 1e-14;

ORRERY_HD inline Stream start_draws(uint64_t seed, int32_t worker, bool alike, uint64_t step) {
  return Stream(seed, Draw::compression_probe, static_cast<uint32_t>(alike ? 0 : worker), step);
}
}  // namespace detail

}  // namespace orrery
