// The mixing matrices of all lanes of an arm where the kernels read them.
#pragma once

#include <vector>

#include "kernels/core/buffer.hpp"
#include "kernels/group_mean.hpp"
#include "runtime/network/network.hpp"

namespace orrery {

class DeviceMixing {
 public:
  DeviceMixing(const Context&,
               const std::vector<const Mixing*>& mixing);  // one per lane; sources are offset by the lanes before
  MixTable table() const { return {begin_.view(), source_.view(), weight_.view()}; }

 private:
  Buffer<int64_t> begin_, source_;
  Buffer<double> weight_;
};

}  // namespace orrery
