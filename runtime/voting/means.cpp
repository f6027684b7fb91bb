#include "runtime/voting/means.hpp"

#include <algorithm>
#include <numeric>

#include "kernels/blend.hpp"
#include "kernels/core/nvtx.hpp"
#include "kernels/error_feedback.hpp"
#include "kernels/sign_pack.hpp"
#include "kernels/tensor_norms.hpp"
#include "kernels/top_signs.hpp"
#include "runtime/voting/wire.hpp"

namespace orrery {
namespace {

bool adds_numbers(const VoteSpec& s) { return s.vote == Vote::mean || s.vote == Vote::batch_mean; }

}  // namespace

template <class T>
Means<T>::Means(const Context& ctx, const Population& p, const SharedModels& models, const Messages<T>& messages,
                VoteSpec spec, size_t first_lane, size_t lanes)
    : ctx_(ctx), messages_(messages), spec_(std::move(spec)) {
  first_row_ = p.lanes[first_lane].first_row;
  rows_ = static_cast<int64_t>(lanes) * p.workers;
  first_model_ = models.first[first_lane];
  models_ = models.first[first_lane + lanes] - first_model_;
  tensors_ = messages.tensor_begin().size() - 1;
  parameters_ = messages.parameters();

  // what a row weighs in its model's mean; an adversary that inverts sends its number with the other sign
  std::vector<double> weight(static_cast<size_t>(rows_), 1.0), sum(static_cast<size_t>(models_), 0.0);
  const auto model_of = [&](int64_t row) {
    return static_cast<size_t>(models.of_row[static_cast<size_t>(first_row_ + row)] - first_model_);
  };
  const auto adversary = spec_.attack.chosen(p.workers);
  for (int64_t r = 0; r < rows_; ++r) {
    const auto at = static_cast<size_t>(first_row_ + r);
    if (spec_.vote == Vote::batch_mean)
      weight[static_cast<size_t>(r)] = static_cast<double>(p.batch[at] > 0  ? p.batch[at]
                                                           : p.size.empty() ? 1
                                                                            : p.size[at]);
    sum[model_of(r)] += weight[static_cast<size_t>(r)];
  }
  for (int64_t r = 0; r < rows_; ++r) {
    weight[static_cast<size_t>(r)] /= sum[model_of(r)];
    if (spec_.attack.kind == AttackSpec::Kind::inversion && !spec_.sends_signs() &&
        adversary[static_cast<size_t>(r % p.workers)])
      weight[static_cast<size_t>(r)] *= -1;
  }

  direction_ = Buffer<T>(ctx, models_ * parameters_);
  ones_ = Buffer<double>(ctx, std::vector<double>(static_cast<size_t>(std::max(rows_, models_)), 1.0));
  const auto windows = messages.windows();
  const auto mine = [&](const auto& piece) { return piece.row >= first_row_ && piece.row < first_row_ + rows_; };
  first_window_ = std::find_if(windows.begin(), windows.end(), mine) - windows.begin();
  if (adds_numbers(spec_)) {
    part_ = Buffer<T>(ctx, parameters_);
    for (const auto& piece : windows) {
      if (!mine(piece)) continue;
      Groups g;
      g.begin = {0, piece.count};
      for (int64_t r = 0; r < piece.count; ++r) {
        g.member.push_back(r);
        g.weight.push_back(weight[static_cast<size_t>(piece.row - first_row_ + r)]);
      }
      parts_.emplace_back(ctx, std::vector<const Groups*>{&g}, std::vector<int64_t>{0});
    }
    return;
  }

  std::vector<Groups> below(lanes);
  std::vector<const Groups*> pointers;
  std::vector<int64_t> first;
  for (size_t i = 0; i < lanes; ++i) {
    const Network& n = *p.lanes[first_lane + i].network;
    below[i] = descendants_of(n, voting_tiers(n.spec()) - 1, -1);
    pointers.push_back(&below[i]);
    first.push_back(p.lanes[first_lane + i].first_row - first_row_);
  }
  groups_ = DeviceGroups(ctx, pointers, first);
  if (spec_.sparse()) keep_ = Buffer<int64_t>(ctx, messages.kept_of_tensors(spec_.sparsity));
  if (spec_.vote == Vote::top_k) {
    sent_ = Buffer<T>(ctx, rows_ * parameters_);
    return;
  }
  norms_ = Buffer<double>(ctx, rows_ * tensors_);
  scales_ = Buffer<double>(ctx, std::vector<double>(static_cast<size_t>(rows_ * tensors_), spec_.noise.amplitude()));
  if (spec_.error_feedback != VoteSpec::ErrorFeedback::two_way) return;
  Groups each;
  each.begin.resize(static_cast<size_t>(models_) + 1);
  std::iota(each.begin.begin(), each.begin.end(), int64_t{0});
  each.member.assign(each.begin.begin(), each.begin.end() - 1);
  each.weight.assign(each.member.size(), 1.0);
  alone_ = DeviceGroups(ctx, {&each}, {0});
  residual_ = Buffer<T>(ctx, models_ * parameters_);
  ratio_ = Buffer<double>(ctx, models_);
  server_norms_ = Buffer<double>(ctx, models_ * tensors_);
  server_scales_ = Buffer<double>(ctx, models_ * tensors_);
  server_signs_ = Buffer<uint32_t>(ctx, models_ * sign_words(parameters_));
}

template <class T>
void Means<T>::begin() {
  if (adds_numbers(spec_)) detail::zero(ctx_, direction_.data(), direction_.size() * int64_t{sizeof(T)});
}

template <class T>
void Means<T>::add_numbers(const Window<T>& w) {
  const DeviceGroups& part = parts_[static_cast<size_t>(w.index - first_window_)];
  group_mean<T>(ctx_, part.table(), w.numbers, part_.view(1, parameters_));
  const VectorView<const double> one = ones_.view().part(0, 1);
  blend<T>(ctx_, one, part_.view(1, parameters_), one,
           direction_.view(models_, parameters_).rows(w.model - first_model_, 1));
}

template <class T>
void Means<T>::add(const Window<T>& w, Slot slot, const SignsOut& signs) {
  const int64_t n = w.rows.count, row = w.row - first_row_;
  if (adds_numbers(spec_)) {
    add_numbers(w);
  } else if (spec_.vote == Vote::top_k) {
    top_values<T>(ctx_, messages_.tensor_begin(), keep_.view(), w.numbers, messages_.cuts(n),
                  sent_.view(rows_, parameters_).rows(row, n));
  } else if (spec_.feeds_back()) {
    const MatrixView<double> norms = norms_.view(rows_, tensors_).rows(row, n);
    tensor_norms<T>(ctx_, messages_.tensor_begin(), w.numbers, Norm::l1, norms);
    scaled_signs<T>(ctx_, messages_.tensor_begin(), norms, w.numbers, {signs.coordinates, signs.positive, {}},
                    scales_.view(rows_, tensors_).rows(row, n));
  } else if (spec_.sparse()) {
    top_signs<T>(ctx_, messages_.tensor_begin(), keep_.view(), w.numbers, messages_.cuts(n), signs);
  } else {
    sign_pack<T>(ctx_, w.rows, slot, spec_.sign_zero, w.numbers, signs);
  }
}

template <class T>
MatrixView<const T> Means<T>::finish(const SignsIn& signs, bool keep, double ratio) {
  const NvtxRange range("mean");
  const MatrixView<T> d = direction_.view(models_, parameters_);
  if (adds_numbers(spec_)) return d;
  if (spec_.vote == Vote::top_k) {
    sparse_mean<T>(ctx_, groups_.table(), sent_.view(rows_, parameters_), d);
    return d;
  }
  scaled_mean<T>(ctx_, groups_.table(),
                 {messages_.tensor_begin(), spec_.feeds_back() ? SignsIn{signs.coordinates, signs.positive, {}} : signs,
                  scales_.view(rows_, tensors_)},
                 d);
  if (spec_.error_feedback == VoteSpec::ErrorFeedback::two_way) compress_direction(keep, ratio);
  return d;
}

// q <- d + r e,  d <- (|q|_1 / n) sign(q),  e <- q - d
template <class T>
void Means<T>::compress_direction(bool keep, double ratio) {
  const MatrixView<T> q = direction_.view(models_, parameters_), e = residual_.view(models_, parameters_);
  const MatrixView<double> norms = server_norms_.view(models_, tensors_),
                           scales = server_scales_.view(models_, tensors_);
  const SignsOut signs{parameters_, server_signs_.view(models_, sign_words(parameters_)), {}};
  const VectorView<const double> ones = ones_.view().part(0, models_);
  ratio_.assign(ctx_, std::vector<double>(static_cast<size_t>(models_), ratio));
  blend<T>(ctx_, ratio_.view(), e, ones, q);
  tensor_norms<T>(ctx_, messages_.tensor_begin(), q, Norm::l1, norms);
  scaled_signs<T>(ctx_, messages_.tensor_begin(), norms, q, signs, scales);
  if (keep) detail::copy(ctx_, e.data(), ctx_.backend, q.data(), ctx_.backend, q.size() * int64_t{sizeof(T)});
  scaled_mean<T>(ctx_, alone_.table(), {messages_.tensor_begin(), signs, scales}, q);
}

template <class T>
int64_t Means<T>::bytes(const VoteSpec& s, int64_t rows, int64_t models, int64_t parameters, int64_t tensors,
                        int64_t element_size) {
  int64_t all = models * parameters * element_size + std::max(rows, models) * 8;
  if (adds_numbers(s)) return all + parameters * element_size;
  if (s.vote == Vote::top_k) return all + rows * parameters * element_size;
  all += 2 * rows * tensors * 8;
  if (s.error_feedback == VoteSpec::ErrorFeedback::two_way)
    all += models * (parameters * element_size + 2 * tensors * 8 + sign_words(parameters) * 4);
  return all;
}

template class Means<float>;
template class Means<double>;

}  // namespace orrery
