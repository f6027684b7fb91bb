// Bounds on the decoding error: the table of 5.1, exact <= every bound, V6, bad input (papers/signsgd-fv.md).
#include "runtime/theory/sign_vote/decoding_bounds.hpp"

#include "runtime/theory/sign_vote/decoding_error.hpp"
#include "tests/runtime/theory/sign_vote/digits.hpp"

namespace orrery::sign_vote {
namespace {

using test::expect_printed;
using test::times;
using test::uniforms;

TEST(DecodingBounds, TheTableOfTheDigest) {
  struct Row {
    const char *hoeffding, *mean_chernoff, *chernoff, *bhattacharyya, *kearns_saul;
  };
  const Row want[]{{"0.3012", "0.2705", "0.2705", "0.2705", "0.2806"},
                   {"0.1534", "0.1156", "0.09129", "0.03017", "0.04695"},
                   {"0.4202", "0.398", "0.3554", "0.1268", "0.1547"},
                   {"0.7229", "0.7177", "0.6913", "0.2114", "0.2619"},
                   {"0.9259", "0.9255", "0.9212", "0.2769", "0.3886"}};
  const auto rows = test::rows_of_5_1();
  for (size_t r = 0; r < rows.size(); ++r) {
    const auto& p = rows[r];
    const std::string row = "row " + std::to_string(r);
    expect_printed(error_bound(hoeffding_exponent(p)), want[r].hoeffding, "Hoeffding, " + row);
    expect_printed(error_bound(mean_chernoff_exponent(p)), want[r].mean_chernoff, "mean-Chernoff, " + row);
    expect_printed(error_bound(chernoff(p, times(15, 1)).exponent), want[r].chernoff, "Chernoff, " + row);
    expect_printed(error_bound(bhattacharyya_exponent(p)), want[r].bhattacharyya, "Bhattacharyya, " + row);
    expect_printed(error_bound(wmv_exponent(p)), want[r].kearns_saul, "Kearns-Saul, " + row);
  }
}

// the formulas as they are written, where nothing is small
TEST(DecodingBounds, EachByItsFormula) {
  const std::vector<double> p{0.1, 0.25, 0.4, 0.6}, v{1, 2, 0.5, -0.2};
  double phi_ = 0, top = 0, bottom = 0, bhattacharyya = 0;
  for (size_t m = 0; m < 4; ++m) {
    const double w = std::log((1 - p[m]) / p[m]);
    EXPECT_NEAR(log_likelihood_ratio(p[m]), w, 1e-15);
    phi_ += (0.5 - p[m]) * w;
    top += v[m] * (0.5 - p[m]);
    bottom += v[m] * v[m] * (0.5 - p[m]) / w;
    bhattacharyya -= 0.5 * std::log(4 * p[m] * (1 - p[m]));
  }
  EXPECT_NEAR(phi(p), phi_, 1e-15);
  EXPECT_NEAR(wmv_exponent(p), phi_ / 2, 1e-15);
  EXPECT_NEAR(kearns_saul_exponent(p, v), top * top / (2 * bottom), 1e-15);
  EXPECT_NEAR(bhattacharyya_exponent(p), bhattacharyya, 1e-15);
  EXPECT_NEAR(imperfect_exponent(p, 0.5), 0.375 * phi_, 1e-15);
  EXPECT_NEAR(hoeffding_exponent(p), 8 * 0.1625 * 0.1625, 1e-15);  // pbar = 0.3375
  EXPECT_NEAR(mean_chernoff_exponent(p), -2 * std::log(4 * 0.3375 * 0.6625), 1e-15);
  EXPECT_NEAR(kearns_saul_exponent(p, log_likelihood_ratios(p)), phi_ / 2, 1e-15);  // v = w gives Phi/2

  // the Chernoff sum at the lambda found, and beside it
  const auto sum = [&](double l) {
    double s = 0;
    for (size_t m = 0; m < 4; ++m) s += std::log(p[m] * std::exp(l * v[m]) + (1 - p[m]) * std::exp(-l * v[m]));
    return s;
  };
  const Chernoff best = chernoff(p, v);
  EXPECT_NEAR(best.exponent, -sum(best.lambda), 1e-15);
  for (const double factor : {0.01, 0.5, 0.999, 1.001, 2.0, 10.0}) EXPECT_LT(-sum(best.lambda * factor), best.exponent);
  EXPECT_NEAR(chernoff(p, log_likelihood_ratios(p)).lambda, 0.5, 1e-12);  // weights w: l = 1/2
  EXPECT_NEAR(chernoff(p, log_likelihood_ratios(p)).exponent, bhattacharyya, 1e-14);
}

// through p = 1/2 the ratio (1/2 - p)/w goes on as 1/4, and w keeps its relative accuracy
TEST(DecodingBounds, AroundOneHalf) {
  for (const double x : {1e-3, 1.01e-4, 0.99e-4, 1e-8, 1e-15}) {
    const double p = 0.5 - x, v = 3, d = 0.5 - p;
    EXPECT_NEAR(log_likelihood_ratio(p), 4 * d + 16 * d * d * d / 3, 1e-9 * d) << x;
    // one worker: E = 2 (1/2-p) w = 8 d^2 + ...
    EXPECT_NEAR(kearns_saul_exponent({p}, {v}), d * log_likelihood_ratio(p) / 2, 1e-12 * d * d) << x;
  }
  EXPECT_EQ(log_likelihood_ratio(0.5), 0);
  EXPECT_EQ(kearns_saul_exponent({0.5, 0.5}, {1, 1}), 0);
  EXPECT_NEAR(kearns_saul_exponent({0.5, 0.25}, {1, 1}), 0.0625 / (2 * (0.25 + 0.25 / std::log(3.0))), 1e-15);
  EXPECT_NEAR(log_likelihood_ratio(1e-300), 300 * std::log(10.0), 1e-12 * 700);
}

// V5: no bound is ever below what it bounds
TEST(DecodingBounds, HoldAndAreOrdered) {
  const double round = 1 + 1e-12;
  for (uint64_t key = 0; key < 200; ++key) {
    const size_t M = 2 + key % 13;
    const auto p = uniforms(M, 0.01, key % 2 ? 0.49 : 0.7, key), v = uniforms(M, key % 3 ? 0.1 : -0.5, 2, 1000 + key);
    const auto w = log_likelihood_ratios(p);
    const double mv = majority_error(p), wmv = enumerated_error(p, w), any = enumerated_error(p, v);
    EXPECT_LE(mv, round * error_bound(chernoff(p, times(M, 1)).exponent));
    EXPECT_LE(any, round * error_bound(chernoff(p, v).exponent));
    EXPECT_LE(wmv, round * error_bound(bhattacharyya_exponent(p)));
    EXPECT_GE(wmv * round, wmv_error_at_least(p));
    EXPECT_LE(kearns_saul_exponent(p, v), round * chernoff(p, v).exponent + 1e-15);
    EXPECT_LE(kearns_saul_exponent(p, times(M, 1)), round * chernoff(p, times(M, 1)).exponent + 1e-15);
    EXPECT_LE(wmv_exponent(p), round * bhattacharyya_exponent(p));
    EXPECT_LE(hoeffding_exponent(p), round * mean_chernoff_exponent(p));
    EXPECT_LE(mean_chernoff_exponent(p), round * chernoff(p, times(M, 1)).exponent + 1e-15);
    EXPECT_LE(kearns_saul_exponent(p, v), round * wmv_exponent(p));  // no weights have a larger one than w
  }
}

// V6: weights off by at most d lose at most the part d^2 of the exponent
TEST(DecodingBounds, WeightsOffByAFactor) {
  for (const double d : {0.1, 0.3, 0.5})
    for (const auto& p : test::rows_of_5_1())
      for (uint64_t draw = 0; draw < 200; ++draw) {
        auto v = log_likelihood_ratios(p);
        const auto ratio = uniforms(v.size(), 1 - d, 1 + d, 77 + draw);
        for (size_t m = 0; m < v.size(); ++m) v[m] *= ratio[m];
        const double exponent = kearns_saul_exponent(p, v);
        ASSERT_GE(exponent, imperfect_exponent(p, d));
        if (draw < 5) {
          ASSERT_LE(enumerated_error(p, v), error_bound(exponent));
        }
      }

  // attained (Kantorovich): ratios 1 + d and 1 - d on shares (1-d)/2 and (1+d)/2 of Phi
  const auto p = times(4, 0.2);
  const double w = log_likelihood_ratio(0.2);
  EXPECT_NEAR(kearns_saul_exponent(p, {1.5 * w, 0.5 * w, 0.5 * w, 0.5 * w}), imperfect_exponent(p, 0.5), 1e-14);
  EXPECT_GT(kearns_saul_exponent(p, {1.5 * w, 1.5 * w, 0.5 * w, 0.5 * w}), imperfect_exponent(p, 0.5) * 1.01);
}

TEST(DecodingBounds, NothingToSay) {
  const std::vector<double> p{0.6, 0.7}, one{1, 1};
  EXPECT_EQ(hoeffding_exponent(p), 0);
  EXPECT_EQ(mean_chernoff_exponent(p), 0);
  EXPECT_EQ(kearns_saul_exponent(p, one), 0);
  EXPECT_EQ(chernoff(p, one).exponent, 0);
  EXPECT_EQ(chernoff(p, {0, 0}).exponent, 0);
  EXPECT_EQ(error_bound(0), 1);
  EXPECT_GT(kearns_saul_exponent(p, {-1, -1}), 0);
  EXPECT_GT(wmv_exponent(p), 0);
}

TEST(DecodingBounds, BadInput) {
  EXPECT_THROW(chernoff({}, {}), std::logic_error);
  EXPECT_THROW(chernoff({0.1, 0.2}, {1}), std::logic_error);
  EXPECT_THROW(kearns_saul_exponent({0.1}, {1, 1}), std::logic_error);
  EXPECT_THROW(kearns_saul_exponent({0.1}, {std::nan("")}), std::logic_error);
  EXPECT_THROW(hoeffding_exponent({}), std::logic_error);
  for (const double p : {0.0, 1.0, -1.0, std::nan("")}) {
    EXPECT_THROW(log_likelihood_ratio(p), std::logic_error) << p;
    EXPECT_THROW(log_likelihood_ratios({0.2, p}), std::logic_error) << p;
    EXPECT_THROW(chernoff({p}, {1}), std::logic_error) << p;
    EXPECT_THROW(kearns_saul_exponent({p}, {1}), std::logic_error) << p;
    EXPECT_THROW(hoeffding_exponent({p}), std::logic_error) << p;
    EXPECT_THROW(mean_chernoff_exponent({p}), std::logic_error) << p;
    EXPECT_THROW(bhattacharyya_exponent({p}), std::logic_error) << p;
    EXPECT_THROW(wmv_exponent({p}), std::logic_error) << p;
  }
  for (const double d : {-0.1, 1.0, std::nan("")}) EXPECT_THROW(imperfect_exponent({0.1}, d), std::logic_error) << d;
}

}  // namespace
}  // namespace orrery::sign_vote
