// Intrinsics and atomics against plain definitions.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "kernels/core/launch.cuh"
#include "support.hpp"

namespace orrery {
namespace {

using emulation::test::Device;

TEST(Intrinsics, Bits) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t x = random() >> (random() % 64), y = random();
    const auto u = static_cast<unsigned>(x);
    int ones = 0, first = 0, leading = 32;
    unsigned reversed = 0;
    for (int b = 31; b >= 0; --b) {
      ones += u >> b & 1;
      if (u >> b & 1) first = b + 1;
      reversed |= (u >> b & 1) << (31 - b);
    }
    for (int b = 0; b < 32; ++b)
      if (u >> b & 1) leading = 31 - b;
    EXPECT_EQ(__popc(u), ones);
    EXPECT_EQ(__ffs(static_cast<int>(u)), first);
    EXPECT_EQ(__clz(static_cast<int>(u)), leading);
    EXPECT_EQ(__brev(u), reversed);
    EXPECT_EQ(__brev(__brev(u)), u);
    EXPECT_EQ(__brevll(__brevll(x)), x);
    EXPECT_EQ(__umulhi(u, static_cast<unsigned>(y)),
              static_cast<unsigned>(uint64_t{u} * static_cast<unsigned>(y) >> 32));
    // the high word of a 64-bit product from 32-bit halves
    const uint64_t a = x >> 32, b = x & 0xffffffffu, c = y >> 32, d = y & 0xffffffffu;
    const uint64_t middle = a * d + (b * d >> 32);
    EXPECT_EQ(__umul64hi(x, y), a * c + (middle >> 32) + ((b * c + (middle & 0xffffffffu)) >> 32));
    EXPECT_EQ(__uint_as_float(__float_as_uint(1.5f)), 1.5f);
    EXPECT_EQ(__funnelshift_l(u, 7u, 5), 7u << 5 | u >> 27);
    EXPECT_EQ(__byte_perm(0x33221100u, 0x77665544u, 0x7531), 0x77553311u);
  }
  EXPECT_EQ(__popcll(~0ull), 64);
  EXPECT_EQ(__clz(0), 32);
  EXPECT_EQ(__ffs(0), 0);
}

TEST(Intrinsics, SinpiAndCospiAreExactAtQuarters) {
  for (int q = -20; q <= 20; ++q) {
    double s = 0, c = 0;
    sincospi(q / 2.0, &s, &c);
    const double sines[] = {0, 1, 0, -1};
    EXPECT_EQ(s, sines[((q % 4) + 4) % 4]);
    EXPECT_EQ(c, sines[((q + 1) % 4 + 4) % 4]);
  }
  for (double x = -5; x < 5; x += 0.0371) {
    float s = 0, c = 0;
    EXPECT_NEAR(sinpi(x), std::sin(M_PI * x), 1e-14);
    EXPECT_NEAR(cospi(x), std::cos(M_PI * x), 1e-14);
    sincospif(static_cast<float>(x), &s, &c);
    EXPECT_NEAR(s, std::sin(M_PI * static_cast<float>(x)), 1e-7);
    EXPECT_NEAR(c, std::cos(M_PI * static_cast<float>(x)), 1e-7);
  }
  EXPECT_FLOAT_EQ(rsqrtf(4.0f), 0.5f);
  EXPECT_EQ(__fmaf_rn(3.0f, 4.0f, 5.0f), 17.0f);
}

template <class T>
__global__ void add_kernel(T* sum) {
  atomicAdd(sum, static_cast<T>(threadIdx.x + 1));
}
template <class T>
T added() {
  Device<T> sum(std::vector<T>{0});
  launch(add_kernel<T>, 3, 100, 0, nullptr, sum.data());
  return sum.get()[0];
}
TEST(Intrinsics, AtomicAdd) {
  EXPECT_EQ(added<int>(), 15150);
  EXPECT_EQ(added<unsigned>(), 15150u);
  EXPECT_EQ(added<unsigned long long>(), 15150u);
  EXPECT_EQ(added<float>(), 15150.0f);
  EXPECT_EQ(added<double>(), 15150.0);
}

__global__ void atomics_kernel(int* v) {
  const int t = static_cast<int>(threadIdx.x);
  atomicMax(&v[0], t);
  atomicMin(&v[1], t);
  atomicOr(&v[2], 1 << t % 8);
  atomicAnd(&v[3], ~(1 << t % 8));
  atomicXor(&v[4], 1 << t % 8);
  atomicSub(&v[5], 2);
  atomicExch(&v[6], 9);
  atomicCAS(&v[7], 0, t + 1);
  for (int old = v[8], seen;; old = seen)  // a loop around CAS ends
    if ((seen = atomicCAS(&v[8], old, old + 3)) == old) break;
}
TEST(Intrinsics, OtherAtomics) {
  Device<int> v({-1, 1000, 0, 255, 0, 0, 0, 0, 0});
  launch(atomics_kernel, 1, 64, 0, nullptr, v.data());
  const auto got = v.get();
  EXPECT_EQ(std::vector<int>(got.begin(), got.begin() + 7), (std::vector<int>{63, 0, 255, 0, 0, -128, 9}));
  EXPECT_GE(got[7], 1);
  EXPECT_LE(got[7], 64);
  EXPECT_EQ(got[8], 192);
}

__constant__ float coefficients[4];
__global__ void constant_kernel(float* out) { out[threadIdx.x] = coefficients[threadIdx.x]; }
TEST(Intrinsics, ConstantMemoryIsFilledBySymbol) {
  const std::vector<float> v = {1, 2, 3, 4};
  ASSERT_EQ(cudaMemcpyToSymbol(coefficients, v.data(), sizeof coefficients), cudaSuccess);
  Device<float> out(4);
  launch(constant_kernel, 1, 4, 0, nullptr, out.data());
  EXPECT_EQ(out.get(), v);
}

}  // namespace
}  // namespace orrery
