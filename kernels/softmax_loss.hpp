// Softmax and the gradient of its cross-entropy loss with respect to the logits, for the batches of all rows at once.
//
//   z = logits[r,k,:] + bias[r,:]        q = softmax(z)
//   logits[r,k,c] <- coefficient_r * (q_c - [c == y])          0 where y[r,k] < 0
//   bias_out[r,c] <- bias_out[r,c] + sum_k logits[r,k,c]       in order of k
//
// coefficient_r is 1/B_r (Fold::gradient: bias_out is the gradient's bias) or -eta_r/B_r (Fold::update: bias_out is the bias itself, and the
// weight-gradient product of the caller becomes the update).
// Shapes   logits (rows, count * C); y (rows, count); bias, bias_out (rows, C), rows may share one bias (stride 0) under Fold::gradient.
// Result   one thread per (r,k), then one per (r,c). Same bits for any number of rows beside it and of
//          shards.
// Cost     3 passes over rows * count * C elements; about 10 C operations and C exponentials per sample.
#pragma once

#include <cmath>

#include "kernels/core/context.hpp"
#include "kernels/rows.hpp"

namespace orrery {

enum class Fold { gradient, update };

ORRERY_HD inline double coefficient(const Rows& rows, int64_t r, Fold fold) {
  const double inverse = 1.0 / static_cast<double>(rows.batch_size(r));
  return fold == Fold::gradient ? inverse : -rows.learning_rate[r] * inverse;
}

template <class T>
void softmax_loss(const Context&, const Rows&, Fold, int64_t count, int classes, MatrixView<T> logits,
                  MatrixView<const int32_t> y, MatrixView<const T> bias, MatrixView<T> bias_out);

// logits + bias -> delta in place for one sample. Both backends call it.
template <class T>
ORRERY_HD inline void softmax_delta(T* z, const T* bias, int classes, int32_t y, T coefficient) {
  if (y < 0) {
    for (int c = 0; c < classes; ++c) z[c] = T{0};
    return;
  }
  T largest = z[0] + bias[0];
  for (int c = 0; c < classes; ++c) {
    z[c] += bias[c];
    largest = z[c] > largest ? z[c] : largest;
  }
  T sum{0};
  for (int c = 0; c < classes; ++c) {
    z[c] = std::exp(z[c] - largest);
    sum += z[c];
  }
  const T scale = coefficient / sum;
  for (int c = 0; c < classes; ++c) z[c] *= scale;
  z[y] -= coefficient;
}

// loss and hit of one sample; a tie goes to the first class
template <class T>
ORRERY_HD inline double softmax_score(const T* z, const T* bias, int classes, int32_t y, bool& hit) {
  int best = 0;
  for (int c = 1; c < classes; ++c)
    if (z[c] + bias[c] > z[best] + bias[best]) best = c;
  const double largest = static_cast<double>(z[best] + bias[best]);
  double sum = 0;
  for (int c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(z[c] + bias[c]) - largest);
  hit = best == y;
  return largest + std::log(sum) - static_cast<double>(z[y] + bias[y]);
}

namespace detail {
template <class T, Backend B>
void softmax_loss_impl(const Context&, const Rows&, Fold, int64_t count, int classes, MatrixView<T> logits,
                       MatrixView<const int32_t> y, MatrixView<const T> bias, MatrixView<T> bias_out);
}  // namespace detail

}  // namespace orrery
