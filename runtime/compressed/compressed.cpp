#include "runtime/compressed/compressed.hpp"

#include <algorithm>

#include "runtime/compressed/laplacian.hpp"

namespace orrery {

template <class T>
Compressed<T>::Compressed(const Context& ctx, const Experiment& e, const Population& population, const Rows& rows,
                          const std::vector<Tensor>& layout, int64_t parameters)
    : ctx_(ctx), population_(population), rows_(rows), parameters_(parameters) {
  const BankShape shape = bank_shape(layout, parameters);
  arms_.resize(population.arms.size());
  for (size_t a = 0; a < arms_.size(); ++a) make_arm(e, shape, a);
}

template <class T>
void Compressed<T>::make_arm(const Experiment& e, const BankShape& shape, size_t index) {
  const orrery::Arm& given = e.arms[static_cast<size_t>(population_.arms[index])];
  Arm& arm = arms_[index];
  arm.spec = given.algorithm->compressed();
  arm.lanes = population_.lanes.size() / arms_.size();
  arm.first_lane = index * arm.lanes;
  arm.first_row = population_.lanes[arm.first_lane].first_row;
  arm.rows = rows_.part(arm.first_row, static_cast<int64_t>(arm.lanes) * population_.workers);
  arm.counted.assign(arm.lanes, 0);
  spare_ = spare_ || arm.spec->has_spare();
  gradients_ = gradients_ || arm.spec->takes_gradients();
  arm.channel = std::make_unique<Channel<T>>(
      ctx_, arm.rows, shape, arm.spec->compresses() ? given.compressor.get() : nullptr, arm.spec->send_bytes);

  // who hears whom, of each lane
  std::vector<Mixing> laplacians;
  std::vector<Groups> whole;
  std::vector<int64_t> first_row;
  for (size_t i = arm.first_lane; i < arm.first_lane + arm.lanes; ++i) {
    const Network& network = *population_.lanes[i].network;
    check_compressed_parts(given, network, shape);
    first_row.push_back(population_.lanes[i].first_row - arm.first_row);
    arm.share.insert(arm.share.end(), network.weights().begin(), network.weights().end());
    if (arm.spec->star()) {
      Groups g;
      g.begin = {0, population_.workers};
      g.weight = network.weights();
      for (int64_t w = 0; w < population_.workers; ++w) g.member.push_back(w);
      whole.push_back(std::move(g));
      arm.degree.insert(arm.degree.end(), static_cast<size_t>(population_.workers), 1);
      continue;
    }
    laplacians.push_back(laplacian_of(network, arm.spec->unit_laplacian));
    std::vector<int64_t> degree(static_cast<size_t>(population_.workers));
    const Mixing& l = laplacians.back();
    for (size_t k = 0; k < degree.size(); ++k)
      for (auto at = static_cast<size_t>(l.begin[k]); at < static_cast<size_t>(l.begin[k + 1]); ++at)
        if (l.source[at] != static_cast<int64_t>(k) && l.weight[at] != 0) ++degree[static_cast<size_t>(l.source[at])];
    arm.degree.insert(arm.degree.end(), degree.begin(), degree.end());
  }
  MethodParts<T> parts{ctx_, *arm.spec, arm.rows, population_.workers, parameters_, arm.channel.get()};
  if (arm.spec->star()) {
    std::vector<const Groups*> all;
    for (const Groups& g : whole) all.push_back(&g);
    arm.everyone = DeviceGroups(ctx_, all, first_row);
    parts.everyone = arm.everyone.table();
  } else {
    std::vector<const Mixing*> all;
    for (const Mixing& m : laplacians) all.push_back(&m);
    arm.table = std::make_unique<DeviceMixing>(ctx_, all);
    const auto path = given.network->graph->path;
    arm.laplacian =
        std::make_unique<MixPlan<T>>(ctx_, arm.table->table(), population_.workers, parameters_, mix_path(path));
    parts.laplacian = arm.laplacian.get();
  }
  arm.method = make_method<T>(parts);
}

template <class T>
bool Compressed<T>::on_host() const {
  for (const Arm& arm : arms_)
    if (arm.channel->on_host() || arm.spec->check_invariants) return true;
  return false;
}

template <class T>
bool Compressed<T>::starts_apart() const {
  for (const Arm& arm : arms_)
    if (arm.spec->starts_apart()) return true;
  return false;
}

template <class T>
void Compressed<T>::step(Model<T>& model, const Rows& rows, Slot slot, int64_t now, MatrixView<T> x,
                         MatrixView<T> spare) {
  const SendTime at{slot, now};
  const auto part = [&](const Arm& arm, MatrixView<T> all) {
    return all.size() > 0 ? all.rows(arm.first_row, arm.rows.count) : all;
  };
  for (Arm& arm : arms_) arm.method->send(at, part(arm, x), part(arm, spare));
  if (gradients_) model.gradients(ctx_, rows, slot, x, spare);
  for (Arm& arm : arms_) {
    if (arm.spec->check_invariants) check_before(arm, part(arm, x), part(arm, spare));
    arm.method->move(at, part(arm, x), part(arm, spare));
    if (arm.channel->counts()) count(arm);
    if (arm.spec->check_invariants) check_after(arm, part(arm, x), now);
  }
}

template <class T>
void Compressed<T>::count(Arm& arm) {
  const auto& counted = arm.channel->counted();
  const auto workers = static_cast<size_t>(population_.workers);
  for (size_t r = 0; r < counted.size(); ++r) arm.counted[r / workers] += arm.degree[r] * counted[r];
}

template <class T>
void Compressed<T>::charge(std::vector<Ledger>& ledgers, int64_t from, int64_t to) {
  const auto workers = static_cast<size_t>(population_.workers);
  for (Arm& arm : arms_) {
    int64_t each = 0;  // bits of one message of every slot
    const int64_t first = arm.spec->starts_apart() ? std::max<int64_t>(from, 1) : from;
    for (int64_t slot = first; slot < to; ++slot) each += arm.channel->bits(slot);
    for (size_t i = 0; i < arm.lanes; ++i) {
      int64_t messages = 0;
      for (size_t w = 0; w < workers; ++w) messages += arm.degree[i * workers + w];
      const int64_t sent = messages * each + arm.counted[i];
      arm.counted[i] = 0;
      Ledger::Link& link = ledgers[arm.first_lane + i].links[0];
      link.up += sent;
      link.down += arm.spec->star() ? (to - from) * population_.workers * parameters_ * 8 * int64_t{sizeof(T)} : sent;
    }
  }
}

template <class T>
int64_t Compressed<T>::bytes(const Experiment& e, const Population& p, Backend backend, const BankShape& shape,
                             int64_t element_size) {
  int64_t all = 0;
  for (const int a : p.arms) {
    const auto& arm = e.arms[static_cast<size_t>(a)];
    const int64_t rows = p.rows() / static_cast<int64_t>(p.arms.size());
    const CompressedSpec& spec = *arm.algorithm->compressed();
    all += spec.banks() * rows * shape.parameters * element_size;
    if (spec.compresses()) all += arm.compressor->workspace(backend, shape, rows, element_size);
  }
  return all;
}

template class Compressed<float>;
template class Compressed<double>;

}  // namespace orrery
