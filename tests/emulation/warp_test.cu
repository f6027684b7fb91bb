// Warp collectives: values by CUDA's rules, and wrong participation is reported.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/core/launch.cuh"
#include "support.hpp"

namespace orrery {
namespace {

using emulation::test::Device;
using emulation::test::refused;

enum Kind { kIndex, kUp, kDown, kXor };

template <class T>
__global__ void shuffle_kernel(T* out, int kind, int argument, int width) {
  const T value = static_cast<T>(threadIdx.x * 10 + 1);
  T got{};
  switch (kind) {
    case kIndex: got = __shfl_sync(0xffffffffu, value, argument, width); break;
    case kUp: got = __shfl_up_sync(0xffffffffu, value, argument, width); break;
    case kDown: got = __shfl_down_sync(0xffffffffu, value, argument, width); break;
    case kXor: got = __shfl_xor_sync(0xffffffffu, value, argument, width); break;
  }
  out[threadIdx.x] = got;
}

// The lane that CUDA's guide names, segment by segment.
int source_lane(int lane, int kind, int argument, int width) {
  const int base = lane / width * width, position = lane % width;
  switch (kind) {
    case kIndex: return base + (argument % width + width) % width;
    case kUp: return position - argument >= 0 ? lane - argument : lane;
    case kDown: return position + argument < width ? lane + argument : lane;
    default: return (lane ^ argument) < base + width ? lane ^ argument : lane;
  }
}

template <class T>
void check_shuffles() {
  for (int kind : {kIndex, kUp, kDown, kXor})
    for (int width : {32, 16, 8, 2})
      for (int argument : {0, 1, 3, 7, 16, 31}) {
        Device<T> out(64);
        launch(shuffle_kernel<T>, 1, 64, 0, nullptr, out.data(), kind, argument, width);
        const auto got = out.get();
        for (int t = 0; t < 64; ++t) {
          const int source = t / 32 * 32 + source_lane(t % 32, kind, argument, width);
          ASSERT_EQ(got[t], static_cast<T>(source * 10 + 1))
              << "kind " << kind << " width " << width << " argument " << argument << " thread " << t;
        }
      }
}
TEST(Warp, ShufflesMoveValuesOf32Bits) {
  check_shuffles<int>();
  check_shuffles<unsigned>();
  check_shuffles<float>();
}
TEST(Warp, ShufflesMoveValuesOf64Bits) {
  check_shuffles<int64_t>();
  check_shuffles<unsigned long long>();
  check_shuffles<double>();
}

__global__ void votes_kernel(unsigned* out) {
  const unsigned t = threadIdx.x;
  unsigned* o = out + 8 * t;
  o[0] = __ballot_sync(0xffffffffu, t % 3 == 0);
  o[1] = static_cast<unsigned>(__any_sync(0xffffffffu, t == 40));
  o[2] = static_cast<unsigned>(__all_sync(0xffffffffu, t < 40));
  o[3] = __match_any_sync(0xffffffffu, t % 4);
  o[4] = static_cast<unsigned>(__reduce_add_sync(0xffffffffu, static_cast<int>(t) - 20));
  o[5] = static_cast<unsigned>(__reduce_min_sync(0xffffffffu, static_cast<int>(t) - 20));
  o[6] = __reduce_max_sync(0xffffffffu, t);
  o[7] = __reduce_xor_sync(0xffffffffu, 1u << t % 32);
}
TEST(Warp, VotesMatchesAndReductions) {
  Device<unsigned> out(64 * 8);
  launch(votes_kernel, 1, 64, 0, nullptr, out.data());
  const auto got = out.get();
  for (unsigned t = 0; t < 64; ++t) {
    const unsigned* o = &got[8 * t];
    const unsigned first = t / 32 * 32;
    unsigned ballot = 0, match = 0;
    for (unsigned l = 0; l < 32; ++l)
      ballot |= unsigned{(first + l) % 3 == 0} << l, match |= unsigned{l % 4 == t % 4} << l;
    EXPECT_EQ(o[0], ballot);
    EXPECT_EQ(o[1], first == 32);
    EXPECT_EQ(o[2], first == 0);
    EXPECT_EQ(o[3], match);
    EXPECT_EQ(static_cast<int>(o[4]), static_cast<int>(32 * first + 496 - 640));
    EXPECT_EQ(static_cast<int>(o[5]), static_cast<int>(first) - 20);
    EXPECT_EQ(o[6], first + 31);
    EXPECT_EQ(o[7], 0xffffffffu);
  }
}

// Halves of a warp take different paths with their own masks.
__global__ void halves_kernel(int* out) {
  const unsigned half = threadIdx.x / 16;
  int value = static_cast<int>(threadIdx.x);
  if (half == 0) {
    for (int d = 8; d > 0; d /= 2) value += __shfl_xor_sync(0x0000ffffu, value, d);
  } else {
    value = __shfl_sync(0xffff0000u, value, 20);
  }
  __syncwarp();
  out[threadIdx.x] = value;
}
TEST(Warp, MasksSplitTheWarp) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    emulation::set_seed(seed);
    Device<int> out(32);
    launch(halves_kernel, 1, 32, 0, nullptr, out.data());
    const auto got = out.get();
    for (int t = 0; t < 32; ++t) EXPECT_EQ(got[t], t < 16 ? 120 : 20);
  }
}

