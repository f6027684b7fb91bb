// Packed signs of the gradients of a multilayer perceptron (kernels/mlp_view.hpp) at one point that all rows share: no gradient is stored.
//
//   Y[r,j] <- sign(g[r,j])      g of mlp_gradients (mlp_steps.hpp), zeros as sign_pack.hpp says; rows that skip the slot: all zero
//
// The batches of all rows lie one after the other without padding (row_segments.hpp), a chunk of them in memory at a time:
//   forward    one product per layer for all samples of the chunk
//   backward   the deltas of all layers, in the same way
//   signs      per row and word of 32 parameters: sums over the row's samples in order, packed where they were formed
//
// Workspace bounds the samples of a chunk. CPU: at most 256 per thread; a row beyond that is summed up in P numbers, by all threads.
// CUDA: the weight gradients of a row of more than 256 samples, or than a chunk holds, are products into P numbers that sign_pack packs.
// Shapes   w of stride 0; signs (rows, ceil(P/32)), the second plane where zeros stay. On CUDA the call waits once, for the batches' sizes.
// Result   CPU: the bits of sign_pack of mlp_gradients where gradients are finite, for any number of threads, chunks and rows beside it.
//          CUDA: same bits run to run (kernels/batched_gemm.hpp), for one workspace.
// Cost     6 flop per sample and parameter, as the gradient itself; writes 1/8 byte (1/4 with the second plane) per row and parameter.
#pragma once

#include <span>

#include "kernels/mlp_steps.hpp"
#include "kernels/signs.hpp"

namespace orrery {

template <class T>
class MlpSignsWorkspace {
 public:
  // About `bytes` for a chunk, and room for `samples` at most, but for 64 at least; asked for by the first call that needs it, then kept.
  explicit MlpSignsWorkspace(int64_t bytes = int64_t{512} << 20, int64_t samples = int64_t{1} << 40)
      : bytes_(bytes), most_samples_(samples) {}
  // For batches of `samples` in all.
  static int64_t bytes_needed(Backend, const MlpView&, int64_t samples, int64_t bytes);

  void reserve(const Context&, const MlpView&, int64_t samples);
  int64_t places() const { return pass_.max_batch; }                         // of a chunk: a multiple of 8
  T* inputs(int l) const { return pass_.h[static_cast<size_t>(l)].data(); }  // h_l, (places, n_l)
  T* deltas(int l) const;                                                    // of layer l's outputs, (places, n_{l+1})
  int32_t* labels() const { return pass_.y.data(); }                         // (places)
  int32_t* segments() const { return segment_.data(); }                      // (places): whose they are
  T* gradient() const { return gradient_.data(); }                           // (P), of a row in pieces

 private:
  static int64_t places_for(Backend, const MlpView&, int64_t samples, int64_t bytes);
  int64_t bytes_, most_samples_;
  MlpWorkspace<T> pass_;                // inputs, logits, two deltas
  std::vector<Buffer<T>> more_deltas_;  // of nets with more than two hidden layers
  Buffer<int32_t> segment_;
  Buffer<T> gradient_;
};

template <class T>
void mlp_signs(const Context&, const MlpView&, const Rows&, Slot, SignZero, MatrixView<const T> w, const SignsOut&,
               MlpSignsWorkspace<T>&);
// g (rows, P), dense <- the sums themselves, 0 for rows that skip the slot: mlp_gradients at a shared point without padding, with the same
// promises. For methods that send more than signs.
template <class T>
void mlp_shared_gradients(const Context&, const MlpView&, const Rows&, Slot, MatrixView<const T> w, MatrixView<T> g,
                          MlpSignsWorkspace<T>&);

namespace detail {
template <class T>
struct SumsOut {  // where the sums go: packed, or stored as they are
  SignZero rule = SignZero::plus;
  SignsOut signs = {};
  MatrixView<T> stored = {};
  ORRERY_HD bool packs() const { return stored.size() == 0; }
};
template <class T, Backend B>
void mlp_signs_impl(const Context&, const MlpView&, const Rows&, std::span<const int64_t> batches, Slot,
                    MatrixView<const T> w, const SumsOut<T>&, MlpSignsWorkspace<T>&);
}  // namespace detail

}  // namespace orrery
