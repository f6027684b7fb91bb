// The exact gradient of the objective at a model, sum_i a_i grad F_i(x), in float64: what a vote should have decided, and what norms are of.
//
// Result   workers in chunks of 32 MiB of gradients, chunks added in order: the sum depends on the lane alone.
// Cost     one gradient of every worker's whole data, shared; no (W, P) matrix is needed.
#pragma once

#include <vector>

#include "models/model.hpp"
#include "runtime/participation.hpp"
#include "runtime/population.hpp"

namespace orrery {

template <class T>
class ObjectiveGradient {
 public:
  ObjectiveGradient(const Context&, const Population&, int64_t parameters);

  // Of a lane at x (1, P); all, slot: of the launch.
  std::vector<double> at(Model<T>&, const Rows& all, Slot, size_t lane, MatrixView<const T> x);
  // The same from the gradients of the lane's workers (W, P).
  std::vector<double> of(size_t lane, MatrixView<const T> gradients);
  // The rows of a lane with every worker's whole data, whoever steps in the slot.
  Rows whole_data(const Rows& all, size_t lane) const;

 private:
  template <class F>
  std::vector<double> add_up(size_t lane, F gradients);  // gradients(first, n): of workers first ... first + n - 1

  const Context& ctx_;
  const Population& population_;
  int64_t parameters_, chunk_;
  std::vector<DeviceGroups> parts_;  // the workers of each lane in chunks; made when first asked for
  Buffer<int32_t> no_batch_;         // zeros: whole data
  Buffer<double> always_;
};

}  // namespace orrery
