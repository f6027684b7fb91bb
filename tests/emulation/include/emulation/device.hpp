// What a kernel sees: its coordinates, shared memory, barriers and warp collectives.
// One fiber per CUDA thread; all fibers of a launch run on one OS thread, so plain globals hold the running thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <source_location>

#include "vector_types.h"

namespace orrery::emulation {

using Site = std::source_location;

// The running thread; set at every switch of fibers.
inline uint3 thread_index{}, block_index{};
inline dim3 block_size{}, grid_size{};
inline unsigned lane = 0;

// Shared memory of the running block. A launch places each array once, at the same offset in every block.
inline char* shared_base = nullptr;
inline uint64_t launch_number = 0;
struct SharedSite {
  const char* name;
  uint64_t launch = 0;
  size_t offset = 0;
};
void place_shared(SharedSite& site, size_t bytes, size_t alignment);
inline void* shared_array(SharedSite& site, size_t bytes, size_t alignment) {
  if (site.launch != launch_number) place_shared(site, bytes, alignment);
  return shared_base + site.offset;
}
void* dynamic_shared();

// Barriers. The reducing kinds return the count, the conjunction or the disjunction of the predicate.
enum class Barrier : uint8_t { plain, count, all, any };
int block_barrier(Barrier kind, int predicate, Site at);

// Warp collectives: wait for every lane of `mask`, then deliver a value to each.
enum class WarpOp : uint8_t {
  sync,
  shuffle,
  ballot,
  match,
  sum,
  min_signed,
  max_signed,
  min_unsigned,
  max_unsigned,
  bit_and,
  bit_or,
  bit_xor
};
uint64_t warp_collective(WarpOp op, unsigned mask, uint64_t value, unsigned source_lane, Site at);
unsigned active_mask();

// Clusters: blocks that run together.
unsigned cluster_rank();
unsigned cluster_size();
void cluster_barrier(Site at);
void* cluster_map(const void* shared_pointer, unsigned rank);

[[noreturn]] void trap(Site at);

template <class T>
uint64_t to_bits(T v) {
  uint64_t bits = 0;
  std::memcpy(&bits, &v, sizeof v);
  return bits;
}
template <class T>
T from_bits(uint64_t bits) {
  T v;
  std::memcpy(&v, &bits, sizeof v);
  return v;
}

}  // namespace orrery::emulation

// ---- CUDA's names ----

#define __global__
#define __device__
#define __host__
#define __constant__
#define __managed__
#define __grid_constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __shared__ static_assert(false, "use ORRERY_SHARED or ORRERY_DYNAMIC_SHARED (kernels/core/launch.cuh)")

inline const uint3& threadIdx = orrery::emulation::thread_index;
inline const uint3& blockIdx = orrery::emulation::block_index;
inline const dim3& blockDim = orrery::emulation::block_size;
inline const dim3& gridDim = orrery::emulation::grid_size;
inline constexpr int warpSize = 32;

inline void __syncthreads(orrery::emulation::Site at = orrery::emulation::Site::current()) {
  orrery::emulation::block_barrier(orrery::emulation::Barrier::plain, 0, at);
}
inline int __syncthreads_count(int predicate, orrery::emulation::Site at = orrery::emulation::Site::current()) {
  return orrery::emulation::block_barrier(orrery::emulation::Barrier::count, predicate, at);
}
inline int __syncthreads_and(int predicate, orrery::emulation::Site at = orrery::emulation::Site::current()) {
  return orrery::emulation::block_barrier(orrery::emulation::Barrier::all, predicate, at);
}
inline int __syncthreads_or(int predicate, orrery::emulation::Site at = orrery::emulation::Site::current()) {
  return orrery::emulation::block_barrier(orrery::emulation::Barrier::any, predicate, at);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, orrery::emulation::Site at = orrery::emulation::Site::current()) {
  orrery::emulation::warp_collective(orrery::emulation::WarpOp::sync, mask, 0, 0, at);
}
inline unsigned __ballot_sync(unsigned mask, int predicate,
                              orrery::emulation::Site at = orrery::emulation::Site::current()) {
  return static_cast<unsigned>(
      orrery::emulation::warp_collective(orrery::emulation::WarpOp::ballot, mask, predicate != 0, 0, at));
}
inline int __any_sync(unsigned mask, int predicate, orrery::emulation::Site at = orrery::emulation::Site::current()) {
  return __ballot_sync(mask, predicate, at) != 0;
}
inline int __all_sync(unsigned mask, int predicate, orrery::emulation::Site at = orrery::emulation::Site::current()) {
  return __ballot_sync(mask, predicate == 0, at) == 0;
}
inline unsigned __activemask() { return orrery::emulation::active_mask(); }

