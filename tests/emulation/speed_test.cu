// How fast the emulation is; prints, and fails only where something is badly wrong.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "kernels/core/block.cuh"
#include "support.hpp"

namespace orrery {
namespace {

using emulation::test::Device;

__global__ void axpy_kernel(float* y, const float* x, float a, int64_t n) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < n) y[i] += a * x[i];
}
__global__ void barriers_kernel(int* out, int n) {
  ORRERY_SHARED(int, tile, 256);
  tile[threadIdx.x] = 0;
  for (int i = 0; i < n; ++i) {
    __syncthreads();
    tile[threadIdx.x] += tile[(threadIdx.x + 1) % 256] & 1;
  }
  out[blockIdx.x * blockDim.x + threadIdx.x] = tile[threadIdx.x];
}
__global__ void sums_kernel(const float* in, float* out) {
  const float s = block_sum(in[blockIdx.x * blockDim.x + threadIdx.x]);
  if (threadIdx.x == 0) out[blockIdx.x] = s;
}

template <class F>
double millions_per_second(const char* what, double events, F&& f) {
  f();  // makes the stacks
  const auto start = std::chrono::steady_clock::now();
  f();
  const double rate =
      events / std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  std::printf("%-40s %8.1f million/s\n", what, rate);
  return rate;
}

TEST(Speed, ThreadsAndBarriers) {
  constexpr int kBlocks = 4000, kThreads = 256;
  Device<float> x(std::vector<float>(kBlocks * kThreads, 1.0f)), y(std::vector<float>(kBlocks * kThreads, 0.0f));
  Device<int> out(kBlocks * kThreads);
  const double n = kBlocks * kThreads;
  EXPECT_GT(
      millions_per_second(
          "threads that never wait", n,
          [&] { launch(axpy_kernel, kBlocks, kThreads, 0, nullptr, y.data(), x.data(), 2.0f, kBlocks * kThreads); }),
      0.3);
  EXPECT_GT(millions_per_second("threads waiting at a barrier", 20 * 200 * kThreads,
                                [&] { launch(barriers_kernel, 200, kThreads, 0, nullptr, out.data(), 20); }),
            0.3);
  EXPECT_GT(millions_per_second("threads in a block sum (12 waits each)", 400 * kThreads,
                                [&] { launch(sums_kernel, 400, kThreads, 0, nullptr, x.data(), y.data()); }),
            0.03);
}

}  // namespace
}  // namespace orrery
