// A linear combination of several banks in one pass, with coefficients that are constant along a row.
//
//   y[r,j] <- S_{theta_r}( sum_k a_{k,r} x_k[r,j] )        a_{k,r} = factor_k * rate_r^power_k,  power -1, 0 or 1
//
//   S_theta(v) = sign(v) max(|v| - theta, 0), theta_r = shrink * rate_r: the proximal step of theta |x|_1; shrink = 0: the sum itself
//
// Shapes   y and the x_k (rows, P) of any stride; y may be one of the x_k, else it does not overlap them; rate float64 (rows), only read where a
//          power is not 0 or shrink is; coefficients are computed in float64 and used in T. 1 to 6 terms.
// Result   terms are added in their order; each element depends on its own inputs only: same bits for any grid, any number of shards and both
//          backends.
// Cost     reads one element per term and writes one: memory bound.
#pragma once

#include <cmath>
#include <initializer_list>

#include "kernels/core/context.hpp"
#include "kernels/core/view.hpp"

namespace orrery {

template <class T>
struct BankTerm {
  double factor = 1;
  MatrixView<const T> x = {};
  int power = 0;  // of the row's rate
};

template <class T>
struct BankSum {  // what the backends see
  static constexpr int most = 6;
  BankTerm<T> term[most];
  int terms = 0;
  double shrink = 0;
};

template <class T>
void combine_banks(const Context&, VectorView<const double> rate, std::initializer_list<BankTerm<T>>, MatrixView<T> y,
                   double shrink = 0);

namespace detail {
template <class T, Backend B>
void combine_banks_impl(const Context&, VectorView<const double> rate, const BankSum<T>&, MatrixView<T> y);

// on both backends
template <class T>
ORRERY_HD inline T bank_coefficient(double factor, int power, double rate) {
  return static_cast<T>(power == 0 ? factor : power > 0 ? factor * rate : factor / rate);
}
template <class T>
ORRERY_HD inline T shrunk(T v, T theta) {
  return v > theta ? v - theta : v < -theta ? v + theta : v == v ? T{0} : v;
}
}  // namespace detail

}  // namespace orrery
