// Local SGD steps and gradients of softmax regression, for all rows at once.
//
//   parameters of a row   V (C,d) row-major, then b (C);   P = C d + C;   logits z = V x + b
//   gradient of a batch   g_V = (1/B) sum_k (softmax(z_k) - e_{y_k}) x_k^T + l2 * V,   g_b = (1/B) sum_k (softmax(z_k) - e_{y_k})
//
//   softmax_steps      `steps` times, for rows that step in the slot:  w <- w - eta_r * g(w)
//                      rung (b): the update is folded into the weight-gradient product, no gradient is ever stored (with momentum
//                      the product accumulates into v <- mu v + g, then w <- w - eta_r v).
//                      CPU: a row's parameters stay in cache for all steps. CUDA: per step one draw-and-gather, one strided-batched
//                      product, one softmax kernel, one strided-batched product, for all rows at once.
//   softmax_gradients  g[r,:] of one slot at w[r,:] (rung (a)); 0 for rows that skip it. w may be one shared row (stride 0):
//                      then the forward pass is one large product.
//
// Workspace bounds the memory for gathered batches: rows are taken in chunks that fit, and a batch that does not fit is gathered twice.
// The CPU needs one small batch per thread, made anew in each call (before its threads start: a lack of memory is an error, not the end).
// Result   CPU: same bits for any number of threads, chunks and rows beside it. CUDA: same bits run to run (cuBLAS, kernels/batched_gemm.hpp).
// Cost     per row and step 3 P sizeof(T) bytes of parameters, B d gathered; 4 B d C flop.
#pragma once

#include "kernels/core/buffer.hpp"
#include "kernels/rows.hpp"

namespace orrery {

struct SoftmaxView {
  SampleView samples;
  int classes = 0;
  double l2 = 0;
  int64_t weights() const { return classes * samples.features(); }
  int64_t parameters() const { return weights() + classes; }
};

template <class T>
class SoftmaxWorkspace {
 public:
  SoftmaxWorkspace() = default;
  // For rows of at most max_batch samples; at most `bytes` for gathered samples (at least one sample of one row). CUDA only: empty on the CPU.
  SoftmaxWorkspace(const Context&, const SoftmaxView&, int64_t rows, int64_t max_batch, int64_t bytes);
  int64_t rows = 0, places = 0, max_batch = 0;  // a chunk: rows, and samples per row gathered at once
  Buffer<T> x, logits;
  Buffer<int32_t> y;
};

// Bytes that a workspace and a call need for `rows` rows of at most max_batch samples of `features` features.
int64_t softmax_steps_bytes(Backend, int64_t features, int classes, int64_t element_size, int64_t rows,
                            int64_t max_batch, int64_t bytes);

template <class T>
void softmax_steps(const Context&, const SoftmaxView&, const Rows&, Slot, int64_t steps, MatrixView<T> w,
                   SoftmaxWorkspace<T>&, const Momentum<T>& = {});
template <class T>
void softmax_gradients(const Context&, const SoftmaxView&, const Rows&, Slot, MatrixView<const T> w, MatrixView<T> g,
                       SoftmaxWorkspace<T>&);

namespace detail {
constexpr int64_t softmax_places =
    64;  // CPU: samples gathered at once: 64 * 784 floats stay in L2 beside the worker's parameters
template <class T, Backend B>
void softmax_steps_impl(const Context&, const SoftmaxView&, const Rows&, Slot, int64_t steps, MatrixView<T> w,
                        SoftmaxWorkspace<T>&, const Momentum<T>&);
template <class T, Backend B>
void softmax_gradients_impl(const Context&, const SoftmaxView&, const Rows&, Slot, MatrixView<const T> w,
                            MatrixView<T> g, SoftmaxWorkspace<T>&);
}  // namespace detail

}  // namespace orrery
