// Exact decoding errors: the table of 5.1, section 6.2's attacks, V4, V5, laws and bad input (papers/signsgd-fv.md).
#include "runtime/theory/sign_vote/decoding_error.hpp"

#include "runtime/theory/sign_vote/decoding_bounds.hpp"
#include "tests/runtime/theory/sign_vote/digits.hpp"

namespace orrery::sign_vote {
namespace {

using test::by_definition;
using test::expect_printed;
using test::linspace;
using test::times;
using test::uniforms;

TEST(DecodingError, TheTableOfTheDigest) {
  const std::vector<std::pair<const char*, const char*>> want{{"0.0500125", "0.0500125"},
                                                              {"0.0130696", "0.00370187"},
                                                              {"0.0720521", "0.0215786"},
                                                              {"0.192965", "0.0280"},
                                                              {"0.342109", "0.0200000"}};
  const auto rows = test::rows_of_5_1();
  for (size_t r = 0; r < rows.size(); ++r) {
    const auto& p = rows[r];
    expect_printed(majority_error(p), want[r].first, "majority, row " + std::to_string(r));
    expect_printed(enumerated_error(p, times(15, 1)), want[r].first, "majority enumerated");
    expect_printed(*decoding_error(p, log_likelihood_ratios(p)), want[r].second, "weighted, row " + std::to_string(r));
  }
}

// 6.2: attackers flip with probability r, q = p (1-r) + (1-p) r; genie weights
TEST(DecodingError, AttackedVotesOfTheDigest) {
  struct Case {
    size_t attackers;
    double r;
    const char *majority, *weighted;
  };
  for (const Case& c :
       {Case{0, 1, "0.05001", "0.05001"}, Case{3, 0.5, "0.09440", "0.07822"}, Case{3, 1, "0.15431", "0.05001"},
        Case{6, 0.5, "0.16350", "0.09881"}, Case{6, 1, "0.36458", "0.05001"}, Case{9, 0.5, "0.25881", "0.16308"},
        Case{9, 1, "0.63542", "0.05001"}}) {
    const auto p = times(c.attackers, 0.3 * (1 - c.r) + 0.7 * c.r, 15 - c.attackers, 0.3);
    const std::string what = std::to_string(c.attackers) + " attackers, r = " + std::to_string(c.r);
    expect_printed(majority_error(p), c.majority, what);
    expect_printed(*decoding_error(p, log_likelihood_ratios(p)), c.weighted, what);
  }
}

TEST(DecodingError, EveryPatternCounted) {
  for (const size_t M : {1, 2, 3, 7, 12, 15}) {
    const auto p = uniforms(M, 0.01, 0.9, M), v = uniforms(M, -0.5, 2, 100 + M);
    EXPECT_NEAR(enumerated_error(p, v), by_definition(p, v), 1e-13) << M;
    EXPECT_NEAR(majority_error(p), by_definition(p, times(M, 1)), 1e-13) << M;
    EXPECT_NEAR(enumerated_error(p, times(M, 0.1)), majority_error(p), 1e-13) << M;  // ties in spite of rounding
  }
  // ties of unequal weights: 0.3 = 0.1 + 0.2 holds in no binary format
  const std::vector<double> p{0.2, 0.3, 0.4}, v{0.1, 0.2, 0.3};
  EXPECT_NEAR(enumerated_error(p, v), 0.4 * (1 - 0.8 * 0.7) / 1 + (0.4 * 0.8 * 0.7 + 0.6 * 0.2 * 0.3) / 2, 1e-15);
}

// 22 workers that all differ against the Poisson-binomial recursion, which shares no code with the enumeration
TEST(DecodingError, ManyDifferentWorkers) {
  for (const size_t M : {21, 22, 31}) {
    const auto p = uniforms(M, 0.02, 0.6, 7);
    const double exact = majority_error(p);
    EXPECT_NEAR(enumerated_error(p, times(M, 3)), exact, 1e-12 * exact) << M;
  }
}

TEST(DecodingError, TwoGroupsByADoubleSum) {
  for (const size_t M : {100, 500}) {
    const size_t good = M / 5;
    const auto p = times(M - good, 0.45, good, 0.1);
    const double exact = majority_error(p);
    EXPECT_NEAR(enumerated_error({{static_cast<int64_t>(M - good), 0.45, 1}, {static_cast<int64_t>(good), 0.1, 1}}),
                exact, 1e-11 * exact);
    EXPECT_LT(*decoding_error(p, log_likelihood_ratios(p)), exact);
  }
  // a worker who outweighs all others decides alone, also among 10^6 that never tie
  EXPECT_NEAR(enumerated_error({{999'999, 0.4999, 1e-7}, {1, 0.02, 1}}), 0.02, 1e-12);
  // equal workers of any number: the normal approximation, 5 sigma from a tie: M = 10^6 + 1, p = 1/2 - 0.0025
  const double far = enumerated_error({{1'000'001, 0.4975, 1}});
  EXPECT_NEAR(far, 0.5 * std::erfc(5.0 / std::sqrt(2.0)), 0.01 * far);
}

TEST(DecodingError, WhichMethodAppliesIsFoundOut) {
  const auto many = uniforms(60, 0.1, 0.4, 1);
  EXPECT_FALSE(enumerable(groups_of(many, log_likelihood_ratios(many))));
  EXPECT_FALSE(decoding_error(many, log_likelihood_ratios(many)).has_value());
  EXPECT_EQ(*decoding_error(many, times(60, 2)), majority_error(many));
  EXPECT_NEAR(*decoding_error(many, times(60, -1)), 1 - majority_error(many), 1e-13);
  EXPECT_EQ(*decoding_error(many, times(60, 0)), 0.5);  // nobody is heard
  EXPECT_NEAR(*decoding_error(many, times(59, 0, 1, 2)), many[59], 1e-15);
  const auto merged = groups_of({0.2, 0.3, 0.2, 0.2}, {1, 1, 1, 2});
  ASSERT_EQ(merged.size(), 3u);
  EXPECT_EQ(merged[0].workers, 2);
  EXPECT_EQ(merged[2].weight, 2);
}

// ---- laws -------------------------------------------------------------------------------------------------------------

TEST(DecodingError, ScalingAndNegatingWeights) {
  for (uint64_t key = 0; key < 20; ++key) {
    const auto p = uniforms(11, 0.05, 0.7, key), v = uniforms(11, -1, 2, 50 + key);
    std::vector<double> scaled, negated;
    for (const double x : v) scaled.push_back(7.3 * x), negated.push_back(-x);
    const double error = enumerated_error(p, v);
    EXPECT_NEAR(enumerated_error(p, scaled), error, 1e-14);
    EXPECT_NEAR(enumerated_error(p, negated), 1 - error, 1e-14);
  }
}

// V4
TEST(DecodingError, AnEvenNumberIsAsGoodAsOneLess) {
  expect_printed(majority_error(times(16, 0.3)), "0.0500125", "16 workers");
  for (const double p : {0.01, 0.3, 0.5, 0.8})
    for (size_t M = 1; M < 40; M += 2) {
      const double odd = majority_error(times(M, p));
      EXPECT_NEAR(majority_error(times(M + 1, p)), odd, 1e-13 * odd) << M << " " << p;
    }
  EXPECT_DOUBLE_EQ(majority_error({0.3, 0.3}), 0.3);
  EXPECT_DOUBLE_EQ(majority_error({0.2, 0.4}), 0.3);  // two that differ: their mean
}

// the maximum-likelihood weights are the best of all
TEST(DecodingError, LikelihoodRatiosAreOptimal) {
  for (uint64_t key = 0; key < 40; ++key) {
    const auto p = uniforms(10, 0.03, 0.8, key), v = uniforms(10, -2, 3, 900 + key);
    const double best = enumerated_error(p, log_likelihood_ratios(p));
    EXPECT_LE(best, enumerated_error(p, v) + 1e-15) << key;
    EXPECT_LE(best, majority_error(p) + 1e-15) << key;
  }
}

// V5: 10^6 votes per row, four standard deviations
TEST(DecodingError, MonteCarlo) {
  uint32_t row = 0;
  for (const auto& p : test::rows_of_5_1()) {
    const auto w = log_likelihood_ratios(p);
    constexpr uint64_t votes = 1'000'000;
    int64_t majority = 0, weighted = 0;
    for (uint64_t t = 0; t < votes; ++t) {
      const Stream draws(11, Draw::probe, row, t);
      int score = 0;
      double weighted_score = 0;
      for (uint32_t m = 0; m < 15; ++m) {
        const bool wrong = draws.bernoulli(m, p[m]);
        score += wrong ? -1 : 1;
        weighted_score += wrong ? -w[m] : w[m];
      }
      majority += score < 0;
      weighted += weighted_score < 0;
    }
    const double n = votes, mv = majority_error(p), wmv = enumerated_error(p, w);
    EXPECT_NEAR(static_cast<double>(majority) / n, mv, 4 * std::sqrt(mv * (1 - mv) / n)) << row;
    EXPECT_NEAR(static_cast<double>(weighted) / n, wmv, 4 * std::sqrt(wmv * (1 - wmv) / n)) << row;
    ++row;
  }
}

// ---- bad input --------------------------------------------------------------------------------------------------------

TEST(DecodingError, BadInput) {
  const double nan = std::nan("");
  EXPECT_THROW(majority_error({}), std::logic_error);
  EXPECT_THROW(enumerated_error({}, {}), std::logic_error);
  EXPECT_THROW(enumerated_error(std::vector<Group>{}), std::logic_error);
  EXPECT_THROW(enumerated_error({0.1, 0.2}, {1}), std::logic_error);
  for (const double p : {0.0, 1.0, -0.1, 1.5, nan}) {
    EXPECT_THROW(majority_error({0.3, p}), std::logic_error) << p;
    EXPECT_THROW(enumerated_error({0.3, p}, {1, 1}), std::logic_error) << p;
    EXPECT_THROW(decoding_error({0.3, p}, {1, 1}), std::logic_error) << p;
    EXPECT_THROW(enumerated_error(std::vector<Group>{{3, p, 1}}), std::logic_error) << p;
  }
  EXPECT_THROW(enumerated_error({0.3}, {nan}), std::logic_error);
  EXPECT_THROW(enumerated_error({0.3}, {HUGE_VAL}), std::logic_error);
  EXPECT_THROW(enumerated_error(std::vector<Group>{{0, 0.2, 1}}), std::logic_error);
  const auto many = uniforms(60, 0.1, 0.4, 1);
  EXPECT_THROW(enumerated_error(many, uniforms(60, 1, 2, 2)), std::logic_error);  // 2^30 patterns in each half
}

}  // namespace
}  // namespace orrery::sign_vote
