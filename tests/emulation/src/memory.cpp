// Device memory: host memory with guards on both sides, filled with poison when made. Copies check their ranges.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>

#include "internal.hpp"

namespace orrery::emulation {
namespace {

constexpr size_t kFront = 256, kBack = 1024;  // guard bytes before and after an allocation

struct Allocation {
  unsigned char* base;
  size_t bytes;
  bool managed;
};
// By the address of the first user byte.
std::map<uintptr_t, Allocation>& allocations() {
  static auto* m = new std::map<uintptr_t, Allocation>;
  return *m;
}
std::map<uintptr_t, size_t>& pinned() {
  static auto* m = new std::map<uintptr_t, size_t>;
  return *m;
}
size_t bytes_in_use = 0, limit = 0;

// The allocation that holds p, or that p lies at most `slack` behind.
const Allocation* find(const void* p, size_t slack = 0) {
  const auto a = reinterpret_cast<uintptr_t>(p);
  auto it = allocations().upper_bound(a);
  if (it == allocations().begin()) return nullptr;
  --it;
  return a - it->first < it->second.bytes + slack ? &it->second : nullptr;
}

std::string number(size_t n) { return std::to_string(n); }

// Finds writes outside [user, user + bytes).
std::string damage(const Allocation& a) {
  const unsigned char* user = a.base + kFront;
  if (const size_t at = damaged_guard(a.base, kFront); at < kFront)
    return "written " + number(kFront - at) + " bytes before an allocation of " + number(a.bytes) + " bytes";
  if (const size_t at = damaged_guard(user + a.bytes, kBack); at < kBack)
    return "written " + number(at) + " bytes past the end of an allocation of " + number(a.bytes) + " bytes";
  return {};
}

// /proc/meminfo, in bytes.
size_t memory_info(const char* key) {
  std::ifstream in("/proc/meminfo");
  std::string name;
  size_t kib = 0;
  for (std::string unit; in >> name >> kib; std::getline(in, unit))
    if (name == key) return kib * 1024;
  return 0;
}

cudaError_t allocate(void** p, size_t bytes, bool managed, const char* call) {
  if (!p) return fail(cudaErrorInvalidValue, std::string(call) + ": null");
  *p = nullptr;
  if (bytes == 0) return cudaSuccess;
  std::lock_guard lock(device_mutex());
  const size_t available = limit ? (limit > bytes_in_use ? limit - bytes_in_use : 0) : memory_info("MemAvailable:");
  const size_t total = (kFront + bytes + kBack + 255) / 256 * 256;
  auto* base = bytes <= available ? static_cast<unsigned char*>(std::aligned_alloc(256, total)) : nullptr;
  if (!base)
    return fail(cudaErrorMemoryAllocation,
                std::string(call) + " of " + number(bytes) + " bytes; " + number(available) + " are free");
  std::memset(base + kFront, kPoison, bytes);
  set_guard(base, kFront);
  set_guard(base + kFront + bytes, kBack);
  *p = base + kFront;
  allocations()[reinterpret_cast<uintptr_t>(*p)] = {base, bytes, managed};
  bytes_in_use += bytes;
  return cudaSuccess;
}

cudaError_t release(void* p, const char* call) {
  if (!p) return cudaSuccess;
  std::lock_guard lock(device_mutex());
  const auto it = allocations().find(reinterpret_cast<uintptr_t>(p));
  if (it == allocations().end())
    return fail(cudaErrorInvalidValue,
                std::string(call) + ": not the start of a live allocation (freed twice, or never allocated here)");
  const Allocation a = it->second;
  const std::string damaged = damage(a);
  allocations().erase(it);
  bytes_in_use -= a.bytes;
  lift_guard(a.base, kFront);
  lift_guard(a.base + kFront + a.bytes, kBack);
  if (!kAsan) std::memset(a.base + kFront, kPoison, a.bytes);  // a late reader sees NaN
  std::free(a.base);
  return damaged.empty() ? cudaSuccess : fail(cudaErrorIllegalAddress, std::string(call) + ": " + damaged);
}

// What a copy says about one of its sides.
enum class Side { host, device, any };
Side to_side(cudaMemcpyKind k) {
  return k == cudaMemcpyDefault                                         ? Side::any
         : k == cudaMemcpyHostToDevice || k == cudaMemcpyDeviceToDevice ? Side::device
                                                                        : Side::host;
}
Side from_side(cudaMemcpyKind k) {
  return k == cudaMemcpyDefault                                         ? Side::any
         : k == cudaMemcpyDeviceToHost || k == cudaMemcpyDeviceToDevice ? Side::device
                                                                        : Side::host;
}
bool check_side(const void* p, size_t bytes, Side side, const char* what) {
  const Allocation* a = find(p);
  if (side == Side::device || (side == Side::any && a)) return device_range(p, bytes, what);
  if (side == Side::host && a && !a->managed) {
    fail(cudaErrorInvalidValue, std::string(what) + ": device memory where the direction of the copy says host");
    return false;
  }
  return true;
}

cudaError_t copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  if (bytes == 0) return cudaSuccess;
  if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault)
    return fail(cudaErrorInvalidMemcpyDirection, "cudaMemcpy: direction");
  if (!check_side(to, bytes, to_side(kind), "cudaMemcpy: destination") ||
      !check_side(from, bytes, from_side(kind), "cudaMemcpy: source"))
    return cudaErrorInvalidValue;
  std::memmove(to, from, bytes);
  return cudaSuccess;
}
cudaError_t copy_2d(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t height,
                    cudaMemcpyKind kind) {
  if (width == 0 || height == 0) return cudaSuccess;
  if (width > to_pitch || width > from_pitch)
    return fail(cudaErrorInvalidPitchValue, "cudaMemcpy2D: width exceeds a pitch");
  for (size_t row = 0; row < height; ++row)
    if (const cudaError_t e = copy(static_cast<char*>(to) + row * to_pitch,
                                   static_cast<const char*>(from) + row * from_pitch, width, kind))
      return e;
  return cudaSuccess;
}
cudaError_t fill(void* p, int value, size_t bytes) {
  if (bytes == 0) return cudaSuccess;
  if (!device_range(p, bytes, "cudaMemset")) return cudaErrorInvalidValue;
  std::memset(p, value, bytes);
  return cudaSuccess;
}

}  // namespace

