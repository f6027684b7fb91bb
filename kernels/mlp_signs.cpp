#include "kernels/mlp_signs.hpp"

#include <algorithm>
#include <numeric>

#include "kernels/sign_pack.hpp"

namespace orrery {
namespace {

constexpr int64_t cpu_places = 256;  // per thread: a chunk stays in the caches that the threads share

int64_t widest_of(const MlpView& m) { return *std::max_element(m.width.begin() + 1, m.width.end()); }
// Deltas of hidden layers 1 and 2 use the pass's two rooms.
int64_t more_units(const MlpView& m) {
  int64_t n = 0;
  for (int l = 3; l < m.layers(); ++l) n += m.in(l);
  return n;
}
int64_t bytes_of_place(const MlpView& m, int64_t element_size) {
  return (m.units() + 2 * widest_of(m) + more_units(m)) * element_size + 8;
}

}  // namespace

template <class T>
int64_t MlpSignsWorkspace<T>::places_for(Backend backend, const MlpView& m, int64_t samples, int64_t bytes) {
  int64_t n = std::min(samples, bytes / bytes_of_place(m, sizeof(T)));
  if (backend == Backend::cpu) n = std::min(n, cpu_places * std::max(4, threads()));
  return (std::max<int64_t>(n, 64) + 7) / 8 * 8;
}

template <class T>
int64_t MlpSignsWorkspace<T>::bytes_needed(Backend backend, const MlpView& m, int64_t samples, int64_t bytes) {
  return places_for(backend, m, samples, bytes) * bytes_of_place(m, sizeof(T)) + m.parameters() * int64_t{sizeof(T)};
}

template <class T>
void MlpSignsWorkspace<T>::reserve(const Context& ctx, const MlpView& m, int64_t samples) {
  const int64_t n = places_for(ctx.backend, m, std::min(samples, most_samples_), bytes_);
  if (n <= places()) return;
  pass_ = {}, more_deltas_.clear(), segment_ = {};  // gone before the larger ones come
  pass_.rows = 1, pass_.max_batch = n;
  for (int64_t width : m.width) pass_.h.emplace_back(ctx, n * width);
  for (auto& d : pass_.delta) d = Buffer<T>(ctx, n * widest_of(m));
  pass_.y = Buffer<int32_t>(ctx, n);
  for (int l = 3; l < m.layers(); ++l) more_deltas_.emplace_back(ctx, n * m.in(l));
  segment_ = Buffer<int32_t>(ctx, n);
  if (gradient_.size() == 0) gradient_ = Buffer<T>(ctx, m.parameters());
}

template <class T>
T* MlpSignsWorkspace<T>::deltas(int l) const {
  const auto at = static_cast<size_t>(l);
  if (at + 2 == pass_.h.size()) return pass_.h.back().data();  // in place of the logits
  return at < 2 ? pass_.delta[at].data() : more_deltas_[at - 2].data();
}

namespace {

template <class T>
void run(const Context& ctx, const MlpView& model, const Rows& rows, Slot slot, MatrixView<const T> w,
         const detail::SumsOut<T>& out, MlpSignsWorkspace<T>& space) {
  expects(w.stride() == 0 && w.extent(1) == model.parameters(), "one shared w of P numbers");
  if (rows.count == 0) return;
  expects(w.where() == ctx.backend, "w on the context's side");
  const auto fixed = to_host(ctx, rows.batch);
  std::vector<int64_t> batches(fixed.begin(), fixed.end());
  if (std::find(batches.begin(), batches.end(), 0) != batches.end()) {
    const auto all = to_host(ctx, rows.size);
    for (size_t r = 0; r < batches.size(); ++r)
      if (batches[r] == 0) batches[r] = all[r];
  }
  space.reserve(ctx, model, std::accumulate(batches.begin(), batches.end(), int64_t{0}));
  dispatch(ctx.backend,
           [&]<Backend B>() { detail::mlp_signs_impl<T, B>(ctx, model, rows, batches, slot, w, out, space); });
}

}  // namespace

template <class T>
void mlp_signs(const Context& ctx, const MlpView& model, const Rows& rows, Slot slot, SignZero rule,
               MatrixView<const T> w, const SignsOut& signs, MlpSignsWorkspace<T>& space) {
  detail::check_signs(ctx, signs);
  expects(signs.rows() == rows.count && signs.coordinates == model.parameters(), "signs of shape (rows, P)");
  expects(rule != SignZero::zero || signs.has_zeros(), "a second plane where zeros stay");
  run<T>(ctx, model, rows, slot, w, {rule, signs, {}}, space);
}

template <class T>
void mlp_shared_gradients(const Context& ctx, const MlpView& model, const Rows& rows, Slot slot, MatrixView<const T> w,
                          MatrixView<T> g, MlpSignsWorkspace<T>& space) {
  expects(g.extent(0) == rows.count && g.extent(1) == model.parameters(), "g of shape (rows, P)");
  expects(g.where() == ctx.backend && g.stride() == g.extent(1), "dense g on the context's side");
  run<T>(ctx, model, rows, slot, w, {SignZero::plus, {}, g}, space);
}

#define ORRERY_INSTANTIATE(T)                                                                                   \
  template class MlpSignsWorkspace<T>;                                                                          \
  template void mlp_signs<T>(const Context&, const MlpView&, const Rows&, Slot, SignZero, MatrixView<const T>,  \
                             const SignsOut&, MlpSignsWorkspace<T>&);                                           \
  template void mlp_shared_gradients<T>(const Context&, const MlpView&, const Rows&, Slot, MatrixView<const T>, \
                                        MatrixView<T>, MlpSignsWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
