// What CUDA checks before a kernel starts: geometry, shared memory, cluster. Also the per-kernel attributes.
#include <atomic>
#include <cstdlib>
#include <map>

#include "internal.hpp"

namespace orrery::emulation {
namespace {

struct KernelAttributes {
  size_t dynamic_limit = kSharedDefault;
  bool large_clusters = false;  // more than 8 blocks
  std::string name;
};
std::map<const void*, KernelAttributes>& kernels() {
  static auto* m = new std::map<const void*, KernelAttributes>;
  return *m;
}

uint64_t first_seed() {
  const char* s = std::getenv("ORRERY_EMULATION_SEED");
  return s ? std::strtoull(s, nullptr, 10) : 1;
}
uint64_t seed_value = first_seed(), launches_since = 0;
Counts totals;

std::string text(dim3 d) {
  return "(" + std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z) + ")";
}
uint64_t volume(dim3 d) { return uint64_t{d.x} * d.y * d.z; }

// Empty if the launch is allowed, else why not.
struct Refusal {
  cudaError_t code = cudaSuccess;
  std::string why;
};
Refusal refusal(const Launch& l) {
  const dim3 g = l.grid, b = l.block, c = l.cluster;
  if (volume(g) == 0 || volume(b) == 0) return {cudaErrorInvalidConfiguration, "an empty grid or block"};
  if (g.x > 0x7fffffffu || g.y > 65535 || g.z > 65535)
    return {cudaErrorInvalidConfiguration, "grid larger than (2147483647,65535,65535)"};
  if (b.x > 1024 || b.y > 1024 || b.z > 64 || volume(b) > 1024)
    return {cudaErrorInvalidConfiguration, "block larger than (1024,1024,64) or than 1024 threads"};
  std::lock_guard lock(device_mutex());
  const KernelAttributes& a = kernels()[l.kernel];
  if (l.dynamic_shared_bytes > a.dynamic_limit)
    return {cudaErrorInvalidValue,
            std::to_string(l.dynamic_shared_bytes) + " bytes of dynamic shared memory, allowed are " +
                std::to_string(a.dynamic_limit) + " (cudaFuncSetAttribute raises it to at most 232448)"};
  if (volume(c) == 0 || volume(c) > (a.large_clusters ? 16 : 8))
    return {cudaErrorInvalidClusterSize,
            "a cluster of " + std::to_string(volume(c)) +
                " blocks, allowed are 8, or 16 with cudaFuncAttributeNonPortableClusterSizeAllowed"};
  if (g.x % c.x || g.y % c.y || g.z % c.z)
    return {cudaErrorInvalidConfiguration, "the grid is no multiple of the cluster " + text(c)};
  return {};
}

}  // namespace

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, std::function<void()> body) {
  Launch l{config.gridDim, config.blockDim, dim3(1), config.dynamicSmemBytes, kernel, std::move(body)};
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    const cudaLaunchAttribute& a = config.attrs[i];
    if (a.id == cudaLaunchAttributeClusterDimension)
      l.cluster = dim3(a.val.clusterDim.x, a.val.clusterDim.y, a.val.clusterDim.z);
    if (a.id == cudaLaunchAttributeCooperative && a.val.cooperative)
      return fail(cudaErrorNotSupported, describe(l) + ": the emulation has no cooperative launch");
  }
  if (const Refusal r = refusal(l); r.code != cudaSuccess) return fail(r.code, describe(l) + ": " + r.why);
  return submit(config.stream, [l = std::move(l)] { return run(l); });
}

std::string describe(const Launch& l) {
  std::string s = function_name(l.kernel) + " <<<" + text(l.grid) + ", " + text(l.block);
  if (l.dynamic_shared_bytes) s += ", " + std::to_string(l.dynamic_shared_bytes) + " B";
  if (volume(l.cluster) > 1) s += ", cluster " + text(l.cluster);
  return s + ">>>";
}

void set_seed(uint64_t seed) {
  std::lock_guard lock(device_mutex());
  seed_value = seed;
  launches_since = 0;
}
uint64_t seed() { return seed_value; }
uint64_t next_launch_seed() { return Random(seed_value).bits() + ++launches_since * 0xd1342543de82ef95ull; }

