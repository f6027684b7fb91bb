// Which model a worker takes its gradient at. The workers of a replica that vote together share one model: all of them, or those below
// one node of the highest tier that votes; tiers above average these models (HierSignSGD).
//
//   model row   first_model(lane) + node of the worker        lanes one after the other, as their rows are
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/population.hpp"

namespace orrery {

struct SharedModels {
  SharedModels() = default;
  explicit SharedModels(const Population&);

  int64_t rows() const { return static_cast<int64_t>(mass.size()); }
  int64_t of_lane(size_t lane) const { return first[lane + 1] - first[lane]; }  // how many

  std::vector<int64_t> first;   // (lanes + 1) first model row of a lane
  std::vector<int64_t> of_row;  // (rows) model row of a worker
  std::vector<double> mass;     // (model rows) sum of the weights a_i below: 1 over a lane
  struct Run {                  // neighbouring rows at one model
    int64_t row = 0, count = 0, model = 0;
    size_t lane = 0;
  };
  std::vector<Run> runs;  // in the order of the rows
};

// The nodes of a tier as groups of model rows of one lane, for the tiers above the votes; member weights: shares of the node's mass.
Groups groups_of_models(const Network&, int tier);
// The nodes of tier `below` (-1: the workers) under each node of `tier` (-1, of a network without tiers: one node of all workers).
Groups descendants_of(const Network&, int tier, int below);

}  // namespace orrery
