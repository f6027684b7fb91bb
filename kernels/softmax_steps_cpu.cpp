#include <omp.h>

#include <algorithm>

#include "kernels/batched_gemm.hpp"
#include "kernels/minibatch_inline.hpp"
#include "kernels/softmax_loss.hpp"
#include "kernels/softmax_steps.hpp"

namespace orrery::detail {
namespace {

constexpr int64_t places = softmax_places;

// Room for a batch of every thread: gathered samples, logits, labels.
template <class T>
struct Room {
  int64_t max_batch, gathered;
  Buffer<T> x, z;
  Buffer<int32_t> y;
  Room(const Context& ctx, const SoftmaxView& m, int64_t batch)
      : max_batch(batch),
        gathered(std::min(places, batch)),
        x(ctx, threads() * gathered * m.samples.features()),
        z(ctx, threads() * batch * m.classes),
        y(ctx, threads() * batch) {}
};

// The calling thread's part of it.
template <class T>
struct Batch {
  const SoftmaxView& model;
  int64_t d, classes;
  T *x, *z;
  int32_t* y;

  Batch(const SoftmaxView& m, const Room<T>& room)
      : model(m),
        d(m.samples.features()),
        classes(m.classes),
        x(room.x.data() + omp_get_thread_num() * room.gathered * d),
        z(room.z.data() + omp_get_thread_num() * room.max_batch * classes),
        y(room.y.data() + omp_get_thread_num() * room.max_batch) {}

  void gather(const Rows& rows, int64_t r, Step t, int64_t first, int64_t count) {
    for (int64_t k = 0; k < count; ++k) {
      const int64_t s = rows.sample(r, t, first + k);
      copy_features(model.samples, s, x + k * d);
      y[first + k] = model.samples.labels[s];
    }
  }
  T* logits(int64_t k) { return z + k * classes; }

  // logits of the gathered samples, turned into coefficient * (softmax - onehot)
  void forward(const T* w, int64_t first, int64_t count, T scale) {
    gemm(false, true, count, classes, d, T{1}, x, d, w, d, T{0}, logits(first), classes);
    for (int64_t k = first; k < first + count; ++k)
      softmax_delta(logits(k), w + classes * d, static_cast<int>(classes), y[k], scale);
  }
  // out <- out + deltas^T x
  void accumulate(T* out, int64_t first, int64_t count) {
    gemm(true, false, classes, d, count, T{1}, logits(first), classes, x, d, T{1}, out, d);
    T* bias = out + classes * d;
    for (int64_t k = first; k < first + count; ++k)
      for (int64_t c = 0; c < classes; ++c) bias[c] += logits(k)[c];
  }
};

// w <- w - eta g(w), the update folded into the product; or, with a velocity v: v <- mu v + g(w), w <- w - eta v
template <class T>
void step(Batch<T>& batch, const Rows& rows, int64_t r, Step t, T* w, T* v, T mu) {
  const int64_t size = rows.batch_size(r), parameters = batch.model.parameters();
  const T eta = static_cast<T>(rows.learning_rate[r]);
  const T scale = static_cast<T>(coefficient(rows, r, v ? Fold::gradient : Fold::update));
  const bool one_piece = size <= places;
  for (int64_t first = 0; first < size; first += places) {
    const int64_t count = std::min(places, size - first);
    batch.gather(rows, r, t, first, count);
    batch.forward(w, first, count, scale);
  }
  if (v)
    for (int64_t j = 0; j < parameters; ++j) v[j] *= mu;
  if (batch.model.l2 != 0) {
    const T factor = static_cast<T>(v ? batch.model.l2 : -rows.learning_rate[r] * batch.model.l2);
    T* out = v ? v : w;
    for (int64_t j = 0; j < batch.model.weights(); ++j) out[j] += factor * w[j];
  }
  for (int64_t first = 0; first < size; first += places) {
    const int64_t count = std::min(places, size - first);
    if (!one_piece) batch.gather(rows, r, t, first, count);
    batch.accumulate(v ? v : w, first, count);
  }
  if (v)
    for (int64_t j = 0; j < parameters; ++j) w[j] -= eta * v[j];
}

}  // namespace

template <class T, Backend B>
void softmax_steps_impl(const Context& ctx, const SoftmaxView& model, const Rows& rows, Slot slot, int64_t steps,
                        MatrixView<T> w, SoftmaxWorkspace<T>&, const Momentum<T>& m) {
  const int64_t t = slot.at().slot;
  const Room<T> room(ctx, model, rows.max_batch);
#pragma omp parallel
  {
    Batch<T> batch(model, room);
#pragma omp for schedule(dynamic)
    for (int64_t r = 0; r < rows.count; ++r)
      for (int64_t s = 0; s < steps; ++s)
        if (rows.active(r, t + s))
          for (int32_t k = 0; k < rows.repeats_of(r); ++k)
            step(batch, rows, r, {t + s, k}, w.row(r), m.on() ? m.velocity.row(r) : nullptr, static_cast<T>(m.mu));
  }
}

template <class T, Backend B>
void softmax_gradients_impl(const Context& ctx, const SoftmaxView& model, const Rows& rows, Slot slot,
                            MatrixView<const T> w, MatrixView<T> g, SoftmaxWorkspace<T>&) {
  const Step t = slot.at();
  const Room<T> room(ctx, model, rows.max_batch);
#pragma omp parallel
  {
    Batch<T> batch(model, room);
#pragma omp for schedule(dynamic)
    for (int64_t r = 0; r < rows.count; ++r) {
      std::fill(g.row(r), g.row(r) + g.extent(1), T{0});
      if (!rows.active(r, t)) continue;
      const int64_t size = rows.batch_size(r);
      const T scale = static_cast<T>(coefficient(rows, r, Fold::gradient));
      for (int64_t first = 0; first < size; first += places) {
        const int64_t count = std::min(places, size - first);
        batch.gather(rows, r, t, first, count);
        batch.forward(w.row(r), first, count, scale);
        batch.accumulate(g.row(r), first, count);
      }
      for (int64_t j = 0; j < (model.l2 != 0 ? model.weights() : 0); ++j) g(r, j) += static_cast<T>(model.l2) * w(r, j);
    }
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                       \
  template void softmax_steps_impl<T, Backend::cpu>(const Context&, const SoftmaxView&, const Rows&, Slot, int64_t, \
                                                    MatrixView<T>, SoftmaxWorkspace<T>&, const Momentum<T>&);       \
  template void softmax_gradients_impl<T, Backend::cpu>(const Context&, const SoftmaxView&, const Rows&, Slot,      \
                                                        MatrixView<const T>, MatrixView<T>, SoftmaxWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
