// Norms of the parameter tensors of every row: what scaled signs and stochastic signs need to know of a gradient.
//
//   out[r,t] <- N( g[r, offset[t]] ... g[r, offset[t+1] - 1] )      an empty tensor: 0
//     l1            sum |g|
//     l2_squared    sum g^2
//     max           max |g|        a NaN is passed over; in the sums it stays NaN
//
// Shapes   g (rows, P) of any stride; offset (tensors + 1) ascending, within 0 ... P; out float64 (rows, tensors).
// Order    in float64, 256 lanes: lane l adds elements l, l + 256, ... of the tensor; then the lanes by halving distance, first within 32.
// Result   the order depends on the tensor's length alone: same bits for any grid, number of threads, rows beside it and number of shards, and
//          on both backends.
// Cost     reads g once: memory bound where there are more pairs of row and tensor than the device has multiprocessors.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/core/view.hpp"

namespace orrery {

enum class Norm { l1, l2_squared, max };

template <class T>
void tensor_norms(const Context&, VectorView<const int64_t> offset, MatrixView<const T> g, Norm which,
                  MatrixView<double> out);

namespace detail {
template <class T, Backend B>
void tensor_norms_impl(const Context&, VectorView<const int64_t> offset, MatrixView<const T> g, Norm which,
                       MatrixView<double> out);
inline constexpr int norm_lanes = 256;
}  // namespace detail

}  // namespace orrery
