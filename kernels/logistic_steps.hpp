// Local SGD steps, gradients and Hessian products of binary logistic regression, for all rows at once; dense or sparse samples.
//
//   parameters of a row   w (d), then b (1) where the model has a bias;   logit z = w.x + b;   y in {0, 1},  s = 2 y - 1
//   loss of a sample      log(1 + exp(-s z))                              F = mean + (l2/2) |w|^2, the bias left out
//   gradient of a batch   g_w = (1/B) sum_k (sigmoid(z_k) - y_k) x_k + l2 w,                        g_b the same with x = 1
//   Hessian times v       h_w = (1/B) sum_k sigmoid'(z_k) (v_w.x_k + v_b) x_k + l2 v_w,             h_b the same with x = 1, no l2
//
//   logistic_steps      `steps` times, for rows that step in the slot:  w <- w - eta_r g(w), the update folded: rung (b)
//                       (with momentum v <- mu v + g(w), then w <- w - eta_r v).
//                       CPU: a row's parameters stay in cache for all steps. CUDA: one launch; one block takes a row through all
//                       its steps, with the parameters of dense sets in shared memory where they fit.
//   logistic_gradients  g[r,:] of one slot at w[r,:] (rung (a)); 0 for rows that skip it
//   logistic_hessian    out[r,:] = H v[r,:] of the same batch; 0 for rows that skip the slot
//
// Shapes   w, v, g, out (rows, P); under gradients and hessian w may be one shared row (stride 0), and so may v. Columns of a sparse row are distinct.
// Result   sums over a batch run in the order of k, dot products in an order fixed by their length; no atomics: same bits for any number
//          of threads, rows beside it and shards.
// Cost     dense: 4 B d flop, B d features read twice (once where a CPU thread's 64 samples hold the batch).
//          sparse: O(B * non-zeros) per step and nothing per parameter, but one pass over w where l2 > 0 and three with momentum.
#pragma once

#include <cmath>

#include "kernels/core/buffer.hpp"
#include "kernels/rows.hpp"

namespace orrery {

struct LogisticView {
  SampleView samples;
  VectorView<const uint8_t> positive = {};  // (classes) 1: this label counts as y = 1; empty: the label is y
  double l2 = 0;
  bool bias = true;

  ORRERY_HD int64_t weights() const { return samples.features(); }
  ORRERY_HD int64_t parameters() const { return weights() + (bias ? 1 : 0); }
  ORRERY_HD bool one(int64_t sample) const {  // y == 1
    const int32_t label = samples.labels[sample];
    return positive.size() > 0 ? positive[label] != 0 : label == 1;
  }
};

// Bytes that a workspace of these sizes holds (CUDA), or that a call makes and gives back (CPU; sparse: no features are gathered).
int64_t logistic_steps_bytes(Backend, int64_t features, bool sparse, int64_t element_size, int64_t rows,
                             int64_t max_batch, int64_t bytes);

// Room for the drawn samples and the derivatives of a batch. CUDA only: empty on the CPU.
template <class T>
class LogisticWorkspace {
 public:
  LogisticWorkspace() = default;
  // For rows of at most max_batch samples: `blocks` rows at a time, as many as fit in `bytes` (at least one).
  LogisticWorkspace(const Context&, int64_t rows, int64_t max_batch, int64_t bytes);
  int64_t blocks = 0, max_batch = 0;
  Buffer<T> delta;
  Buffer<int32_t> drawn;
};

template <class T>
void logistic_steps(const Context&, const LogisticView&, const Rows&, Slot, int64_t steps, MatrixView<T> w,
                    LogisticWorkspace<T>&, const Momentum<T>& = {});
template <class T>
void logistic_gradients(const Context&, const LogisticView&, const Rows&, Slot, MatrixView<const T> w, MatrixView<T> g,
                        LogisticWorkspace<T>&);
template <class T>
void logistic_hessian(const Context&, const LogisticView&, const Rows&, Slot, MatrixView<const T> w,
                      MatrixView<const T> v, MatrixView<T> out, LogisticWorkspace<T>&);

// sigmoid(z) - y, without cancellation for logits of any size
template <class T>
ORRERY_HD inline T logistic_delta(T z, bool one) {
  const T margin = one ? z : -z, e = std::exp(-std::abs(margin));
  const T wrong = margin > 0 ? e / (1 + e) : 1 / (1 + e);  // sigmoid(-s z)
  return one ? -wrong : wrong;
}
// sigmoid'(z) = sigmoid(z) sigmoid(-z)
template <class T>
ORRERY_HD inline T logistic_curvature(T z) {
  const T e = std::exp(-std::abs(z));
  return e / ((1 + e) * (1 + e));
}
// loss and hit of one sample; z = 0 counts as y = 0
template <class T>
ORRERY_HD inline double logistic_score(T z, bool one, bool& hit) {
  const double margin = static_cast<double>(one ? z : -z);
  hit = (z > 0) == one;
  return (margin < 0 ? -margin : 0.0) + std::log1p(std::exp(-std::abs(margin)));
}

namespace detail {
constexpr int64_t logistic_places =
    64;  // CPU: dense samples that a thread keeps gathered; 64 * 784 floats stay in L2 beside w
template <class T, Backend B>
void logistic_steps_impl(const Context&, const LogisticView&, const Rows&, Slot, int64_t steps, MatrixView<T> w,
                         LogisticWorkspace<T>&, const Momentum<T>&);
// gradients where v is empty, else Hessian products
template <class T, Backend B>
void logistic_derivative_impl(const Context&, const LogisticView&, const Rows&, Slot, MatrixView<const T> w,
                              MatrixView<const T> v, MatrixView<T> out, LogisticWorkspace<T>&);
}  // namespace detail

}  // namespace orrery
