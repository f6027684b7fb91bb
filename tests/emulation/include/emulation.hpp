// What a test may ask of the emulation: the seed of the thread order, the last failure in words, counters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace orrery::emulation {

// The order in which threads and blocks run follows from the seed and the number of launches since it was set.
// Initially from the environment variable ORRERY_EMULATION_SEED, else 1.
void set_seed(uint64_t seed);
uint64_t seed();

// The last failure of this OS thread in words: what, where, which threads. Also printed to stderr unless quiet.
const std::string& last_report();
void clear_report();
void set_quiet(bool quiet);  // tests that plant errors

// Device memory: cudaMalloc fails beyond the limit (0: only the host's memory limits it).
void set_memory_limit(size_t bytes);
size_t live_allocations();
size_t live_bytes();

// NVTX ranges of the process.
struct NvtxCounts {
  int64_t pushed = 0, popped = 0, unmatched_pops = 0;
};
NvtxCounts nvtx_counts();
int64_t nvtx_pushed(const std::string& name);  // ranges of that name begun on a thread's stack
void reset_nvtx_counts();

// Work done since the start of the process.
struct Counts {
  int64_t launches = 0, blocks = 0, threads = 0, barriers = 0;  // barriers: threads that waited at one, of any kind
};
Counts counts();

}  // namespace orrery::emulation
