// One pass of an MLP over the batches of a chunk of rows on CUDA, composed of the batched kernels: every launch serves all of its rows.
#pragma once

#include "kernels/activation.hpp"
#include "kernels/batched_gemm.hpp"
#include "kernels/minibatch.hpp"
#include "kernels/mlp_steps.hpp"
#include "kernels/softmax_loss.hpp"

namespace orrery::detail {

template <class T>
struct MlpChunk {  // the rows and the room of one pass
  const Context& ctx;
  const MlpView& model;
  Rows rows;
  MlpWorkspace<T>& space;
  int64_t batch;  // places per row

  MatrixView<T> layer(int l) const {  // h_l, the logits for l = L: (rows, batch * n_l)
    return {space.h[static_cast<size_t>(l)].data(), rows.count, batch * model.width[static_cast<size_t>(l)],
            ctx.backend};
  }
  MatrixView<int32_t> labels() const { return {space.y.data(), rows.count, batch, ctx.backend}; }
  MatrixView<T> delta(int l) const { return {space.delta[l % 2].data(), rows.count, batch * model.in(l), ctx.backend}; }

  void gather(Slot slot, int64_t first) const {
    minibatch<T>(ctx, rows, model.samples, slot, first, batch, layer(0), labels());
  }
  // c (batch, n) <- a (batch, k) op(W_l) + keep * c: one large product where all rows share W
  void product(MatrixView<const T> w, int l, bool transposed, MatrixView<const T> a, MatrixView<T> c,
               T keep = T{0}) const {
    const int64_t k = transposed ? model.out(l) : model.in(l), n = transposed ? model.in(l) : model.out(l);
    const Operand<const T> weights{w.data() + model.weights(l), model.out(l), w.stride(), transposed};
    if (w.stride() == 0)
      batched_gemm<T>(ctx, rows.count * batch, n, k, T{1}, {a.data(), k, 0}, weights, keep, {c.data(), n, 0}, 1);
    else
      batched_gemm<T>(ctx, batch, n, k, T{1}, {a.data(), k, batch * k}, weights, keep, {c.data(), n, batch * n},
                      rows.count);
  }
  // W_l of out <- W_l + sum of h^T delta over a row's places
  void add_outer_products(int l, MatrixView<const T> h, MatrixView<const T> d, MatrixView<T> out) const {
    const int64_t k = model.in(l), n = model.out(l);
    batched_gemm<T>(ctx, k, n, batch, T{1}, {h.data(), k, batch * k, true}, {d.data(), n, batch * n}, T{1},
                    {out.data() + model.weights(l), n, out.stride()}, rows.count);
  }
  void forward(MatrixView<const T> w) const {
    for (int l = 0; l < model.layers(); ++l) {
      product(w, l, false, layer(l), layer(l + 1));
      if (l + 1 < model.layers())
        activate_rows<T>(ctx, model.activation, batch, model.out(l), w.columns(model.bias(l), model.out(l)),
                         layer(l + 1));
    }
  }
  // out <- out + sum of gradients, layer by layer from the last, each used before it is changed; `before` runs ahead of a layer's change
  template <class F>
  void backward(Fold fold, MatrixView<const T> w, MatrixView<T> out, F before) const {
    const int last = model.layers() - 1;
    MatrixView<const T> d = layer(last + 1);
    softmax_loss<T>(ctx, rows, fold, batch, model.classes(), layer(last + 1), labels(),
                    w.columns(model.bias(last), model.classes()), out.columns(model.bias(last), model.classes()));
    for (int l = last; l >= 0; --l) {
      if (l > 0) {
        product(w, l, true, d, delta(l));
        activation_backward<T>(ctx, model.activation, batch, model.in(l), layer(l), delta(l),
                               out.columns(model.bias(l - 1), model.in(l)));
      }
      before(l);
      add_outer_products(l, layer(l), d, out);
      if (l > 0) d = delta(l);
    }
  }
};

}  // namespace orrery::detail
