// The step along decoded signs (signSGD with a vote: Bernstein et al., ICLR 2019).
//
//   x[k,j] <- f_k * x[k,j] - delta_k * u[k,j]      u in {-1, 0, +1}, packed as in signs.hpp; f = 1 - delta lambda shrinks the weights
//
// Shapes   u of rows (nodes, P); x (nodes, P) of any stride: the shared model row of each node; delta, f float64 (nodes), used in T;
//          f empty: 1.
// Result   each element depends on its own inputs only: the same bits for any grid and both backends (delta u is exact, f x is
//          rounded by itself).
// Cost     reads and writes x once, 2 sizeof(T) bytes per coordinate, and reads 1/8 or 1/4 byte of signs: memory bound.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/signs.hpp"

namespace orrery {

template <class T>
void sign_step(const Context&, const SignsIn& u, VectorView<const double> delta, MatrixView<T> x,
               VectorView<const double> factor = {});

namespace detail {
template <class T, Backend B>
void sign_step_impl(const Context&, const SignsIn& u, VectorView<const double> delta, MatrixView<T> x,
                    VectorView<const double> factor);

// one element, on both backends
template <class T>
ORRERY_HD inline T stepped(T x, T delta, uint32_t positive, uint32_t zero) {
  return zero ? x : positive ? x - delta : x + delta;
}
}  // namespace detail

}  // namespace orrery
