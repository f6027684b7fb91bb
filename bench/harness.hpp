// What every benchmark here reports: microseconds, bytes and operations per second, and the share of what this device reached in the same call
// - of its copy bandwidth (read + write of buffers beyond any cache) and of its rate in one large product.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <memory>
#include <string>

#include "kernels/core/buffer.hpp"
#include "runtime/experiment.hpp"

namespace orrery::bench {

struct Roofs {
  double copy_bytes_per_second = 0;  // read + write
  double gemm_flops_per_second =
      0;  // one product of 1536 (CPU) or 8192 (CUDA) squared, computed as context().products says
};
const Roofs& roofs();  // measured once per process
const Context&
context();  // of ORRERY_BENCH_DEVICE (cpu, cuda) and ORRERY_BENCH_PRECISION (fp32, tf32, bf16); default cpu and fp32

// ORRERY_BENCH_SIZE=small: sizes that only show that a case runs; times of these say nothing.
bool small();
inline int64_t sized(int64_t full, int64_t little) { return small() ? little : full; }

// One case: `work` is what is timed (the device waits at its end), bytes and flops what one call of it must move and do. Every operation
// on numbers counts, a fused multiply-add and a conversion too; exp, log, sin, cos and square root count `transcendental` each.
// What does not begin within ORRERY_BENCH_SECONDS (default: no limit) is left out, and so is what its device has no room for; both say so.
constexpr double transcendental = 10;
constexpr double philox = 10 * 8;  // one block of four words: ten rounds of two products and six other operations
void add(const std::string& name, double bytes, double flops, std::function<void()> work);

// Numbers in (-1/2, 1/2) that repeat after 2^20 of them: zeros can be faster than what a run has.
void fill(Buffer<float>&);

// Sets `give_back` to be called when another thing is made, and by main at the end.
void hold(std::function<void()> give_back);

// What cases work on: made by the first of them that runs, given back when another such thing is made. Copies share it.
template <class T>
class Made {
 public:
  template <class... A>
  explicit Made(A... a) : state_(std::make_shared<State>()) {
    state_->make = [=] { return std::make_unique<T>(a...); };
  }
  T* operator->() const { return &**this; }
  T& operator*() const {
    if (!state_->thing) {
      hold([state = state_] { state->thing.reset(); });
      state_->thing = state_->make();
    }
    return *state_->thing;
  }

 private:
  struct State {
    std::function<std::unique_ptr<T>()> make;
    std::unique_ptr<T> thing;
  };
  std::shared_ptr<State> state_;
};

void add_averages();
void add_compressors();
void add_kernels();
void add_logistic();
void add_messages();
void add_mixing();
void add_perceptrons();
void add_risks();
void add_rounds();
void add_signs();
void add_votes();

}  // namespace orrery::bench
