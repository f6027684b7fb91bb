// Names a range of time for Nsight Systems: round, tier, verb. Nothing at all in a build without CUDA.
#pragma once

#ifdef ORRERY_WITH_CUDA
#include <nvtx3/nvToolsExt.h>
#endif

#include <string>

namespace orrery {

class NvtxRange {
 public:
#ifdef ORRERY_WITH_CUDA
  explicit NvtxRange(const char* name) { nvtxRangePushA(name); }
  explicit NvtxRange(const std::string& name) : NvtxRange(name.c_str()) {}
  ~NvtxRange() { nvtxRangePop(); }
#else
  explicit NvtxRange(const char*) {}
  explicit NvtxRange(const std::string&) {}
#endif
  NvtxRange(const NvtxRange&) = delete;
  NvtxRange& operator=(const NvtxRange&) = delete;
};

}  // namespace orrery