// Shuffles: the source lane by CUDA's rules; a lane outside the segment reads itself.
#define ORRERY_EMULATION_SHUFFLES(T)                                                                         \
  inline T __shfl_sync(unsigned mask, T v, int source, int width = 32,                                       \
                       orrery::emulation::Site at = orrery::emulation::Site::current()) {                    \
    const unsigned lane = orrery::emulation::lane, w = static_cast<unsigned>(width), base = lane & ~(w - 1); \
    const unsigned from = base + (static_cast<unsigned>(source) & (w - 1));                                  \
    return orrery::emulation::from_bits<T>(orrery::emulation::warp_collective(                               \
        orrery::emulation::WarpOp::shuffle, mask, orrery::emulation::to_bits(v), from, at));                 \
  }                                                                                                          \
  inline T __shfl_up_sync(unsigned mask, T v, unsigned delta, int width = 32,                                \
                          orrery::emulation::Site at = orrery::emulation::Site::current()) {                 \
    const unsigned lane = orrery::emulation::lane, w = static_cast<unsigned>(width);                         \
    const unsigned from = (lane & (w - 1)) >= delta ? lane - delta : lane;                                   \
    return orrery::emulation::from_bits<T>(orrery::emulation::warp_collective(                               \
        orrery::emulation::WarpOp::shuffle, mask, orrery::emulation::to_bits(v), from, at));                 \
  }                                                                                                          \
  inline T __shfl_down_sync(unsigned mask, T v, unsigned delta, int width = 32,                              \
                            orrery::emulation::Site at = orrery::emulation::Site::current()) {               \
    const unsigned lane = orrery::emulation::lane, w = static_cast<unsigned>(width);                         \
    const unsigned from = (lane & (w - 1)) + delta < w ? lane + delta : lane;                                \
    return orrery::emulation::from_bits<T>(orrery::emulation::warp_collective(                               \
        orrery::emulation::WarpOp::shuffle, mask, orrery::emulation::to_bits(v), from, at));                 \
  }                                                                                                          \
  inline T __shfl_xor_sync(unsigned mask, T v, int bits, int width = 32,                                     \
                           orrery::emulation::Site at = orrery::emulation::Site::current()) {                \
    const unsigned lane = orrery::emulation::lane, w = static_cast<unsigned>(width);                         \
    const unsigned other = lane ^ static_cast<unsigned>(bits);                                               \
    const unsigned from = other < (lane & ~(w - 1)) + w ? other : lane;                                      \
    return orrery::emulation::from_bits<T>(orrery::emulation::warp_collective(                               \
        orrery::emulation::WarpOp::shuffle, mask, orrery::emulation::to_bits(v), from, at));                 \
  }                                                                                                          \
  inline unsigned __match_any_sync(unsigned mask, T v,                                                       \
                                   orrery::emulation::Site at = orrery::emulation::Site::current()) {        \
    return static_cast<unsigned>(orrery::emulation::warp_collective(orrery::emulation::WarpOp::match, mask,  \
                                                                    orrery::emulation::to_bits(v), 0, at));  \
  }
ORRERY_EMULATION_SHUFFLES(int)
ORRERY_EMULATION_SHUFFLES(unsigned)
ORRERY_EMULATION_SHUFFLES(long)
ORRERY_EMULATION_SHUFFLES(unsigned long)
ORRERY_EMULATION_SHUFFLES(long long)
ORRERY_EMULATION_SHUFFLES(unsigned long long)
ORRERY_EMULATION_SHUFFLES(float)
ORRERY_EMULATION_SHUFFLES(double)
#undef ORRERY_EMULATION_SHUFFLES

// Warp reductions of sm_80+ (int and unsigned; the bitwise ones unsigned only).
#define ORRERY_EMULATION_REDUCE(T, name, op)                                                           \
  inline T name(unsigned mask, T v, orrery::emulation::Site at = orrery::emulation::Site::current()) { \
    return static_cast<T>(orrery::emulation::warp_collective(orrery::emulation::WarpOp::op, mask,      \
                                                             orrery::emulation::to_bits(v), 0, at));   \
  }
ORRERY_EMULATION_REDUCE(int, __reduce_add_sync, sum)
ORRERY_EMULATION_REDUCE(unsigned, __reduce_add_sync, sum)
ORRERY_EMULATION_REDUCE(int, __reduce_min_sync, min_signed)
ORRERY_EMULATION_REDUCE(unsigned, __reduce_min_sync, min_unsigned)
ORRERY_EMULATION_REDUCE(int, __reduce_max_sync, max_signed)
ORRERY_EMULATION_REDUCE(unsigned, __reduce_max_sync, max_unsigned)
ORRERY_EMULATION_REDUCE(unsigned, __reduce_and_sync, bit_and)
ORRERY_EMULATION_REDUCE(unsigned, __reduce_or_sync, bit_or)
ORRERY_EMULATION_REDUCE(unsigned, __reduce_xor_sync, bit_xor)
#undef ORRERY_EMULATION_REDUCE

// Fibers run one at a time on one OS thread: fences order nothing that is not already ordered.
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __threadfence_system() {}
inline void __nanosleep(unsigned) {}
[[noreturn]] inline void __trap(orrery::emulation::Site at = orrery::emulation::Site::current()) {
  orrery::emulation::trap(at);
}
