// How a direction v in the parameters moves through the element-wise parts of a perceptron, for the batches of all rows at once (CUDA; the CPU
// folds it into its tiles). d' is the derivative of d along v (Pearlmutter 1994, "Fast exact multiplication by the Hessian"; his R{d}).
//
//   activate_tangent      dh[r,k,j] <- phi'(h) (dh[r,k,j] + bias[r,j])                    from z' without the bias' own to h'
//   softmax_loss_tangent  q = softmax(z + bias), a = dz + bias':   dz <- c_r (diag(q) - q q^T) a,   z <- c_r (q - e_y)       c_r = 1/B_r
//                         both 0 where y[r,k] < 0;   out[r,:] <- out[r,:] + sum_k dz[r,k,:]       in order of k
//   backward_tangent      e, e' the errors of h:   de <- e' phi'(h) + e phi''(h) z',   e <- e phi'(h)
//                         out[r,j] <- out[r,j] + sum_k de[r,k,j]       in order of k
//
// relu: phi'' = 0; tanh: phi'' z' = -2 h (1 - h^2) z' = -2 h h'.
// Shapes   h, dh, e, de (rows, count * n); z, dz (rows, count * C); y (rows, count); bias, bias', out (rows, n or C), biases may share a row.
// Result   one thread per (r,j), or per (r,k) and then (r,c): same bits for any number of rows beside it and of shards.
// Cost     one read and one write per element that is named, and 2 to 20 operations; C exponentials per sample.
#pragma once

#include <cmath>

#include "kernels/core/context.hpp"
#include "kernels/mlp_view.hpp"
#include "kernels/rows.hpp"

namespace orrery {

template <class T>
void activate_tangent(const Context&, Activation, int64_t count, int64_t n, MatrixView<const T> bias,
                      MatrixView<const T> h, MatrixView<T> dh);
template <class T>
void softmax_loss_tangent(const Context&, const Rows&, int64_t count, int classes, MatrixView<T> z, MatrixView<T> dz,
                          MatrixView<const int32_t> y, MatrixView<const T> bias, MatrixView<const T> bias_along,
                          MatrixView<T> out);
template <class T>
void backward_tangent(const Context&, Activation, int64_t count, int64_t n, MatrixView<const T> h,
                      MatrixView<const T> dh, MatrixView<T> e, MatrixView<T> de, MatrixView<T> out);

// phi''(z) z' from h = phi(z) and h' = phi'(z) z'
template <class T>
ORRERY_HD inline T slope_tangent(Activation a, T h, T dh) {
  return a == Activation::relu ? T{0} : T{-2} * h * dh;
}

// One sample's logits and their tangents -> the loss' gradient with respect to the logits, and its tangent. Both backends call it.
template <class T>
ORRERY_HD inline void softmax_delta_tangent(T* z, T* dz, const T* bias, const T* bias_along, int classes, int32_t y,
                                            T coefficient) {
  if (y < 0) {
    for (int c = 0; c < classes; ++c) z[c] = dz[c] = T{0};
    return;
  }
  T largest = z[0] + bias[0];
  for (int c = 0; c < classes; ++c) {
    z[c] += bias[c];
    dz[c] += bias_along[c];
    largest = z[c] > largest ? z[c] : largest;
  }
  T sum{0}, mean{0};
  for (int c = 0; c < classes; ++c) {
    z[c] = std::exp(z[c] - largest);
    sum += z[c];
    mean += z[c] * dz[c];
  }
  mean /= sum;
  const T scale = coefficient / sum;
  for (int c = 0; c < classes; ++c) {
    z[c] *= scale;
    dz[c] = z[c] * (dz[c] - mean);
  }
  z[y] -= coefficient;
}

namespace detail {
template <class T, Backend B>
void activate_tangent_impl(const Context&, Activation, int64_t count, int64_t n, MatrixView<const T> bias,
                           MatrixView<const T> h, MatrixView<T> dh);
template <class T, Backend B>
void softmax_loss_tangent_impl(const Context&, const Rows&, int64_t count, int classes, MatrixView<T> z,
                               MatrixView<T> dz, MatrixView<const int32_t> y, MatrixView<const T> bias,
                               MatrixView<const T> bias_along, MatrixView<T> out);
template <class T, Backend B>
void backward_tangent_impl(const Context&, Activation, int64_t count, int64_t n, MatrixView<const T> h,
                           MatrixView<const T> dh, MatrixView<T> e, MatrixView<T> de, MatrixView<T> out);

// One column of one row; both backends call these.
template <class T>
ORRERY_HD inline void activate_tangent_column(Activation a, int64_t count, int64_t n, T bias, const T* h, T* dh) {
  for (int64_t k = 0; k < count; ++k) dh[k * n] = activation_slope(a, h[k * n]) * (dh[k * n] + bias);
}
template <class T>
ORRERY_HD inline void backward_tangent_column(Activation a, int64_t count, int64_t n, const T* h, const T* dh, T* e,
                                              T* de, T& out) {
  T sum = out;
  for (int64_t k = 0; k < count; ++k) {
    const T slope = activation_slope(a, h[k * n]);
    de[k * n] = de[k * n] * slope + e[k * n] * slope_tangent(a, h[k * n], dh[k * n]);
    e[k * n] *= slope;
    sum += de[k * n];
  }
  out = sum;
}
}  // namespace detail

}  // namespace orrery
