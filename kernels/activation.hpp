// The element-wise part of a hidden layer, for the batches of all rows at once (CUDA; the CPU folds it into its tiles).
//
//   activate_rows        h[r,k,j] <- phi(h[r,k,j] + bias[r,j])
//   activation_backward  delta[r,k,j] <- delta[r,k,j] * phi'(h[r,k,j]);   bias_out[r,j] <- bias_out[r,j] + sum_k delta[r,k,j]  in order of k
//
// Shapes   h, delta (rows, count * n); bias, bias_out (rows, n), rows may share one bias (stride 0).
// Result   one thread per (r,j) goes through k: same bits for any number of rows beside it and of shards.
// Cost     one read and one write per element (backward: two reads); 1 to 20 operations each.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/mlp_view.hpp"

namespace orrery {

template <class T>
void activate_rows(const Context&, Activation, int64_t count, int64_t n, MatrixView<const T> bias, MatrixView<T> h);
template <class T>
void activation_backward(const Context&, Activation, int64_t count, int64_t n, MatrixView<const T> h,
                         MatrixView<T> delta, MatrixView<T> bias_out);

namespace detail {
template <class T, Backend B>
void activate_rows_impl(const Context&, Activation, int64_t count, int64_t n, MatrixView<const T> bias,
                        MatrixView<T> h);
template <class T, Backend B>
void activation_backward_impl(const Context&, Activation, int64_t count, int64_t n, MatrixView<const T> h,
                              MatrixView<T> delta, MatrixView<T> bias_out);

// One column of one row; both backends call these.
template <class T>
ORRERY_HD inline void activate_column(Activation a, int64_t count, int64_t n, T bias, T* h) {
  for (int64_t k = 0; k < count; ++k) h[k * n] = activate(a, h[k * n] + bias);
}
template <class T>
ORRERY_HD inline void backward_column(Activation a, int64_t count, int64_t n, const T* h, T* delta, T& bias_out) {
  T sum = bias_out;
  for (int64_t k = 0; k < count; ++k) {
    delta[k * n] *= activation_slope(a, h[k * n]);
    sum += delta[k * n];
  }
  bias_out = sum;
}
}  // namespace detail

}  // namespace orrery
