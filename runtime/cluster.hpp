// The cluster: all mutable state of one launch - the banks of (rows, P), the clock, the ledgers - and the verbs that methods are written in.
//
// Memory   one bank of rows * P for the parameters; a second of the same size only for stored gradients (step = "gradients") or for
//          divergence metrics, another for momentum; (top nodes, P) per lane where a graph mixes.
// Result   every verb keeps the promise of its kernel; a stretch replayed as a CUDA graph gives the bits of the plain path.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "kernels/core/buffer.hpp"
#include "kernels/group_mean.hpp"
#include "kernels/mix_step.hpp"
#include "runtime/compressed/compressed.hpp"
#include "runtime/compressed_tiers/compressed_tiers.hpp"
#include "runtime/device_mixing.hpp"
#include "runtime/network/clock.hpp"
#include "runtime/participation.hpp"
#include "runtime/population.hpp"
#include "runtime/voting/voting.hpp"

namespace orrery {

// The training and test samples where the kernels read them; uploaded once, shared by all launches.
class DeviceData {
 public:
  DeviceData(const Context&, const Dataset&);
  const SampleView& train() const { return train_; }
  const SampleView& test() const { return test_; }

 private:
  struct Set {
    Buffer<uint8_t> bytes;
    Buffer<float> values, sparse_value;
    Buffer<int32_t> labels, column;
    Buffer<int64_t> begin;
  };
  SampleView upload(const Context&, const Samples&, const Dataset&, Set&);
  Set sets_[2];
  SampleView train_, test_;
};

class Cluster {
 public:
  virtual ~Cluster() = default;

  // ---- the clock
  int64_t now() const { return now_; }  // local steps done
  int arms() const { return static_cast<int>(population_.arms.size()); }
  const Schedule& schedule(int arm) const { return population_.schedules[static_cast<size_t>(arm)]; }
  int64_t next_action() const;  // smallest step count > now() at which any arm acts

  // ---- the verbs: all rows in one launch
  virtual void local_steps(int64_t n) = 0;                // n slots for every row
  virtual void average(int arm, const Action& tier) = 0;  // w_i <- mean over its node of that tier, where the node acts
  virtual void mix(int arm, int64_t phase) = 0;           // the graph among the top nodes
  virtual void vote() = 0;                                // one slot of shared models: messages, votes, the step
  virtual void strategy_step(diffusion::Strategy) = 0;    // one slot of decentralised SGD, mixing included
  virtual void compressed_step() = 0;                     // one slot of a method with compressed messages
  virtual void average_models(int arm,
                              const Action&) = 0;  // shared models below each node of a tier that does not vote
  virtual void draw_participants(int arm) = 0;     // who takes part in the local period that begins now
  void act(int arm, const Action&);  // average or mix, as the schedule says; draws participants, charges the ledger

  // Runs body, which must bring now() to `until`; on CUDA stretches of whole rounds are recorded once and replayed as one graph.
  virtual void advance(const Algorithm&, int64_t until) = 0;

  const Population& population() const { return population_; }
  const std::vector<Ledger>& ledgers() const { return ledgers_; }  // (lanes)
  int64_t bits_per_model() const { return bits_per_model_; }
  double virtual_time(size_t lane);  // now, in slots, or in seconds where the network's clock says so

 protected:
  Cluster(const Experiment&, Population);
  Population population_;
  std::vector<Ledger> ledgers_;
  int64_t next_drop() const;  // smallest step count > now() at which an arm's learning rate changes

  std::vector<VirtualClock> clocks_;          // (lanes), made when first asked for; they lag behind now()
  std::vector<std::vector<RateDrop>> drops_;  // (arms)
  int64_t now_ = 0, bits_per_model_ = 0;
  std::vector<std::vector<std::pair<int64_t, int64_t>>>
      tier_bits_;                      // (arms) of compressed tiers up and down; else empty
  std::vector<int64_t> message_bits_;  // (lanes) as the clock counts them, where messages are no models; else empty
};

template <class T>
class ClusterOf final : public Cluster {
 public:
  // data: null where the model needs none. Throws DeviceError where memory is short.
  ClusterOf(const Context&, const Experiment&, Population, const Dataset* host, const DeviceData* data);
  ~ClusterOf() override;

  void local_steps(int64_t n) override;
  void average(int arm, const Action& tier) override;
  void mix(int arm, int64_t phase) override;
  void vote() override;
  void strategy_step(diffusion::Strategy) override;
  void compressed_step() override;
  void average_models(int arm, const Action& tier) override;
  void draw_participants(int arm) override;
  void advance(const Algorithm&, int64_t until) override;

