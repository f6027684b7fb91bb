#include "kernels/softmax_steps.hpp"

#include <algorithm>

namespace orrery {
namespace {

struct Chunk {  // rows, and samples per row gathered at once, that fit into `bytes`
  int64_t rows, places;
};
Chunk chunk(int64_t sample, int64_t all_rows, int64_t batch, int64_t bytes) {
  const int64_t rows = std::clamp<int64_t>(bytes / std::max<int64_t>(1, sample * batch), 1,
                                           std::min<int64_t>(all_rows, 65535));  // a batch count every cuBLAS takes
  return {rows, std::clamp<int64_t>(bytes / (sample * rows), 1, batch)};
}

}  // namespace

int64_t softmax_steps_bytes(Backend backend, int64_t features, int classes, int64_t element_size, int64_t rows,
                            int64_t max_batch, int64_t bytes) {
  if (rows == 0 || max_batch == 0) return 0;
  const int64_t per_sample = classes * element_size + int64_t{sizeof(int32_t)};  // logits and label
  if (backend == Backend::cpu)
    return threads() * (std::min(detail::softmax_places, max_batch) * features * element_size + max_batch * per_sample);
  const Chunk c = chunk(features * element_size, rows, max_batch, bytes);
  return c.rows * (c.places * features * element_size + max_batch * per_sample);
}

template <class T>
SoftmaxWorkspace<T>::SoftmaxWorkspace(const Context& ctx, const SoftmaxView& model, int64_t all_rows, int64_t batch,
                                      int64_t bytes)
    : max_batch(batch) {
  if (ctx.backend == Backend::cpu || all_rows == 0) return;  // the CPU gathers into its threads' own small buffers
  const Chunk c = chunk(model.samples.features() * int64_t{sizeof(T)}, all_rows, batch, bytes);
  rows = c.rows;
  places = c.places;
  x = Buffer<T>(ctx, rows * places * model.samples.features());
  logits = Buffer<T>(ctx, rows * batch * model.classes);
  y = Buffer<int32_t>(ctx, rows * batch);
}

template <class T>
void softmax_steps(const Context& ctx, const SoftmaxView& model, const Rows& rows, Slot slot, int64_t steps,
                   MatrixView<T> w, SoftmaxWorkspace<T>& space, const Momentum<T>& m) {
  expects(w.extent(0) == rows.count && w.extent(1) == model.parameters(), "w of shape (rows, P)");
  expects(w.where() == ctx.backend, "w on the context's side");
  expects(ctx.backend == Backend::cpu || (space.rows > 0 && rows.max_batch <= space.max_batch),
          "a workspace for the largest batch");
  expects(!m.on() || (m.velocity.extent(0) == rows.count && m.velocity.extent(1) == w.extent(1)),
          "v of shape (rows, P)");
  if (rows.count == 0 || steps == 0) return;
  dispatch(ctx.backend,
           [&]<Backend B>() { detail::softmax_steps_impl<T, B>(ctx, model, rows, slot, steps, w, space, m); });
}

template <class T>
void softmax_gradients(const Context& ctx, const SoftmaxView& model, const Rows& rows, Slot slot, MatrixView<const T> w,
                       MatrixView<T> g, SoftmaxWorkspace<T>& space) {
  expects(w.extent(1) == model.parameters() && g.extent(0) == rows.count && g.extent(1) == model.parameters(),
          "w and g of shape (rows, P)");
  expects(g.where() == ctx.backend && g.stride() == g.extent(1), "dense g on the context's side");
  expects(ctx.backend == Backend::cpu || (space.rows > 0 && rows.max_batch <= space.max_batch),
          "a workspace for the largest batch");
  if (rows.count == 0) return;
  dispatch(ctx.backend,
           [&]<Backend B>() { detail::softmax_gradients_impl<T, B>(ctx, model, rows, slot, w, g, space); });
}

#define ORRERY_INSTANTIATE(T)                                                                                    \
  template class SoftmaxWorkspace<T>;                                                                            \
  template void softmax_steps<T>(const Context&, const SoftmaxView&, const Rows&, Slot, int64_t, MatrixView<T>,  \
                                 SoftmaxWorkspace<T>&, const Momentum<T>&);                                      \
  template void softmax_gradients<T>(const Context&, const SoftmaxView&, const Rows&, Slot, MatrixView<const T>, \
                                     MatrixView<T>, SoftmaxWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
