// Error feedback: what a compressed message leaves out is remembered and added to the next one (EF-signSGD: Karimireddy et al., ICML 2019; the
// two-way form: Zheng et al., NeurIPS 2019).
//
//   scaled_signs   s[r,t] <- |e[r, tensor t]|_1 / d_t, rounded to T                 d_t coordinates of tensor t; an empty tensor: 0
//                  Y[r,j] <- +1 where e[r,j] >= 0 (-0 too), else -1                 one plane; t(j) the tensor of coordinate j
//                  e[r,j] <- e[r,j] - s[r,t(j)] Y[r,j]
//   scaled_mean    out[k,j] <- (1/n_k) sum_m s[m,t(j)] Y[m,j]                       over the n_k members of group k that are present; none: 0
//
// A worker of EF-signSGD adds its gradient, e <- lambda e + g (blend.hpp; lambda 1, or the quotient of two step sizes), measures the l1 norms
// (tensor_norms.hpp) and sends scaled_signs; the server applies scaled_mean. Two-way: the server's mean goes the same way with its own error, and
// groups of one member each expand the message C(q). The compressor C(v) = s Y keeps |C(v) - v|^2 = (1 - phi) |v|^2,
// phi = |v|_1^2 / (d |v|^2), in every tensor.
//
// Shapes   e (rows, P) of any stride; offset (tensors + 1): 0 = offset[0] <= ... = P; norms, scales float64
//          (rows, tensors), two matrices; out (nodes, P); weights of the groups are not read; signs of scaled_mean may have a zero plane.
//          present (rows): rows with 0 keep e, signs and scales; empty: all take part.
// Result   scaled_signs: each element depends on its own inputs only. scaled_mean: in float64, members in blocks of 32 whose sums
//          are added in order (as in group_mean.hpp), then T. Same bits for any grid, number of threads, rows beside it and number of shards
//          that hold whole groups, and on both backends. s is a number of T: what is sent and what is kept add up to e within one rounding.
// Cost     scaled_signs: reads and writes 1 element per parameter, and 1/8 byte; scaled_mean: reads 1/8 byte per worker
//          and coordinate. Memory bound.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/group_mean.hpp"
#include "kernels/signs.hpp"

namespace orrery {

// Packed signs (rows, P) with one scale per row and tensor (rows, tensors).
struct ScaledSigns {
  VectorView<const int64_t> offset;
  SignsIn signs;
  MatrixView<const double> scales;
};

template <class T>
void scaled_signs(const Context&, VectorView<const int64_t> offset, MatrixView<const double> norms, MatrixView<T> e,
                  const SignsOut& signs, MatrixView<double> scales, VectorView<const uint8_t> present = {});
template <class T>
void scaled_mean(const Context&, const GroupTable&, const ScaledSigns&, MatrixView<T> out,
                 VectorView<const uint8_t> present = {});

namespace detail {
template <class T, Backend B>
void scaled_signs_impl(const Context&, VectorView<const int64_t> offset, MatrixView<const double> norms,
                       MatrixView<T> e, const SignsOut& signs, MatrixView<double> scales,
                       VectorView<const uint8_t> present);
template <class T, Backend B>
void scaled_mean_impl(const Context&, const GroupTable&, const ScaledSigns&, MatrixView<T> out,
                      VectorView<const uint8_t> present);

// on both backends
template <class T>
ORRERY_HD inline T scale_of(double norm, int64_t coordinates) {
  return static_cast<T>(coordinates > 0 ? norm / static_cast<double>(coordinates) : 0.0);
}
template <class T>
ORRERY_HD inline T mean_of(double sum, int64_t members) {
  return static_cast<T>(members > 0 ? sum / static_cast<double>(members) : 0.0);
}
}  // namespace detail

}  // namespace orrery