  // ---- what the metrics read
  const Context& context() const { return ctx_; }
  Model<T>& model() { return *model_; }
  const std::vector<Tensor>& layout() const { return layout_; }
  // (rows, P); where workers share models (voting()->models().rows(), P)
  MatrixView<T> parameters() const { return w_.view(model_rows(), p_); }
  bool shared_model() const { return voting_ != nullptr; }
  const CompressedTiers<T>* compressed_tiers(int arm) const {
    return compressed_tiers_[static_cast<size_t>(arm)].get();
  }
  int64_t model_of(int64_t row) const {  // row of parameters() that holds the model of a worker
    return shared_model() ? voting_->models().of_row[static_cast<size_t>(row)] : row;
  }
  const Voting<T>* voting() const { return voting_.get(); }  // null where every worker has its own model
  void look_at_vote() { voting_->look(*model_, rows_, slot(), parameters()); }  // of the round that comes next
  MatrixView<T> gradient_bank();                                                // (rows, P), made when first asked for
  Momentum<T> momentum() const { return {momentum_, v_.view(v_.size() > 0 ? population_.rows() : 0, p_)}; }
  const Rows& rows() const { return rows_; }
  VectorView<const int64_t> steps_taken() const { return steps_.view(); }
  const DeviceGroups& tier(int arm, int tier) const {
    return tables_[static_cast<size_t>(arm)].tiers[static_cast<size_t>(tier)];
  }
  const DeviceGroups& top(int arm) const { return tables_[static_cast<size_t>(arm)].top; }
  int64_t round() const { return round_; }  // local steps after which the pattern of actions repeats, at least 16
  int64_t graph_launches() const { return graph_launches_; }  // stretches replayed as a CUDA graph so far
  Slot slot() const { return {clock_.data(), now_ - clock_start_}; }

 private:
  struct Tables {
    std::vector<DeviceGroups> tiers;
    std::vector<DeviceGroups> classes;  // the first tier's nodes by their periods, where they have their own
    DeviceGroups top;
    std::unique_ptr<Participation> participation;  // null where everyone takes part
    std::vector<DeviceMixing> mixing;              // by phase
    Buffer<T> means;                               // (top nodes of all lanes, P) where a graph mixes
    std::vector<MixPlan<T>> steps;                 // of decentralised SGD, by phase
    DeviceGroups everyone;                         // all agents of a lane, where there is one model
    std::vector<DeviceGroups> models;              // of shared models: the nodes of each tier above the votes
  };
  void build_rows(const Dataset* host);
  void start_models(const Experiment&, const Dataset* host);
  int64_t model_rows() const { return shared_model() ? voting_->models().rows() : population_.rows(); }
  void build_tables(const Experiment&);
  void build_tier_messages(const Experiment&);
  void build_strategy(diffusion::Strategy);
  MatrixView<const T>
  direction();  // gradients of all rows at their models, or with momentum the velocities they lead to
  DeviceGroups model_groups(int arm, int tier);
  void reset_momentum(int arm, const DeviceGroups& averaged);
  void apply_drops();                             // the learning rates of the slot that comes next
  void play(const Algorithm&, int64_t until);     // advance(), without the bits of compressed messages
  void stretch(const Algorithm&, int64_t until);  // body and clock of one stretch

  const Context& ctx_;
  StepSpec::Rung rung_;
  bool graphs_;
  int64_t p_ = 0, round_ = 1;
  std::unique_ptr<Model<T>> model_;
  std::vector<Tensor> layout_;
  Buffer<T> w_, g_, v_;  // parameters; gradients (rung (a), divergences); velocity (momentum)
  double momentum_ = 0;
  Buffer<double> one_, mu_;          // (rows) of the velocities of decentralised SGD
  std::vector<bool> keep_momentum_;  // (arms)
  std::vector<Tables> tables_;
  std::unique_ptr<Voting<T>> voting_;
  std::unique_ptr<Compressed<T>> compressed_;
  std::vector<std::unique_ptr<CompressedTiers<T>>> compressed_tiers_;  // (arms) null: whole models

  // rows on the device
  Buffer<uint64_t> seed_;
  Buffer<int32_t> worker_, batch_, repeats_, order_;
  Buffer<double> learning_rate_, rate_, sample_weights_;
  Buffer<int64_t> begin_, size_, steps_, clock_;
  Buffer<uint8_t> present_;  // partial participation; empty where every arm goes without
  Buffer<double> scale_;
  Buffer<uint32_t> words_;
  Rows rows_;
  int64_t graph_launches_ = 0;
  int64_t clock_start_ = 0;  // now() when *clock_ was last advanced

  struct Recorded;  // CUDA graphs by (phase, length)
  std::unique_ptr<Recorded> recorded_;
};

}  // namespace orrery
