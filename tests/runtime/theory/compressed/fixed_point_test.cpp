// Where CHOCO-SGD settles: the digest's floors (A.3), and the slope of a measured curve.
#include "runtime/theory/compressed/fixed_point.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/theory/compressed/slope.hpp"
#include "tests/runtime/theory/compressed/beds.hpp"

namespace orrery::compressed_theory {
namespace {

TEST(ChocoFloor, OfTheDigest) {
  const test::Ten ten;
  const auto floor = [&](double eta, double gamma) {
    return choco_sgd_floor(eta, gamma, ten.third, ten.a, ten.b, ten.best);
  };
  EXPECT_NEAR(floor(0.1, 1), 0.55, 0.005);
  EXPECT_NEAR(floor(0.02, 1), 0.18, 0.005);
  EXPECT_NEAR(floor(0.004, 1), 0.042, 0.0005);
  EXPECT_NEAR(floor(0.1, 0.2), 1.13, 0.005);
  EXPECT_NEAR(floor(0.02, 0.2), 0.61, 0.005);
  EXPECT_NEAR(floor(0.004, 0.2), 0.20, 0.006);
}

TEST(ChocoFloor, IsZeroWithEqualObjectives) {
  test::Ten ten;
  for (size_t k = 10; k < 100; ++k) ten.a[k] = ten.a[k - 10], ten.b[k] = ten.b[k - 10];
  ten.best.assign(ten.b.begin(), ten.b.begin() + 10);
  EXPECT_NEAR(choco_sgd_floor(0.1, 0.5, ten.third, ten.a, ten.b, ten.best), 0, 1e-14);
}

TEST(LateSlope, OfAKnownCurve) {
  std::vector<int64_t> steps;
  std::vector<double> error;
  for (int64_t k = 0; k <= 3000; k += 50) {  // two exponentials, then rounding
    steps.push_back(k);
    const auto t = static_cast<double>(k);
    error.push_back(5 * std::exp(-0.05 * t) + std::exp(-0.02 * t) + 1e-15);
  }
  std::string why;
  const auto slope = late_slope(steps, error, 1e-12, &why);
  ASSERT_TRUE(slope) << why;
  EXPECT_NEAR(slope->decay, 0.02, 1e-6);
  EXPECT_LT(slope->until, 1450);
  EXPECT_FALSE(late_slope({0, 10, 20, 30}, {1, 0.5, 0.2, 0.1}, 1e-12, &why));
  EXPECT_NE(why.find("record more often"), std::string::npos);
  EXPECT_FALSE(late_slope({}, {}, 1e-12, &why));
}

}  // namespace
}  // namespace orrery::compressed_theory
