#include "runtime/voting/messages.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/blend.hpp"
#include "kernels/core/nvtx.hpp"
#include "kernels/descend.hpp"
#include "kernels/sign_noise.hpp"
#include "kernels/tensor_norms.hpp"

namespace orrery {
namespace {

template <class F>
bool any(const std::vector<VoteSpec>& specs, F f) {
  return std::any_of(specs.begin(), specs.end(), f);
}
bool several_batches(const Population& p) {
  return std::any_of(p.repeats.begin(), p.repeats.end(), [](int32_t k) { return k > 1; });
}

// of a velocity or residual from round to round
double share_kept(const VoteSpec& s) { return s.momentum > 0 ? s.momentum : s.sparse() ? s.accumulation : 1.0; }

// Rows whose gradients are in memory at one time.
int64_t rows_of_window(const Population& p, int64_t parameters, int64_t element_size) {
  return std::clamp<int64_t>((int64_t{64} << 20) / (parameters * element_size), 1, p.workers);
}

}  // namespace

bool sends_packed_signs(const Population& p, const VoteSpec& s) { return s.plain_signs() && !several_batches(p); }

template <class T>
Messages<T>::Messages(const Context& ctx, const Population& p, const SharedModels& models,
                      const std::vector<VoteSpec>& specs, const std::vector<Tensor>& tensors, bool packs)
    : ctx_(ctx), population_(p), models_(models), specs_(specs) {
  for (const Tensor& t : tensors) {
    begin_.push_back(t.offset);
    int64_t size = 1;
    for (const int64_t n : t.shape) size *= n;
    parameters_ = t.offset + size;
  }
  begin_.push_back(parameters_);
  tensor_begin_ = Buffer<int64_t>(ctx, begin_);
  window_ = rows_of_window(p, parameters_, sizeof(T));
  for (const VoteSpec& s : specs) packed_.push_back(packs && sends_packed_signs(p, s));
  if (std::all_of(packed_.begin(), packed_.end(), [](bool b) { return b; })) return;  // nothing else is needed
  numbers_ = Buffer<T>(ctx, window_ * parameters_);
  if (any(specs, [](const VoteSpec& s) { return s.sparse(); }))
    cuts_ = Buffer<TopCut>(ctx, window_ * static_cast<int64_t>(tensors.size()));

  // coefficients of each row, by its arm
  const auto by_row = [&](auto value) {
    std::vector<double> out;
    for (const Lane& lane : p.lanes)
      for (int64_t w = 0; w < p.workers; ++w)
        out.push_back(value(specs[static_cast<size_t>(lane.arm)], static_cast<size_t>(lane.first_row + w)));
    return Buffer<double>(ctx, out);
  };
  if (any(specs, [](const VoteSpec& s) { return s.keeps_state(); })) {
    state_ = Buffer<T>(ctx, p.rows() * parameters_);
    keep_ = by_row([](const VoteSpec& s, size_t) { return s.keeps_state() ? share_kept(s) : 0.0; });
    // an adversary of top-k that inverts sends, and keeps, what it should with the other sign
    take_ = by_row([&](const VoteSpec& s, size_t row) {
      const bool inverts = s.vote == Vote::top_k && s.attack.kind == AttackSpec::Kind::inversion &&
                           s.attack.chosen(p.workers)[static_cast<size_t>(p.worker[row])];
      return (1 - s.momentum) * (inverts ? -1 : 1);
    });
  }
  if (several_batches(p)) {
    local_ = Buffer<T>(ctx, window_ * parameters_);
    local_gradients_ = Buffer<T>(ctx, window_ * parameters_);
  }
  ones_ = by_row([](const VoteSpec&, size_t) { return 1.0; });
  zeros_ = by_row([](const VoteSpec&, size_t) { return 0.0; });
  if (any(specs, [](const VoteSpec& s) { return s.attack.on_numbers(); })) {
    std::vector<uint8_t> replaced;
    for (const Lane& lane : p.lanes) {
      const AttackSpec& a = specs[static_cast<size_t>(lane.arm)].attack;
      for (const uint8_t chosen : a.chosen(p.workers))
        replaced.push_back(a.kind == AttackSpec::Kind::gaussian ? chosen : 0);
    }
    replaced_ = Buffer<uint8_t>(ctx, replaced);
    attack_ = by_row([&](const VoteSpec& s, size_t row) {
      const auto worker = static_cast<size_t>(p.worker[row]);
      return s.attack.on_numbers() && s.attack.chosen(p.workers)[worker] ? s.attack.deviation : 0.0;
    });
  }
  if (any(specs, [](const VoteSpec& s) { return s.noise.on(); }))
    noise_ = by_row([](const VoteSpec& s, size_t) { return s.noise.on() ? s.noise.value : 0.0; });
  if (any(specs, [](const VoteSpec& s) { return s.noise.scale != NoiseSpec::Scale::number; })) {
    whole_row_ = Buffer<int64_t>(ctx, std::vector<int64_t>{0, parameters_});
    norms_ = Buffer<double>(ctx, window_);
  }
}

// sum_k g(x_k),  x_0 = x,  x_{k+1} = x_k - eta g(x_k): what the worker's local steps add up to, (x - x_local) / eta without its cancellation
template <class T>
void Messages<T>::add_local_steps(Model<T>& model, const Window<T>& w, Slot slot, MatrixView<const T> shared) {
  const int64_t n = w.rows.count;
  const VectorView<const double> ones = ones_.view().part(w.row, n);
  const MatrixView<T> local = local_.view(n, parameters_), g = local_gradients_.view(n, parameters_);
  blend<T>(ctx_, ones, shared, zeros_.view().part(w.row, n), local);
  descend<T>(ctx_, w.rows, local, w.numbers);
  for (int64_t k = 1; k < w.rows.max_repeats; ++k) {  // rows with fewer have gradients of 0
    model.gradients(ctx_, w.rows, slot.repeated(k), local, g);
    blend<T>(ctx_, ones, g, ones, w.numbers);
    if (k + 1 < w.rows.max_repeats) descend<T>(ctx_, w.rows, local, g);
  }
}

template <class T>
void Messages<T>::add_noise(const Window<T>& w, Slot slot) {
  const int64_t n = w.rows.count;
  VectorView<const double> scale = noise_.view().part(w.row, n);
  if (w.spec.noise.scale != NoiseSpec::Scale::number) {
    const bool largest = w.spec.noise.scale == NoiseSpec::Scale::largest;
    tensor_norms<T>(ctx_, whole_row_.view(), w.numbers, largest ? Norm::max : Norm::l2_squared, norms_.view(n, 1));
    auto host = norms_.to_host(ctx_, 0, n);
    for (double& v : host) v = largest ? v : std::sqrt(v);
    host.resize(static_cast<size_t>(norms_.size()));
    norms_.assign(ctx_, host);
    scale = norms_.view().part(0, n);
  }
  sign_noise<T>(ctx_, w.rows, slot, w.spec.noise.law == NoiseSpec::Law::gaussian ? NoiseLaw::normal : NoiseLaw::uniform,
                scale, w.numbers);
}

template <class T>
void Messages<T>::prepare(Model<T>& model, const Window<T>& w, Slot slot, MatrixView<T> models, bool keep) {
  const NvtxRange range("messages");
  const int64_t n = w.rows.count;
  const MatrixView<const T> shared(models.row(w.model), n, parameters_, 0, ctx_.backend);
  model.gradients(ctx_, w.rows, slot, shared, w.numbers);
  if (local_.size() > 0) add_local_steps(model, w, slot, shared);
  if (w.spec.keeps_state())
    blend<T>(ctx_, keep_.view().part(w.row, n), state(w), take_.view().part(w.row, n), w.numbers);
  if (keep && w.spec.momentum > 0) store_state(w);
  if (w.spec.attack.on_numbers()) {
    if (w.spec.attack.kind == AttackSpec::Kind::gaussian)
      clear_rows<T>(ctx_, replaced_.view().part(w.row, n), w.numbers);
    sign_noise<T>(ctx_, w.rows, slot, NoiseLaw::normal, attack_.view().part(w.row, n), w.numbers, Draw::attack_noise);
  }
  if (w.spec.noise.on()) add_noise(w, slot);
}

template <class T>
void Messages<T>::store_state(const Window<T>& w) {
  detail::copy(ctx_, state(w).data(), ctx_.backend, w.numbers.data(), ctx_.backend,
               w.numbers.size() * int64_t{sizeof(T)});
}

template <class T>
void Messages<T>::rates(const std::vector<double>& ratio_of_arm) {
  if (ratio_of_arm == ratio_ ||
      !any(specs_, [](const VoteSpec& s) { return s.error_feedback == VoteSpec::ErrorFeedback::two_way; }))
    return;
  ratio_ = ratio_of_arm;
  std::vector<double> keep;
  for (const Lane& lane : population_.lanes) {
    const auto arm = static_cast<size_t>(lane.arm);
    keep.insert(
        keep.end(), static_cast<size_t>(population_.workers),
        share_kept(specs_[arm]) * (specs_[arm].error_feedback == VoteSpec::ErrorFeedback::two_way ? ratio_[arm] : 1.0));
  }
  keep_.assign(ctx_, keep);
}

template <class T>
std::vector<typename Messages<T>::Piece> Messages<T>::windows() const {
  std::vector<Piece> all;
  for (const auto& run : models_.runs)
    for (int64_t w = 0; w < run.count && !packed(run.lane); w += window_)
      all.push_back({run.row + w, std::min(window_, run.count - w), run.model, run.lane});
  return all;
}

template <class T>
std::vector<int64_t> Messages<T>::kept_of_tensors(double share) const {
  std::vector<int64_t> out;
  for (size_t t = 0; t + 1 < begin_.size(); ++t) out.push_back(kept(share, begin_[t + 1] - begin_[t]));
  return out;
}

template <class T>
int64_t Messages<T>::bytes(const Population& p, const std::vector<VoteSpec>& specs, int64_t parameters,
                           int64_t element_size, bool packs) {
  if (packs && std::all_of(specs.begin(), specs.end(), [&](const VoteSpec& s) { return sends_packed_signs(p, s); }))
    return 0;
  const int64_t window = rows_of_window(p, parameters, element_size) * parameters * element_size;
  return window * (several_batches(p) ? 3 : 1) +
         (any(specs, [](const VoteSpec& s) { return s.keeps_state(); }) ? p.rows() * parameters * element_size : 0) +
         p.rows() * 64;
}

template class Messages<float>;
template class Messages<double>;

}  // namespace orrery
