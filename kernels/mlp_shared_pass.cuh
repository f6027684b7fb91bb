// One pass of an MLP over the samples of many rows at one shared point, on CUDA: every layer is one product for all of them.
#pragma once

#include <algorithm>

#include "kernels/activation.hpp"
#include "kernels/batched_gemm.hpp"
#include "kernels/minibatch.cuh"
#include "kernels/mlp_signs.hpp"
#include "kernels/softmax_loss.hpp"

namespace orrery::detail {

// The segments of one chunk, on the device: segment m holds samples first_sample ... of row[m] at places begin[m] ... begin[m+1]-1.
struct Segments {
  Rows rows;  // all of the call
  const int64_t* row;
  const int64_t* begin;
  int64_t count, first_sample;

  __device__ int64_t at(int64_t place) const {  // whose place
    int64_t low = 0, high = count;              // begin[low] <= place < begin[high]
    while (high - low > 1) {
      const int64_t middle = (low + high) / 2;
      (begin[middle] <= place ? low : high) = middle;
    }
    return low;
  }
};

// Grid: one block per place, strided. Rows that skip the slot get x = 0 and label -1.
template <class T>
__global__ void gather_segments_kernel(Segments all, SampleView samples, Slot slot, int64_t places, T* x, int32_t* y,
                                       int32_t* segment) {
  const int64_t d = samples.features();
  const Step t = slot.at();
  for (int64_t p = blockIdx.x; p < places; p += gridDim.x) {
    const int64_t m = all.at(p), r = all.row[m];
    const bool used = all.rows.active(r, t);
    const int64_t s = used ? all.rows.sample(r, t, all.first_sample + p - all.begin[m]) : 0;
    T* out = x + p * d;
    if (used)
      block_copy(samples, s, out);
    else
      for (int64_t j = threadIdx.x; j < d; j += blockDim.x) out[j] = T{0};
    if (threadIdx.x == 0) y[p] = used ? samples.labels[s] : -1, segment[p] = static_cast<int32_t>(m);
  }
}

// Grid: one thread per place.
template <class T>
__global__ void logit_deltas_kernel(Segments all, int64_t places, int classes, const int32_t* y, const int32_t* segment,
                                    const T* bias, T* z) {
  const int64_t p = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (p >= places) return;
  const T scale = static_cast<T>(coefficient(all.rows, all.row[segment[p]], Fold::gradient));
  softmax_delta(z + p * classes, bias, classes, y[p], scale);
}

// Grid: one thread per element, strided.
template <class T>
__global__ void slopes_kernel(Activation a, int64_t n, const T* h, T* delta) {
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += int64_t{gridDim.x} * blockDim.x)
    delta[i] *= activation_slope(a, h[i]);
}

inline unsigned blocks_for(int64_t n, int64_t threads) {
  return static_cast<unsigned>(std::clamp<int64_t>((n + threads - 1) / threads, 1, 1 << 20));
}

template <class T>
struct SharedPass {
  const Context& ctx;
  const MlpView& model;
  Slot slot;
  const T* w;
  const MlpSignsWorkspace<T>& space;

  MatrixView<T> inputs(int l, int64_t places) const { return {space.inputs(l), places, model.in(l), ctx.backend}; }

  // c <- a op(W_l) for all places at once
  void product(int64_t places, int l, bool transposed, const T* a, T* c) const {
    const int64_t k = transposed ? model.out(l) : model.in(l), n = transposed ? model.in(l) : model.out(l);
    batched_gemm<T>(ctx, places, n, k, T{1}, {a, k, 0}, {w + model.weights(l), model.out(l), 0, transposed}, T{0},
                    {c, n, 0}, 1);
  }
  // Inputs and deltas of every layer for the samples of the segments.
  void run(const Segments& all, int64_t places) const {
    launch(gather_segments_kernel<T>, dim3(blocks_for(places, 1)), dim3(128), 0, ctx.stream(), all, model.samples, slot,
           places, space.inputs(0), space.labels(), space.segments());
    const int last = model.layers() - 1;
    for (int l = 0; l <= last; ++l) {
      product(places, l, false, space.inputs(l), l < last ? space.inputs(l + 1) : space.deltas(last));
      if (l < last)
        activate_rows<T>(ctx, model.activation, 1, model.out(l),
                         {w + model.bias(l), places, model.out(l), 0, ctx.backend}, inputs(l + 1, places));
    }
    launch(logit_deltas_kernel<T>, dim3(blocks_for(places, 64)), dim3(64), 0, ctx.stream(), all, places,
           model.classes(), space.labels(), space.segments(), w + model.bias(last), space.deltas(last));
    for (int l = last; l > 0; --l) {
      product(places, l, true, space.deltas(l), space.deltas(l - 1));
      launch(slopes_kernel<T>, dim3(blocks_for(places * model.in(l), 256)), dim3(256), 0, ctx.stream(),
             model.activation, places * model.in(l), space.inputs(l), space.deltas(l - 1));
    }
  }
};

}  // namespace orrery::detail
