// A strongly monotone, Lipschitz map of every coordinate, for flows whose theory is of such maps (digest of spatio-temporal compression 5, S11).
//
//   q_j <- x_j + a sin(x_j)            0 <= a < 1: slope between 1 - a and 1 + a
//
// Shapes   x, q (rows, P) of any stride, not overlapping.
// Result   in float64, rounded once to T; each element depends on its own input only: the same bits for any grid, number of threads and rows beside
//          it. Backends agree to their sines.
// Cost     one launch: reads and writes a row once, a sine a number.
#pragma once

#include <cmath>

#include "kernels/core/context.hpp"
#include "kernels/core/view.hpp"

namespace orrery {

template <class T>
void sine_map(const Context&, double a, MatrixView<const T> x, MatrixView<T> q);

namespace detail {
template <class T, Backend B>
void sine_map_impl(const Context&, double a, MatrixView<const T> x, MatrixView<T> q);

// on both backends, and in the packers
template <class T>
ORRERY_HD inline T sine_mapped(double a, T x) {
  const auto v = static_cast<double>(x);
  return static_cast<T>(v + a * sin(v));
}
}  // namespace detail

}  // namespace orrery
