// kernels/core/block.cuh and cluster.cuh, on the emulated device.
#include "kernels/core/block.cuh"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "kernels/core/cluster.cuh"
#include "support.hpp"

namespace orrery {
namespace {

using emulation::test::Device;
using emulation::test::refused;

// Two sums and two maxima in a row, without barriers of the caller's own.
template <class T>
__global__ void reduce_kernel(const T* in, T* out) {
  const T value = in[threadIdx.x];
  T* o = out + 6 * threadIdx.x;
  o[0] = block_sum(value);
  o[1] = block_sum(static_cast<T>(value + o[0]));
  o[2] = block_max(value);
  o[3] = block_max(static_cast<T>(-value));
  o[4] = warp_sum(value);
  o[5] = warp_max(value);
}

template <class T>
void check_reductions(double eps) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(-1000, 1000);
  for (unsigned threads : {32u, 64u, 96u, 256u, 992u, 1024u})
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      emulation::set_seed(seed);
      std::vector<T> values(threads);
      for (T& v : values) v = static_cast<T>(uniform(random));
      Device<T> in(values), out(6 * threads);
      launch(reduce_kernel<T>, 1, threads, 0, nullptr, in.data(), out.data());
      const auto got = out.get();
      double sum = 0, size = 0, largest = -1e30, smallest = 1e30;
      for (T v : values)
        sum += v, size += std::abs(static_cast<double>(v)), largest = std::max<double>(largest, v),
                                                            smallest = std::min<double>(smallest, v);
      for (unsigned t = 0; t < threads; ++t) {
        const T* o = &got[6 * t];
        ASSERT_NEAR(o[0], sum, 10 * eps * size);  // ten additions in a row at most
        ASSERT_EQ(o[0], got[0]) << "the same bits in every thread";
        ASSERT_NEAR(o[1], sum + threads * static_cast<double>(o[0]), 11 * eps * (size + threads * std::abs(sum)));
        ASSERT_EQ(o[2], static_cast<T>(largest));
        ASSERT_EQ(o[3], static_cast<T>(-smallest));
        double warp = 0, warp_largest = -1e30;
        for (unsigned l = t / 32 * 32; l < t / 32 * 32 + 32; ++l)
          warp += values[l], warp_largest = std::max<double>(warp_largest, values[l]);
        ASSERT_NEAR(o[4], warp, 5 * eps * size);
        ASSERT_EQ(o[5], static_cast<T>(warp_largest));
      }
    }
}
TEST(Block, ReducesFloat) { check_reductions<float>(std::numeric_limits<float>::epsilon()); }
TEST(Block, ReducesDouble) { check_reductions<double>(std::numeric_limits<double>::epsilon()); }
TEST(Block, ReducesInt64) { check_reductions<int64_t>(0); }

__global__ void sum_once_kernel(const float* in, float* out) {
  const float s = block_sum(in[blockIdx.x * blockDim.x + threadIdx.x]);
  if (threadIdx.x == 0) out[blockIdx.x] = s;
}
TEST(Block, TheSumHasTheSameBitsUnderEverySeed) {
  std::vector<float> values(4 * 512);
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i)) * 1e3f;
  Device<float> in(values), out(4);
  std::vector<float> first;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    emulation::set_seed(seed);
    launch(sum_once_kernel, 4, 512, 0, nullptr, in.data(), out.data());
    if (seed == 1) first = out.get();
    EXPECT_EQ(out.get(), first);
  }
}

// Loops of different length per block: the helper is safe inside uniform control flow.
__global__ void looped_kernel(int64_t* out) {
  int64_t total = 0;
  for (unsigned i = 0; i <= blockIdx.x; ++i) total += block_sum(int64_t{threadIdx.x} + i);
  out[blockIdx.x * blockDim.x + threadIdx.x] = total;
}
TEST(Block, SumsInALoop) {
  Device<int64_t> out(5 * 64);
  launch(looped_kernel, 5, 64, 0, nullptr, out.data());
  const auto got = out.get();
  for (int64_t b = 0; b < 5; ++b)
    for (int64_t t = 0; t < 64; ++t) EXPECT_EQ(got[b * 64 + t], (b + 1) * 2016 + 64 * b * (b + 1) / 2);
}

