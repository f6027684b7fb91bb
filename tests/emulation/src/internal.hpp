// Shared by the emulation's own sources.
#pragma once

#include <cstdint>
#include <mutex>
#include <source_location>
#include <string>

#include "cuda_runtime.h"
#include "emulation.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define ORRERY_EMULATION_ASAN 1
#else
#define ORRERY_EMULATION_ASAN 0
#endif

namespace orrery::emulation {

inline constexpr bool kAsan = ORRERY_EMULATION_ASAN;
inline constexpr unsigned kWarp = 32;
inline constexpr size_t kSharedDefault = 48 * 1024, kSharedOptIn = 227 * 1024;
inline constexpr unsigned char kPoison = 0xff;  // fresh memory: NaN as a float, -1 as an int
inline constexpr unsigned char kGuard = 0xa5;   // around every allocation

// set_guard marks memory that nobody may touch: ASan reports the access itself, otherwise the guard bytes show a write
// later.
inline void lift_guard(void* p, size_t bytes) {
#if ORRERY_EMULATION_ASAN
  ASAN_UNPOISON_MEMORY_REGION(p, bytes);
#else
  static_cast<void>(p), static_cast<void>(bytes);
#endif
}
inline void set_guard(void* p, size_t bytes) {
  lift_guard(p, bytes);
  std::memset(p, kGuard, bytes);
#if ORRERY_EMULATION_ASAN
  ASAN_POISON_MEMORY_REGION(p, bytes);
#endif
}
// Offset of the first damaged guard byte, or `bytes`.
inline size_t damaged_guard(const unsigned char* p, size_t bytes) {
  if (kAsan) return bytes;
  size_t i = 0;
  while (i < bytes && p[i] == kGuard) ++i;
  return i;
}

// One launch, event or allocation at a time, whatever OS thread asks.
std::recursive_mutex& device_mutex();

struct Launch {
  dim3 grid, block, cluster;
  size_t dynamic_shared_bytes = 0;
  const void* kernel = nullptr;
  std::function<void()> body;  // runs one CUDA thread; holds the kernel's arguments by value
};
cudaError_t run(const Launch& launch);                      // scheduler.cpp: all blocks
std::string describe(const Launch& launch);                 // kernel name and geometry
cudaError_t check_device_guards(const std::string& after);  // memory.cpp
std::string function_name(const void* f);                   // symbol.cpp
std::string describe(std::source_location at);
void count_launch(int64_t blocks, int64_t threads, int64_t barriers);

// Calls that wait or allocate are not allowed while a stream captures (stream.cpp).
cudaError_t refuse_in_capture(const char* call);
cudaError_t refuse_on_capturing(cudaStream_t stream, const char* call);

// splitmix64 (Steele, Lea, Flood 2014).
class Random {
 public:
  explicit Random(uint64_t state) : state_(state) {}
  uint64_t bits() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(((bits() >> 32) * n) >> 32); }
  template <class Vector>
  void shuffle(Vector& v, size_t first = 0) {
    for (size_t i = v.size(); i > first + 1; --i)
      std::swap(v[i - 1], v[first + below(static_cast<uint32_t>(i - first))]);
  }

 private:
  uint64_t state_;
};
uint64_t next_launch_seed();

}  // namespace orrery::emulation
