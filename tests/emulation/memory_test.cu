// Memory: fresh memory is poison, writes outside an array are seen, copies check their ranges.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/core/launch.cuh"
#include "support.hpp"

namespace orrery {
namespace {

using emulation::test::Device;
using emulation::test::failed;
using emulation::test::kAsan;
using emulation::test::refused;

class Memory : public testing::Test {
 protected:
  void TearDown() override { emulation::set_quiet(false), emulation::set_memory_limit(0), cudaGetLastError(); }
};

// ---- shared memory ----

__global__ void read_shared_kernel(float* out) {
  ORRERY_SHARED(float, tile, 64);
  ORRERY_DYNAMIC_SHARED(float, dynamic);
  out[blockIdx.x * 128 + threadIdx.x] = tile[threadIdx.x];
  out[blockIdx.x * 128 + 64 + threadIdx.x] = dynamic[threadIdx.x];
  __syncthreads();
  tile[threadIdx.x] = dynamic[threadIdx.x] = 1.0f;  // must not reach the next block
}
TEST_F(Memory, SharedMemoryIsPoisonAtEveryBlockStart) {
  Device<float> out(4 * 128);
  launch(read_shared_kernel, 4, 64, 64 * sizeof(float), nullptr, out.data());
  for (float v : out.get()) EXPECT_TRUE(std::isnan(v));
}

__global__ void static_overrun_kernel(int at, int sign) {
  ORRERY_SHARED(int, first, 33);
  ORRERY_SHARED(int, second, 8);
  if (threadIdx.x == 3) first[at] = second[sign] = 7;
}
__global__ void dynamic_overrun_kernel(int at) {
  ORRERY_DYNAMIC_SHARED(int, tile);
  if (threadIdx.x == 3) tile[at] = 7;
}
TEST_F(Memory, AWriteOutsideASharedArrayIsReported) {
  if (kAsan) {
    EXPECT_DEATH(launch(static_overrun_kernel, 1, 32, 0, nullptr, 33, 0), "use-after-poison");
    EXPECT_DEATH(launch(dynamic_overrun_kernel, 1, 32, 40, nullptr, 10), "use-after-poison");
    return;
  }
  std::string report =
      refused(cudaErrorIllegalAddress, [] { launch(static_overrun_kernel, 2, 32, 0, nullptr, 33, 0); });
  EXPECT_NE(report.find("past the end of first (132 bytes)"), std::string::npos) << report;
  report = refused(cudaErrorIllegalAddress, [] { launch(static_overrun_kernel, 2, 32, 0, nullptr, 0, 8); });
  EXPECT_NE(report.find("past the end of second (32 bytes)"), std::string::npos) << report;
  report = refused(cudaErrorIllegalAddress, [] { launch(dynamic_overrun_kernel, 2, 32, 40, nullptr, 10); });
  EXPECT_NE(report.find("past the end of dynamic shared memory (40 bytes)"), std::string::npos) << report;
  refused(cudaErrorIllegalAddress, [] { launch(dynamic_overrun_kernel, 2, 32, 40, nullptr, -1); });
  launch(static_overrun_kernel, 2, 32, 0, nullptr, 32, 7);  // the last elements
  launch(dynamic_overrun_kernel, 2, 32, 40, nullptr, 9);
}

__global__ void large_static_kernel() {
  ORRERY_SHARED(char, tile, 49 * 1024);
  tile[threadIdx.x] = 1;
}
TEST_F(Memory, MoreThan48KilobytesOfStaticSharedMemoryIsReported) {
  refused(cudaErrorInvalidConfiguration, [] { launch(large_static_kernel, 1, 32, 0, nullptr); });
}

// Arrays keep their size, are aligned for float4, and do not overlap.
__global__ void layout_kernel(int* ok) {
  ORRERY_SHARED(char, bytes, 3);
  ORRERY_SHARED(float, floats, 5);
  ORRERY_SHARED(double2, pairs, 2);
  static_assert(sizeof(floats) == 20 && sizeof(pairs) == 32);
  const auto a = reinterpret_cast<uintptr_t>(bytes), b = reinterpret_cast<uintptr_t>(floats),
             c = reinterpret_cast<uintptr_t>(pairs);
  *ok = a % 16 == 0 && b % 16 == 0 && c % 16 == 0 && a + 3 <= b && b + 20 <= c;
}
TEST_F(Memory, SharedArraysAreAlignedAndApart) {
  Device<int> ok(1);
  launch(layout_kernel, 1, 1, 0, nullptr, ok.data());
  EXPECT_EQ(ok.get()[0], 1);
}

// ---- device memory ----

__global__ void write_kernel(char* p, int64_t at) {
  if (threadIdx.x == 0) p[at] = 1;
}
TEST_F(Memory, FreshDeviceMemoryIsPoison) {
  Device<float> floats(100);
  for (float v : floats.get()) EXPECT_TRUE(std::isnan(v));
}
TEST_F(Memory, AWriteOutsideAnAllocationIsReportedAtTheLaunch) {
  Device<char> p(100), q(100);
  if (kAsan) {
    EXPECT_DEATH(launch(write_kernel, 1, 32, 0, nullptr, p.data(), 100), "use-after-poison");
    EXPECT_DEATH(launch(write_kernel, 1, 32, 0, nullptr, p.data(), -1), "use-after-poison");
    return;
  }
  for (int64_t at : {100, 103, 611}) {
    const std::string report =
        refused(cudaErrorIllegalAddress, [&] { launch(write_kernel, 1, 32, 0, nullptr, p.data(), at); });
    EXPECT_NE(report.find("write_kernel"), std::string::npos) << report;
    EXPECT_NE(report.find("written " + std::to_string(at - 100) + " bytes past the end of an allocation of 100 bytes"),
              std::string::npos)
        << report;
  }
  const std::string report =
      refused(cudaErrorIllegalAddress, [&] { launch(write_kernel, 1, 32, 0, nullptr, p.data(), -4); });
  EXPECT_NE(report.find("bytes before an allocation of 100 bytes"), std::string::npos) << report;
  launch(write_kernel, 1, 32, 0, nullptr, p.data(), 99);  // reported once, and the last byte is fine
}
TEST_F(Memory, AWriteByTheHostIsReportedWhenTheMemoryIsFreed) {
  if (kAsan) GTEST_SKIP() << "AddressSanitizer ends the program at the write";
  char* p = nullptr;
  ASSERT_EQ(cudaMalloc(&p, 10), cudaSuccess);
  p[10] = 1;
  emulation::set_quiet(true);
  failed(cudaErrorIllegalAddress, cudaFree(p));
}
TEST_F(Memory, FreeingWhatIsNotAllocatedIsAnError) {
  emulation::set_quiet(true);
  int* p = nullptr;
  ASSERT_EQ(cudaMalloc(&p, 40), cudaSuccess);
  failed(cudaErrorInvalidValue, cudaFree(p + 1));
  EXPECT_EQ(cudaFree(p), cudaSuccess);
  failed(cudaErrorInvalidValue, cudaFree(p));
  int host = 0;
  failed(cudaErrorInvalidValue, cudaFree(&host));
  failed(cudaErrorInvalidValue, cudaFreeHost(&host));
  EXPECT_EQ(cudaFree(nullptr), cudaSuccess);
}
TEST_F(Memory, CopiesCheckRangeAndDirection) {
  emulation::set_quiet(true);
  Device<int> d(10);
  std::vector<int> h(20, 3);
  EXPECT_EQ(cudaMemcpy(d.data(), h.data(), 40, cudaMemcpyDefault), cudaSuccess);
  EXPECT_EQ(d.get(), std::vector<int>(10, 3));
  const std::string report =
      failed(cudaErrorInvalidValue, cudaMemcpy(d.data() + 1, h.data(), 40, cudaMemcpyHostToDevice));
  EXPECT_NE(report.find("bytes 4 to 44 of an allocation of 40"), std::string::npos) << report;
  failed(cudaErrorInvalidValue, cudaMemcpy(h.data(), d.data(), 44, cudaMemcpyDeviceToHost));
  failed(cudaErrorInvalidValue, cudaMemcpy(h.data(), h.data() + 10, 8, cudaMemcpyHostToDevice));
  failed(cudaErrorInvalidValue, cudaMemcpy(d.data(), h.data(), 8, cudaMemcpyDeviceToHost));
  failed(cudaErrorInvalidValue, cudaMemcpy(d.data(), d.data() + 5, 8, cudaMemcpyHostToDevice));
  failed(cudaErrorInvalidValue, cudaMemset(h.data(), 0, 8));
  failed(cudaErrorInvalidValue, cudaMemset(d.data(), 0, 41));
  EXPECT_EQ(cudaMemset(d.data(), 0, 40), cudaSuccess);
  EXPECT_EQ(d.get(), std::vector<int>(10, 0));
}
TEST_F(Memory, CopiesOfRectanglesFollowThePitches) {
  Device<int> d(3 * 4);
  d.set(std::vector<int>(12, 0));
  const std::vector<int> h = {1, 2, 3, 4, 5, 6};
  ASSERT_EQ(cudaMemcpy2DAsync(d.data() + 1, 16, h.data(), 8, 8, 3, cudaMemcpyHostToDevice), cudaSuccess);
  EXPECT_EQ(d.get(), (std::vector<int>{0, 1, 2, 0, 0, 3, 4, 0, 0, 5, 6, 0}));
  emulation::set_quiet(true);
  failed(cudaErrorInvalidPitchValue, cudaMemcpy2DAsync(d.data(), 4, h.data(), 8, 8, 3, cudaMemcpyHostToDevice));
}
TEST_F(Memory, TheLimitIsKeptAndReported) {
  emulation::set_memory_limit(1 << 20);
  size_t free = 0, total = 0;
  ASSERT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  EXPECT_EQ(total, size_t{1} << 20);
  emulation::set_quiet(true);
  void* p = nullptr;
  failed(cudaErrorMemoryAllocation, cudaMalloc(&p, (1 << 20) + 1));
  EXPECT_EQ(p, nullptr);
  ASSERT_EQ(cudaMalloc(&p, 1 << 19), cudaSuccess);
  ASSERT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  EXPECT_EQ(free, size_t{1} << 19);
  EXPECT_EQ(cudaFree(p), cudaSuccess);
}
TEST_F(Memory, PointersKnowTheirSide) {
  Device<int> d(10);
  int* pinned = nullptr;
  int plain = 0;
  ASSERT_EQ(cudaMallocHost(&pinned, 40), cudaSuccess);
  cudaPointerAttributes a;
  ASSERT_EQ(cudaPointerGetAttributes(&a, d.data() + 9), cudaSuccess);
  EXPECT_EQ(a.type, cudaMemoryTypeDevice);
  ASSERT_EQ(cudaPointerGetAttributes(&a, pinned + 9), cudaSuccess);
  EXPECT_EQ(a.type, cudaMemoryTypeHost);
  ASSERT_EQ(cudaPointerGetAttributes(&a, &plain), cudaSuccess);
  EXPECT_EQ(a.type, cudaMemoryTypeUnregistered);
  EXPECT_EQ(cudaFreeHost(pinned), cudaSuccess);
}
TEST_F(Memory, NothingIsLeftBehind) {
  const size_t before = emulation::live_allocations();
  { Device<int> d(5), e(6); }
  EXPECT_EQ(emulation::live_allocations(), before);
}

}  // namespace
}  // namespace orrery
