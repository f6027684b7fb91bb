// Stands in for CUB in the emulated build: the device-wide sums that the project calls, added in index order.
#pragma once

#include <cstdint>
#include <iterator>

#include "cuda_runtime.h"

namespace cub {
namespace emulation {
// The two-phase protocol: a null workspace asks for its size.
template <class Work>
cudaError_t two_phase(void* temp, size_t& bytes, size_t needed, cudaStream_t stream, Work work) {
  if (!temp) return bytes = needed, cudaSuccess;
  if (bytes < needed) return orrery::emulation::fail(cudaErrorInvalidValue, "CUB: the workspace is too small");
  return orrery::emulation::submit(stream, [=] {
    if (!orrery::emulation::device_range(temp, needed, "CUB: workspace")) return cudaErrorInvalidValue;
    work();
    return cudaSuccess;
  });
}
template <class Output, class Input>
using Value = std::conditional_t<std::is_void_v<typename std::iterator_traits<Output>::value_type>,
                                 typename std::iterator_traits<Input>::value_type,
                                 typename std::iterator_traits<Output>::value_type>;
}  // namespace emulation

struct DeviceReduce {
  template <class Input, class Output, class Count>
  static cudaError_t Sum(void* temp, size_t& bytes, Input in, Output out, Count n, cudaStream_t stream = 0) {
    return emulation::two_phase(temp, bytes, 256, stream, [=] {
      emulation::Value<Output, Input> sum{};
      for (Count i = 0; i < n; ++i) sum = sum + in[i];
      *out = sum;
    });
  }
};

struct DeviceSegmentedReduce {
  template <class Input, class Output, class Begin, class End>
  static cudaError_t Sum(void* temp, size_t& bytes, Input in, Output out, int64_t segments, Begin begin, End end,
                         cudaStream_t stream = 0) {
    return emulation::two_phase(temp, bytes, 256, stream, [=] {
      for (int64_t s = 0; s < segments; ++s) {
        emulation::Value<Output, Input> sum{};
        for (auto i = begin[s]; i < end[s]; ++i) sum = sum + in[i];
        out[s] = sum;
      }
    });
  }
};

}  // namespace cub
