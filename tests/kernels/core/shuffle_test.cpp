// The permutation without memory: a bijection for every size, pass, worker and seed, and close to a uniform one.
#include "kernels/core/shuffle.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

namespace orrery {
namespace {

std::vector<uint32_t> permutation(uint64_t seed, uint32_t worker, uint64_t pass, uint32_t n) {
  std::vector<uint32_t> p;
  for (uint32_t i = 0; i < n; ++i) p.push_back(shuffled(seed, worker, pass, i, n));
  return p;
}

void expect_bijection(const std::vector<uint32_t>& p) {
  std::vector<bool> seen(p.size());
  for (const uint32_t x : p) {
    ASSERT_LT(x, p.size());
    ASSERT_FALSE(seen[x]) << x << " twice in " << p.size();
    seen[x] = true;
  }
}

// As a normal deviate (Wilson and Hilferty).
double deviate(double statistic, double degrees) {
  return (std::cbrt(statistic / degrees) - (1 - 2 / (9 * degrees))) / std::sqrt(2 / (9 * degrees));
}

TEST(Shuffle, IsABijection) {
  for (uint32_t n = 0; n <= 70; ++n)
    for (uint64_t pass = 0; pass < 20; ++pass) expect_bijection(permutation(5, 3, pass, n));
  for (uint32_t n : {255u, 256u, 257u, 1023u, 1025u, 4096u, 4097u, 60000u, 65537u})
    for (uint64_t pass : {uint64_t{0}, uint64_t{1} << 35})
      expect_bijection(permutation(0xffffffff00000001u, 99, pass, n));
}

TEST(Shuffle, DiffersByPassWorkerAndSeed) {
  const auto one = permutation(1, 2, 3, 200);
  for (const auto& other :
       {permutation(1, 2, 4, 200), permutation(1, 3, 3, 200), permutation(2, 2, 3, 200),
        permutation(1 | uint64_t{1} << 32, 2, 3, 200), permutation(1, 2, 3 | uint64_t{1} << 32, 200)}) {
    int fixed = 0;  // in a random permutation one place on average
    for (size_t i = 0; i < one.size(); ++i) fixed += one[i] == other[i] ? 1 : 0;
    EXPECT_LT(fixed, 8);
  }
  EXPECT_EQ(one, permutation(1, 2, 3, 200));
}

// Over the passes every place holds every sample as often. 49 sizes: one beyond
// 4.3 deviates in 2000 runs of a true shuffle.
TEST(Shuffle, EveryPlaceHoldsEverySampleAsOften) {
  for (uint32_t n = 2; n <= 50; ++n) {
    const int passes = 400 * static_cast<int>(n);
    std::vector<int> count(static_cast<size_t>(n) * n);
    for (int pass = 0; pass < passes; ++pass)
      for (uint32_t i = 0; i < n; ++i)
        ++count[static_cast<size_t>(i) * n + shuffled(11, 0, static_cast<uint64_t>(pass), i, n)];
    double statistic = 0;
    for (const int c : count) statistic += (c - 400.0) * (c - 400.0) / 400.0;
    // rows and columns have fixed sums: (n-1)/n times the statistic is chi-square of (n-1)^2 degrees
    const double degrees = (n - 1.0) * (n - 1.0);
    EXPECT_LT(deviate(statistic * (n - 1.0) / n, degrees), 4.3) << n;
    if (n > 3) {
      EXPECT_GT(deviate(statistic * (n - 1.0) / n, degrees), -4.3) << n;
    }
  }
}

// Pairs of neighbouring places, and whole orders of four.
TEST(Shuffle, PairsAndOrdersAreAsLikely) {
  for (uint32_t n : {5u, 12u, 20u, 33u}) {
    const int passes = 50 * static_cast<int>(n * (n - 1));
    std::map<std::pair<uint32_t, uint32_t>, int> pairs;
    for (int pass = 0; pass < passes; ++pass)
      ++pairs[{shuffled(4, 1, static_cast<uint64_t>(pass), n / 2 - 1, n),
               shuffled(4, 1, static_cast<uint64_t>(pass), n / 2, n)}];
    ASSERT_EQ(pairs.size(), n * (n - 1)) << n;
    double statistic = 0;
    for (const auto& [pair, c] : pairs) statistic += (c - 50.0) * (c - 50.0) / 50.0;
    EXPECT_LT(std::abs(deviate(statistic, n * (n - 1) - 1.0)), 4.3) << n;
  }
  std::map<std::vector<uint32_t>, int> orders;
  for (int pass = 0; pass < 4800; ++pass) ++orders[permutation(9, 0, static_cast<uint64_t>(pass), 4)];
  ASSERT_EQ(orders.size(), 24u);
  double statistic = 0;
  for (const auto& [order, c] : orders) statistic += (c - 200.0) * (c - 200.0) / 200.0;
  EXPECT_LT(std::abs(deviate(statistic, 23)), 4.3);
}

}  // namespace
}  // namespace orrery
