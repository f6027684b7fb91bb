// The bias of votes that judge themselves: 5.6's numbers and table, V10, bad input (papers/signsgd-fv.md).
#include "runtime/theory/sign_vote/self_vote.hpp"

#include "runtime/batch_mode.hpp"
#include "runtime/theory/sign_vote/decoding_bounds.hpp"
#include "runtime/theory/sign_vote/effective_batch.hpp"
#include "tests/runtime/theory/sign_vote/digits.hpp"

namespace orrery::sign_vote {
namespace {

using test::expect_printed;

TEST(SelfVote, EqualWorkersOfTheDigest) {
  const std::vector<std::pair<double, const char*>> want{{0.5, "0.3953"}, {0.45, "0.3880"}, {0.4, "0.3671"},
                                                         {0.3, "0.2940"}, {0.2, "0.1996"},  {0.1, "0.1000"}};
  for (const auto& [p, q] : want) expect_printed(equal_workers_disagreement(15, p), q, std::to_string(p));
  const std::vector<std::pair<int64_t, const char*>> noise{{15, "0.425"}, {5, "0.788"}, {45, "0.240"}, {101, "0.160"}};
  for (const auto& [M, w] : noise)
    expect_printed(learned_weight(equal_workers_disagreement(M, 0.5), 10), w, std::to_string(M));
}

// q = (1-p) P[D >= H] + p P[D <= H-2], D ~ Bin(M-1, p), by the product of binomial coefficients
TEST(SelfVote, TheFormulaForEqualWorkers) {
  for (const int64_t M : {1, 3, 5, 15, 45})
    for (const double p : {0.02, 0.3, 0.5, 0.77}) {
      const int64_t H = (M + 1) / 2;
      double q = 0, choose = 1;  // C(M-1, d)
      for (int64_t d = 0; d < M; ++d) {
        const auto i = static_cast<double>(d), n = static_cast<double>(M - 1);
        const double P = choose * std::pow(p, i) * std::pow(1 - p, n - i);
        if (d >= H) q += (1 - p) * P;
        if (d <= H - 2) q += p * P;
        choose *= (n - i) / (i + 1);
      }
      EXPECT_NEAR(equal_workers_disagreement(M, p), q, 1e-13) << M << " " << p;
    }
}

TEST(SelfVote, TheTableOfTheDigest) {
  struct Row {
    double s;
    int mode;
    const char *small, *big, *ratio, *learned_small, *learned_big, *learned_ratio;
    const char *majority, *first, *self_consistent, *weighted;
  };
  for (const Row& r :
       {Row{0.03, 2, "0.096", "0.598", "6.2", "0.404", "0.611", "1.5", "0.2818", "0.2423", "0.2288", "0.2286"},
        Row{0.03, 3, "0.096", "0.845", "8.8", "0.420", "0.642", "1.5", "0.3188", "0.2890", "0.2166", "0.2165"},
        Row{0.03, 4, "0.096", "1.493", "15.6", "0.432", "0.607", "1.4", "0.3649", "0.3649", "0.3649", "0.1835"},
        Row{0.1, 2, "0.320", "2.119", "6.6", "0.387", "1.969", "5.1", "0.03518", "0.007136", "0.007136", "0.007136"},
        Row{0.1, 3, "0.320", "3.162", "9.9", "0.454", "2.039", "4.5", "0.09183", "0.006416", "0.004812", "0.004810"},
        Row{0.1, 4, "0.320", "6.628", "20.7", "0.501", "1.439", "2.9", "0.1914", "0.08042", "0.001321", "0.001321"}}) {
    const auto p = gaussian_errors(r.s, mode_batches(r.mode, 15));
    const SelfVote v = self_vote(groups_of(p, std::vector<double>(15, 1)));
    const std::string what = "s = " + std::to_string(r.s) + ", mode " + std::to_string(r.mode);
    ASSERT_EQ(v.weights.size(), 2u);
    const size_t small = r.mode == 4 ? 1 : 0, big = 1 - small;
    expect_printed(v.true_weights[small], r.small, what);
    expect_printed(v.true_weights[big], r.big, what);
    expect_printed(v.true_weights[big] / v.true_weights[small], r.ratio, what);
    expect_printed(v.warmup_weights[small], r.learned_small, what);
    expect_printed(v.warmup_weights[big], r.learned_big, what);
    expect_printed(v.warmup_weights[big] / v.warmup_weights[small], r.learned_ratio, what);
    expect_printed(v.majority, r.majority, what);
    expect_printed(v.first, r.first, what);
    expect_printed(v.self_consistent, r.self_consistent, what);
    expect_printed(v.true_weighted, r.weighted, what);
    EXPECT_TRUE(v.settled) << what;
  }
}

TEST(SelfVote, WhatHasSettledIsAFixedPoint) {
  for (const int mode : {1, 2, 3, 4}) {
    const auto p = gaussian_errors(0.05, mode_batches(mode, 25));
    auto groups = groups_of(p, std::vector<double>(25, 1));
    const SelfVote v = self_vote(groups);
    ASSERT_TRUE(v.settled);
    for (size_t k = 0; k < groups.size(); ++k) groups[k].weight = v.weights[k];
    const auto q = disagreements(groups);
    for (size_t k = 0; k < groups.size(); ++k) EXPECT_NEAR(learned_weight(q[k], 10), v.weights[k], 1e-11);
    EXPECT_GE(v.self_consistent, v.true_weighted * (1 - 1e-12));
  }
  // equal workers: the weights do not matter
  const SelfVote equal = self_vote({{15, 0.3, 7}});
  EXPECT_NEAR(equal.self_consistent, equal.majority, 1e-15);
  EXPECT_NEAR(equal.first, equal.true_weighted, 1e-15);
}

// V10: measured disagreement, 10^6 votes of each worker; and of unequal workers with weights, with ties
TEST(SelfVote, MonteCarlo) {
  for (const double p : {0.5, 0.3, 0.1}) {
    constexpr uint64_t votes = 70'000;
    int64_t differing = 0;
    for (uint64_t t = 0; t < votes; ++t) {
      const Stream draws(31, Draw::probe, 0, t);
      int wrong = 0;
      for (uint32_t m = 0; m < 15; ++m) wrong += draws.bernoulli(m, p);
      differing += wrong > 7 ? 15 - wrong : wrong;
    }
    // at most 7 of 15 differ in a vote: standard deviation of the mean below 7/15/2/sqrt(votes)
    EXPECT_NEAR(static_cast<double>(differing) / (15.0 * votes), equal_workers_disagreement(15, p),
                4 * 3.5 / 15 / std::sqrt(votes))
        << p;
  }
  const std::vector<Group> groups{{3, 0.4, 1}, {1, 0.2, 2}, {2, 0.3, 0.5}};
  constexpr uint64_t votes = 400'000;
  std::vector<double> differing(3);
  for (uint64_t t = 0; t < votes; ++t) {
    const Stream draws(37, Draw::probe, 1, t);
    double score = 0, wrong[3]{};
    uint32_t m = 0;
    for (size_t k = 0; k < 3; ++k)
      for (int64_t i = 0; i < groups[k].workers; ++i) {
        const bool z = draws.bernoulli(m++, groups[k].p);
        wrong[k] += z;
        score += z ? -groups[k].weight : groups[k].weight;
      }
    for (size_t k = 0; k < 3; ++k) {
      const double share = wrong[k] / static_cast<double>(groups[k].workers);
      differing[k] += (score > 0 ? share : score < 0 ? 1 - share : 0.5) / votes;
    }
  }
  const auto q = disagreements(groups);
  for (size_t k = 0; k < 3; ++k) EXPECT_NEAR(differing[k], q[k], 4 * 0.5 / std::sqrt(votes)) << k;
}

TEST(SelfVote, LearnedWeights) {
  EXPECT_EQ(learned_weight(0, 10), 10);
  EXPECT_EQ(learned_weight(1, 10), -10);
  EXPECT_EQ(learned_weight(0.5, 10), 0);
  EXPECT_EQ(learned_weight(1e-9, 10), 10);
  EXPECT_NEAR(learned_weight(0.25, 10), std::log(3.0), 1e-15);
  expect_printed(learned_weight_deviation(0.42, 100), "0.20", "w = 0.32");
  expect_printed(learned_weight_deviation(0.107, 100), "0.32", "w = 2.12");
  // the first vote of one worker is always agreed with
  EXPECT_EQ(equal_workers_disagreement(1, 0.3), 0);
}

TEST(SelfVote, BadInput) {
  EXPECT_THROW(disagreements({}), std::logic_error);
  EXPECT_THROW(disagreements({{0, 0.3, 1}}), std::logic_error);
  EXPECT_THROW(disagreements({{1, 1.0, 1}}), std::logic_error);
  EXPECT_THROW(disagreements({{1, 0.3, std::nan("")}}), std::logic_error);
  EXPECT_THROW(self_vote({}), std::logic_error);
  EXPECT_THROW(self_vote({{3, 0.0, 1}}), std::logic_error);
  EXPECT_THROW(self_vote({{3, 0.2, 1}}, 0), std::logic_error);
  EXPECT_THROW(learned_weight(-0.1, 10), std::logic_error);
  EXPECT_THROW(learned_weight(std::nan(""), 10), std::logic_error);
  EXPECT_THROW(learned_weight_deviation(0, 100), std::logic_error);
}

}  // namespace
}  // namespace orrery::sign_vote
