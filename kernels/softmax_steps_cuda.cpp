// Composed of the batched kernels; every launch serves all rows of a chunk.
#include <algorithm>

#include "kernels/batched_gemm.hpp"
#include "kernels/descend.hpp"
#include "kernels/minibatch.hpp"
#include "kernels/softmax_loss.hpp"
#include "kernels/softmax_steps.hpp"

namespace orrery::detail {
namespace {

template <class T>
struct Chunk {  // the rows and the room of one pass
  const Context& ctx;
  const SoftmaxView& model;
  Rows rows;
  SoftmaxWorkspace<T>& space;
  int64_t d = model.samples.features(), classes = model.classes, batch = rows.max_batch;

  MatrixView<T> logits() const { return {space.logits.data(), rows.count, batch * classes, ctx.backend}; }
  MatrixView<int32_t> labels() const { return {space.y.data(), rows.count, batch, ctx.backend}; }

  void gather(Slot slot, int64_t first, int64_t count) const {
    minibatch<T>(ctx, rows, model.samples, slot, first, count, {space.x.data(), rows.count, count * d, ctx.backend},
                 labels().columns(first, count));
  }
  // z = x V^T; one large product where all rows share V
  void forward(MatrixView<const T> w, int64_t first, int64_t count) const {
    T* z = logits().columns(first * classes, count * classes).data();
    if (w.stride() == 0 && count == batch) {
      batched_gemm<T>(ctx, rows.count * count, classes, d, T{1}, {space.x.data(), d, 0}, {w.data(), d, 0, true}, T{0},
                      {z, classes, 0}, 1);
    } else {
      batched_gemm<T>(ctx, count, classes, d, T{1}, {space.x.data(), d, count * d}, {w.data(), d, w.stride(), true},
                      T{0}, {z, classes, batch * classes}, rows.count);
    }
  }
  // out <- out + deltas^T x
  void accumulate(MatrixView<T> out, int64_t first, int64_t count) const {
    batched_gemm<T>(ctx, classes, d, count, T{1},
                    {logits().columns(first * classes, count * classes).data(), classes, batch * classes, true},
                    {space.x.data(), d, count * d}, T{1}, {out.data(), d, out.stride()}, rows.count);
  }
};

template <class F>
void for_pieces(int64_t batch, int64_t places, F f) {
  for (int64_t first = 0; first < batch; first += places) f(first, std::min(places, batch - first));
}

}  // namespace

template <class T, Backend B>
void softmax_steps_impl(const Context& ctx, const SoftmaxView& model, const Rows& all, Slot slot, int64_t steps,
                        MatrixView<T> w_all, SoftmaxWorkspace<T>& space, const Momentum<T>& m_all) {
  for (int64_t begin = 0; begin < all.count; begin += space.rows) {
    const Chunk<T> chunk{ctx, model, all.part(begin, std::min(space.rows, all.count - begin)), space};
    const MatrixView<T> w = w_all.rows(begin, chunk.rows.count);
    const Momentum<T> m = m_all.part(begin, chunk.rows.count);
    const MatrixView<T> out = m.on() ? m.velocity : w;  // what the product accumulates into
    const bool one_piece = chunk.batch <= space.places;
    for (int64_t s = 0; s < steps * all.max_repeats; ++s) {
      const Slot now = slot.plus(s / all.max_repeats).repeated(s % all.max_repeats);
      for_pieces(chunk.batch, space.places, [&](int64_t first, int64_t count) {
        chunk.gather(now, first, count);
        chunk.forward(w, first, count);
      });
      if (m.on()) damp<T>(ctx, chunk.rows, now, m);
      softmax_loss<T>(ctx, chunk.rows, m.on() ? Fold::gradient : Fold::update, chunk.batch, model.classes,
                      chunk.logits(), chunk.labels(), w.columns(model.weights(), model.classes),
                      out.columns(model.weights(), model.classes));
      if (m.on())
        add_decay<T>(ctx, chunk.rows, now, model.l2, model.weights(), w, out);
      else
        decay<T>(ctx, chunk.rows, now, model.l2, model.weights(), w);
      for_pieces(chunk.batch, space.places, [&](int64_t first, int64_t count) {
        if (!one_piece) chunk.gather(now, first, count);
        chunk.accumulate(out, first, count);
      });
      if (m.on()) push<T>(ctx, chunk.rows, now, m, w);
    }
  }
}

template <class T, Backend B>
void softmax_gradients_impl(const Context& ctx, const SoftmaxView& model, const Rows& all, Slot slot,
                            MatrixView<const T> w_all, MatrixView<T> g_all, SoftmaxWorkspace<T>& space) {
  zero(ctx, g_all.data(), g_all.size() * int64_t{sizeof(T)});
  for (int64_t begin = 0; begin < all.count; begin += space.rows) {
    const Chunk<T> chunk{ctx, model, all.part(begin, std::min(space.rows, all.count - begin)), space};
    const MatrixView<const T> w = w_all.rows(begin, chunk.rows.count);
    const MatrixView<T> g = g_all.rows(begin, chunk.rows.count);
    for_pieces(chunk.batch, space.places, [&](int64_t first, int64_t count) {
      chunk.gather(slot, first, count);
      chunk.forward(w, first, count);
      softmax_loss<T>(ctx, chunk.rows, Fold::gradient, count, model.classes,
                      chunk.logits().columns(first * model.classes, count * model.classes),
                      chunk.labels().columns(first, count), w.columns(model.weights(), model.classes),
                      g.columns(model.weights(), model.classes));
      chunk.accumulate(g, first, count);
    });
    add_decay<T>(ctx, chunk.rows, slot, model.l2, model.weights(), w, g);
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                        \
  template void softmax_steps_impl<T, Backend::cuda>(const Context&, const SoftmaxView&, const Rows&, Slot, int64_t, \
                                                     MatrixView<T>, SoftmaxWorkspace<T>&, const Momentum<T>&);       \
  template void softmax_gradients_impl<T, Backend::cuda>(const Context&, const SoftmaxView&, const Rows&, Slot,      \
                                                         MatrixView<const T>, MatrixView<T>, SoftmaxWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
