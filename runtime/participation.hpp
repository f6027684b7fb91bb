// The groups of one tier of all lanes of an arm where the kernels read them, and the draw of who takes part (papers/h-sgd.md 3.2).
#pragma once

#include <vector>

#include "kernels/core/buffer.hpp"
#include "kernels/group_mean.hpp"
#include "kernels/rows.hpp"
#include "runtime/network/network.hpp"

namespace orrery {

class DeviceGroups {
 public:
  DeviceGroups() = default;
  // one Groups per lane, members are offset by the lane's first row; partial: keeps live weights beside the given ones;
  // only: these nodes of every lane, empty: all
  DeviceGroups(const Context&, const std::vector<const Groups*>& groups, const std::vector<int64_t>& first_row,
               bool partial = false, const std::vector<int64_t>& only = {});
  GroupTable table() const { return {nodes_, largest_, begin_.view(), member_.view(), weight_.view()}; }
  // the same groups with the weights of those who take part at present, 0 for the others
  GroupTable live() const {
    return {nodes_, largest_, begin_.view(), member_.view(), live_.size() > 0 ? live_.view() : weight_.view()};
  }
  int64_t nodes() const { return nodes_; }
  void scale(const Context&, VectorView<const double> scale);  // live <- weight * scale of the member

 private:
  int64_t nodes_ = 0, largest_ = 0;
  Buffer<int64_t> begin_, member_;
  Buffer<double> weight_, live_;
};

// What the draw must know of each group of the first tier, all lanes of an arm one after the other.
class Participation {
 public:
  Participation(const Context&, const NetworkSpec&, int64_t lanes);
  // words, present, scale: (rows); at a step that is no multiple of a group's period its present draw is repeated
  void draw(const Context&, const DeviceGroups& first_tier, VectorView<const uint64_t> seed, Slot,
            VectorView<uint32_t> words, VectorView<uint8_t> present, VectorView<double> scale) const;

 private:
  Buffer<int64_t> count_, period_;
  Buffer<int32_t> index_;
};

}  // namespace orrery