__global__ void absent_lane_kernel(float* out) { out[threadIdx.x] = __shfl_sync(0xffffffffu, 1.0f, 20); }
TEST(Warp, ALaneThatTheBlockDoesNotHaveGivesPoison) {
  Device<float> out(16);
  launch(absent_lane_kernel, 1, 16, 0, nullptr, out.data());
  for (float v : out.get()) EXPECT_TRUE(std::isnan(v));
}

// A value passed through shared memory inside a warp needs __syncwarp.
template <bool Sync>
__global__ void through_shared_kernel(int* out) {
  ORRERY_SHARED(int, box, 32);
  box[threadIdx.x] = static_cast<int>(threadIdx.x);
  if (Sync) __syncwarp();
  out[threadIdx.x] = box[31 - threadIdx.x];
}
template <bool Sync>
bool reversed(uint64_t seed) {
  emulation::set_seed(seed);
  Device<int> out(32);
  launch(through_shared_kernel<Sync>, 1, 32, 0, nullptr, out.data());
  const auto got = out.get();
  for (int t = 0; t < 32; ++t)
    if (got[t] != 31 - t) return false;
  return true;
}
TEST(Warp, AMissingSyncwarpIsSeen) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    EXPECT_TRUE(reversed<true>(seed));
    EXPECT_FALSE(reversed<false>(seed));
  }
}

__global__ void divergent_shuffle_kernel(int* out) {
  if (threadIdx.x < 20) out[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1, 1);
}
__global__ void different_masks_kernel(int* out) {
  const unsigned mask = threadIdx.x % 2 ? 0xffffffffu : 0x7fffffffu;
  out[threadIdx.x] = __shfl_sync(mask, 1, 0);
}
__global__ void not_in_own_mask_kernel(int* out) { out[threadIdx.x] = __shfl_sync(0x0000ffffu, 1, 0); }
__global__ void different_functions_kernel(int* out) {
  out[threadIdx.x] =
      threadIdx.x < 16 ? __shfl_sync(0xffffffffu, 1, 0) : static_cast<int>(__ballot_sync(0xffffffffu, 1));
}
TEST(Warp, WrongParticipationIsReported) {
  Device<int> out(32);
  std::string report =
      refused(cudaErrorLaunchFailure, [&] { launch(divergent_shuffle_kernel, 1, 32, 0, nullptr, out.data()); });
  EXPECT_NE(report.find("20 wait at the warp function warp_test.cu"), std::string::npos) << report;
  EXPECT_NE(report.find("12 returned"), std::string::npos) << report;
  report = refused(cudaErrorLaunchFailure, [&] { launch(different_masks_kernel, 1, 32, 0, nullptr, out.data()); });
  EXPECT_NE(report.find("mask"), std::string::npos) << report;
  report = refused(cudaErrorLaunchFailure, [&] { launch(not_in_own_mask_kernel, 1, 32, 0, nullptr, out.data()); });
  EXPECT_NE(report.find("leaves itself out"), std::string::npos) << report;
  report = refused(cudaErrorLaunchFailure, [&] { launch(different_functions_kernel, 1, 32, 0, nullptr, out.data()); });
  EXPECT_NE(report.find("different warp functions"), std::string::npos) << report;
}

}  // namespace
}  // namespace orrery
