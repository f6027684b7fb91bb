// The rows of one launch, on the host: which arm, replica and worker each row is, and everything that follows from that.
//
//   row = first_row(lane) + worker        lane: one replica of one arm, W consecutive rows; lanes are ordered by arm, then replica
//
// Nothing below joins rows of different lanes, so a lane computes the same bits alone and among others: on the CPU always; on CUDA where
// every kernel promises it (all but the products of cuBLAS, which may choose its algorithm by the number of rows, and by the length to
// which batches are padded: arms with different batches are different launches, batch = "full" with unequal data is the exception).
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "runtime/experiment.hpp"

namespace orrery {

struct Lane {
  int arm = 0;  // index into Population::arms
  int64_t replica = 0;
  uint64_t seed = 0;
  int64_t first_row = 0;
  std::shared_ptr<const Partition> partition;  // null where the model needs no data
  std::shared_ptr<const Network> network;
  Objective objective;
  bool partial() const { return !network->spec().participants.empty(); }  // partial participation
};

struct Population {
  // arms: indices into the experiment's arms, all with one shared_key. data: null where the model needs none.
  Population(const Experiment&, const std::vector<int>& arms, const Dataset* data);

  int64_t rows() const { return static_cast<int64_t>(worker.size()); }
  int64_t workers = 1;
  std::vector<int> arms;  // index of each arm in the experiment
  std::vector<Lane> lanes;
  std::vector<Schedule> schedules;  // (arms)

  // per row
  std::vector<uint64_t> seed;
  std::vector<int32_t> worker, batch, repeats;
  std::vector<double> learning_rate, rate;
  std::vector<int64_t> begin, size;  // empty without data
  std::vector<int32_t> order;        // the lanes' partitions one after the other, equal ones once
  int64_t max_batch = 1, max_size = 1;
  bool shuffle = false;  // passes without replacement

  // (K,n): u_s = sum of a_i / n_i over the workers that hold sample s; lanes with equal weights share a row. Empty: 1/n everywhere.
  std::vector<double> sample_weights;
  int64_t sample_weight_rows = 0;
};

// Samples behind one gradient of every worker of a lane.
int64_t samples_of_a_step(const Population&);

}  // namespace orrery
