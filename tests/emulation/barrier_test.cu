// Barriers: right kernels pass under every seed, planted mistakes are seen.
#include <gtest/gtest.h>

#include "kernels/core/launch.cuh"
#include "support.hpp"

namespace orrery {
namespace {

using emulation::test::Device;

// Each thread reads its right neighbour's value.
__global__ void rotate_kernel(const int* in, int* out) {
  ORRERY_SHARED(int, tile, 256);
  tile[threadIdx.x] = in[blockIdx.x * blockDim.x + threadIdx.x];
  __syncthreads();
  out[blockIdx.x * blockDim.x + threadIdx.x] = tile[(threadIdx.x + 1) % blockDim.x];
}
__global__ void rotate_without_barrier_kernel(const int* in, int* out) {
  ORRERY_SHARED(int, tile, 256);
  tile[threadIdx.x] = in[blockIdx.x * blockDim.x + threadIdx.x];
  out[blockIdx.x * blockDim.x + threadIdx.x] = tile[(threadIdx.x + 1) % blockDim.x];
}

// Tree sum in dynamic shared memory, twice with the same memory; `Second` keeps the barrier between the two uses.
template <bool Second>
__global__ void two_sums_kernel(int* out) {
  ORRERY_DYNAMIC_SHARED(int, tile);
  for (int use = 0; use < 2; ++use) {
    tile[threadIdx.x] = use + 1;
    __syncthreads();
    for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
      if (threadIdx.x < half) tile[threadIdx.x] += tile[threadIdx.x + half];
      __syncthreads();
    }
    out[use * blockDim.x + threadIdx.x] = tile[0];
    if (Second) __syncthreads();
  }
}

constexpr int kBlocks = 3, kThreads = 256;

bool rotates(void (*kernel)(const int*, int*), uint64_t seed) {
  emulation::set_seed(seed);
  Device<int> in(kBlocks * kThreads), out(kBlocks * kThreads);
  std::vector<int> values(in.size());
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int>(i) * 7 + 1;
  in.set(values);
  launch(kernel, kBlocks, kThreads, 0, nullptr, in.data(), out.data());
  const std::vector<int> got = out.get();
  for (int b = 0; b < kBlocks; ++b)
    for (int t = 0; t < kThreads; ++t)
      if (got[b * kThreads + t] != values[b * kThreads + (t + 1) % kThreads]) return false;
  return true;
}

TEST(Barrier, OrdersWritesAndReadsUnderEverySeed) {
  for (uint64_t seed = 1; seed <= 20; ++seed) EXPECT_TRUE(rotates(rotate_kernel, seed)) << "seed " << seed;
}
TEST(Barrier, AMissingOneIsSeenUnderEverySeed) {
  for (uint64_t seed = 1; seed <= 20; ++seed)
    EXPECT_FALSE(rotates(rotate_without_barrier_kernel, seed)) << "seed " << seed;
}

template <bool Second>
int wrong_sums(int seeds) {
  int wrong = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    emulation::set_seed(static_cast<uint64_t>(seed));
    Device<int> out(2 * 64);
    launch(two_sums_kernel<Second>, 1, 64, 64 * sizeof(int), nullptr, out.data());
    const std::vector<int> got = out.get();
    bool right = true;
    for (int i = 0; i < 128; ++i) right = right && got[i] == (i < 64 ? 64 : 128);
    wrong += !right;
  }
  return wrong;
}
TEST(Barrier, TheOneBetweenTwoUsesOfSharedMemoryMatters) {
  EXPECT_EQ(wrong_sums<true>(20), 0);
  EXPECT_GT(wrong_sums<false>(20), 10);
}

__global__ void reducing_barriers_kernel(int* out) {
  const int t = static_cast<int>(threadIdx.x);
  out[3 * t] = __syncthreads_count(t % 3 == 0);
  out[3 * t + 1] = __syncthreads_and(t < 100);
  out[3 * t + 2] = __syncthreads_or(t == 77);
}
TEST(Barrier, CountsAndCombinesPredicates) {
  Device<int> out(3 * 100);
  launch(reducing_barriers_kernel, 1, 100, 0, nullptr, out.data());
  const auto got = out.get();
  for (int t = 0; t < 100; ++t) {
    EXPECT_EQ(got[3 * t], 34);
    EXPECT_TRUE(got[3 * t + 1]);
    EXPECT_TRUE(got[3 * t + 2]);
  }
}

__global__ void early_return_kernel(int* out, unsigned n) {
  if (threadIdx.x >= n) return;
  __syncthreads();
  out[threadIdx.x] = 1;
}
__global__ void two_barriers_kernel(int* out) {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  out[threadIdx.x] = 1;
}
__global__ void barrier_and_warp_kernel(int* out) {
  if (threadIdx.x == 5) {
    __syncthreads();
  } else {
    __syncwarp();
  }
  out[threadIdx.x] = 1;
}

TEST(Barrier, OneThatSomeThreadsNeverReachIsReported) {
  Device<int> out(64);
  const std::string report = emulation::test::refused(
      cudaErrorLaunchFailure, [&] { launch(early_return_kernel, dim3(2), dim3(64), 0, nullptr, out.data(), 40u); });
  EXPECT_NE(report.find("early_return_kernel"), std::string::npos) << report;
  EXPECT_NE(report.find("40 wait at the block barrier barrier_test.cu:"), std::string::npos) << report;
  EXPECT_NE(report.find("24 returned"), std::string::npos) << report;
  launch(early_return_kernel, dim3(2), dim3(40), 0, nullptr, out.data(), 40u);  // and the next launch is fine
}
TEST(Barrier, TwoDifferentOnesAreReported) {
  Device<int> out(64);
  const std::string report = emulation::test::refused(
      cudaErrorLaunchFailure, [&] { launch(two_barriers_kernel, 1, 64, 0, nullptr, out.data()); });
  EXPECT_NE(report.find("different barriers"), std::string::npos) << report;
}
TEST(Barrier, ABlockBarrierAgainstAWarpBarrierIsReported) {
  Device<int> out(32);
  const std::string report = emulation::test::refused(
      cudaErrorLaunchFailure, [&] { launch(barrier_and_warp_kernel, 1, 32, 0, nullptr, out.data()); });
  EXPECT_NE(report.find("31 wait at the warp function"), std::string::npos) << report;
  EXPECT_NE(report.find("1 wait at the block barrier"), std::string::npos) << report;
}

__global__ void trap_kernel() { __trap(); }
TEST(Barrier, ATrapEndsTheLaunch) {
  const std::string report =
      emulation::test::refused(cudaErrorLaunchFailure, [&] { launch(trap_kernel, 1, 32, 0, nullptr); });
  EXPECT_NE(report.find("__trap"), std::string::npos) << report;
}

// The seed decides the order of the threads; the same seed gives the same order.
__global__ void order_kernel(int* next, int* order) {
  order[atomicAdd(next, 1)] = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
}
std::vector<int> order_of(uint64_t seed) {
  emulation::set_seed(seed);
  Device<int> next(1), order(4 * 32);
  next.set({0});
  launch(order_kernel, 4, 32, 0, nullptr, next.data(), order.data());
  return order.get();
}
TEST(Barrier, TheOrderFollowsFromTheSeed) {
  EXPECT_EQ(order_of(1), order_of(1));
  EXPECT_NE(order_of(1), order_of(2));
  auto sorted = order_of(3);
  std::sort(sorted.begin(), sorted.end());
  for (int i = 0; i < 128; ++i) EXPECT_EQ(sorted[i], i);
}

}  // namespace
}  // namespace orrery
