// The verbs of methods that are more than local steps and averages: votes at shared models, and the strategies of decentralised SGD.
#include "kernels/blend.hpp"
#include "kernels/clock.hpp"
#include "kernels/core/nvtx.hpp"
#include "runtime/cluster.hpp"
#include "runtime/voting/wire.hpp"

namespace orrery {

// Shared models below the nodes of a tier that averages them; empty for a tier that votes.
template <class T>
DeviceGroups ClusterOf<T>::model_groups(int arm, int tier) {
  std::vector<Groups> below;
  std::vector<const Groups*> pointers;
  std::vector<int64_t> first;
  for (size_t i = 0; i < population_.lanes.size(); ++i) {
    const Lane& lane = population_.lanes[i];
    if (lane.arm != arm) continue;
    if (tier < voting_tiers(lane.network->spec())) return {};
    below.push_back(groups_of_models(*lane.network, tier));
    first.push_back(voting_->models().first[i]);
  }
  for (const Groups& g : below) pointers.push_back(&g);
  return DeviceGroups(ctx_, pointers, first);
}

template <class T>
void ClusterOf<T>::vote() {
  voting_->round(*model_, rows_, slot(), parameters());
  count_steps(ctx_, rows_, slot(), 1, steps_.view());
  ++now_;
  const MessageSize size(layout_, 8 * int64_t{sizeof(T)});
  for (size_t i = 0; i < ledgers_.size(); ++i) {
    const Lane& lane = population_.lanes[i];
    charge_vote(ledgers_[i], voting_->spec(lane.arm), *lane.network, size);
  }
}

template <class T>
void ClusterOf<T>::build_strategy(diffusion::Strategy strategy) {
  const bool mixes = strategy != diffusion::Strategy::centralized;
  if (strategy == diffusion::Strategy::consensus || strategy == diffusion::Strategy::diffusion) gradient_bank();
  if (momentum_ > 0) {
    one_ = Buffer<double>(ctx_, std::vector<double>(static_cast<size_t>(population_.rows()), 1.0));
    mu_ = Buffer<double>(ctx_, std::vector<double>(static_cast<size_t>(population_.rows()), momentum_));
  }
  for (int arm = 0; arm < arms(); ++arm) {
    Tables& t = tables_[static_cast<size_t>(arm)];
    std::vector<Groups> everyone;  // of each lane: its workers as one group
    std::vector<const Groups*> all;
    std::vector<int64_t> first_row;
    MixPath path = MixPath::by_cost;
    for (const Lane& lane : population_.lanes) {
      if (lane.arm != arm) continue;
      if (const auto& graph = lane.network->spec().graph) path = mix_path(graph->path);
      Groups g;
      g.begin = {0, population_.workers};
      g.weight = lane.network->weights();
      for (int64_t w = 0; w < population_.workers; ++w) g.member.push_back(w);
      everyone.push_back(std::move(g));
      first_row.push_back(lane.first_row);
    }
    for (const Groups& g : everyone) all.push_back(&g);
    if (!mixes) t.everyone = DeviceGroups(ctx_, all, first_row);
    for (size_t phase = 0; mixes && phase < t.mixing.size(); ++phase)
      t.steps.emplace_back(ctx_, t.mixing[phase].table(), population_.workers, p_, path);
  }
}

template <class T>
MatrixView<const T> ClusterOf<T>::direction() {
  const MatrixView<T> g = gradient_bank();
  model_->gradients(ctx_, rows_, slot(), parameters(), g);
  if (momentum_ == 0) return g;
  blend<T>(ctx_, one_.view(), g, mu_.view(), momentum().velocity);
  return momentum().velocity;
}

template <class T>
void ClusterOf<T>::strategy_step(diffusion::Strategy strategy) {
  using diffusion::Strategy;
  const NvtxRange range(diffusion::name(strategy));
  const auto mix = [&](MixForm form, MatrixView<const T> g) {
    for (int arm = 0; arm < arms(); ++arm) {
      const Tables& t = tables_[static_cast<size_t>(arm)];
      const int64_t lanes = static_cast<int64_t>(population_.lanes.size()) / arms(), n = lanes * population_.workers;
      const auto phase = static_cast<size_t>(schedule(arm).after(now_ + 1).phase);
      mix_step<T>(ctx_, t.steps[phase], form, learning_rate_.view().part(arm * n, n),
                  form == MixForm::combine ? MatrixView<const T>{} : g.rows(arm * n, n), parameters().rows(arm * n, n));
    }
  };
  switch (strategy) {
    case Strategy::consensus: mix(MixForm::consensus, direction()); break;
    case Strategy::diffusion: mix(MixForm::diffusion, direction()); break;
    case Strategy::diffusion_cta:
      mix(MixForm::combine, {});
      model_->local_steps(ctx_, rows_, slot(), 1, parameters(), momentum());
      break;
    case Strategy::centralized:
      model_->local_steps(ctx_, rows_, slot(), 1, parameters(), momentum());
      for (const Tables& t : tables_) group_average(ctx_, t.everyone.table(), parameters());
      break;
  }
  count_steps(ctx_, rows_, slot(), 1, steps_.view());
  ++now_;
  for (size_t i = 0; i < ledgers_.size(); ++i) {
    const Lane& lane = population_.lanes[i];
    if (strategy == Strategy::centralized) {
      ledgers_[i].links[0].up += population_.workers * bits_per_model_;
      ledgers_[i].links[0].down += population_.workers * bits_per_model_;
    } else {
      ledgers_[i].charge(*lane.network, schedule(lane.arm).after(now_), bits_per_model_);
    }
  }
}

template <class T>
void ClusterOf<T>::compressed_step() {
  const NvtxRange range("compressed step");
  compressed_->step(*model_, rows_, slot(), now_, parameters(),
                    compressed_->has_spare() ? gradient_bank() : MatrixView<T>{});
  count_steps(ctx_, rows_, slot(), 1, steps_.view());
  ++now_;
}

// x of every model below a node <- sum of (share of the node's workers) x; velocities start again from 0, unless they are to be kept
template <class T>
void ClusterOf<T>::average_models(int arm, const Action& action) {
  const DeviceGroups& groups = tables_[static_cast<size_t>(arm)].models[static_cast<size_t>(action.tier)];
  if (groups.nodes() == 0) return;  // a tier that votes has voted
  const NvtxRange range("average models");
  group_average(ctx_, groups.table(), parameters());
  if (voting_->spec(arm).momentum > 0 && !keep_momentum_[static_cast<size_t>(arm)])
    group_clear(ctx_, tables_[static_cast<size_t>(arm)].tiers[static_cast<size_t>(action.tier)].table(),
                voting_->velocities());
  for (size_t i = 0; i < ledgers_.size(); ++i)
    if (population_.lanes[i].arm == arm)
      charge_model_average(ledgers_[i], *population_.lanes[i].network, action.tier, bits_per_model_);
}

#define ORRERY_INSTANTIATE(T)                                      \
  template DeviceGroups ClusterOf<T>::model_groups(int, int);      \
  template void ClusterOf<T>::vote();                              \
  template void ClusterOf<T>::average_models(int, const Action&);  \
  template void ClusterOf<T>::build_strategy(diffusion::Strategy); \
  template MatrixView<const T> ClusterOf<T>::direction();          \
  template void ClusterOf<T>::strategy_step(diffusion::Strategy);  \
  template void ClusterOf<T>::compressed_step();
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