std::recursive_mutex& device_mutex() {
  static auto* m = new std::recursive_mutex;
  return *m;
}

bool device_range(const void* p, size_t bytes, const char* what) {
  std::lock_guard lock(device_mutex());
  if (bytes == 0) return true;
  const Allocation* a = find(p);
  const size_t offset = a ? reinterpret_cast<uintptr_t>(p) - reinterpret_cast<uintptr_t>(a->base + kFront) : 0;
  if (a && bytes <= a->bytes - offset) return true;
  fail(cudaErrorInvalidValue, a ? std::string(what) + ": bytes " + number(offset) + " to " + number(offset + bytes) +
                                      " of an allocation of " + number(a->bytes)
                                : std::string(what) + ": not device memory");
  return false;
}

cudaError_t check_device_guards(const std::string& after) {
  if (kAsan) return cudaSuccess;
  for (const auto& [address, a] : allocations()) {
    const std::string damaged = damage(a);
    if (damaged.empty()) continue;
    set_guard(a.base, kFront);  // report each damage once
    set_guard(a.base + kFront + a.bytes, kBack);
    return fail(cudaErrorIllegalAddress, after + ": " + damaged);
  }
  return cudaSuccess;
}

void set_memory_limit(size_t bytes) { limit = bytes; }
size_t live_allocations() { return allocations().size(); }
size_t live_bytes() { return bytes_in_use; }

}  // namespace orrery::emulation

using namespace orrery::emulation;

cudaError_t cudaMalloc(void** p, size_t bytes) {
  if (const cudaError_t e = refuse_in_capture("cudaMalloc")) return e;
  return allocate(p, bytes, false, "cudaMalloc");
}
cudaError_t cudaMallocManaged(void** p, size_t bytes, unsigned) {
  if (const cudaError_t e = refuse_in_capture("cudaMallocManaged")) return e;
  return allocate(p, bytes, true, "cudaMallocManaged");
}
cudaError_t cudaFree(void* p) {
  if (const cudaError_t e = p ? refuse_in_capture("cudaFree") : cudaSuccess) return e;
  return release(p, "cudaFree");
}
// While the stream captures, CUDA would make memory nodes; the project keeps all memory outside its graphs, so this is
// an error here.
cudaError_t cudaMallocAsync(void** p, size_t bytes, cudaStream_t stream) {
  if (const cudaError_t e = refuse_on_capturing(stream, "cudaMallocAsync")) return e;
  return allocate(p, bytes, false, "cudaMallocAsync");
}
cudaError_t cudaFreeAsync(void* p, cudaStream_t stream) {
  if (const cudaError_t e = refuse_on_capturing(stream, "cudaFreeAsync")) return e;
  return release(p, "cudaFreeAsync");
}

