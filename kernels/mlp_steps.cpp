#include "kernels/mlp_steps.hpp"

#include <algorithm>

namespace orrery {

// One row of activations, two of the widest layer for deltas, and a label, for every sample of a batch.
template <class T>
int64_t MlpWorkspace<T>::chunk(const MlpView& model, int64_t all_rows, int64_t batch, int64_t bytes) {
  const int64_t widest = *std::max_element(model.width.begin() + 1, model.width.end());
  const int64_t row = batch * ((model.units() + 2 * widest) * int64_t{sizeof(T)} + 4);
  return std::clamp<int64_t>(bytes / std::max<int64_t>(1, row), 1,
                             std::max<int64_t>(1, std::min<int64_t>(all_rows, 65535)));
}

template <class T>
int64_t MlpWorkspace<T>::bytes_needed(const MlpView& model, int64_t all_rows, int64_t batch, int64_t bytes) {
  const int64_t widest = *std::max_element(model.width.begin() + 1, model.width.end());
  return chunk(model, all_rows, batch, bytes) * batch * ((model.units() + 2 * widest) * int64_t{sizeof(T)} + 4);
}

template <class T>
MlpWorkspace<T>::MlpWorkspace(const Context& ctx, const MlpView& model, int64_t all_rows, int64_t batch, int64_t bytes)
    : max_batch(batch) {
  if (ctx.backend == Backend::cpu || all_rows == 0) return;  // the CPU's threads have small rooms of their own
  rows = chunk(model, all_rows, batch, bytes);
  for (int64_t n : model.width) h.emplace_back(ctx, rows * batch * n);
  const int64_t widest = *std::max_element(model.width.begin() + 1, model.width.end());
  for (auto& d : delta) d = Buffer<T>(ctx, rows * batch * widest);
  y = Buffer<int32_t>(ctx, rows * batch);
}

template <class T>
void mlp_steps(const Context& ctx, const MlpView& model, const Rows& rows, Slot slot, int64_t steps, MatrixView<T> w,
               MlpWorkspace<T>& space, const Momentum<T>& m) {
  expects(w.extent(0) == rows.count && w.extent(1) == model.parameters(), "w of shape (rows, P)");
  expects(w.where() == ctx.backend, "w on the context's side");
  expects(ctx.backend == Backend::cpu || (space.rows > 0 && rows.max_batch <= space.max_batch),
          "a workspace for the largest batch");
  expects(!m.on() || (m.velocity.extent(0) == rows.count && m.velocity.extent(1) == w.extent(1)),
          "v of shape (rows, P)");
  if (rows.count == 0 || steps == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::mlp_steps_impl<T, B>(ctx, model, rows, slot, steps, w, space, m); });
}

template <class T>
void mlp_gradients(const Context& ctx, const MlpView& model, const Rows& rows, Slot slot, MatrixView<const T> w,
                   MatrixView<T> g, MlpWorkspace<T>& space) {
  expects(w.extent(1) == model.parameters() && g.extent(0) == rows.count && g.extent(1) == model.parameters(),
          "w and g of shape (rows, P)");
  expects(g.where() == ctx.backend && g.stride() == g.extent(1), "dense g on the context's side");
  expects(ctx.backend == Backend::cpu || space.rows > 0, "a workspace");
  if (rows.count == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::mlp_gradients_impl<T, B>(ctx, model, rows, slot, w, g, space); });
}

#define ORRERY_INSTANTIATE(T)                                                                            \
  template class MlpWorkspace<T>;                                                                        \
  template void mlp_steps<T>(const Context&, const MlpView&, const Rows&, Slot, int64_t, MatrixView<T>,  \
                             MlpWorkspace<T>&, const Momentum<T>&);                                      \
  template void mlp_gradients<T>(const Context&, const MlpView&, const Rows&, Slot, MatrixView<const T>, \
                                 MatrixView<T>, MlpWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
