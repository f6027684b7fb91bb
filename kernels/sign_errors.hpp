// How much of a vector packed signs get wrong: one-bit messages and decisions beside a reference gradient.
//
//   sign_errors    out[r] <- sum_j |g[j]| e(Y[r,j], g[j])             e = 1 where the signs are opposite, 1/2 where Y = 0, else 0
//   count_errors   out[r,c] <- sum over the j of class c of 2 e(Y[r,j], s[j])         s = +1 or -1
//
// A coordinate with g = 0 has no sign to get wrong and adds nothing; in count_errors it is in no class.
//
// Shapes   Y of rows (rows, P), packed as in signs.hpp; g float64 (P), out float64 (rows); s packed, one row without a second plane; classes
//          words (classes, ceil(P/32)), bit b of word k: coordinate 32 k + b is of the class; out int64 (rows, classes).
// Result   sign_errors: sums of terms of one sign, in an order that depends on P alone: the same bits run to run, for any number of threads
//          and rows beside it; relative error below P 2^-53. count_errors: integers, the same on both backends.
// Cost     1/8 (1/4) byte of signs per worker and coordinate; sign_errors 8 bytes of g for every row again, from cache where it fits;
//          count_errors a few operations per word and class.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/signs.hpp"

namespace orrery {

void sign_errors(const Context&, const SignsIn& signs, VectorView<const double> g, VectorView<double> out);
void count_errors(const Context&, const SignsIn& signs, const SignsIn& reference, MatrixView<const uint32_t> classes,
                  MatrixView<int64_t> out);

namespace detail {
template <Backend B>
void sign_errors_impl(const Context&, const SignsIn& signs, VectorView<const double> g, VectorView<double> out);
template <Backend B>
void count_errors_impl(const Context&, const SignsIn& signs, const SignsIn& reference,
                       MatrixView<const uint32_t> classes, MatrixView<int64_t> out);

// one coordinate, and the coordinates of a word that are wrong and that are zero, on both backends
ORRERY_HD inline double sign_error(double g, uint32_t positive, uint32_t zero) {
  const double size = g < 0 ? -g : g;
  return zero ? size / 2 : (positive != 0) != (g > 0) ? size : 0.0;
}
ORRERY_HD inline uint32_t opposite(SignWord w, uint32_t reference) { return (w.positive ^ reference) & ~w.zero; }
}  // namespace detail

}  // namespace orrery