cudaError_t cudaHostAlloc(void** p, size_t bytes, unsigned) {
  if (const cudaError_t e = refuse_in_capture("cudaHostAlloc")) return e;
  if (!p) return fail(cudaErrorInvalidValue, "cudaHostAlloc: null");
  *p = bytes ? std::aligned_alloc(256, (bytes + 255) / 256 * 256) : nullptr;
  if (bytes && !*p) return fail(cudaErrorMemoryAllocation, "cudaHostAlloc of " + number(bytes) + " bytes");
  if (!*p) return cudaSuccess;
  std::memset(*p, kPoison, bytes);
  std::lock_guard lock(device_mutex());
  pinned()[reinterpret_cast<uintptr_t>(*p)] = bytes;
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** p, size_t bytes) { return cudaHostAlloc(p, bytes, 0); }
cudaError_t cudaFreeHost(void* p) {
  if (!p) return cudaSuccess;
  std::lock_guard lock(device_mutex());
  if (pinned().erase(reinterpret_cast<uintptr_t>(p)) == 0)
    return fail(cudaErrorInvalidValue, "cudaFreeHost: not from cudaMallocHost");
  std::free(p);
  return cudaSuccess;
}
cudaError_t cudaHostRegister(void* p, size_t, unsigned) {
  return p ? cudaSuccess : fail(cudaErrorInvalidValue, "cudaHostRegister: null");
}
cudaError_t cudaHostUnregister(void* p) {
  return p ? cudaSuccess : fail(cudaErrorInvalidValue, "cudaHostUnregister: null");
}

// The copies of the legacy stream wait, so no capture may be open.
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  if (const cudaError_t e = refuse_in_capture("cudaMemcpy")) return e;
  return copy(to, from, bytes, kind);
}
cudaError_t cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t height,
                         cudaMemcpyKind kind) {
  if (const cudaError_t e = refuse_in_capture("cudaMemcpy2D")) return e;
  return copy_2d(to, to_pitch, from, from_pitch, width, height, kind);
}
cudaError_t cudaMemset(void* p, int value, size_t bytes) {
  if (const cudaError_t e = refuse_in_capture("cudaMemset")) return e;
  return fill(p, value, bytes);
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  return submit(stream, [=] { return copy(to, from, bytes, kind); });
}
cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width,
                              size_t height, cudaMemcpyKind kind, cudaStream_t stream) {
  return submit(stream, [=] { return copy_2d(to, to_pitch, from, from_pitch, width, height, kind); });
}
cudaError_t cudaMemsetAsync(void* p, int value, size_t bytes, cudaStream_t stream) {
  return submit(stream, [=] { return fill(p, value, bytes); });
}
cudaError_t cudaMemset2DAsync(void* p, size_t pitch, int value, size_t width, size_t height, cudaStream_t stream) {
  return submit(stream, [=] {
    for (size_t row = 0; row < height; ++row)
      if (const cudaError_t e = fill(static_cast<char*>(p) + row * pitch, value, width)) return e;
    return cudaSuccess;
  });
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* p) {
  std::lock_guard lock(device_mutex());
  const auto address = reinterpret_cast<uintptr_t>(p);
  void* q = const_cast<void*>(p);
  *attributes = {cudaMemoryTypeUnregistered, -2, nullptr, q};
  if (const Allocation* a = find(p)) {
    *attributes = {a->managed ? cudaMemoryTypeManaged : cudaMemoryTypeDevice, 0, q, a->managed ? q : nullptr};
  } else if (auto it = pinned().upper_bound(address);
             it != pinned().begin() && address - std::prev(it)->first < std::prev(it)->second) {
    *attributes = {cudaMemoryTypeHost, 0, q, q};
  }
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  std::lock_guard lock(device_mutex());
  *total = limit ? limit : memory_info("MemTotal:");
  *free = limit ? (limit > bytes_in_use ? limit - bytes_in_use : 0) : memory_info("MemAvailable:");
  return cudaSuccess;
}
