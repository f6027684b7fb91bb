#include "kernels/core/buffer.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#ifdef ORRERY_WITH_CUDA
#include "kernels/core/check.hpp"
#endif

namespace orrery {
namespace {

struct Counter {
  std::atomic<int64_t> now{0}, peak{0};
  void add(int64_t bytes) {
    const int64_t n = now += bytes;
    int64_t p = peak;
    while (n > p && !peak.compare_exchange_weak(p, n)) {
    }
  }
};
Counter counters[2];
Counter& counter(Backend b) { return counters[b == Backend::cuda]; }

[[noreturn]] void fail_memory(Backend b, int64_t bytes) {
  throw DeviceError(
      fmt::format("{:.1f} MiB of {} memory cannot be had; lower network.workers, replicas or data.limit_train",
                  static_cast<double>(bytes) / (1 << 20), name(b)));
}

}  // namespace

MemoryUse memory_use(Backend b) { return {counter(b).now, counter(b).peak}; }
void reset_memory_peak(Backend b) { counter(b).peak = counter(b).now.load(); }

namespace detail {

void* allocate(const Context& ctx, int64_t bytes) {
  void* p = nullptr;
  if (ctx.backend == Backend::cpu) {
    const int64_t rounded = (bytes + 63) / 64 * 64;  // whole cache lines
    p = std::aligned_alloc(64, static_cast<size_t>(rounded));
    if (!p) fail_memory(ctx.backend, bytes);
    std::memset(p, 0, static_cast<size_t>(rounded));
  } else {
#ifdef ORRERY_WITH_CUDA
    const cudaError_t status = cudaMallocAsync(&p, static_cast<size_t>(bytes), ctx.stream());
    if (status == cudaErrorMemoryAllocation) {
      (void)cudaGetLastError();
      fail_memory(ctx.backend, bytes);
    }
    check(status);
    check(cudaMemsetAsync(p, 0, static_cast<size_t>(bytes), ctx.stream()));
#endif
  }
  counter(ctx.backend).add(bytes);
  return p;
}

void count_memory(Backend where, int64_t bytes) { counter(where).add(bytes); }

void release(Backend where, [[maybe_unused]] CUstream_st* stream, void* p, int64_t bytes) noexcept {
  counter(where).now -= bytes;
  if (where == Backend::cpu) return std::free(p);
#ifdef ORRERY_WITH_CUDA
  if (cudaFreeAsync(p, stream) != cudaSuccess) std::fputs("Buffer: freeing device memory failed\n", stderr);
#endif
}

void copy([[maybe_unused]] const Context& ctx, void* to, Backend to_where, const void* from, Backend from_where,
          int64_t bytes) {
  if (to_where == Backend::cpu && from_where == Backend::cpu) {
    std::memmove(to, from, static_cast<size_t>(bytes));
    return;
  }
#ifdef ORRERY_WITH_CUDA
  check(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDefault, ctx.stream()));
  if (!ctx.capturing()) ctx.synchronize();
#endif
}

void zero(const Context& ctx, void* p, int64_t bytes) {
  if (ctx.backend == Backend::cpu) {
    std::memset(p, 0, static_cast<size_t>(bytes));
    return;
  }
#ifdef ORRERY_WITH_CUDA
  check(cudaMemsetAsync(p, 0, static_cast<size_t>(bytes), ctx.stream()));
#endif
}

}  // namespace detail
}  // namespace orrery
