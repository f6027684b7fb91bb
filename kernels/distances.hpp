// Squared distances between rows, and sums of numbers in a fixed order: what the metrics are made of.
//
//   row_distances   out[r] = sum_j (x[r,j] - y[index[r],j])^2            in float64; an empty y: sum_j x[r,j]^2
//   segment_sums    out[s] = sum_n values[s,n]                           in float64
//   total           sum_n values[n]                                      integers, exact
//
// Shapes   x (R,P); y (M,P); index (R) rows of y; values (S,N); out (R) or (S) float64.
// Result   same bits run to run and for any rows beside it (the order of a sum depends on its length alone).
// Cost     reads each element once: memory bound. segment_sums is CUB's segmented reduction on CUDA, total is Thrust's.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/core/view.hpp"

namespace orrery {

template <class T>
void row_distances(const Context&, MatrixView<const T> x, MatrixView<const T> y, VectorView<const int64_t> index,
                   VectorView<double> out);
void segment_sums(const Context&, MatrixView<const double> values, VectorView<double> out);
int64_t total(const Context&, VectorView<const int64_t> values);  // waits for the device

namespace detail {
template <class T, Backend B>
void row_distances_impl(const Context&, MatrixView<const T> x, MatrixView<const T> y, VectorView<const int64_t> index,
                        VectorView<double> out);
template <Backend B>
void segment_sums_impl(const Context&, MatrixView<const double> values, VectorView<double> out);
template <Backend B>
int64_t total_impl(const Context&, VectorView<const int64_t> values);
}  // namespace detail

}  // namespace orrery
