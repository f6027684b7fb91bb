// Averages over the rows below each node of a tier, and mixing of the nodes' means over a graph.
//
//   group_mean      means[k,:]       <- sum_{i in group k} v_i * x[i,:]
//   group_average   x[i,:]           <- sum_{m in group k} v_m * x[m,:]            for every i in group k, in place, one pass
//   group_clear     x[i,:]           <- 0                                             for every i in group k
//   group_mix       x[i,:]           <- sum_{e in column k} h_e * means[source_e,:]   for every i in group k
//
// Shapes   x (rows, P); means (nodes, P), not overlapping x; groups are disjoint; v, h float64 on the backend's side, used in T.
// Order    the members of a group are added in blocks of 32 in their order, the blocks' sums in order: the sum depends on the group alone.
// Result   same bits for any grid, number of threads, rows beside it, and number of shards that hold whole blocks.
// Cost     group_average reads and writes each member once: 2 * sizeof(T) bytes per element, memory bound; group_mean reads once.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/core/view.hpp"

namespace orrery {

inline constexpr int64_t sum_block = 32;

struct GroupTable {                  // node k: members member[begin[k]] ... member[begin[k+1]-1] with weights v alike
  int64_t nodes = 0, largest = 0;    // host values; `largest` group
  VectorView<const int64_t> begin;   // (nodes + 1)
  VectorView<const int64_t> member;  // row of x
  VectorView<const double> weight;
};
struct MixTable {                    // node k: sources source[begin[k]] ... with weights h alike
  VectorView<const int64_t> begin;   // (nodes + 1)
  VectorView<const int64_t> source;  // row of means
  VectorView<const double> weight;
};

template <class T>
void group_mean(const Context&, const GroupTable&, MatrixView<const T> x, MatrixView<T> means);
template <class T>
void group_average(const Context&, const GroupTable&, MatrixView<T> x);
template <class T>
void group_mix(const Context&, const GroupTable&, const MixTable&, MatrixView<const T> means, MatrixView<T> x);
template <class T>
void group_clear(const Context&, const GroupTable&, MatrixView<T> x);

namespace detail {
template <class T, Backend B>
void group_mean_impl(const Context&, const GroupTable&, MatrixView<const T> x, MatrixView<T> means);
template <class T, Backend B>
void group_average_impl(const Context&, const GroupTable&, MatrixView<T> x);
template <class T, Backend B>
void group_mix_impl(const Context&, const GroupTable&, const MixTable&, MatrixView<const T> means, MatrixView<T> x);
template <class T, Backend B>
void group_clear_impl(const Context&, const GroupTable&, MatrixView<T> x);
}  // namespace detail

}  // namespace orrery
