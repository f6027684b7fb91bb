#include <omp.h>

#include <algorithm>

#include "kernels/logistic_inline.hpp"
#include "kernels/logistic_steps.hpp"
#include "kernels/minibatch_inline.hpp"

namespace orrery::detail {
namespace {

// Room for all threads, made before they start: a failing allocation must not end a parallel region.
template <class T>
struct Room {
  int64_t max_batch, gathered;  // places per thread; of them with their dense features
  Buffer<T> x, delta;
  Buffer<int32_t> drawn;

  Room(const Context& ctx, const LogisticView& m, int64_t largest)
      : max_batch(largest),
        gathered(m.samples.sparse() ? 0 : std::min(logistic_places, largest)),
        x(ctx, threads() * gathered * m.samples.features()),
        delta(ctx, threads() * largest),
        drawn(ctx, threads() * largest) {}
};

// One thread's part: drawn samples, dense features, derivatives of the loss.
template <class T>
struct Batch {
  const LogisticView& model;
  const SampleView& samples;
  int64_t d, size = 0;
  T *x, *delta;
  int32_t* drawn;

  Batch(const LogisticView& m, const Room<T>& room)
      : model(m),
        samples(m.samples),
        d(m.samples.features()),
        x(room.x.data() + omp_get_thread_num() * room.gathered * d),
        delta(room.delta.data() + omp_get_thread_num() * room.max_batch),
        drawn(room.drawn.data() + omp_get_thread_num() * room.max_batch) {}

  // the features of place k: gathered where the batch fits (`fresh`: not yet), else again each time
  const T* features(int64_t k, bool fresh) {
    T* out = x + (k % logistic_places) * d;
    if (fresh || size > logistic_places) copy_features(samples, drawn[k], out);
    return out;
  }

  // delta_k = scale * (sigmoid(z_k) - y_k), or, with a direction v, scale * sigmoid'(z_k) * (v_w.x_k + v_b)
  void forward(const Rows& rows, int64_t r, Step t, const T* w, const T* v, T scale) {
    size = rows.batch_size(r);
    for (int64_t k = 0; k < size; ++k) {
      const int32_t s = drawn[k] = static_cast<int32_t>(rows.sample(r, t, k));
      const T* f = samples.sparse() ? nullptr : features(k, true);
      const auto along = [&](const T* a) {
        return (f ? dot(f, a, d) : sparse_dot(samples, s, a)) + (model.bias ? a[d] : T{0});
      };
      const T z = along(w);
      delta[k] = scale * (v ? logistic_curvature(z) * along(v) : logistic_delta(z, model.one(s)));
    }
  }

  // out <- keep * out + decay * point (weights only) + sum_k delta_k (x_k, 1)
  void accumulate(T* out, T keep, T decay, const T* point) {
    if (keep == 0)
      std::fill(out, out + model.parameters(), T{0});
    else if (keep != 1)
      for (int64_t j = 0; j < model.parameters(); ++j) out[j] *= keep;
    if (decay != 0)
      for (int64_t j = 0; j < d; ++j) out[j] += decay * point[j];
    for (int64_t k = 0; k < size; ++k) {
      const T factor = delta[k];
      if (samples.sparse())
        sparse_add(out, factor, samples, drawn[k]);
      else
        add(out, factor, features(k, false), d);
      if (model.bias) out[d] += factor;
    }
  }

  // w <- w - eta g(w), folded; or, with a velocity v: v <- mu v + g(w), w <- w - eta v
  void step(const Rows& rows, int64_t r, Step t, T* w, T* v, T mu) {
    const double eta = rows.learning_rate[r], inverse = 1.0 / static_cast<double>(rows.batch_size(r));
    forward(rows, r, t, w, nullptr, static_cast<T>(v ? inverse : -eta * inverse));
    if (!v) return accumulate(w, T{1}, static_cast<T>(-eta * model.l2), w);
    accumulate(v, mu, static_cast<T>(model.l2), w);
    for (int64_t j = 0; j < model.parameters(); ++j) w[j] -= static_cast<T>(eta) * v[j];
  }
};

}  // namespace

template <class T, Backend B>
void logistic_steps_impl(const Context& ctx, const LogisticView& model, const Rows& rows, Slot slot, int64_t steps,
                         MatrixView<T> w, LogisticWorkspace<T>&, const Momentum<T>& m) {
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
            batch.step(rows, r, {t + s, k}, w.row(r), m.on() ? m.velocity.row(r) : nullptr, static_cast<T>(m.mu));
  }
}

template <class T, Backend B>
void logistic_derivative_impl(const Context& ctx, const LogisticView& model, const Rows& rows, Slot slot,
                              MatrixView<const T> w, MatrixView<const T> v, MatrixView<T> out, LogisticWorkspace<T>&) {
  const Step t = slot.at();
  const Room<T> room(ctx, model, rows.max_batch);
#pragma omp parallel
  {
    Batch<T> batch(model, room);
#pragma omp for schedule(dynamic)
    for (int64_t r = 0; r < rows.count; ++r) {
      if (!rows.active(r, t)) {
        std::fill(out.row(r), out.row(r) + out.extent(1), T{0});
        continue;
      }
      const T* direction = v.size() > 0 ? v.row(r) : nullptr;
      batch.forward(rows, r, t, w.row(r), direction, static_cast<T>(1.0 / static_cast<double>(rows.batch_size(r))));
      batch.accumulate(out.row(r), T{0}, static_cast<T>(model.l2), direction ? direction : w.row(r));
    }
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                         \
  template void logistic_steps_impl<T, Backend::cpu>(const Context&, const LogisticView&, const Rows&, Slot, int64_t, \
                                                     MatrixView<T>, LogisticWorkspace<T>&, const Momentum<T>&);       \
  template void logistic_derivative_impl<T, Backend::cpu>(const Context&, const LogisticView&, const Rows&, Slot,     \
                                                          MatrixView<const T>, MatrixView<const T>, MatrixView<T>,    \
                                                          LogisticWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
