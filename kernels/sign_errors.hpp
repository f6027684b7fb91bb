// How much of a vector packed signs get wrong: one-bit messages and decisions beside a reference gradient.
//
//   out[r,v] <- sum_j |g[v,j]| e(Y[r,j], g[v,j])      e = 1 where the signs are opposite, 1/2 where Y = 0, else 0
//
// A coordinate with g = 0 has no sign to get wrong and adds nothing. Entries -1, 0, +1 in g count coordinates, exactly.
//
// Shapes   Y of rows (rows, P), packed as in signs.hpp; g float64 (vectors, P) of any stride; out float64 (rows, vectors).
// Result   sums of terms of one sign, in an order that depends on P alone: the same bits run to run, for any number of threads and rows
//          beside it; relative error below P 2^-53. Both backends give the same bits where the terms are integers.
// Cost     reads 1/8 (1/4) byte of signs per worker, coordinate and vector, and the vector again for every row, from cache where it fits.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/signs.hpp"

namespace orrery {

void sign_errors(const Context&, const SignsIn& signs, MatrixView<const double> g, MatrixView<double> out);

namespace detail {
template <Backend B>
void sign_errors_impl(const Context&, const SignsIn& signs, MatrixView<const double> g, MatrixView<double> out);

// one coordinate, on both backends
ORRERY_HD inline double sign_error(double g, uint32_t positive, uint32_t zero) {
  const double size = g < 0 ? -g : g;
  return zero ? size / 2 : (positive != 0) != (g > 0) ? size : 0.0;
}
}  // namespace detail

}  // namespace orrery
