// Exact Hessian-vector products of a multilayer perceptron (kernels/mlp_view.hpp), for the batches of all rows at once: the gradient's own
// passes, differentiated along the direction (Pearlmutter 1994, "Fast exact multiplication by the Hessian"; d' is his R{d}).
//
//   direction v of a row  W'_l, b'_l laid out as W_l, b_l;   h'_0 = 0
//   forward   z'_l = h'_l W_l + h_l W'_l + b'_l,   h'_{l+1} = phi'(z_l) z'_l,   a = z'_{L-1}
//   loss      q = softmax(z_{L-1}),   delta_{L-1} = (q - e_y)/B,   delta'_{L-1} = (1/B) (diag(q) - q q^T) a
//   backward  e_l = delta_l W_l^T,   e'_l = delta'_l W_l^T + delta_l W'_l^T
//             delta_{l-1} = e_l phi'(z),   delta'_{l-1} = e'_l phi'(z) + e_l phi''(z) z'_{l-1}     at z = z_{l-1}
//   out_{W_l} = sum_k (h'_l^T delta_l + h_l^T delta'_l) + l2 W'_l,   out_{b_l} = sum_k delta'_l      0 for rows that skip the slot
//
// relu: phi'' = 0 everywhere (the Hessian where it exists); tanh: phi'' z' = -2 h h'.
// Shapes   w, v, out (rows, P); w may be one shared row (stride 0), and so may v; out dense. The batches are those of mlp_gradients in the
//          same slot. On CUDA forward and backward products with a shared w (or v) are single large ones.
// Memory   CPU: 64 samples per thread. CUDA: none beside the workspace, whatever the batches: half of its places carry the batch, half the
//          tangents; rows come in chunks and batches in pieces. Only a workspace of a single place gets a room of two, made in the call.
// Result   CPU: same bits for any number of threads, chunks and rows beside it. CUDA: same bits run to run (kernels/batched_gemm.hpp).
// Cost     per row 2 B (3 n_0 n_1 + 8 sum_{l>0} n_l n_{l+1}) flop, where a gradient takes 2 B (2 n_0 n_1 + 3 sum_{l>0} ...); reads 2 P, writes P.
#pragma once

#include "kernels/mlp_steps.hpp"

namespace orrery {

template <class T>
void mlp_hessian(const Context&, const MlpView&, const Rows&, Slot, MatrixView<const T> w, MatrixView<const T> v,
                 MatrixView<T> out, MlpWorkspace<T>&);

namespace detail {
template <class T, Backend B>
void mlp_hessian_impl(const Context&, const MlpView&, const Rows&, Slot, MatrixView<const T> w, MatrixView<const T> v,
                      MatrixView<T> out, MlpWorkspace<T>&);
}  // namespace detail

}  // namespace orrery
