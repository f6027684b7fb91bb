#include "runtime/compressed_tiers/compressed_tiers.hpp"

#include <algorithm>

#include "kernels/combine_banks.hpp"
#include "kernels/group_mean.hpp"
#include "runtime/compressed_tiers/bits.hpp"
#include "runtime/compressed_tiers/tables.hpp"

namespace orrery {

template <class T>
CompressedTiers<T>::CompressedTiers(const Context& ctx, const TierMessages& spec, const Population& population, int arm,
                                    const Rows& rows, const BankShape& shape, MatrixView<const T> start)
    : ctx_(ctx), spec_(spec), population_(population), shape_(shape), p_(shape.parameters) {
  lanes_ = population.lanes.size() / population.arms.size();
  first_lane_ = static_cast<size_t>(arm) * lanes_;
  first_row_ = population.lanes[first_lane_].first_row;
  rows_ = rows.part(first_row_, static_cast<int64_t>(lanes_) * population.workers);
  const NetworkSpec& n = population.lanes[first_lane_].network->spec();
  check_tier_messages(spec, n, shape);
  units_ = message_units(n);
  unit_ = Buffer<int64_t>(ctx, units_);
  number_ = Buffer<int64_t>(ctx, static_cast<int64_t>(units_.size()));
  levels_.resize(n.tiers.size());  // never moved: channels point into them
  for (size_t l = 0; l < levels_.size(); ++l) make_level(l);
  make_marks();

  int64_t longest = 0;
  for (const Level& level : levels_)
    longest = std::max({longest, level.up ? level.children_of_all : 0, level.down ? level.nodes : 0});
  message_ = Buffer<T>(ctx, longest * p_);
  if (n.graph) {
    std::vector<Groups> alone;
    std::vector<int64_t> first;
    for (size_t i = 0; i < lanes_; ++i) {
      alone.push_back(every_node_alone(n.top_nodes()));
      first.push_back(static_cast<int64_t>(i) * n.top_nodes());
    }
    alone_ = DeviceGroups(ctx, pointers_to(alone), first);
    mixed_ = Buffer<T>(ctx, levels_.back().nodes * p_);
  }
  this->start(start);
}

template <class T>
void CompressedTiers<T>::make_level(size_t l) {
  Level& level = levels_[l];
  const TierMessages::Tier& tier = spec_.tiers[l];
  std::vector<const Groups*> workers;
  std::vector<Groups> children;
  std::vector<int64_t> first_worker, first_child, parent;
  std::vector<uint64_t> seed;
  std::vector<int32_t> index;
  for (size_t i = 0; i < lanes_; ++i) {
    const Lane& lane = population_.lanes[first_lane_ + i];
    const Groups& groups = lane.network->tiers()[l];
    workers.push_back(&groups);
    first_worker.push_back(lane.first_row - first_row_);
    children.push_back(child_groups(*lane.network, l));
    first_child.push_back(level.children_of_all);
    for (const int64_t k : children.back().node_of) parent.push_back(level.nodes + k);
    for (int64_t k = 0; k < groups.nodes(); ++k) {
      seed.push_back(lane.seed);
      index.push_back(static_cast<int32_t>(k));
      level.child_count.push_back(children.back().begin[static_cast<size_t>(k) + 1] -
                                  children.back().begin[static_cast<size_t>(k)]);
    }
    level.nodes += groups.nodes();
    level.children_of_all += static_cast<int64_t>(children.back().node_of.size());
  }
  const bool partial = population_.lanes[first_lane_].partial();
  level.workers = DeviceGroups(ctx_, workers, first_worker, partial);
  if (l > 0) level.children = DeviceGroups(ctx_, pointers_to(children), first_child);
  level.parent = Buffer<int64_t>(ctx_, parent);
  level.seed = Buffer<uint64_t>(ctx_, seed);
  level.index = Buffer<int32_t>(ctx_, index);
  level.rows.count = level.nodes;
  level.rows.seed = level.seed.view();
  level.rows.worker = level.index.view();
  level.model = Buffer<T>(ctx_, level.nodes * p_);
  level.ref = Buffer<T>(ctx_, level.nodes * p_);
  level.up_counted.assign(lanes_, 0);
  level.down_counted.assign(lanes_, 0);
  if (tier.up) {
    level.up_error = Buffer<T>(ctx_, level.children_of_all * p_);
    level.up = std::make_unique<Channel<T>>(ctx_, l == 0 ? rows_ : levels_[l - 1].rows, shape_, tier.up.get(),
                                            spec_.send_bytes);
  }
  if (tier.down) {
    level.down_error = Buffer<T>(ctx_, level.nodes * p_);
    level.down = std::make_unique<Channel<T>>(ctx_, level.rows, shape_, tier.down.get(), spec_.send_bytes);
  }
}

// Who sends and who hears, where not everybody does.
template <class T>
void CompressedTiers<T>::make_marks() {
  const NetworkSpec& n = population_.lanes[first_lane_].network->spec();
  const bool classes = n.tiers[0].classes().size() > 1, partial = !n.participants.empty();
  if (!classes && !partial) return;
  std::vector<int64_t> of_worker, of_node;
  for (size_t i = 0; i < lanes_; ++i) {
    const Groups& groups = population_.lanes[first_lane_ + i].network->tiers()[0];
    for (const int64_t k : groups.node_of) of_worker.push_back(n.tiers[0].period_of(k));
    for (int64_t k = 0; k < groups.nodes(); ++k) of_node.push_back(n.tiers[0].period_of(k));
  }
  worker_period_ = Buffer<int64_t>(ctx_, of_worker);
  sends_ = Buffer<uint8_t>(ctx_, rows_.count);
  if (!classes) return;
  node_period_ = Buffer<int64_t>(ctx_, of_node);
  hears_ = Buffer<uint8_t>(ctx_, rows_.count);
  node_acts_ = Buffer<uint8_t>(ctx_, levels_[0].nodes);
}

// What both ends of every link know from the start.
template <class T>
void CompressedTiers<T>::start(MatrixView<const T> x) {
  for (size_t l = 0; l < levels_.size(); ++l) {
    std::vector<int64_t> one_below;
    for (size_t i = 0; i < lanes_; ++i) {
      const Lane& lane = population_.lanes[first_lane_ + i];
      for (int64_t k = 0; k < lane.network->tiers()[l].nodes(); ++k) one_below.push_back(lane.first_row - first_row_);
    }
    const Buffer<int64_t> of(ctx_, one_below);
    tier_take<T>(ctx_, {of.view(), {}}, x.rows(first_row_, rows_.count), ref(l));
  }
}

template <class T>
void CompressedTiers<T>::scale(VectorView<const double> scale) {
  for (Level& level : levels_) level.workers.scale(ctx_, scale.part(first_row_, rows_.count));
}

template <class T>
bool CompressedTiers<T>::on_host() const {
  return std::any_of(levels_.begin(), levels_.end(), [](const Level& level) {
    return (level.up && level.up->on_host()) || (level.down && level.down->on_host());
  });
}

// Two messages of a node in one slot are two repeats of it; compressors that change with time count messages.
template <class T>
SendTime CompressedTiers<T>::time(size_t l, bool down, int64_t now) const {
  const Slot slot{number_.data() + l, 0};
  return {slot.repeated(static_cast<int64_t>(2 * l + (down ? 1 : 0))), now / units_[l] - 1};
}

template <class T>
void CompressedTiers<T>::act(const Action& action, Slot slot, int64_t now, const DeviceMixing* mixing,
                             MatrixView<T> x) {
  const bool graph = action.kind == Action::Kind::graph;
  const size_t top = graph ? levels_.size() - 1 : static_cast<size_t>(action.tier);
  const MatrixView<T> mine = x.rows(first_row_, rows_.count);
  tier_numbers(ctx_, slot, unit_.view(), number_.view());
  if (sends_.size() > 0) tier_senders(ctx_, slot, worker_period_.view(), rows_.present, sends_.view());
  if (hears_.size() > 0) tier_senders(ctx_, slot, worker_period_.view(), {}, hears_.view());
  if (node_acts_.size() > 0) tier_senders(ctx_, slot, node_period_.view(), {}, node_acts_.view());
  send_up(top, now, mine);
  if (graph) group_mix<T>(ctx_, alone_.table(), mixing->table(), model(top), mixed_.view(levels_[top].nodes, p_));
  send_down(top, now, graph ? mixed_.view(levels_[top].nodes, p_) : model(top), mine);
}

template <class T>
void CompressedTiers<T>::send_up(size_t top, int64_t now, MatrixView<const T> x) {
  const size_t whole = std::min(spec_.plain_tiers(), top + 1);
  if (whole > 0) group_mean<T>(ctx_, levels_[whole - 1].workers.live(), x, model(whole - 1));
  for (size_t l = whole; l <= top; ++l) {
    Level& level = levels_[l];
    const GroupTable below = l == 0 ? level.workers.live() : level.children.table();
    const MatrixView<const T> child = l == 0 ? x : MatrixView<const T>(model(l - 1));
    if (!level.up) {
      group_mean<T>(ctx_, below, child, model(l));
      if (spec_.tiers[l].owes()) combine_banks<T>(ctx_, {}, {{1, model(l)}, {1, down_error(l)}}, model(l));
      continue;
    }
    const bool keep = spec_.tiers[l].error_feedback;
    const VectorView<const uint8_t> acts = l == 0 ? sends_.view() : VectorView<uint8_t>{};
    const MatrixView<T> e = up_error(l), q = message(level.children_of_all);
    tier_offer<T>(ctx_, {level.parent.view(), acts}, child, ref(l), keep, e);
    level.up->send(ctx_, time(l, false, now), e, q);
    if (level.up->counts()) count(level, false, acts);
    if (keep) tier_settle<T>(ctx_, {{}, acts}, q, e);
    group_mean<T>(ctx_, below, q, model(l));
    if (spec_.tiers[l].owes())
      combine_banks<T>(ctx_, {}, {{1, ref(l)}, {1, model(l)}, {1, down_error(l)}}, model(l));
    else
      combine_banks<T>(ctx_, {}, {{1, ref(l)}, {1, model(l)}}, model(l));
  }
}

template <class T>
void CompressedTiers<T>::send_down(size_t top, int64_t now, MatrixView<const T> model, MatrixView<T> x) {
  for (size_t l = top + 1; l-- > 0;) {
    Level& level = levels_[l];
    const VectorView<const uint8_t> acts = l == 0 ? node_acts_.view() : VectorView<uint8_t>{};
    if (l < top) tier_take<T>(ctx_, {levels_[l + 1].parent.view(), {}}, ref(l + 1), this->model(l));
    const MatrixView<const T> given = l < top ? MatrixView<const T>(this->model(l)) : model;
    if (!level.down) {
      tier_take<T>(ctx_, {{}, acts}, given, ref(l));
      continue;
    }
    const MatrixView<T> f = down_error(l), s = message(level.nodes);
    tier_offer<T>(ctx_, {{}, acts}, given, ref(l), /*keep=*/false, f);  // what was owed is in the model given
    level.down->send(ctx_, time(l, true, now), f, s);
    if (level.down->counts()) count(level, true, acts);
    tier_settle<T>(ctx_, {{}, acts}, s, f, ref(l));
  }
  tier_take<T>(ctx_, {levels_[0].parent.view(), hears_.view()}, ref(0), x);
}

// Bits that depend on what was sent: once up, once for every child down.
template <class T>
void CompressedTiers<T>::count(Level& level, bool down, VectorView<const uint8_t> acts) {
  const auto& counted = (down ? level.down : level.up)->counted();
  auto& sum = down ? level.down_counted : level.up_counted;
  const std::vector<uint8_t> marks = to_host(ctx_, acts);
  const size_t each = counted.size() / lanes_;
  for (size_t r = 0; r < counted.size(); ++r)
    if (marks.empty() || marks[r]) sum[r / each] += counted[r] * (down ? level.child_count[r] : 1);
}

template <class T>
void CompressedTiers<T>::charge(std::vector<Ledger>& ledgers, int64_t from, int64_t to) {
  const Schedule& schedule = population_.schedules[first_lane_ / lanes_];
  for (int64_t t = schedule.next(from); t <= to; t = schedule.next(t))
    for (size_t i = 0; i < lanes_; ++i)
      charge_tier_messages(ledgers[first_lane_ + i], *population_.lanes[first_lane_ + i].network, spec_, shape_,
                           8 * int64_t{sizeof(T)}, schedule.after(t), t);
  for (size_t l = 0; l < levels_.size(); ++l)
    for (size_t i = 0; i < lanes_; ++i) {
      Ledger::Link& link = ledgers[first_lane_ + i].links[l];
      link.up += std::exchange(levels_[l].up_counted[i], 0);
      link.down += std::exchange(levels_[l].down_counted[i], 0);
    }
}

template class CompressedTiers<float>;
template class CompressedTiers<double>;

}  // namespace orrery
