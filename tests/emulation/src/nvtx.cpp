// NVTX ranges, counted. A pop without a push on the same OS thread is counted apart.
#include "nvtx3/nvToolsExt.h"

#include <atomic>
#include <map>
#include <mutex>

#include "emulation.hpp"

namespace {
std::atomic<int64_t> pushed{0}, popped{0}, unmatched{0}, started{0};
std::mutex by_name_mutex;
std::map<std::string, int64_t> by_name;
thread_local int depth = 0;
}  // namespace

int nvtxRangePushA(const char* name) {
  ++pushed;
  const std::lock_guard lock(by_name_mutex);
  ++by_name[name];
  return depth++;
}
int nvtxRangePop() {
  if (depth == 0) return ++unmatched, -1;
  ++popped;
  return --depth;
}
nvtxRangeId_t nvtxRangeStartA(const char*) {
  ++pushed;
  return static_cast<nvtxRangeId_t>(++started);
}
void nvtxRangeEnd(nvtxRangeId_t) { ++popped; }
void nvtxMarkA(const char*) {}
void nvtxNameOsThreadA(uint32_t, const char*) {}

namespace orrery::emulation {
NvtxCounts nvtx_counts() { return {pushed, popped, unmatched}; }
int64_t nvtx_pushed(const std::string& name) {
  const std::lock_guard lock(by_name_mutex);
  const auto found = by_name.find(name);
  return found == by_name.end() ? 0 : found->second;
}
void reset_nvtx_counts() {
  pushed = popped = unmatched = 0;
  const std::lock_guard lock(by_name_mutex);
  by_name.clear();
}
}  // namespace orrery::emulation
