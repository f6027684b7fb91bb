// Composed of the batched kernels; every launch serves all rows of a chunk.
#include <algorithm>

#include "kernels/descend.hpp"
#include "kernels/mlp_chunk.hpp"

namespace orrery::detail {

template <class T, Backend B>
void mlp_steps_impl(const Context& ctx, const MlpView& model, const Rows& all, Slot slot, int64_t steps,
                    MatrixView<T> w_all, MlpWorkspace<T>& space, const Momentum<T>& m_all) {
  for (int64_t begin = 0; begin < all.count; begin += space.rows) {
    const int64_t many = std::min(space.rows, all.count - begin);
    const MlpChunk<T> chunk{ctx, model, all.part(begin, many), space, all.max_batch};
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
      const MlpChunk<T> chunk{ctx, model, all.part(begin, many), space,
                              std::min(space.max_batch, all.max_batch - first)};
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
