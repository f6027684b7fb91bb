#include "runtime/voting/voting.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/core/nvtx.hpp"
#include "kernels/sign_pack.hpp"
#include "kernels/sign_step.hpp"

namespace orrery {
namespace {

constexpr int64_t most_rounds = 65535;  // that a 16-bit counter can tell apart: then counters and C stay as they are

// Rows whose gradients are in memory at one time.
int64_t gradient_window(int64_t workers, int64_t parameters, int64_t element_size) {
  return std::clamp<int64_t>((int64_t{64} << 20) / (parameters * element_size), 1, workers);
}
bool zeros_stay(const std::vector<VoteSpec>& specs) {
  return std::any_of(specs.begin(), specs.end(), [](const VoteSpec& s) { return s.sign_zero == SignZero::zero; });
}

}  // namespace

template <class T>
Voting<T>::Voting(const Context& ctx, const Population& p, std::vector<VoteSpec> specs, int64_t parameters)
    : ctx_(ctx),
      population_(p),
      parameters_(parameters),
      words_(sign_words(parameters)),
      lanes_(static_cast<int64_t>(p.lanes.size())),
      window_(gradient_window(p.workers, parameters, sizeof(T))) {
  positive_ = Buffer<uint32_t>(ctx, p.rows() * words_);
  positive_u_ = Buffer<uint32_t>(ctx, lanes_ * words_);
  if (zeros_stay(specs)) {
    zero_ = Buffer<uint32_t>(ctx, p.rows() * words_);
    zero_u_ = Buffer<uint32_t>(ctx, lanes_ * words_);
  }
  agreed_ = Buffer<int64_t>(ctx, p.rows());
  gradients_ = Buffer<T>(ctx, window_ * parameters);
  std::vector<uint64_t> seeds;
  for (const Lane& lane : p.lanes) seeds.push_back(lane.seed);
  lane_seed_ = Buffer<uint64_t>(ctx, seeds);
  lane_index_ = Buffer<int32_t>(ctx, lanes_);
  step_ = Buffer<double>(ctx, lanes_);

  // an arm: its lanes are neighbours, each one group of all its workers
  Groups whole;
  whole.begin = {0, p.workers};
  whole.weight.assign(static_cast<size_t>(p.workers), 1.0);
  for (int64_t w = 0; w < p.workers; ++w) whole.member.push_back(w);
  const int64_t replicas = lanes_ / static_cast<int64_t>(specs.size());
  for (size_t a = 0; a < specs.size(); ++a) {
    Arm arm;
    arm.spec = specs[a];
    arm.first_lane = static_cast<int64_t>(a) * replicas;
    arm.lanes = replicas;
    arm.first_row = arm.first_lane * p.workers;
    arm.rows = replicas * p.workers;
    std::vector<int64_t> first_row;
    for (int64_t k = 0; k < replicas; ++k) first_row.push_back(k * p.workers);
    arm.groups = DeviceGroups(ctx, std::vector<const Groups*>(static_cast<size_t>(replicas), &whole), first_row);
    arm.grid = llr_grid(p.workers, arm.spec.rule);
    std::vector<double> weights(static_cast<size_t>(arm.rows), 1.0);
    if (arm.spec.vote == Vote::sqrt_batch) {
      double largest = 1;
      for (size_t i = 0; i < weights.size(); ++i) {
        const size_t r = static_cast<size_t>(arm.first_row) + i;
        const auto samples = static_cast<double>(p.batch[r] > 0 ? p.batch[r] : p.size.empty() ? 1 : p.size[r]);
        weights[i] = std::sqrt(samples);
        largest = std::max(largest, weights[i]);
      }
      arm.grid = WeightGrid(largest * static_cast<double>(p.workers));
    }
    arm.weights = Buffer<double>(ctx, weights);
    arm.learned.assign(weights.size(), 0.0);
    if (arm.spec.per_coordinate() && arm.spec.forgetting >= 1)
      arm.counted = Buffer<uint16_t>(ctx, arm.rows * parameters);
    if (arm.spec.per_coordinate() && arm.spec.forgetting < 1) arm.fading = Buffer<float>(ctx, arm.rows * parameters);
    arms_.push_back(std::move(arm));
  }
}

// Signs of all rows, a window of gradients at a time.
template <class T>
void Voting<T>::pack(Model<T>& model, const Rows& rows, Slot slot, MatrixView<T> models) {
  const NvtxRange range("signs");
  for (int64_t lane = 0; lane < lanes_; ++lane) {
    const Lane& l = population_.lanes[static_cast<size_t>(lane)];
    const VoteSpec& spec = arms_[static_cast<size_t>(l.arm)].spec;
    for (int64_t w = 0; w < population_.workers; w += window_) {
      const int64_t first = l.first_row + w, n = std::min(window_, population_.workers - w);
      const Rows part = rows.part(first, n);
      const MatrixView<const T> shared(models.row(lane), n, parameters_, 0, ctx_.backend);
      const MatrixView<T> g = gradients_.view(n, parameters_);
      model.gradients(ctx_, part, slot, shared, g);
      sign_pack<T>(ctx_, part, slot, spec.sign_zero, g, planes(positive_, zero_, first, n));
    }
  }
}

template <class T>
double Voting<T>::rounds_seen(const VoteSpec& spec) const {
  const auto t = static_cast<double>(rounds_);
  return spec.forgetting >= 1 ? t : (1 - std::pow(spec.forgetting, t)) / (1 - spec.forgetting);
}

// One weight per worker from its agreements over all coordinates so far; 1 before the first round.
template <class T>
std::vector<double> Voting<T>::worker_weights(const Arm& arm) const {
  std::vector<double> w;
  for (const double agreements : arm.learned)
    w.push_back(pooled_weight(agreements, static_cast<double>(parameters_) * rounds_seen(arm.spec), arm.spec.rule));
  return w;
}

// A weight per worker and coordinate; where it learns, from the decision in the same pass.
template <class T>
template <class W>
void Voting<T>::learned_vote(Arm& arm, const Ballots& ballots, const W& weights, const Decision& out,
                             VectorView<int64_t> agreed, bool learn) {
  const SignsIn decoded = out.signs;
  const bool warm = rounds_ < arm.spec.warmup;
  if (!warm && learn) {
    weighted_vote(ctx_, ballots, weights, out, {.learn = true, .agreed = agreed});
    return;
  }
  if (!warm)
    weighted_vote(ctx_, ballots, weights, out);
  else if (arm.spec.vote == Vote::fd)
    weighted_vote(ctx_, ballots, WorkerWeights{arm.weights.view(), arm.grid}, out);
  else
    majority_vote(ctx_, ballots, out);
  if (learn)
    learn_agreements(ctx_, ballots, decoded, weights, agreed);
  else
    count_agreements(ctx_, ballots, decoded, agreed);
}

template <class T>
void Voting<T>::decide(Arm& arm, Slot slot, bool learn) {
  const NvtxRange range("vote");
  const VoteSpec& spec = arm.spec;
  const Ballots ballots{arm.groups.table(), planes(positive_, zero_, arm.first_row, arm.rows)};
  const Decision out{planes(positive_u_, zero_u_, arm.first_lane, arm.lanes), spec.sign_zero,
                     lane_seed_.view().part(arm.first_lane, arm.lanes),
                     lane_index_.view().part(arm.first_lane, arm.lanes), slot};
  const SignsIn decoded = out.signs;
  const VectorView<int64_t> agreed = agreed_.view().part(arm.first_row, arm.rows);
  const bool by_worker = spec.vote == Vote::fd || spec.vote == Vote::fv_worker;
  if (by_worker) arm.weights.assign(ctx_, worker_weights(arm));

  if (spec.per_coordinate() && spec.forgetting >= 1) {
    const int64_t seen = std::min(rounds_, most_rounds);
    const Buffer<double> table(ctx_, llr_table(seen, spec.rule, arm.grid));
    const CountedWeights weights{arm.counted.view(arm.rows, parameters_), table.view(1, seen + 1)};
    // once the counters are full the weights stay as they are
    learned_vote(arm, ballots, weights, out, agreed, learn && rounds_ < most_rounds);
    ctx_.synchronize();  // the table goes
  } else if (spec.per_coordinate()) {
    const Buffer<double> seen(ctx_, std::vector<double>(static_cast<size_t>(arm.rows), rounds_seen(spec)));
    learned_vote(
        arm, ballots,
        FadingWeights{arm.fading.view(arm.rows, parameters_), seen.view(), spec.forgetting, spec.rule, arm.grid}, out,
        agreed, learn);
    ctx_.synchronize();
  } else {
    if (spec.vote == Vote::sqrt_batch || (spec.vote == Vote::fv_worker && rounds_ >= spec.warmup))
      weighted_vote(ctx_, ballots, WorkerWeights{arm.weights.view(), arm.grid}, out);
    else
      majority_vote(ctx_, ballots, out);
    count_agreements(ctx_, ballots, decoded, agreed);
  }
  if (!by_worker || !learn) return;
  const auto counts = agreed_.to_host(ctx_, arm.first_row, arm.rows);
  for (size_t i = 0; i < counts.size(); ++i)
    arm.learned[i] = spec.forgetting * arm.learned[i] + static_cast<double>(counts[i]);
}

template <class T>
void Voting<T>::round(Model<T>& model, const Rows& rows, Slot slot, MatrixView<T> models) {
  pack(model, rows, slot, models);
  for (Arm& arm : arms_) decide(arm, slot, true);
  std::vector<double> step;
  for (const Lane& lane : population_.lanes)
    step.push_back(population_.learning_rate[static_cast<size_t>(lane.first_row)]);
  step_.assign(ctx_, step);
  sign_step<T>(ctx_, decoded(), step_.view(), models);
  ++rounds_;
}

template <class T>
void Voting<T>::look(Model<T>& model, const Rows& rows, Slot slot, MatrixView<T> models) {
  pack(model, rows, slot, models);
  for (Arm& arm : arms_) decide(arm, slot, false);
}

template <class T>
int64_t Voting<T>::bytes(const Population& p, const std::vector<VoteSpec>& specs, int64_t parameters,
                         int64_t element_size) {
  const auto lanes = static_cast<int64_t>(p.lanes.size()), arms = static_cast<int64_t>(specs.size());
  const int64_t planes = zeros_stay(specs) ? 2 : 1;
  int64_t all = planes * (p.rows() + lanes) * sign_words(parameters) * 4;
  all += gradient_window(p.workers, parameters, element_size) * parameters * element_size;
  for (const VoteSpec& s : specs)
    if (s.per_coordinate()) all += p.rows() / arms * parameters * (s.forgetting < 1 ? 4 : 2);
  return all + p.rows() * (8 + 8 * arms + 16) + lanes * 40;
}

template class Voting<float>;
template class Voting<double>;

}  // namespace orrery
