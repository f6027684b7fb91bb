// The exact gradient of the objective at a model, sum_i a_i grad F_i(x): what a vote should have decided. For the genie and the metrics.
//
// Cost     one gradient of every worker's whole data, shared; workers in chunks of 32 MiB of gradients, so that no (W, P) matrix is needed.
#pragma once

#include <vector>

#include "models/model.hpp"
#include "runtime/participation.hpp"
#include "runtime/population.hpp"

namespace orrery {

template <class T>
class Reference {
 public:
  Reference(const Context&, const Population&, int64_t parameters);
  // Of a lane at x (1, P); rows, slot: of the launch.
  std::vector<double> gradient(Model<T>&, const Rows& rows, Slot, size_t lane, MatrixView<const T> x);

 private:
  const Context& ctx_;
  const Population& population_;
  int64_t parameters_, chunk_;
  std::vector<DeviceGroups> parts_;  // the workers of each lane in chunks; made when first asked for
  Buffer<int32_t> no_batch_;         // zeros: whole data
  Buffer<double> always_;
};

}  // namespace orrery