// ---- clusters ----

// Each block writes its number, then every block adds up those of its cluster.
template <bool First, bool Last>
__global__ void cluster_sum_kernel(int* out) {
  ORRERY_SHARED(int, other, 3);  // so that `mine` does not start the memory
  ORRERY_SHARED(int, mine, 32);
  mine[threadIdx.x] = static_cast<int>(1000 * blockIdx.x + threadIdx.x);
  if (threadIdx.x < 3) other[threadIdx.x] = 0;
  if (First) cluster_sync();
  int sum = 0;
  for (unsigned rank = 0; rank < cluster_size(); ++rank) sum += cluster_map(mine, rank)[31 - threadIdx.x];
  if (Last) cluster_sync();
  out[blockIdx.x * 32 + threadIdx.x] = sum + 100000 * static_cast<int>(cluster_rank());
}
template <bool First, bool Last>
bool cluster_sums(unsigned size, uint64_t seed) {
  emulation::set_seed(seed);
  Device<int> out(16 * 32);
  launch_cluster(cluster_sum_kernel<First, Last>, 16, 32, size, 0, nullptr, out.data());
  const auto got = out.get();
  for (int b = 0; b < 16; ++b)
    for (int t = 0; t < 32; ++t) {
      const int n = static_cast<int>(size), first = b / n * n;
      int sum = 100000 * (b % n);
      for (int r = 0; r < n; ++r) sum += 1000 * (first + r) + 31 - t;
      if (got[b * 32 + t] != sum) return false;
    }
  return true;
}
TEST(Cluster, BlocksSeeEachOthersSharedMemory) {
  for (unsigned size : {1u, 2u, 4u, 8u})
    for (uint64_t seed = 1; seed <= 5; ++seed)
      EXPECT_TRUE((cluster_sums<true, true>(size, seed))) << size << " blocks, seed " << seed;
}
TEST(Cluster, AMissingBarrierIsSeen) {
  for (uint64_t seed = 1; seed <= 5; ++seed) EXPECT_FALSE((cluster_sums<false, true>(4, seed)));
}
TEST(Cluster, ReadingABlockThatHasReturnedIsReported) {
  int reported = 0;
  emulation::set_quiet(true);
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    try {
      cluster_sums<true, false>(4, seed);
    } catch (const std::exception&) {
      ++reported;
    }
  }
  emulation::set_quiet(false);
  EXPECT_GT(reported, 0);
}
TEST(Cluster, InAPlainLaunchItIsOneBlock) {
  Device<int> out(16 * 32);
  launch(cluster_sum_kernel<true, true>, 16, 32, 0, nullptr, out.data());
  const auto got = out.get();
  for (int b = 0; b < 16; ++b) EXPECT_EQ(got[b * 32], 1000 * b + 31);
}

__global__ void cluster_early_return_kernel() {
  if (blockIdx.x == 1) return;
  cluster_sync();
}
__global__ void cluster_bad_rank_kernel() {
  ORRERY_SHARED(int, mine, 1);
  cluster_map(mine, 2)[0] = 1;
}
TEST(Cluster, MistakesAreReported) {
  std::string report =
      refused(cudaErrorLaunchFailure, [] { launch_cluster(cluster_early_return_kernel, 2, 32, 2, 0, nullptr); });
  EXPECT_NE(report.find("wait at the cluster barrier"), std::string::npos) << report;
  report = refused(cudaErrorIllegalAddress, [] { launch_cluster(cluster_bad_rank_kernel, 2, 32, 2, 0, nullptr); });
  EXPECT_NE(report.find("rank 2 in a cluster of 2"), std::string::npos) << report;
  refused(cudaErrorInvalidClusterSize, [] { launch_cluster(cluster_early_return_kernel, 16, 32, 16, 0, nullptr); });
  refused(cudaErrorInvalidConfiguration, [] { launch_cluster(cluster_early_return_kernel, 3, 32, 2, 0, nullptr); });
}

}  // namespace
}  // namespace orrery
