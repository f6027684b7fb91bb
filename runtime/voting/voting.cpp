#include "runtime/voting/voting.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/blend.hpp"
#include "kernels/core/nvtx.hpp"
#include "kernels/sign_attack.hpp"
#include "kernels/sign_pack.hpp"
#include "kernels/sign_step.hpp"
#include "kernels/top_signs.hpp"
#include "runtime/voting/wire.hpp"

namespace orrery {
namespace {

// A sign of a row may be zero: where zeros stay, and where not everything is sent.
bool zeros_stay(const std::vector<VoteSpec>& specs) {
  return std::any_of(specs.begin(), specs.end(),
                     [](const VoteSpec& s) { return s.sign_zero == SignZero::zero && !s.feeds_back(); });
}
int64_t size_of(const std::vector<Tensor>& tensors) {
  int64_t all = 0;
  for (const Tensor& t : tensors) {
    int64_t size = 1;
    for (const int64_t n : t.shape) size *= n;
    all += size;
  }
  return all;
}

}  // namespace

template <class T>
Voting<T>::Voting(const Context& ctx, const Population& p, std::vector<VoteSpec> specs,
                  const std::vector<Tensor>& tensors, bool packs)
    : ctx_(ctx),
      population_(p),
      models_(p),
      specs_(std::move(specs)),
      parameters_(size_of(tensors)),
      words_(sign_words(parameters_)),
      messages_(ctx, p, models_, specs_, tensors, packs),
      exact_gradient_(ctx, p, parameters_) {
  positive_ = Buffer<uint32_t>(ctx, p.rows() * words_);
  positive_u_ = Buffer<uint32_t>(ctx, models_.rows() * words_);
  if (zeros_stay(specs_)) zero_ = Buffer<uint32_t>(ctx, p.rows() * words_);
  // a mean may be zero, whatever signs become
  if (zero_.size() > 0 ||
      std::any_of(specs_.begin(), specs_.end(), [](const VoteSpec& s) { return !s.decides_signs(); }))
    zero_u_ = Buffer<uint32_t>(ctx, models_.rows() * words_);
  agreed_ = Buffer<int64_t>(ctx, p.rows());
  step_ = Buffer<double>(ctx, models_.rows());
  minus_step_ = Buffer<double>(ctx, models_.rows());
  factor_ = Buffer<double>(ctx, models_.rows());
  std::vector<uint64_t> seed;
  std::vector<int32_t> index;
  for (size_t i = 0; i < p.lanes.size(); ++i)
    for (int64_t k = 0; k < models_.of_lane(i); ++k) {
      seed.push_back(p.lanes[i].seed);
      index.push_back(static_cast<int32_t>(k));
    }
  model_seed_ = Buffer<uint64_t>(ctx, seed);
  model_index_ = Buffer<int32_t>(ctx, index);
  for (size_t a = 0; a < specs_.size(); ++a) make_arm(a, p.lanes.size() / specs_.size());
}

template <class T>
void Voting<T>::make_arm(size_t index, size_t lanes) {
  const VoteSpec& spec = specs_[index];
  Arm arm;
  arm.first_lane = index * lanes;
  arm.lanes = lanes;
  arm.first_row = population_.lanes[arm.first_lane].first_row;
  arm.rows = static_cast<int64_t>(lanes) * population_.workers;
  arm.first_model = models_.first[arm.first_lane];
  arm.models = models_.first[arm.first_lane + lanes] - arm.first_model;
  if (spec.decides_signs())
    arm.decoder = std::make_unique<Decoder>(ctx_, population_, spec, arm.first_lane, lanes, parameters_);
  else
    arm.means = std::make_unique<Means<T>>(ctx_, population_, models_, messages_, spec, arm.first_lane, lanes);

  if (arm.decoder && arm.decoder->needs_reference() && exact_.size() == 0) {
    exact_ = Buffer<uint32_t>(ctx_, models_.rows() * words_);
    exact_zero_ = Buffer<uint32_t>(ctx_, models_.rows() * words_);
  }
  if (spec.sparse()) arm.kept = Buffer<int64_t>(ctx_, messages_.kept_of_tensors(spec.sparsity));

  // the voters below each model, and the adversaries among them
  std::vector<Groups> below;
  std::vector<const Groups*> pointers;
  std::vector<int64_t> first, model;
  std::vector<uint8_t> adversary, honest;
  for (size_t i = arm.first_lane; i < arm.first_lane + lanes; ++i) {
    const Network& n = *population_.lanes[i].network;
    below.push_back(descendants_of(n, voting_tiers(n.spec()) - 1, -1));
    first.push_back(population_.lanes[i].first_row - arm.first_row);
    for (const uint8_t chosen : spec.attack.chosen(population_.workers)) {
      adversary.push_back(chosen);
      honest.push_back(chosen ? 0 : 1);
    }
  }
  for (const Groups& g : below) pointers.push_back(&g);
  arm.voters = DeviceGroups(ctx_, pointers, first);
  if (spec.attack.kind == AttackSpec::Kind::inversion) {
    std::vector<double> flips;
    for (const uint8_t chosen : adversary) flips.push_back(chosen ? spec.attack.rate : 0.0);
    arm.flips = Buffer<double>(ctx_, flips);
  }
  if (spec.attack.kind == AttackSpec::Kind::colluders) {
    for (int64_t r = 0; r < arm.rows; ++r)
      model.push_back(models_.of_row[static_cast<size_t>(arm.first_row + r)] - arm.first_model);
    arm.model_of_row = Buffer<int64_t>(ctx_, model);
    arm.colluders = Buffer<uint8_t>(ctx_, adversary);
    arm.honest = Buffer<uint8_t>(ctx_, honest);
    arm.known = Buffer<uint32_t>(ctx_, arm.models * words_);
    arm.known_zero = Buffer<uint32_t>(ctx_, arm.models * words_);
  }
  arms_.push_back(std::move(arm));
}

// Signs, or sums, of the messages of all rows.
template <class T>
void Voting<T>::messages(Model<T>& model, const Rows& rows, Slot slot, MatrixView<T> models, bool keep) {
  for (Arm& arm : arms_)
    if (arm.means) arm.means->begin();
  std::vector<double> ratio;
  for (const Arm& arm : arms_) ratio.push_back(ratio_of(arm));
  messages_.rates(ratio);
  for (const auto& run : models_.runs) {
    if (!messages_.packed(run.lane)) continue;
    const NvtxRange range("signs");
    const VoteSpec& spec = specs_[static_cast<size_t>(population_.lanes[run.lane].arm)];
    const MatrixView<const T> shared(models.row(run.model), run.count, parameters_, 0, ctx_.backend);
    const SignsOut all = planes(positive_, zero_, run.row, run.count);
    model.signs(ctx_, rows.part(run.row, run.count), slot, spec.sign_zero, shared, all);
  }
  messages_.each(model, rows, slot, models, keep, [&](const Window<T>& w) {
    Arm& arm = arms_[static_cast<size_t>(population_.lanes[w.lane].arm)];
    const SignsOut signs = planes(positive_, zero_, w.row, w.rows.count);
    if (arm.means)
      arm.means->add(w, slot, signs);
    else if (w.spec.sparse())
      top_signs<T>(ctx_, messages_.tensor_begin(), arm.kept.view(), w.numbers, messages_.cuts(w.rows.count), signs);
    else
      sign_pack<T>(ctx_, w.rows, slot, w.spec.sign_zero, w.numbers, signs);
  });
  for (size_t a = 0; a < arms_.size(); ++a) attack(arms_[a], specs_[a], rows, slot);
}

template <class T>
void Voting<T>::attack(Arm& arm, const VoteSpec& spec, const Rows& rows, Slot slot) {
  const SignsOut signs = planes(positive_, zero_, arm.first_row, arm.rows);
  if (arm.flips.size() > 0 && spec.sends_signs())
    flip_signs(ctx_, rows.part(arm.first_row, arm.rows), slot, arm.flips.view(), signs);
  if (arm.colluders.size() == 0) return;
  const SignsOut known{parameters_, arm.known.view(arm.models, words_), arm.known_zero.view(arm.models, words_)};
  majority_vote(ctx_, {arm.voters.table(), signs, arm.honest.view()}, {known});
  oppose_signs(ctx_, known, arm.model_of_row.view(), arm.colluders.view(), signs);
}

// What a vote should decide: the signs of the exact gradient at each model of the arm.
template <class T>
SignsIn Voting<T>::exact_signs(Model<T>& model, const Rows& rows, const Arm& arm, Slot slot, MatrixView<T> models) {
  const SignsOut out = planes(exact_, exact_zero_, arm.first_model, arm.models);
  std::vector<uint32_t> positive(static_cast<size_t>(arm.models * words_)), zero(positive.size());
  for (size_t i = arm.first_lane; i < arm.first_lane + arm.lanes; ++i)
    for (int64_t k = models_.first[i]; k < models_.first[i + 1]; ++k) {
      const auto g = exact_gradient_.at(model, rows, slot, i, models.rows(k, 1));
      for (int64_t word = 0; word < words_; ++word) {
        const int64_t j = word * bits_of_word;
        const SignWord w = pack_signs(g.data() + j, parameters_ - j);
        const auto at = static_cast<size_t>((k - arm.first_model) * words_ + word);
        positive[at] = w.positive, zero[at] = w.zero;
      }
    }
  detail::copy(ctx_, out.positive.data(), ctx_.backend, positive.data(), Backend::cpu, out.positive.size() * 4);
  detail::copy(ctx_, out.zero.data(), ctx_.backend, zero.data(), Backend::cpu, out.zero.size() * 4);
  return out;
}

template <class T>
void Voting<T>::decide(Model<T>& model, const Rows& rows, Arm& arm, const VoteSpec& spec, Slot slot,
                       MatrixView<T> models, bool keep) {
  const SignsIn signs = planes(positive_, zero_, arm.first_row, arm.rows);
  const SignsOut out = planes(positive_u_, zero_u_, arm.first_model, arm.models);
  const VectorView<int64_t> agreed = agreed_.view().part(arm.first_row, arm.rows);
  if (arm.decoder) {
    SignsIn exact;
    if (arm.decoder->needs_reference()) exact = exact_signs(model, rows, arm, slot, models);
    arm.decoder->decide(slot, signs, exact, keep, out, agreed);
    return;
  }
  arm.direction = arm.means->finish(signs, keep, ratio_of(arm));
  Rows of_models;
  of_models.count = arm.models;
  of_models.seed = model_seed_.view().part(arm.first_model, arm.models);
  of_models.worker = model_index_.view().part(arm.first_model, arm.models);
  sign_pack<T>(ctx_, of_models, slot, SignZero::zero, arm.direction, out);
  if (spec.sends_signs()) count_agreements(ctx_, {arm.voters.table(), signs}, out, agreed);
}

// x <- (1 - eta lambda) x - eta u
template <class T>
void Voting<T>::step(MatrixView<T> models) {
  std::vector<double> eta, minus, factor;
  bool decays = false;
  for (size_t i = 0; i < population_.lanes.size(); ++i) {
    const Lane& lane = population_.lanes[i];
    const double rate = population_.learning_rate[static_cast<size_t>(lane.first_row)];
    const double lambda = specs_[static_cast<size_t>(lane.arm)].weight_decay;
    decays = decays || lambda > 0;
    for (int64_t k = 0; k < models_.of_lane(i); ++k)
      eta.push_back(rate), minus.push_back(-rate), factor.push_back(1 - rate * lambda);
  }
  step_.assign(ctx_, eta);
  minus_step_.assign(ctx_, minus);
  factor_.assign(ctx_, factor);
  for (Arm& arm : arms_) {
    arm.last_rate = rate_of(arm);
    const auto part = [&](const Buffer<double>& b) { return b.view().part(arm.first_model, arm.models); };
    const MatrixView<T> x = models.rows(arm.first_model, arm.models);
    if (arm.means)
      blend<T>(ctx_, part(minus_step_), arm.direction, part(factor_), x);
    else
      sign_step<T>(ctx_, planes(positive_u_, zero_u_, arm.first_model, arm.models), part(step_), x,
                   decays ? part(factor_) : VectorView<double>{});
  }
}

template <class T>
void Voting<T>::round(Model<T>& model, const Rows& rows, Slot slot, MatrixView<T> models) {
  messages(model, rows, slot, models, true);
  for (size_t a = 0; a < arms_.size(); ++a) decide(model, rows, arms_[a], specs_[a], slot, models, true);
  step(models);
}

template <class T>
void Voting<T>::look(Model<T>& model, const Rows& rows, Slot slot, MatrixView<T> models) {
  messages(model, rows, slot, models, false);
  for (size_t a = 0; a < arms_.size(); ++a) decide(model, rows, arms_[a], specs_[a], slot, models, false);
}

template <class T>
int64_t Voting<T>::bytes(const Population& p, const std::vector<VoteSpec>& specs, int64_t parameters, int64_t tensors,
                         int64_t element_size, bool packs) {
  const SharedModels models(p);
  const int64_t planes = zeros_stay(specs) ? 2 : 1;
  int64_t all = planes * (p.rows() + models.rows()) * sign_words(parameters) * 4 +
                Messages<T>::bytes(p, specs, parameters, element_size, packs) + p.rows() * 16 + models.rows() * 48;
  const size_t lanes = p.lanes.size() / specs.size();
  for (size_t a = 0; a < specs.size(); ++a) {
    const Network& network = *p.lanes[a * lanes].network;
    const int64_t own = models.first[(a + 1) * lanes] - models.first[a * lanes];
    if (specs[a].decides_signs())
      all += static_cast<int64_t>(lanes) * Decoder::bytes(network, specs[a], parameters);
    else
      all += Means<T>::bytes(specs[a], static_cast<int64_t>(lanes) * p.workers, own, parameters, tensors, element_size);
  }
  return all;
}

template class Voting<float>;
template class Voting<double>;

}  // namespace orrery
