#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "bench/harness.hpp"
#include "kernels/batched_gemm.hpp"

namespace orrery::bench {
namespace {

using Time = std::chrono::steady_clock;

template <class F>
double best_seconds(int repeats, F work) {
  double best = 1e300;
  for (int r = 0; r < repeats; ++r) {
    const auto start = Time::now();
    work();
    context().synchronize();
    best = std::min(best, std::chrono::duration<double>(Time::now() - start).count());
  }
  return best;
}

Roofs measure() {
  const Context& ctx = context();
  const bool cpu = ctx.backend == Backend::cpu;
  Roofs roofs;
  // copy: 512 MiB each way, all threads
  const int64_t n = int64_t{128} << 20;
  Buffer<float> from(ctx, n), to(ctx, n);
  const auto copy = [&] {
    if (!cpu) return detail::copy(ctx, to.data(), ctx.backend, from.data(), ctx.backend, n * 4);
    const int64_t piece = n / 64;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < 64; ++p)
      std::memcpy(to.data() + p * piece, from.data() + p * piece, static_cast<size_t>(piece) * 4);
  };
  roofs.copy_bytes_per_second = 8.0 * static_cast<double>(n) / best_seconds(7, copy);
  // product: on the CPU one per thread, as our kernels use the BLAS
  const int64_t m = cpu ? 1536 : 8192, count = cpu ? threads() : 1;
  Buffer<float> a(ctx, m * m * count), b(ctx, m * m * count), c(ctx, m * m * count);
  const auto product = [&] {
    batched_gemm<float>(ctx, m, m, m, 1, {a.data(), m, m * m}, {b.data(), m, m * m}, 0, {c.data(), m, m * m}, count);
  };
  roofs.gemm_flops_per_second = 2.0 * static_cast<double>(m * m * m * count) / best_seconds(4, product);
  return roofs;
}

}  // namespace

const Context& context() {
  // never destroyed: the registered cases keep buffers on its stream until the process ends
  static const char* wanted = std::getenv("ORRERY_BENCH_DEVICE");
  static const Context& ctx = *new Context(wanted && std::string(wanted) == "cuda" ? Backend::cuda : Backend::cpu);
  return ctx;
}

const Roofs& roofs() {
  static const Roofs measured = measure();
  return measured;
}

void add(const std::string& name, double bytes, double flops, std::function<void()> work) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) {
                                 work();  // warm up
                                 context().synchronize();
                                 double total = 0;
                                 for (auto _ : state) {
                                   const auto start = Time::now();
                                   work();
                                   context().synchronize();
                                   const double seconds = std::chrono::duration<double>(Time::now() - start).count();
                                   state.SetIterationTime(seconds);
                                   total += seconds;
                                 }
                                 const double each = total / static_cast<double>(state.iterations());
                                 const double floor = std::max(bytes / roofs().copy_bytes_per_second,
                                                               flops / roofs().gemm_flops_per_second);
                                 state.counters["bytes"] = bytes;
                                 state.counters["operations"] = flops;
                                 state.counters["GB_per_s"] = bytes / each / 1e9;
                                 state.counters["GFLOP_per_s"] = flops / each / 1e9;
                                 state.counters["share_of_copy"] = bytes / each / roofs().copy_bytes_per_second;
                                 state.counters["share_of_gemm"] = flops / each / roofs().gemm_flops_per_second;
                                 state.counters["floor_us"] = floor * 1e6;
                               })
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond)
      ->MinTime(0.3);
}

}  // namespace orrery::bench
