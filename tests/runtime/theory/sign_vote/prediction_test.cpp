// Theory from measured error rates: the digits of 5.1 come back, classes add up, limits of enumeration, bad input.
#include "runtime/theory/sign_vote/prediction.hpp"

#include <cmath>

#include "runtime/theory/sign_vote/decoding_bounds.hpp"
#include "runtime/theory/sign_vote/decoding_error.hpp"
#include "tests/runtime/theory/sign_vote/digits.hpp"

namespace orrery::sign_vote {
namespace {

using test::expect_printed;
using test::times;
using test::uniforms;

TEST(VotePrediction, TheTableOfTheDigest) {
  struct Row {
    const char *majority, *weighted, *hoeffding, *bhattacharyya, *kearns_saul;
  };
  const Row want[]{{"0.0500125", "0.0500125", "0.3012", "0.2705", "0.2806"},
                   {"0.0130696", "0.00370187", "0.1534", "0.03017", "0.04695"},
                   {"0.0720521", "0.0215786", "0.4202", "0.1268", "0.1547"},
                   {"0.192965", "0.0280", "0.7229", "0.2114", "0.2619"},
                   {"0.342109", "0.0200000", "0.9259", "0.2769", "0.3886"}};
  const auto rows = test::rows_of_5_1();
  for (size_t r = 0; r < rows.size(); ++r) {
    const std::string row = "row " + std::to_string(r);
    const VotePrediction equal = vote_prediction(rows[r], times(15, 1));
    expect_printed(equal.own.value(), want[r].majority, row);
    expect_printed(equal.majority.value(), want[r].majority, row);
    expect_printed(equal.weighted.value(), want[r].weighted, row);
    expect_printed(equal.bounds.majority_hoeffding, want[r].hoeffding, row);
    expect_printed(equal.bounds.weighted_bhattacharyya, want[r].bhattacharyya, row);
    EXPECT_EQ(equal.kearns_saul, equal.majority_kearns_saul);
    EXPECT_EQ(equal.chernoff, equal.bounds.majority_chernoff);

    const VotePrediction best = vote_prediction(rows[r], log_likelihood_ratios(rows[r]));
    expect_printed(best.own.value(), want[r].weighted, row);
    expect_printed(best.kearns_saul, want[r].kearns_saul, row);
    expect_printed(std::exp(-15 * best.gamma), want[r].kearns_saul, row);
    // always: exact below every bound
    for (const double bound : {best.kearns_saul, best.chernoff}) EXPECT_LE(*best.own, bound) << row;
    for (const double bound : {equal.kearns_saul, equal.chernoff, equal.bounds.majority_hoeffding})
      EXPECT_LE(*equal.own, bound) << row;
  }
}

// V6: weights that are off by a factor in [1 - d, 1 + d], at any scale; the bound is above the one with v itself, and above the error.
TEST(VotePrediction, ImperfectWeights) {
  for (const auto& p : test::rows_of_5_1()) {
    const auto w = log_likelihood_ratios(p);
    EXPECT_NEAR(vote_prediction(p, w).weight_error.value(), 0, 1e-15);
    EXPECT_NEAR(vote_prediction(p, w).imperfect.value(), vote_prediction(p, w).kearns_saul, 1e-15);
    auto v = w;
    const auto ratio = uniforms(15, 0.7, 1.3, 11);
    for (size_t m = 0; m < 15; ++m) v[m] *= 5 * (m == 0 ? 0.7 : m == 14 ? 1.3 : ratio[m]);
    const VotePrediction off = vote_prediction(p, v);
    EXPECT_NEAR(off.weight_error.value(), 0.3, 1e-14);
    EXPECT_NEAR(off.imperfect.value(), std::exp(-0.91 * 15 * off.gamma), 1e-14);
    EXPECT_LE(off.kearns_saul, *off.imperfect);
    EXPECT_LE(off.own.value(), *off.imperfect);
    EXPECT_LE(off.weighted_at_least, off.weighted.value());
    v[3] = -v[3];
    EXPECT_FALSE(vote_prediction(p, v).weight_error || vote_prediction(p, v).imperfect);
  }
}

// Alike in all classes: the pooled prediction. Half of the coordinates right, half a coin: what the pooled p cannot know.
TEST(VotePrediction, ClassesAddUp) {
  const auto p = test::rows_of_5_1()[2];
  const auto v = uniforms(15, 0.5, 2, 3);
  const VotePrediction pooled = vote_prediction(p, v);
  const ClassPrediction same = all_classes({class_prediction(0.25, p, v), class_prediction(0.75, p, v)});
  EXPECT_NEAR(same.share, 1, 1e-15);
  EXPECT_NEAR(same.own.value(), pooled.own.value(), 1e-15);
  EXPECT_NEAR(same.kearns_saul, pooled.kearns_saul, 1e-15);
  EXPECT_NEAR(same.chernoff, pooled.chernoff, 1e-15);
  EXPECT_NEAR(same.hoeffding, pooled.bounds.majority_hoeffding, 1e-15);

  const auto ones = times(15, 1);
  const ClassPrediction split =
      all_classes({class_prediction(0.5, times(15, 0.5), ones), class_prediction(0.5, times(15, 1e-9), ones)});
  EXPECT_NEAR(split.own.value(), 0.25, 1e-12);
  EXPECT_NEAR(split.hoeffding, 0.5 + 0.5 * std::exp(-7.5), 1e-7);
  EXPECT_LT(exact_error(times(15, 0.25), ones).value(), 0.02);
}

TEST(VotePrediction, ExactWhereItCanBe) {
  const auto p22 = uniforms(22, 0.1, 0.45, 1), p23 = uniforms(23, 0.1, 0.45, 1);
  const auto w = [](const std::vector<double>& p) { return log_likelihood_ratios(p); };
  EXPECT_NEAR(exact_error(p22, w(p22)).value(), enumerated_error(p22, w(p22)), 1e-15);
  EXPECT_FALSE(exact_error(p23, w(p23)));
  EXPECT_TRUE(exact_error(p23, times(23, 1)));
  const auto two = times(300, 0.45, 200, 0.2);  // two kinds of workers, however many
  EXPECT_NEAR(exact_error(two, w(two)).value(), decoding_error(two, w(two)).value(), 0);
  EXPECT_TRUE(exact_error(times(5000, 0.49), times(5000, 1)));
  EXPECT_FALSE(exact_error(times(5001, 0.49), times(5001, 1)));
  // inverted, and nobody heard
  EXPECT_NEAR(exact_error(times(5, 0.8), times(5, -1)).value(), exact_error(times(5, 0.2), times(5, 1)).value(), 1e-15);
  EXPECT_EQ(exact_error(times(5, 0.8), times(5, 0)).value(), 0.5);
}

TEST(VotePrediction, LearnedWeightsAndFiniteRuns) {
  const auto w = learned_weights({0.5, 0.9, 0.1, 1, 0}, 3);
  EXPECT_NEAR(w[0], 0, 1e-15);
  EXPECT_NEAR(w[1], std::log(9), 1e-14);
  EXPECT_NEAR(w[2], -std::log(9), 1e-14);
  EXPECT_EQ(w[3], 3);
  EXPECT_EQ(w[4], -3);
  EXPECT_EQ(rates_inside({0, 0.3, 1}, 100), (std::vector<double>{0.005, 0.3, 0.995}));
  EXPECT_FALSE(above(0.1, 0.1, 1e6));
  EXPECT_FALSE(above(0.1 + 4 * std::sqrt(0.09 / 1e4), 0.1, 1e4));
  EXPECT_TRUE(above(0.1 + 6 * std::sqrt(0.09 / 1e4), 0.1, 1e4));
  EXPECT_FALSE(above(1e-4, 0, 1e4)) << "one sign in ten thousand";
  EXPECT_FALSE(above(1, 1, 10));
}

TEST(VotePrediction, RefusesBadInput) {
  EXPECT_THROW(vote_prediction({0.1, 0.2}, {1}), std::logic_error);
  EXPECT_THROW(vote_prediction({}, {}), std::logic_error);
  EXPECT_THROW(vote_prediction({0, 0.2}, {1, 1}), std::logic_error);
  EXPECT_THROW(vote_prediction({0.1, 0.2}, {1, NAN}), std::logic_error);
  EXPECT_THROW(rates_inside({0.1}, 0), std::logic_error);
  EXPECT_THROW(learned_weights({0.1}, 0), std::logic_error);
  EXPECT_THROW(learned_weights({1.1}, 1), std::logic_error);
  EXPECT_THROW(above(0.1, 0.1, 0), std::logic_error);
}

}  // namespace
}  // namespace orrery::sign_vote
