// Composed of the batched kernels; every launch serves all rows of a chunk.
#include <algorithm>

#include "kernels/activation.hpp"
#include "kernels/batched_gemm.hpp"
#include "kernels/descend.hpp"
#include "kernels/minibatch.hpp"
#include "kernels/mlp_steps.hpp"
#include "kernels/softmax_loss.hpp"

namespace orrery::detail {
namespace {

template <class T>
struct Chunk {  // the rows and the room of one pass
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
  // c (batch, n) <- a (batch, k) op(W_l): one large product where all rows share W
  void product(MatrixView<const T> w, int l, bool transposed, MatrixView<const T> a, MatrixView<T> c) const {
    const int64_t k = transposed ? model.out(l) : model.in(l), n = transposed ? model.in(l) : model.out(l);
    const Operand<const T> weights{w.data() + model.weights(l), model.out(l), w.stride(), transposed};
    if (w.stride() == 0)
      batched_gemm<T>(ctx, rows.count * batch, n, k, T{1}, {a.data(), k, 0}, weights, T{0}, {c.data(), n, 0}, 1);
    else
      batched_gemm<T>(ctx, batch, n, k, T{1}, {a.data(), k, batch * k}, weights, T{0}, {c.data(), n, batch * n},
                      rows.count);
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
      const int64_t k = model.in(l), n = model.out(l);
      batched_gemm<T>(ctx, k, n, batch, T{1}, {layer(l).data(), k, batch * k, true}, {d.data(), n, batch * n}, T{1},
                      {out.data() + model.weights(l), n, out.stride()}, rows.count);
      if (l > 0) d = delta(l);
    }
  }
};

}  // namespace

template <class T, Backend B>
void mlp_steps_impl(const Context& ctx, const MlpView& model, const Rows& all, Slot slot, int64_t steps,
                    MatrixView<T> w_all, MlpWorkspace<T>& space, const Momentum<T>& m_all) {
  for (int64_t begin = 0; begin < all.count; begin += space.rows) {
    const int64_t many = std::min(space.rows, all.count - begin);
    const Chunk<T> chunk{ctx, model, all.part(begin, many), space, all.max_batch};
    const MatrixView<T> w = w_all.rows(begin, many);
    const Momentum<T> m = m_all.part(begin, many);
    for (int64_t s = 0; s < steps * all.max_repeats; ++s) {
      const Slot now = slot.plus(s / all.max_repeats).repeated(s % all.max_repeats);
      chunk.gather(now, 0);
      chunk.forward(w);
      if (m.on()) {
        damp<T>(ctx, chunk.rows, now, m);
        chunk.backward(Fold::gradient, w, m.velocity, [&](int l) {
          add_decay<T>(ctx, chunk.rows, now, model.l2, model.in(l)*model.out(l),
                       w.columns(model.weights(l), model.in(l)*model.out(l)),
                       m.velocity.columns(model.weights(l), model.in(l)*model.out(l)));
        });
        push<T>(ctx, chunk.rows, now, m, w);
      } else {
        chunk.backward(Fold::update, w, w, [&](int l) {
          decay<T>(ctx, chunk.rows, now, model.l2, model.in(l)*model.out(l),
                   w.columns(model.weights(l), model.in(l)*model.out(l)));
        });
      }
    }
  }
}

template <class T, Backend B>
void mlp_gradients_impl(const Context& ctx, const MlpView& model, const Rows& all, Slot slot, MatrixView<const T> w_all,
                        MatrixView<T> g_all, MlpWorkspace<T>& space) {
  zero(ctx, g_all.data(), g_all.size() * int64_t{sizeof(T)});
  for (int64_t begin = 0; begin < all.count; begin += space.rows) {
    const int64_t many = std::min(space.rows, all.count - begin);
    const MatrixView<const T> w = w_all.rows(begin, many);
    const MatrixView<T> g = g_all.rows(begin, many);
    for (int64_t first = 0; first < all.max_batch; first += space.max_batch) {
      const Chunk<T> chunk{ctx, model, all.part(begin, many), space, std::min(space.max_batch, all.max_batch - first)};
      chunk.gather(slot, first);
      chunk.forward(w);
      chunk.backward(Fold::gradient, w, g, [](int) {});
    }
    for (int l = 0; l < model.layers(); ++l) {
      const int64_t size = model.in(l)*model.out(l);
      add_decay<T>(ctx, all.part(begin, many), slot, model.l2, size, w.columns(model.weights(l), size),
                   g.columns(model.weights(l), size));
    }
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                \
  template void mlp_steps_impl<T, Backend::cuda>(const Context&, const MlpView&, const Rows&, Slot, int64_t, \
                                                 MatrixView<T>, MlpWorkspace<T>&, const Momentum<T>&);       \
  template void mlp_gradients_impl<T, Backend::cuda>(const Context&, const MlpView&, const Rows&, Slot,      \
                                                     MatrixView<const T>, MatrixView<T>, MlpWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
