// Local SGD steps and gradients of a multilayer perceptron (kernels/mlp_view.hpp), for all rows at once.
//
//   delta_{L-1} = coefficient (softmax(logits) - e_y),   delta_{l-1} = (delta_l W_l^T) * phi'(h_l)
//   g_{W_l} = sum_k h_l^T delta_l + l2 W_l,   g_{b_l} = sum_k delta_l        coefficient 1/B
//
//   mlp_steps      `steps` times, for rows that step in the slot:  w <- w - eta_r * g(w)
//                  rung (b): the update is folded into the weight-gradient product (with momentum the product accumulates into
//                  v <- mu v + g, then w <- w - eta_r v); no gradient is stored, but for batches above 64 samples on the CPU.
//                  CPU: a worker's parameters stay in the second-level cache for all steps (kernels/dense_tiles.hpp). CUDA: per step
//                  one draw-and-gather, strided-batched products and element-wise kernels, for all rows at once.
//   mlp_gradients  g[r,:] of one slot at w[r,:] (rung (a)); 0 for rows that skip it. w may be one shared row (stride 0): on CUDA the
//                  forward and backward products are then single large ones.
//
// Workspace (CUDA) bounds the memory for activations: rows are taken in chunks; a row's whole batch is always at hand in mlp_steps.
// Result   CPU: same bits for any number of threads, chunks and rows beside it. CUDA: same bits run to run (kernels/batched_gemm.hpp).
// Cost     per row and step about 3 P sizeof(T) bytes of parameters from the cache (CPU) or memory (CUDA), 6 B P flop.
#pragma once

#include "kernels/core/buffer.hpp"
#include "kernels/mlp_view.hpp"

namespace orrery {

template <class T>
class MlpWorkspace {
 public:
  MlpWorkspace() = default;
  // For rows of at most max_batch samples, about `bytes` in all but at least one row's whole batch. CUDA only: empty on the CPU.
  MlpWorkspace(const Context&, const MlpView&, int64_t rows, int64_t max_batch, int64_t bytes);
  static int64_t bytes_needed(const MlpView&, int64_t rows, int64_t max_batch, int64_t bytes);
  int64_t rows = 0, max_batch = 0;  // of a chunk
  std::vector<Buffer<T>> h;         // per layer: h_l of all rows (rows, max_batch * n_l); the last one the logits
  Buffer<T> delta[2];
  Buffer<int32_t> y;

 private:
  static int64_t chunk(const MlpView&, int64_t rows, int64_t max_batch, int64_t bytes);
};

template <class T>
void mlp_steps(const Context&, const MlpView&, const Rows&, Slot, int64_t steps, MatrixView<T> w, MlpWorkspace<T>&,
               const Momentum<T>& = {});
template <class T>
void mlp_gradients(const Context&, const MlpView&, const Rows&, Slot, MatrixView<const T> w, MatrixView<T> g,
                   MlpWorkspace<T>&);

namespace detail {
template <class T, Backend B>
void mlp_steps_impl(const Context&, const MlpView&, const Rows&, Slot, int64_t steps, MatrixView<T> w, MlpWorkspace<T>&,
                    const Momentum<T>&);
template <class T, Backend B>
void mlp_gradients_impl(const Context&, const MlpView&, const Rows&, Slot, MatrixView<const T> w, MatrixView<T> g,
                        MlpWorkspace<T>&);
}  // namespace detail

}  // namespace orrery