void count_launch(int64_t blocks, int64_t threads, int64_t barriers) {
  ++totals.launches;
  totals.blocks += blocks;
  totals.threads += threads;
  totals.barriers += barriers;
}
Counts counts() { return totals; }

}  // namespace orrery::emulation

using namespace orrery::emulation;

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  if (!kernel) return fail(cudaErrorInvalidDeviceFunction, "cudaFuncSetAttribute: null");
  std::lock_guard lock(device_mutex());
  KernelAttributes& a = kernels()[kernel];
  switch (attribute) {
    case cudaFuncAttributeMaxDynamicSharedMemorySize:
      if (value < 0 || static_cast<size_t>(value) > kSharedOptIn)
        return fail(cudaErrorInvalidValue,
                    "cudaFuncSetAttribute: " + std::to_string(value) + " bytes of shared memory; at most 232448");
      a.dynamic_limit = static_cast<size_t>(value);
      return cudaSuccess;
    case cudaFuncAttributePreferredSharedMemoryCarveout: return cudaSuccess;
    case cudaFuncAttributeNonPortableClusterSizeAllowed: a.large_clusters = value != 0; return cudaSuccess;
  }
  return fail(cudaErrorInvalidValue, "cudaFuncSetAttribute: unknown attribute");
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* out, const void* kernel) {
  if (!out || !kernel) return fail(cudaErrorInvalidDeviceFunction, "cudaFuncGetAttributes: null");
  std::lock_guard lock(device_mutex());
  const KernelAttributes& a = kernels()[kernel];
  *out = {};
  out->maxThreadsPerBlock = 1024;
  out->numRegs = 32;
  out->ptxVersion = out->binaryVersion = 90;
  out->maxDynamicSharedSizeBytes = static_cast<int>(a.dynamic_limit);
  out->nonPortableClusterSizeAllowed = a.large_clusters;
  return cudaSuccess;
}
cudaError_t cudaFuncGetName(const char** name, const void* kernel) {
  std::lock_guard lock(device_mutex());
  KernelAttributes& a = kernels()[kernel];
  a.name = function_name(kernel);
  *name = a.name.c_str();
  return cudaSuccess;
}
// Bounded by threads, blocks and shared memory of an sm_90 multiprocessor; registers are not known here.
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void*, int block_size,
                                                          size_t dynamic_bytes) {
  if (!blocks || block_size <= 0) return fail(cudaErrorInvalidValue, "cudaOccupancyMaxActiveBlocksPerMultiprocessor");
  const size_t warps = (static_cast<size_t>(block_size) + 31) / 32;
  const size_t by_shared = (228 * size_t{1024}) / (dynamic_bytes + 1024);
  *blocks = block_size > 1024 || dynamic_bytes > kSharedOptIn
                ? 0
                : static_cast<int>(std::min({size_t{32}, 64 / warps, by_shared}));
  return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveClusters(int* clusters, const void* kernel, const cudaLaunchConfig_t* config) {
  int per_unit = 0;
  const int threads = static_cast<int>(volume(config->blockDim));
  if (const cudaError_t e =
          cudaOccupancyMaxActiveBlocksPerMultiprocessor(&per_unit, kernel, threads, config->dynamicSmemBytes))
    return e;
  uint64_t size = 1;
  for (unsigned i = 0; i < config->numAttrs; ++i)
    if (const auto& a = config->attrs[i]; a.id == cudaLaunchAttributeClusterDimension)
      size = uint64_t{a.val.clusterDim.x} * a.val.clusterDim.y * a.val.clusterDim.z;
  // The emulated device has 4 multiprocessors, yet promises one cluster of any allowed size.
  *clusters = per_unit == 0
                  ? 0
                  : std::max(1, static_cast<int>(static_cast<uint64_t>(per_unit) * 4 / std::max<uint64_t>(size, 1)));
  return cudaSuccess;
}
cudaError_t cudaOccupancyMaxPotentialClusterSize(int* size, const void* kernel, const cudaLaunchConfig_t*) {
  std::lock_guard lock(device_mutex());
  *size = kernels()[kernel].large_clusters ? 16 : 8;
  return cudaSuccess;
}
