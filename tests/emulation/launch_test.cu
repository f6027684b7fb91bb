// Launches: every thread runs once at its place, arguments convert, and CUDA's limits hold.
#include <gtest/gtest.h>

#include <thread>

#include "kernels/core/launch.cuh"
#include "support.hpp"

namespace orrery {
namespace {

using emulation::test::Device;
using emulation::test::refused;

__global__ void count_kernel(int* visits) {
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  atomicAdd(&visits[block * blockDim.x * blockDim.y * blockDim.z + thread], 1);
}
TEST(Launch, EveryThreadRunsOnce) {
  for (auto [grid, block] :
       {std::pair{dim3(1), dim3(1)}, {dim3(5), dim3(33)}, {dim3(3, 2, 4), dim3(4, 8, 2)}, {dim3(2), dim3(1024)}}) {
    const size_t n = size_t{grid.x} * grid.y * grid.z * block.x * block.y * block.z;
    Device<int> visits(std::vector<int>(n, 0));
    launch(count_kernel, grid, block, 0, nullptr, visits.data());
    EXPECT_EQ(visits.get(), std::vector<int>(n, 1));
  }
}

struct Arguments {
  float scale;
  int64_t offset;
};
__global__ void arguments_kernel(double* out, const float* in, int64_t n, Arguments a, bool negate) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < n) out[i] = (negate ? -1.0 : 1.0) * (in[i] * a.scale + static_cast<double>(a.offset));
}
TEST(Launch, ArgumentsAreConvertedAndPassedByValue) {
  Device<float> in({1, 2, 3});
  Device<double> out(3);
  launch(arguments_kernel, 1, 32, 0, nullptr, out.data(), in.data(), 3, Arguments{2.0f, 10},
         1);  // float* -> const float*, int -> int64_t
  EXPECT_EQ(out.get(), (std::vector<double>{-12, -14, -16}));
}

__global__ void nothing_kernel() {}
__global__ void dynamic_kernel(char* last, int bytes) {
  ORRERY_DYNAMIC_SHARED(char, tile);
  tile[bytes - 1] = 5;
  *last = tile[bytes - 1];
}

TEST(Launch, GeometryThatCudaRefusesIsRefused) {
  const cudaError_t bad = cudaErrorInvalidConfiguration;
  refused(bad, [] { launch(nothing_kernel, 0, 32, 0, nullptr); });
  refused(bad, [] { launch(nothing_kernel, dim3(1, 0), 32, 0, nullptr); });
  refused(bad, [] { launch(nothing_kernel, 1, 0, 0, nullptr); });
  refused(bad, [] { launch(nothing_kernel, 1, 1025, 0, nullptr); });
  refused(bad, [] { launch(nothing_kernel, 1, dim3(64, 32), 0, nullptr); });
  refused(bad, [] { launch(nothing_kernel, 1, dim3(1, 1, 65), 0, nullptr); });
  refused(bad, [] { launch(nothing_kernel, dim3(1, 65536), 32, 0, nullptr); });
  launch(nothing_kernel, 1, 1024, 0, nullptr);
}
TEST(Launch, SharedMemoryAbove48KilobytesNeedsToBeAskedFor) {
  Device<char> last(1);
  launch(dynamic_kernel, 1, 1, 48 * 1024, nullptr, last.data(), 48 * 1024);
  refused(cudaErrorInvalidValue,
          [&] { launch(dynamic_kernel, 1, 1, 48 * 1024 + 1, nullptr, last.data(), 48 * 1024 + 1); });
  allow_shared(dynamic_kernel, 227 * 1024);
  launch(dynamic_kernel, 1, 1, 227 * 1024, nullptr, last.data(), 227 * 1024);
  EXPECT_EQ(last.get()[0], 5);
  refused(cudaErrorInvalidValue, [&] { launch(dynamic_kernel, 1, 1, 227 * 1024 + 1, nullptr, last.data(), 1); });
  refused(cudaErrorInvalidValue, [] { allow_shared(dynamic_kernel, 228 * 1024); });
  allow_shared(dynamic_kernel, 48 * 1024);
}
TEST(Launch, AFailureDoesNotBlameTheNextLaunch) {
  refused(cudaErrorInvalidConfiguration, [] { launch(nothing_kernel, 0, 1, 0, nullptr); });
  EXPECT_NO_THROW(launch(nothing_kernel, 1, 1, 0, nullptr));
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

__global__ void sum_kernel(const int* in, int* out) {
  ORRERY_SHARED(int, tile, 128);
  tile[threadIdx.x] = in[threadIdx.x];
  __syncthreads();
  for (unsigned half = 64; half > 0; half /= 2) {
    if (threadIdx.x < half) tile[threadIdx.x] += tile[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) *out = tile[0];
}
TEST(Launch, OsThreadsTakeTurns) {
  std::vector<int> results(4, 0);
  std::vector<std::thread> threads;
  for (int r = 0; r < 4; ++r)
    threads.emplace_back([r, &results] {
      for (int i = 0; i < 50; ++i) {
        Device<int> in(std::vector<int>(128, r + 1)), out(1);
        launch(sum_kernel, 1, 128, 0, nullptr, in.data(), out.data());
        results[r] += out.get()[0];
      }
    });
  for (auto& t : threads) t.join();
  for (int r = 0; r < 4; ++r) EXPECT_EQ(results[r], 50 * 128 * (r + 1));
}

TEST(Launch, TheDeviceDescribesItself) {
  cudaDeviceProp p;
  ASSERT_EQ(cudaGetDeviceProperties(&p, 0), cudaSuccess);
  EXPECT_STREQ(p.name, "emulated CUDA device");
  EXPECT_EQ(p.major, 9);
  EXPECT_EQ(p.sharedMemPerBlockOptin, 232448u);
  int value = 0, count = 0, blocks = 0;
  ASSERT_EQ(cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, 0), cudaSuccess);
  EXPECT_EQ(value, 4);
  ASSERT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  EXPECT_EQ(count, 1);
  emulation::set_quiet(true);
  EXPECT_EQ(cudaSetDevice(1), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  emulation::set_quiet(false);
  ASSERT_EQ(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, nothing_kernel, 256, 0), cudaSuccess);
  EXPECT_EQ(blocks, 8);
  ASSERT_EQ(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, nothing_kernel, 256, 227 * 1024), cudaSuccess);
  EXPECT_EQ(blocks, 1);
}

}  // namespace
}  // namespace orrery
