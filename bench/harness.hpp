// What every benchmark here reports: microseconds, bytes and operations per second, and the share of what this device reached in the same call
// - of its copy bandwidth (read + write of buffers beyond any cache) and of its rate in one large product.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <string>

#include "kernels/core/buffer.hpp"
#include "runtime/experiment.hpp"

namespace orrery::bench {

struct Roofs {
  double copy_bytes_per_second = 0;  // read + write
  double gemm_flops_per_second = 0;  // fp32, one product of 1536 (CPU) or 8192 (CUDA) squared
};
const Roofs& roofs();      // measured once per process
const Context& context();  // of ORRERY_BENCH_DEVICE (default cpu)

// One case: `work` is what is timed (the device waits at its end), bytes and flops what one call of it must move and do. Every operation
// on numbers counts, a fused multiply-add and a conversion too; exp, log, sin, cos and square root count `transcendental` each.
constexpr double transcendental = 10;
constexpr double philox = 10 * 8;  // one block of four words: ten rounds of two products and six other operations
void add(const std::string& name, double bytes, double flops, std::function<void()> work);

void add_compressors();
void add_kernels();
void add_logistic();
void add_messages();
void add_mixing();
void add_rounds();
void add_signs();
void add_votes();

}  // namespace orrery::bench
