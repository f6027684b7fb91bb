#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "bench/harness.hpp"
#include "kernels/batched_gemm.hpp"
#include "kernels/core/error.hpp"

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
  const int64_t n = sized(int64_t{128} << 20, int64_t{1} << 20);
  Buffer<float> from(ctx, n), to(ctx, n);
  fill(from);
  const auto copy = [&] {
    if (!cpu) return detail::copy(ctx, to.data(), ctx.backend, from.data(), ctx.backend, n * 4);
    const int64_t piece = n / 64;
#pragma omp parallel for schedule(static)
    for (int64_t p = 0; p < 64; ++p)
      std::memcpy(to.data() + p * piece, from.data() + p * piece, static_cast<size_t>(piece) * 4);
  };
  roofs.copy_bytes_per_second = 8.0 * static_cast<double>(n) / best_seconds(7, copy);
  // product: on the CPU one per thread, as our kernels use the BLAS
  const int64_t m = sized(cpu ? 1536 : 8192, 128), count = cpu ? threads() : 1;
  Buffer<float> a(ctx, m * m * count), b(ctx, m * m * count), c(ctx, m * m * count);
  fill(a), fill(b);
  const auto product = [&] {
    batched_gemm<float>(ctx, m, m, m, 1, {a.data(), m, m * m}, {b.data(), m, m * m}, 0, {c.data(), m, m * m}, count);
  };
  roofs.gemm_flops_per_second = 2.0 * static_cast<double>(m * m * m * count) / best_seconds(4, product);
  return roofs;
}

std::string setting(const char* name, const char* otherwise, const std::vector<std::string>& known) {
  const char* given = std::getenv(name);
  const std::string value = given ? given : otherwise;
  if (std::find(known.begin(), known.end(), value) == known.end())
    throw ExperimentError(fmt::format("{} is \"{}\"; known: {}", name, value, fmt::join(known, ", ")));
  return value;
}

// Why this case is not to be run, or nothing.
std::string too_late() {
  static const Time::time_point start = Time::now();
  static const char* given = std::getenv("ORRERY_BENCH_SECONDS");
  static const double limit = given ? std::atof(given) : 1e300;
  return std::chrono::duration<double>(Time::now() - start).count() < limit ? "" : "time is up";
}

}  // namespace

const Context& context() {
  // never destroyed: what cases hold lives on its stream until the process ends
  static const Context& ctx = *[] {
    const std::string device = setting("ORRERY_BENCH_DEVICE", "cpu", {"cpu", "cuda"});
    const std::string precision = setting("ORRERY_BENCH_PRECISION", "fp32", {"fp32", "tf32", "bf16"});
    return new Context(device == "cuda" ? Backend::cuda : Backend::cpu, 0,
                       precision == "fp32"   ? Products::full
                       : precision == "tf32" ? Products::tf32
                                             : Products::bf16);
  }();
  return ctx;
}

bool small() {
  static const bool little = setting("ORRERY_BENCH_SIZE", "full", {"full", "small"}) == "small";
  return little;
}

void fill(Buffer<float>& b) {
  const int64_t once = std::min(b.size(), int64_t{1} << 20);
  std::vector<float> v(static_cast<size_t>(once));
  for (size_t i = 0; i < v.size(); ++i)
    v[i] = static_cast<float>((i + 1) * 0x9E3779B97F4A7C15u >> 40) / 16777216.0f - 0.5f;
  const Buffer<float> numbers(context(), v);
  const auto copy = [](float* to, const float* from, int64_t n) {
    detail::copy(context(), to, context().backend, from, context().backend, n * 4);
  };
  copy(b.data(), numbers.data(), once);
  for (int64_t done = once; done < b.size(); done *= 2)
    copy(b.data() + done, b.data(), std::min(done, b.size() - done));
  context().synchronize();
}

void hold(std::function<void()> give_back) {
  static auto& last = *new std::function<void()>;
  if (last) last();
  last = std::move(give_back);
}

const Roofs& roofs() {
  static const Roofs measured = measure();
  return measured;
}

void add(const std::string& name, double bytes, double flops, std::function<void()> work) {
  too_late();  // the clock begins
  const auto measure = [=](benchmark::State& state) {
    if (const std::string why = too_late(); !why.empty()) return state.SkipWithError(why.c_str());
    try {
      work();  // warm up
      context().synchronize();
    } catch (const std::exception& e) {  // no room, say: the other cases go on
      return state.SkipWithError(e.what());
    }
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
    const double floor = std::max(bytes / roofs().copy_bytes_per_second, flops / roofs().gemm_flops_per_second);
    state.counters["bytes"] = bytes;
    state.counters["operations"] = flops;
    state.counters["GB_per_s"] = bytes / each / 1e9;
    state.counters["GFLOP_per_s"] = flops / each / 1e9;
    state.counters["share_of_copy"] = bytes / each / roofs().copy_bytes_per_second;
    state.counters["share_of_gemm"] = flops / each / roofs().gemm_flops_per_second;
    state.counters["floor_us"] = floor * 1e6;
  };
  benchmark::RegisterBenchmark(name.c_str(), measure)->UseManualTime()->Unit(benchmark::kMicrosecond);
}

}  // namespace orrery::bench
