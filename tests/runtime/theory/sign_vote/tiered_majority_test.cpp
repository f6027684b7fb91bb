// Votes over tiers: the table of 7.6, laws, bad input (papers/signsgd-fv.md).
#include "runtime/theory/sign_vote/tiered_majority.hpp"

#include "runtime/theory/sign_vote/decoding_error.hpp"
#include "tests/runtime/theory/sign_vote/digits.hpp"

namespace orrery::sign_vote {
namespace {

using test::expect_printed;
using test::times;
using test::uniforms;

TEST(TieredMajority, TheTableOfTheDigest) {
  struct Row {
    double p;
    const char *flat, *fives, *threes;
  };
  for (const Row& r : {Row{0.1, "3.4e-05", "0.000219", "0.000210"}, Row{0.3, "0.050013", "0.071111", "0.070946"},
                       Row{0.4, "0.213103", "0.238329", "0.238283"}, Row{0.45, "0.346496", "0.361925", "0.361918"}}) {
    const auto p = times(15, r.p);
    const std::string what = "p = " + std::to_string(r.p);
    expect_printed(tiered_majority_error(p, {}), r.flat, what);
    expect_printed(tiered_majority_error(p, {5}), r.fives, what);
    expect_printed(tiered_majority_error(p, {3}), r.threes, what);
  }
}

// every pattern of 12 workers that differ, ties of a node half: groups of 2, then of 3, two at the root
TEST(TieredMajority, EveryPatternCounted) {
  const auto p = uniforms(12, 0.05, 0.6, 3);
  const auto wrong = [](double above, double half) { return above > half ? 1.0 : above == half ? 0.5 : 0.0; };
  double error = 0;
  for (unsigned z = 0; z < 1u << 12; ++z) {
    double probability = 1;
    for (unsigned m = 0; m < 12; ++m) probability *= (z >> m) & 1 ? p[m] : 1 - p[m];
    double pair[6], six[2];
    for (unsigned k = 0; k < 6; ++k) pair[k] = wrong(((z >> 2 * k) & 1) + ((z >> (2 * k + 1)) & 1), 1);
    for (unsigned k = 0; k < 2; ++k) {  // of three coins with these biases, two or three wrong
      const double a = pair[3 * k], b = pair[3 * k + 1], c = pair[3 * k + 2];
      six[k] = a * b + a * c + b * c - 2 * a * b * c;
    }
    error += probability * (six[0] + six[1]) / 2;  // of two, their mean
  }
  EXPECT_NEAR(tiered_majority_error(p, {2, 3}), error, 1e-14);
}

TEST(TieredMajority, Laws) {
  for (const double p : {0.05, 0.2, 0.45}) {
    EXPECT_GT(tiered_majority_error(times(15, p), {3}), majority_error(times(15, p)));
    EXPECT_GT(tiered_majority_error(times(27, p), {3, 3}), tiered_majority_error(times(27, p), {9}));
  }
  const auto p = uniforms(12, 0.1, 0.5, 9);
  EXPECT_EQ(tiered_majority_error(p, {}), majority_error(p));
  EXPECT_EQ(tiered_majority_error(p, {12}), majority_error(p));             // one node, heard alone
  EXPECT_NEAR(tiered_majority_error(p, {1, 1}), majority_error(p), 1e-15);  // nodes of one
}

TEST(TieredMajority, BadInput) {
  EXPECT_THROW(tiered_majority_error({}, {}), std::logic_error);
  EXPECT_THROW(tiered_majority_error(times(15, 0.3), {4}), std::logic_error);
  EXPECT_THROW(tiered_majority_error(times(15, 0.3), {5, 2}), std::logic_error);
  EXPECT_THROW(tiered_majority_error(times(15, 0.3), {0}), std::logic_error);
  EXPECT_THROW(tiered_majority_error(times(15, 1), {3}), std::logic_error);
}

}  // namespace
}  // namespace orrery::sign_vote
