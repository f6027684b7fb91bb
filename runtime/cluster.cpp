#include "runtime/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "kernels/clock.hpp"
#include "kernels/core/nvtx.hpp"
#include "kernels/descend.hpp"
#include "runtime/compressed_tiers/bits.hpp"
#include "runtime/cuda_graph.hpp"
#include "runtime/voting/wire.hpp"

namespace orrery {

// ---- data on the device ---------------------------------------------------------------------------------------------------------------

SampleView DeviceData::upload(const Context& ctx, const Samples& s, const Dataset& d, Set& set) {
  set.bytes = Buffer<uint8_t>(ctx, s.bytes);
  set.values = Buffer<float>(ctx, s.values);
  set.labels = Buffer<int32_t>(ctx, s.labels);
  SampleView view{set.bytes.view(s.bytes.empty() ? 0 : s.count, s.features),
                  set.values.view(s.values.empty() ? 0 : s.count, s.features),
                  set.labels.view(),
                  d.scale,
                  d.shift,
                  {}};
  if (s.sparse.empty()) return view;
  set.begin = Buffer<int64_t>(ctx, s.sparse.begin);
  set.column = Buffer<int32_t>(ctx, s.sparse.column);
  set.sparse_value = Buffer<float>(ctx, s.sparse.value);
  view.rows = {set.begin.view(), set.column.view(), set.sparse_value.view(), s.features};
  return view;
}

DeviceData::DeviceData(const Context& ctx, const Dataset& d)
    : train_(upload(ctx, d.train, d, sets_[0])), test_(upload(ctx, d.test, d, sets_[1])) {}

// ---- what does not depend on the element type -------------------------------------------------------------------------------------------

namespace {
Ledger starting_ledger(const Arm& arm) {
  if (const auto* s = arm.algorithm->strategy(); s && *s == diffusion::Strategy::centralized) {
    Ledger ledger(*arm.network);
    ledger.links = {{.name = "server"}};
    return ledger;
  }
  if (const auto* spec = arm.algorithm->compressed()) return compressed_ledger(*arm.network, *spec);
  return arm.algorithm->voting() ? vote_ledger(*arm.network) : Ledger(*arm.network);
}
}  // namespace

Cluster::Cluster(const Experiment& e, Population population) : population_(std::move(population)) {
  for (const auto& lane : population_.lanes)
    ledgers_.push_back(starting_ledger(e.arms[static_cast<size_t>(population_.arms[static_cast<size_t>(lane.arm)])]));
  for (int arm : population_.arms) drops_.push_back(e.arms[static_cast<size_t>(arm)].step.drops);
  tier_bits_.resize(population_.arms.size());
}

int64_t Cluster::next_drop() const {
  int64_t next = std::numeric_limits<int64_t>::max();
  for (const auto& drops : drops_)
    for (const auto& drop : drops)
      if (drop.step > now_) next = std::min(next, drop.step);
  return next;
}

int64_t Cluster::next_action() const {
  int64_t next = std::numeric_limits<int64_t>::max();
  for (const auto& s : population_.schedules) next = std::min(next, s.next(now_));
  return next;
}

void Cluster::act(int arm, const Action& action) {
  if (action.kind == Action::Kind::none) return;
  if (action.kind == Action::Kind::tier) average(arm, action);
  if (action.kind == Action::Kind::graph) mix(arm, action.phase);
  draw_participants(arm);
  if (!tier_bits_[static_cast<size_t>(arm)].empty()) return;  // charged once the actions have passed
  for (size_t i = 0; i < ledgers_.size(); ++i)
    if (population_.lanes[i].arm == arm) ledgers_[i].charge(*population_.lanes[i].network, action, bits_per_model_);
}

double Cluster::virtual_time(size_t lane) {
  if (clocks_.empty())
    for (size_t i = 0; i < population_.lanes.size(); ++i)
      clocks_.emplace_back(population_.lanes[i].network, population_.lanes[i].seed,
                           message_bits_.empty() ? bits_per_model_ : message_bits_[i],
                           tier_bits_[static_cast<size_t>(population_.lanes[i].arm)]);
  clocks_[lane].advance(schedule(population_.lanes[lane].arm), now_);
  return clocks_[lane].time();
}

// ---- the cluster of one element type ------------------------------------------------------------------------------------------------------

template <class T>
struct ClusterOf<T>::Recorded {
  struct Stretch {
    CudaGraph graph;
    std::vector<Ledger> charged;  // what one replay adds
  };
  std::map<std::pair<int64_t, int64_t>, Stretch> stretches;  // by (phase in the round, length)
};

template <class T>
ClusterOf<T>::ClusterOf(const Context& ctx, const Experiment& e, Population population, const Dataset* host,
                        const DeviceData* data)
    : Cluster(e, std::move(population)),
      ctx_(ctx),
      graphs_(ctx.backend == Backend::cuda && e.cuda_graphs),
      recorded_(std::make_unique<Recorded>()) {
  const Arm& first = e.arms[static_cast<size_t>(population_.arms[0])];
  rung_ = first.step.rung;
  momentum_ = first.step.momentum;
  for (int arm : population_.arms) keep_momentum_.push_back(e.arms[static_cast<size_t>(arm)].step.keep_momentum);
  build_rows(host);

  // the model, bound to the data on this device
  ModelInputs in;
  if (data) in.train = data->train(), in.test = data->test();
  in.sample_weights = sample_weights_.view(population_.sample_weight_rows, host ? host->train.count : 0);
  in.classes = host ? host->classes : 0;
  in.workers = population_.workers;
  in.rows = population_.rows();
  in.max_batch = population_.max_batch;
  in.most_held = population_.max_size;
  if (first.algorithm->voting()) in.sign_samples = samples_of_a_step(population_);
  model_ = first.model->bind(ctx, in, T{});
  graphs_ = graphs_ && !first.model->allocates_in_steps();
  p_ = model_->parameters();
  layout_ = first.model->layout(in.train.features(), in.classes);
  bits_per_model_ = p_ * 8 * static_cast<int64_t>(sizeof(T));

  std::vector<VoteSpec> votes;
  for (int arm : population_.arms)
    if (const VoteSpec* v = e.arms[static_cast<size_t>(arm)].algorithm->voting()) votes.push_back(*v);
  if (!votes.empty()) {
    voting_ = std::make_unique<Voting<T>>(ctx, population_, std::move(votes), layout_, model_->packs_signs());
    graphs_ = false;  // weights are learned on the host between rounds
    momentum_ = 0;    // a worker's velocity is part of its message
  }
  start_models(e, host);
  if (momentum_ > 0) v_ = Buffer<T>(ctx, population_.rows() * p_);
  build_tables(e);
  build_tier_messages(e);
  if (const auto* strategy = first.algorithm->strategy()) build_strategy(*strategy);
  if (first.algorithm->compressed()) {
    compressed_ = std::make_unique<Compressed<T>>(ctx, e, population_, rows_, layout_, p_);
    if (compressed_->has_spare()) gradient_bank();
    for (const Lane& lane : population_.lanes) message_bits_.push_back(compressed_->message_bits(lane.arm));
    graphs_ = graphs_ && !compressed_->on_host();
  }
  for (int arm = 0; arm < arms(); ++arm) draw_participants(arm);

  // the pattern of actions repeats with the common round of all arms
  constexpr int64_t longest = 1024;  // steps in one graph: a few launches each
  for (const auto& s : population_.schedules) {
    if (graphs_ || round_ <= longest) round_ = s.round() <= longest ? std::lcm(round_, s.round()) : longest + 1;
    if (round_ > longest) {  // too long to record: the plain path serves
      graphs_ = false;
      round_ = 1;
      break;
    }
  }
  while (round_ < 16) round_ *= 2;  // short rounds: several in one graph
}

template <class T>
ClusterOf<T>::~ClusterOf() = default;

// Every worker, or every model that workers share, at its start.
template <class T>
void ClusterOf<T>::start_models(const Experiment& e, const Dataset* host) {
  const Arm& first = e.arms[static_cast<size_t>(population_.arms[0])];
  w_ = Buffer<T>(ctx_, model_rows() * p_);
  const int64_t piece = std::clamp<int64_t>((int64_t{4} << 20) / (p_ * int64_t{sizeof(T)} + 1), 1, population_.workers);
  std::vector<T> start(static_cast<size_t>(piece * p_));  // rows on their way to the device
  for (size_t i = 0; i < population_.lanes.size(); ++i) {
    const Lane& lane = population_.lanes[i];
    int64_t given = 1;
    const auto values =
        first.model->start(population_.workers, host ? host->features : 0, host ? host->classes : 0, lane.seed, &given);
    if (shared_model()) check_shared_start(*first.params, given);
    const Arm& arm = e.arms[static_cast<size_t>(population_.arms[static_cast<size_t>(lane.arm)])];
    if (arm.tier_messages) check_common_start(*arm.params, arm.from_start, given);
    const int64_t at = shared_model() ? voting_->models().first[i] : lane.first_row;
    const int64_t own = shared_model() ? voting_->models().of_lane(i) : population_.workers;
    for (int64_t w = 0; w < own; w += piece) {
      const int64_t n = std::min(piece, own - w) * p_;
      for (int64_t j = 0; j < n; ++j)
        start[static_cast<size_t>(j)] = static_cast<T>(values[static_cast<size_t>(given > 1 ? w * p_ + j : j % p_)]);
      detail::copy(ctx_, w_.data() + (at + w) * p_, ctx_.backend, start.data(), Backend::cpu, n * int64_t{sizeof(T)});
    }
  }
}

template <class T>
void ClusterOf<T>::build_rows(const Dataset* host) {
  const Population& p = population_;
  seed_ = Buffer<uint64_t>(ctx_, p.seed);
  worker_ = Buffer<int32_t>(ctx_, p.worker);
  batch_ = Buffer<int32_t>(ctx_, p.batch);
  repeats_ = Buffer<int32_t>(ctx_, p.repeats);
  learning_rate_ = Buffer<double>(ctx_, p.learning_rate);
  rate_ = Buffer<double>(ctx_, p.rate);
  steps_ = Buffer<int64_t>(ctx_, p.rows());
  clock_ = Buffer<int64_t>(ctx_, 1);
  if (host) {
    order_ = Buffer<int32_t>(ctx_, p.order);
    begin_ = Buffer<int64_t>(ctx_, p.begin);
    size_ = Buffer<int64_t>(ctx_, p.size);
    sample_weights_ = Buffer<double>(ctx_, p.sample_weights);
  }
  rows_ = {p.rows(),      seed_.view(),  worker_.view(), learning_rate_.view(), rate_.view(),
           batch_.view(), begin_.view(), size_.view(),   order_.view(),         p.max_batch};
  rows_.repeats = repeats_.view();
  rows_.max_repeats = *std::max_element(p.repeats.begin(), p.repeats.end());
  rows_.shuffle = p.shuffle;
  if (std::none_of(p.lanes.begin(), p.lanes.end(), [](const Lane& l) { return l.partial(); })) return;
  present_ = Buffer<uint8_t>(ctx_, std::vector<uint8_t>(static_cast<size_t>(p.rows()), 1));
  scale_ = Buffer<double>(ctx_, p.rows());
  words_ = Buffer<uint32_t>(ctx_, p.rows());
  rows_.present = present_.view();
}

template <class T>
void ClusterOf<T>::build_tables(const Experiment& e) {
  for (int arm = 0; arm < arms(); ++arm) {
    std::vector<const Lane*> lanes;
    std::vector<int64_t> first_row;
    for (const auto& lane : population_.lanes)
      if (lane.arm == arm) lanes.push_back(&lane), first_row.push_back(lane.first_row);
    const auto gather = [&](auto of) {
      std::vector<decltype(of(*lanes[0]))> all;
      for (const Lane* lane : lanes) all.push_back(of(*lane));
      return all;
    };
    Tables t;
    const Arm& given = e.arms[static_cast<size_t>(population_.arms[static_cast<size_t>(arm)])];
    const bool compresses = given.algorithm->compressed() || given.tier_messages;
    const NetworkSpec& spec = lanes[0]->network->spec();
    const bool partial = lanes[0]->partial();
    for (size_t tier = 0; tier < lanes[0]->network->tiers().size(); ++tier)
      t.tiers.emplace_back(ctx_, gather([&](const Lane& l) { return &l.network->tiers()[tier]; }), first_row, partial);
    const auto classes = spec.tiers.empty() ? std::vector<int64_t>{} : spec.tiers[0].classes();
    for (size_t c = 0; classes.size() > 1 && c < classes.size(); ++c)
      t.classes.emplace_back(ctx_, gather([](const Lane& l) { return &l.network->tiers()[0]; }), first_row, partial,
                             nodes_of_class(spec.tiers[0], static_cast<int32_t>(c)));
    t.top = DeviceGroups(ctx_, gather([](const Lane& l) { return &l.network->top(); }), first_row, partial);
    if (partial) t.participation = std::make_unique<Participation>(ctx_, spec, static_cast<int64_t>(lanes.size()));
    for (size_t phase = 0; phase < lanes[0]->network->mixing().size(); ++phase)
      t.mixing.emplace_back(ctx_, gather([&](const Lane& l) { return &l.network->mixing()[phase]; }));
    if (!t.mixing.empty() && !compresses) t.means = Buffer<T>(ctx_, t.top.nodes() * p_);
    for (size_t tier = 0; shared_model() && tier < spec.tiers.size(); ++tier)
      t.models.push_back(model_groups(arm, static_cast<int>(tier)));
    tables_.push_back(std::move(t));
  }
  if (rung_ == StepSpec::Rung::gradients && !shared_model()) gradient_bank();
}

template <class T>
void ClusterOf<T>::build_tier_messages(const Experiment& e) {
  const BankShape shape = bank_shape(layout_, p_);
  for (int arm = 0; arm < arms(); ++arm) {
    const TierMessages* messages =
        e.arms[static_cast<size_t>(population_.arms[static_cast<size_t>(arm)])].tier_messages.get();
    compressed_tiers_.emplace_back();
    if (!messages) continue;
    compressed_tiers_.back() =
        std::make_unique<CompressedTiers<T>>(ctx_, *messages, population_, arm, rows_, shape, parameters());
    tier_bits_[static_cast<size_t>(arm)] = tier_message_bits(*messages, shape, 8 * int64_t{sizeof(T)});
    graphs_ = graphs_ && !compressed_tiers_.back()->on_host();
  }
}

template <class T>
MatrixView<T> ClusterOf<T>::gradient_bank() {
  if (g_.size() == 0) g_ = Buffer<T>(ctx_, population_.rows() * p_);
  return g_.view(population_.rows(), p_);
}

template <class T>
void ClusterOf<T>::local_steps(int64_t n) {
  const NvtxRange range("local_steps");
  if (rung_ == StepSpec::Rung::fused) {
    model_->local_steps(ctx_, rows_, slot(), n, parameters(), momentum());
  } else {
    for (int64_t s = 0; s < n * rows_.max_repeats; ++s) {
      const Slot now = slot().plus(s / rows_.max_repeats).repeated(s % rows_.max_repeats);
      model_->gradients(ctx_, rows_, now, parameters(), gradient_bank());
      if (momentum_ > 0)
        momentum_descend<T>(ctx_, rows_, now, momentum(), parameters(), gradient_bank());
      else
        descend<T>(ctx_, rows_, parameters(), gradient_bank());
    }
  }
  count_steps(ctx_, rows_, slot(), n, steps_.view());
  now_ += n;
}

template <class T>
void ClusterOf<T>::average(int arm, const Action& action) {
  const auto& spec = population_.lanes[static_cast<size_t>(arm) * (population_.lanes.size() / population_.arms.size())]
                         .network->spec();
  const NvtxRange range("average " + spec.tiers[static_cast<size_t>(action.tier)].name);
  const Tables& t = tables_[static_cast<size_t>(arm)];
  const auto one = [&](const DeviceGroups& groups) {
    group_average(ctx_, groups.live(), parameters());
    reset_momentum(arm, groups);
  };
  if (const auto& messages = compressed_tiers_[static_cast<size_t>(arm)]) {
    messages->act(action, slot(), now_, nullptr, parameters());
    if (action.classes.empty()) reset_momentum(arm, t.tiers[static_cast<size_t>(action.tier)]);
    for (const int32_t c : action.classes) reset_momentum(arm, t.classes[static_cast<size_t>(c)]);
    return;
  }
  if (action.classes.empty()) one(t.tiers[static_cast<size_t>(action.tier)]);
  for (const int32_t c : action.classes) one(t.classes[static_cast<size_t>(c)]);
}

// After an average a worker starts from the common model: its velocity starts from 0, unless it is to be kept.
template <class T>
void ClusterOf<T>::reset_momentum(int arm, const DeviceGroups& averaged) {
  if (v_.size() == 0 || keep_momentum_[static_cast<size_t>(arm)]) return;
  group_clear(ctx_, averaged.table(), momentum().velocity);
}

template <class T>
void ClusterOf<T>::mix(int arm, int64_t phase) {
  const NvtxRange range("mix");
  const Tables& t = tables_[static_cast<size_t>(arm)];
  if (const auto& messages = compressed_tiers_[static_cast<size_t>(arm)]) {
    messages->act({.kind = Action::Kind::graph, .phase = phase}, slot(), now_, &t.mixing[static_cast<size_t>(phase)],
                  parameters());
    reset_momentum(arm, t.top);
    return;
  }
  const MatrixView<T> means = t.means.view(t.top.nodes(), p_);
  group_mean<T>(ctx_, t.top.live(), parameters(), means);
  group_mix<T>(ctx_, t.top.table(), t.mixing[static_cast<size_t>(phase)].table(), means, parameters());
  reset_momentum(arm, t.top);
}

template <class T>
void ClusterOf<T>::draw_participants(int arm) {
  Tables& t = tables_[static_cast<size_t>(arm)];
  if (!t.participation) return;
  const NvtxRange range("participation");
  t.participation->draw(ctx_, t.tiers[0], seed_.view(), slot(), words_.view(), present_.view(), scale_.view());
  for (auto* all : {&t.tiers, &t.classes})
    for (DeviceGroups& groups : *all) groups.scale(ctx_, scale_.view());
  t.top.scale(ctx_, scale_.view());
  if (const auto& messages = compressed_tiers_[static_cast<size_t>(arm)]) messages->scale(scale_.view());
}

template <class T>
void ClusterOf<T>::stretch(const Algorithm& algorithm, int64_t until) {
  const NvtxRange range("round");
  const int64_t start = clock_start_;
  algorithm.advance(*this, until);
  expects(now_ == until, "an algorithm that advances to where it is asked to");
  advance_clock(ctx_, clock_.view(), until - start);
  clock_start_ = until;
}

// The rates lie in device memory, so a recorded graph that is replayed later reads the new ones.
template <class T>
void ClusterOf<T>::apply_drops() {
  bool changed = false;
  for (const auto& lane : population_.lanes)
    for (const auto& drop : drops_[static_cast<size_t>(lane.arm)])
      for (int64_t r = lane.first_row; drop.step == now_ && r < lane.first_row + population_.workers; ++r)
        population_.learning_rate[static_cast<size_t>(r)] *= drop.factor, changed = true;
  if (changed) learning_rate_.assign(ctx_, population_.learning_rate);
}

template <class T>
void ClusterOf<T>::advance(const Algorithm& algorithm, int64_t last) {
  const int64_t from = now_;
  play(algorithm, last);
  if (compressed_) compressed_->charge(ledgers_, from, last);
  for (const auto& messages : compressed_tiers_)
    if (messages) messages->charge(ledgers_, from, last);
}

template <class T>
void ClusterOf<T>::play(const Algorithm& algorithm, int64_t last) {
  while (now_ < last) {
    apply_drops();
    const int64_t until = std::min(last, next_drop());  // no stretch, and no fused steps, across a drop
    if (!graphs_) {
      stretch(algorithm, until);
      continue;
    }
    if (now_ == 0 && compressed_ && compressed_->starts_apart()) {
      stretch(algorithm, 1);
      continue;
    }
    const int64_t phase = now_ % round_, length = std::min(until - now_, round_ - phase);
    auto found = recorded_->stretches.find({phase, length});
    if (found == recorded_->stretches.end() && recorded_->stretches.size() >= 32) {
      stretch(algorithm, now_ + length);  // record points that fall everywhere: no more graphs, they take device memory
      continue;
    }
    if (found == recorded_->stretches.end()) {
      // record, without running anything: state on the host moves as it would, the device's does when the graph is launched
      typename Recorded::Stretch made;
      const auto before = ledgers_;
      const int64_t start = now_;
      made.graph.record(ctx_, [&] { stretch(algorithm, now_ + length); });
      now_ = clock_start_ = start;
      for (size_t i = 0; i < ledgers_.size(); ++i) {
        Ledger delta = ledgers_[i];
        for (size_t k = 0; k < delta.links.size(); ++k)
          delta.links[k].up -= before[i].links[k].up, delta.links[k].down -= before[i].links[k].down;
        made.charged.push_back(std::move(delta));
      }
      ledgers_ = before;
      found = recorded_->stretches.emplace(std::pair{phase, length}, std::move(made)).first;
    }
    const NvtxRange range("round");
    found->second.graph.launch(ctx_);
    ++graph_launches_;
    for (size_t i = 0; i < ledgers_.size(); ++i)
      for (size_t k = 0; k < ledgers_[i].links.size(); ++k)
        ledgers_[i].links[k].up += found->second.charged[i].links[k].up,
            ledgers_[i].links[k].down += found->second.charged[i].links[k].down;
    now_ += length;
    clock_start_ = now_;
  }
}

template class ClusterOf<float>;
template class ClusterOf<double>;

}  // namespace orrery
