// Hutchinson's estimate: exact where it has no variance, inside its error where it has one (papers/diffusion-flatness.md 7, C15).
#include "runtime/curvature/trace.hpp"

#include "tests/runtime/curvature/dense.hpp"
#include "tests/runtime/theory/diffusion/beds.hpp"

namespace orrery {
namespace {

using test::products_with;
using test::Vector;

// 1000 probes of +-1 on a diagonal matrix: every one gives the trace.
TEST(Trace, OfADiagonalMatrixHasNoVariance) {  // C15, T1h
  const Vector H = test::diagonal(test::t1h(1).mean_hessian());
  const TraceEstimate t = hutchinson(products_with(H, 64), 1000, {.seed = 7, .step = 3});
  test::expect_printed(t.value, "4.20544", "Tr Hbar of T1h");
  EXPECT_NEAR(t.value, test::trace_of(H), 1e-12);
  EXPECT_LT(t.error, 1e-14);
  EXPECT_FALSE(t.exact);
  const TraceEstimate exact = trace(products_with(H, 3), 1000, {});
  EXPECT_NEAR(exact.value, test::trace_of(H), 1e-15);
  EXPECT_TRUE(exact.exact && exact.error == 0);
}

// A random positive definite matrix of size 200: within 4 standard deviations of the variance formula, and its own error is that deviation
// (a sample deviation of m values is off by 1/sqrt(2m), here by 4 times that, and a little as the values are not normal).
TEST(Trace, OfARandomMatrixIsInsideTheError) {  // C15
  const Vector H = test::random_symmetric(200, 11);
  double off = 0;
  for (size_t i = 0; i < 200; ++i)
    for (size_t j = 0; j < 200; ++j) off += i == j ? 0 : H[i * 200 + j] * H[i * 200 + j];
  for (const int64_t m : {100, 1000}) {
    const double deviation = std::sqrt(2 * off / static_cast<double>(m));
    for (uint64_t seed = 0; seed < 5; ++seed) {
      const TraceEstimate t = hutchinson(products_with(H, 128), m, {.seed = seed, .step = 0});
      EXPECT_NEAR(t.value, test::trace_of(H), 4 * deviation) << m;
      EXPECT_NE(t.value, test::trace_of(H));
      EXPECT_NEAR(t.error / deviation, 1, 4 * 1.2 / std::sqrt(2 * static_cast<double>(m))) << m;
    }
  }
}

// Unit vectors where they cost no more than the probes; else so many products and no more.
TEST(Trace, TakesUnitVectorsWhereTheyAreNoMore) {
  const Vector H = test::random_symmetric(20, 2);
  int64_t count = 0;
  EXPECT_NEAR(trace(products_with(H, 7, &count), 20, {}).value, test::trace_of(H), 1e-13);
  EXPECT_EQ(count, 20);
  count = 0;
  EXPECT_FALSE(trace(products_with(H, 7, &count), 19, {}).exact);
  EXPECT_EQ(count, 19);
}

// The estimate follows from seed, step and the number of probes, not from how many products share a call.
TEST(Trace, FollowsFromItsKeyAlone) {
  const Vector H = test::random_symmetric(300, 3);
  const auto at = [&](int64_t chunk, ProbeKey key) { return hutchinson(products_with(H, chunk), 30, key).value; };
  EXPECT_EQ(at(30, {1, 2}), at(7, {1, 2}));
  EXPECT_NE(at(30, {1, 2}), at(30, {1, 3}));
  EXPECT_NE(at(30, {1, 2}), at(30, {2, 2}));
}

// Probes are fair and independent between coordinates, words, blocks and probes: v v^T of 4000 probes is the identity within 5 / sqrt(4000).
TEST(Trace, ProbesAreFairSigns) {
  constexpr size_t P = 140;  // past a block of 128 signs
  std::vector<double> sum(P), with_next(P), with_far(P);
  const SymmetricProducts look{static_cast<int64_t>(P), 4000, [&](const Vector& v) {
                                 for (size_t i = 0; i < v.size(); ++i) {
                                   EXPECT_EQ(std::abs(v[i]), 1);
                                   sum[i % P] += v[i] / 4000;
                                   with_next[i % P] += v[i] * v[i / P * P + (i + 1) % P] / 4000;
                                   with_far[i % P] += v[i] * v[i / P * P + (i + 32) % P] / 4000;
                                 }
                                 return v;
                               }};
  EXPECT_NEAR(hutchinson(look, 4000, {.seed = 5, .step = 1}).value, 140, 1e-10);
  for (size_t j = 0; j < P; ++j)
    for (const double mean : {sum[j], with_next[j], with_far[j]}) EXPECT_LT(std::abs(mean), 5 / std::sqrt(4000.0)) << j;
}

TEST(Trace, BadInputIsRefused) {
  EXPECT_THROW(hutchinson(products_with({1}, 1), 1, {}), std::logic_error);
  EXPECT_THROW(unit_trace({0, 1, {}}), std::logic_error);
}

}  // namespace
}  // namespace orrery
