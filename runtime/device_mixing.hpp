// The mixing matrices of all lanes of an arm where the kernels read them.
#pragma once

#include <vector>

#include "kernels/core/buffer.hpp"
#include "kernels/group_mean.hpp"
#include "kernels/mix_step.hpp"
#include "runtime/network/network.hpp"

namespace orrery {

inline MixPath mix_path(GraphSpec::Path path) {
  return path == GraphSpec::Path::sparse  ? MixPath::sparse
         : path == GraphSpec::Path::dense ? MixPath::dense
                                          : MixPath::by_cost;
}

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
