// Linear combinations of rows, each with its own coefficients.
//
//   blend   y[r,j] <- a_r * x[r,j] + b_r * y[r,j]        b_r = 0: y is not read, and may hold anything
//
// Shapes   x, y (rows, P) of any stride, x also one shared row (stride 0), not overlapping y; a, b float64 (rows), used in T.
// Result   each element depends on its own inputs only: same bits for any grid, any number of shards and both backends.
// Cost     reads 2 and writes 1 element per parameter: memory bound.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/core/view.hpp"

namespace orrery {

template <class T>
void blend(const Context&, VectorView<const double> a, MatrixView<const T> x, VectorView<const double> b,
           MatrixView<T> y);

namespace detail {
template <class T, Backend B>
void blend_impl(const Context&, VectorView<const double> a, MatrixView<const T> x, VectorView<const double> b,
                MatrixView<T> y);
}  // namespace detail

}  // namespace orrery
