// Stands in for NVTX's C++ interface in the emulated build.
#pragma once

#include <string>

#include "nvToolsExt.h"

namespace nvtx3 {
inline namespace v1 {

class scoped_range {
 public:
  explicit scoped_range(const char* message) { nvtxRangePushA(message); }
  explicit scoped_range(const std::string& message) { nvtxRangePushA(message.c_str()); }
  scoped_range(const scoped_range&) = delete;
  scoped_range& operator=(const scoped_range&) = delete;
  ~scoped_range() { nvtxRangePop(); }
};
template <class Domain>
using scoped_range_in = scoped_range;
inline void mark(const char* message) { nvtxMarkA(message); }

}  // namespace v1
}  // namespace nvtx3
