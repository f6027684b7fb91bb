// Exact Hessian-vector products of softmax regression, for the batches of all rows at once.
//
//   direction v of a row  V' (C,d), then b' (C);   q_k = softmax(V x_k + b),  a_k = V' x_k + b'
//   s_k = (1/B) (diag(q_k) - q_k q_k^T) a_k
//   out_V = sum_k s_k x_k^T + l2 V',   out_b = sum_k s_k              0 for rows that skip the slot
//
// Shapes   w, v, out (rows, P); w may be one shared row (stride 0), and so may v; out dense. The batches are those of softmax_gradients in the same slot.
// Result   CPU: same bits for any number of threads, chunks and rows beside it. CUDA: same bits run to run (cuBLAS, kernels/batched_gemm.hpp).
// Cost     per row 6 B d C flop and B d gathered. CUDA allocates room for a chunk's C a_k beside the workspace: not inside a recorded graph.
#pragma once

#include <cmath>

#include "kernels/softmax_steps.hpp"

namespace orrery {

template <class T>
void softmax_hessian(const Context&, const SoftmaxView&, const Rows&, Slot, MatrixView<const T> w,
                     MatrixView<const T> v, MatrixView<T> out, SoftmaxWorkspace<T>&);

// z <- coefficient * (diag(q) - q q^T) (a + bias_a) with q = softmax(z + bias), for one sample; both backends call it
template <class T>
ORRERY_HD inline void softmax_curvature(T* z, const T* bias, const T* a, const T* bias_a, int classes, T coefficient) {
  T largest = z[0] + bias[0];
  for (int c = 0; c < classes; ++c) {
    z[c] += bias[c];
    largest = z[c] > largest ? z[c] : largest;
  }
  T sum{0}, mean{0};
  for (int c = 0; c < classes; ++c) {
    z[c] = std::exp(z[c] - largest);
    sum += z[c];
    mean += z[c] * (a[c] + bias_a[c]);
  }
  mean /= sum;
  const T scale = coefficient / sum;
  for (int c = 0; c < classes; ++c) z[c] *= scale * (a[c] + bias_a[c] - mean);
}

namespace detail {
template <class T, Backend B>
void softmax_hessian_impl(const Context&, const SoftmaxView&, const Rows&, Slot, MatrixView<const T> w,
                          MatrixView<const T> v, MatrixView<T> out, SoftmaxWorkspace<T>&);
}  // namespace detail

}  // namespace orrery
