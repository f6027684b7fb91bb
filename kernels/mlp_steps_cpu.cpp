#include <omp.h>

#include <vector>

#include "kernels/mlp_batch.hpp"
#include "kernels/mlp_steps.hpp"

namespace orrery::detail {
namespace {

// out <- out + coefficient * sum over the row's batch of its gradients at w
template <class T>
void accumulate(MlpBatch<T>& batch, const Rows& rows, int64_t r, Step t, const T* w, T* out, T coefficient, T decay) {
  for_pieces(batch, rows, r, t, [&] {
    batch.forward(w);
    batch.backward(w, out, coefficient, decay);
  });
}

// One step: w <- w - eta g(w) with the update folded in; through `gradient` (P) where the batch comes in several pieces; or, with a
// velocity v, v <- mu v + g(w), w <- w - eta v.
template <class T>
void step(MlpBatch<T>& batch, const MlpView& model, const Rows& rows, int64_t r, Step t, T* w, T* v, T mu,
          std::vector<T>& gradient) {
  const int64_t parameters = model.parameters();
  const T eta = static_cast<T>(rows.learning_rate[r]), l2 = static_cast<T>(model.l2);
  const T update = static_cast<T>(coefficient(rows, r, Fold::update));
  if (v) {
    for (int64_t j = 0; j < parameters; ++j) v[j] *= mu;
    add_decay_of_weights(model, v, l2, w);
    accumulate(batch, rows, r, t, w, v, static_cast<T>(coefficient(rows, r, Fold::gradient)), T{0});
    add_scaled(w, -eta, v, parameters);
  } else if (rows.batch_size(r) <= MlpBatch<T>::most) {
    accumulate(batch, rows, r, t, w, w, update, static_cast<T>(rows.learning_rate[r] * model.l2));
  } else {
    gradient.assign(static_cast<size_t>(parameters), T{0});
    add_decay_of_weights(model, gradient.data(), static_cast<T>(-rows.learning_rate[r] * model.l2), w);
    accumulate(batch, rows, r, t, w, gradient.data(), update, T{0});
    add_scaled(w, T{1}, gradient.data(), parameters);
  }
}

}  // namespace

template <class T, Backend B>
void mlp_steps_impl(const Context&, const MlpView& model, const Rows& rows, Slot slot, int64_t steps, MatrixView<T> w,
                    MlpWorkspace<T>&, const Momentum<T>& m) {
  const int64_t t = slot.at().slot;
  auto batches = rooms<MlpBatch<T>>(model, rows);
  const bool pieces = !m.on() && rows.max_batch > MlpBatch<T>::most;
  std::vector<std::vector<T>> gradients(batches.size(),
                                        std::vector<T>(pieces ? static_cast<size_t>(model.parameters()) : 0));
#pragma omp parallel num_threads(static_cast <int>(batches.size()))
  {
    const auto me = static_cast<size_t>(omp_get_thread_num());
#pragma omp for schedule(dynamic)
    for (int64_t r = 0; r < rows.count; ++r)
      for (int64_t s = 0; s < steps; ++s)
        if (rows.active(r, t + s))
          for (int32_t k = 0; k < rows.repeats_of(r); ++k)
            step(batches[me], model, rows, r, {t + s, k}, w.row(r), m.on() ? m.velocity.row(r) : nullptr,
                 static_cast<T>(m.mu), gradients[me]);
  }
}

template <class T, Backend B>
void mlp_gradients_impl(const Context&, const MlpView& model, const Rows& rows, Slot slot, MatrixView<const T> w,
                        MatrixView<T> g, MlpWorkspace<T>&) {
  const Step t = slot.at();
  auto batches = rooms<MlpBatch<T>>(model, rows);
#pragma omp parallel num_threads(static_cast <int>(batches.size()))
  {
    MlpBatch<T>& batch = batches[static_cast<size_t>(omp_get_thread_num())];
#pragma omp for schedule(dynamic)
    for (int64_t r = 0; r < rows.count; ++r) {
      std::fill(g.row(r), g.row(r) + g.extent(1), T{0});
      if (!rows.active(r, t)) continue;
      add_decay_of_weights(model, g.row(r), static_cast<T>(model.l2), w.row(r));
      accumulate(batch, rows, r, t, w.row(r), g.row(r), static_cast<T>(coefficient(rows, r, Fold::gradient)), T{0});
    }
  }
}

#define ORRERY_INSTANTIATE(T)                                                                               \
  template void mlp_steps_impl<T, Backend::cpu>(const Context&, const MlpView&, const Rows&, Slot, int64_t, \
                                                MatrixView<T>, MlpWorkspace<T>&, const Momentum<T>&);       \
  template void mlp_gradients_impl<T, Backend::cpu>(const Context&, const MlpView&, const Rows&, Slot,      \
                                                    MatrixView<const T>, MatrixView<T>, MlpWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
