#include "kernels/logistic_steps.hpp"

#include <algorithm>

namespace orrery {

namespace {
int64_t blocks_for(int64_t element_size, int64_t rows, int64_t max_batch, int64_t bytes) {
  const int64_t place = element_size + int64_t{sizeof(int32_t)};
  return std::clamp<int64_t>(bytes / std::max<int64_t>(1, place * max_batch), 1, std::min<int64_t>(rows, 1 << 20));
}
}  // namespace

int64_t logistic_steps_bytes(Backend backend, int64_t features, bool sparse, int64_t element_size, int64_t rows,
                             int64_t max_batch, int64_t bytes) {
  if (rows == 0 || max_batch == 0) return 0;
  const int64_t place = element_size + int64_t{sizeof(int32_t)};  // derivative and drawn sample
  if (backend == Backend::cpu)
    return threads() *
           (max_batch * place + (sparse ? 0 : std::min(detail::logistic_places, max_batch) * features * element_size));
  return blocks_for(element_size, rows, max_batch, bytes) * max_batch * place;
}

template <class T>
LogisticWorkspace<T>::LogisticWorkspace(const Context& ctx, int64_t rows, int64_t batch, int64_t bytes)
    : max_batch(batch) {
  if (ctx.backend == Backend::cpu || rows == 0) return;  // the CPU's threads have small buffers of their own
  blocks = blocks_for(int64_t{sizeof(T)}, rows, batch, bytes);
  delta = Buffer<T>(ctx, blocks * batch);
  drawn = Buffer<int32_t>(ctx, blocks * batch);
}

template <class T>
void logistic_steps(const Context& ctx, const LogisticView& model, const Rows& rows, Slot slot, int64_t steps,
                    MatrixView<T> w, LogisticWorkspace<T>& space, const Momentum<T>& m) {
  expects(w.extent(0) == rows.count && w.extent(1) == model.parameters(), "w of shape (rows, P)");
  expects(w.where() == ctx.backend, "w on the context's side");
  expects(ctx.backend == Backend::cpu || (space.blocks > 0 && rows.max_batch <= space.max_batch),
          "a workspace for the largest batch");
  expects(!m.on() || (m.velocity.extent(0) == rows.count && m.velocity.extent(1) == w.extent(1)),
          "v of shape (rows, P)");
  if (rows.count == 0 || steps == 0) return;
  dispatch(ctx.backend,
           [&]<Backend B>() { detail::logistic_steps_impl<T, B>(ctx, model, rows, slot, steps, w, space, m); });
}

namespace {
template <class T>
void derivative(const Context& ctx, const LogisticView& model, const Rows& rows, Slot slot, MatrixView<const T> w,
                MatrixView<const T> v, MatrixView<T> out, LogisticWorkspace<T>& space) {
  expects(w.extent(1) == model.parameters() && out.extent(0) == rows.count && out.extent(1) == model.parameters(),
          "w and the result of shape (rows, P)");
  expects(out.where() == ctx.backend && w.where() == ctx.backend, "w and the result on the context's side");
  expects(ctx.backend == Backend::cpu || (space.blocks > 0 && rows.max_batch <= space.max_batch),
          "a workspace for the largest batch");
  if (rows.count == 0) return;
  dispatch(ctx.backend,
           [&]<Backend B>() { detail::logistic_derivative_impl<T, B>(ctx, model, rows, slot, w, v, out, space); });
}
}  // namespace

template <class T>
void logistic_gradients(const Context& ctx, const LogisticView& model, const Rows& rows, Slot slot,
                        MatrixView<const T> w, MatrixView<T> g, LogisticWorkspace<T>& space) {
  derivative<T>(ctx, model, rows, slot, w, {}, g, space);
}

template <class T>
void logistic_hessian(const Context& ctx, const LogisticView& model, const Rows& rows, Slot slot, MatrixView<const T> w,
                      MatrixView<const T> v, MatrixView<T> out, LogisticWorkspace<T>& space) {
  expects(v.extent(0) == rows.count && v.extent(1) == model.parameters() && v.where() == ctx.backend,
          "v of shape (rows, P) on the context's side");
  derivative<T>(ctx, model, rows, slot, w, v, out, space);
}

#define ORRERY_INSTANTIATE(T)                                                                                      \
  template class LogisticWorkspace<T>;                                                                             \
  template void logistic_steps<T>(const Context&, const LogisticView&, const Rows&, Slot, int64_t, MatrixView<T>,  \
                                  LogisticWorkspace<T>&, const Momentum<T>&);                                      \
  template void logistic_gradients<T>(const Context&, const LogisticView&, const Rows&, Slot, MatrixView<const T>, \
                                      MatrixView<T>, LogisticWorkspace<T>&);                                       \
  template void logistic_hessian<T>(const Context&, const LogisticView&, const Rows&, Slot, MatrixView<const T>,   \
                                    MatrixView<const T>, MatrixView<T>, LogisticWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
