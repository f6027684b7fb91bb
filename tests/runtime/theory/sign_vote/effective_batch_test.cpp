// Unequal batches: the tables of 5.5 for 15 and 100 workers, laws, bad input (papers/signsgd-fv.md).
#include "runtime/theory/sign_vote/effective_batch.hpp"

#include <numbers>

#include "runtime/batch_mode.hpp"
#include "runtime/theory/sign_vote/decoding_error.hpp"
#include "tests/runtime/theory/sign_vote/digits.hpp"

namespace orrery::sign_vote {
namespace {

using test::expect_printed;

TEST(EffectiveBatch, EfficienciesOfTheDigest) {
  const char *eta[]{"1.0000", "0.5936", "0.4044", "0.2341"}, *unweighted[]{"1.0000", "0.1024", "0.0779", "0.0669"};
  for (int mode = 1; mode <= 4; ++mode) {
    const auto B = mode_batches(mode, 15);
    const EffectiveSamples s = effective_samples(B);
    expect_printed(majority_efficiency(B), eta[mode - 1], "eta");
    expect_printed(s.unweighted_gradients / s.weighted_gradients, unweighted[mode - 1], "unweighted mean");
    EXPECT_NEAR(s.weighted_gradients, 960, 1e-10);
    EXPECT_NEAR(s.weighted_vote, 960 * 2 / std::numbers::pi, 1e-10);
    EXPECT_NEAR(s.majority, s.weighted_vote * majority_efficiency(B), 1e-10);
  }
}

struct Row {
  double s;
  int mode;
  const char *p_small, *p_big, *majority, *weighted, *sqrt_batch, *unweighted, *weighted_gradients;
};
const Row table[]{{0.03, 1, "", "0.4052", "0.22548", "0.22548", "0.22548", "0.17631", "0.17631"},
                  {0.03, 2, "0.4761", "0.3548", "0.28177", "0.22865", "0.22865", "0.38307", "0.17631"},
                  {0.03, 3, "0.4761", "0.3005", "0.31880", "0.21647", "0.21647", "0.39767", "0.17631"},
                  {0.03, 4, "0.4761", "0.1835", "0.36493", "0.18353", "0.18353", "0.40497", "0.17631"},
                  {0.1, 1, "", "0.2119", "0.0061529", "0.0061529", "0.0061529", "0.00097289", "0.00097289"},
                  {0.1, 2, "0.4207", "0.1073", "0.035182", "0.0071363", "0.0071363", "0.16073", "0.00097289"},
                  {0.1, 3, "0.4207", "0.04062", "0.091834", "0.0048101", "0.0048101", "0.19363", "0.00097289"},
                  {0.1, 4, "0.4207", "0.001321", "0.19140", "0.0013207", "0.0013207", "0.21138", "0.00097289"},
                  {0.2, 2, "0.3446", "0.006534", "0.0016104", "9.169e-07", "9.169e-07", "0.023689", "2.882e-10"},
                  {0.2, 3, "0.3446", "2.441e-04", "0.023173", "1.788e-07", "2.194e-07", "0.041886", "2.882e-10"},
                  {0.2, 4, "0.3446", "9.09e-10", "0.069207", "9.088e-10", "9.088e-10", "0.054433", "2.882e-10"}};

TEST(EffectiveBatch, TheTableOfTheDigest) {
  for (const Row& r : table) {
    const auto B = mode_batches(r.mode, 15);
    const auto p = gaussian_errors(r.s, B);
    const auto [least, most] = std::minmax_element(p.begin(), p.end());
    const std::string what = "s = " + std::to_string(r.s) + ", mode " + std::to_string(r.mode);
    if (*r.p_small) expect_printed(*most, r.p_small, what);
    expect_printed(*least, r.p_big, what);
    const BatchErrors e = batch_errors(r.s, B);
    expect_printed(*e.majority, r.majority, "majority, " + what);
    expect_printed(*e.weighted, r.weighted, "WMV, " + what);
    expect_printed(*e.sqrt_batch, r.sqrt_batch, "sqrt-B, " + what);
    expect_printed(e.unweighted_gradients, r.unweighted, "unweighted, " + what);
    expect_printed(e.weighted_gradients, r.weighted_gradients, "weighted, " + what);
  }
}

TEST(EffectiveBatch, AHundredWorkers) {
  const char* majority[][2]{
      {"0.02811", "0.02775"}, {"0.07173", "0.07005"}, {"0.11621", "0.11167"}, {"0.28334", "0.25481"}};
  const char* weighted[]{"0.02811", "0.02765", "0.02756", "0.01005"};
  for (int mode = 1; mode <= 4; ++mode) {
    const auto B = mode_batches(mode, 100);
    const BatchErrors e = batch_errors(0.03, B);
    const std::string what = "mode " + std::to_string(mode);
    expect_printed(*e.majority, majority[mode - 1][0], "majority, " + what);
    expect_printed(low_snr_error(0.03, B, std::vector<double>(100, 1)), majority[mode - 1][1], "its formula, " + what);
    expect_printed(*e.weighted, weighted[mode - 1], "WMV, " + what);
    expect_printed(low_snr_error(0.03, B, sqrt_batches(B)), "0.02775", "its formula, " + what);
  }
}

// V9: the table again from 400,000 votes on Gaussian gradients, four standard deviations
TEST(EffectiveBatch, MonteCarlo) {
  constexpr uint64_t votes = 400'000;
  for (const auto& [s, mode] : {std::pair{0.03, 2}, {0.1, 3}, {0.1, 4}}) {
    const auto B = mode_batches(mode, 15);
    const auto root = sqrt_batches(B);
    const BatchErrors e = batch_errors(s, B);
    int64_t majority = 0, sqrt_batch = 0, unweighted = 0, weighted = 0;
    for (uint64_t t = 0; t < votes; ++t) {
      const Stream noise(29, Draw::gradient_noise, static_cast<uint32_t>(mode), t);
      double of_signs = 0, of_weighted_signs = 0, mean = 0, weighted_mean = 0;
      for (uint32_t m = 0; m < 15; ++m) {
        const double g = s + noise.normal(m) / root[m], sign = g < 0 ? -1 : 1;
        of_signs += sign, of_weighted_signs += sign * root[m], mean += g, weighted_mean += g * root[m] * root[m];
      }
      majority += of_signs < 0, sqrt_batch += of_weighted_signs < 0;
      unweighted += mean < 0, weighted += weighted_mean < 0;
    }
    const auto near = [&](int64_t wrong, double p, const char* what) {
      EXPECT_NEAR(static_cast<double>(wrong) / votes, p, 4 * std::sqrt(p * (1 - p) / votes)) << what << " " << mode;
    };
    near(majority, *e.majority, "majority");
    near(sqrt_batch, *e.sqrt_batch, "sqrt-B");
    near(unweighted, e.unweighted_gradients, "unweighted");
    near(weighted, e.weighted_gradients, "weighted");
  }
}

TEST(EffectiveBatch, Laws) {
  for (const std::vector<int64_t>& B : {std::vector<int64_t>{1}, {7, 7, 7}, {1, 2, 900}, {5, 6, 7, 8, 9, 10}}) {
    const double eta = majority_efficiency(B);
    const bool equal = std::all_of(B.begin(), B.end(), [&](int64_t b) { return b == B[0]; });
    EXPECT_LE(eta, 1 + 1e-15);
    EXPECT_EQ(std::abs(eta - 1) < 1e-12, equal);
    // sqrt(B) is the best of all weights, and gives the samples of the weighted vote; equal weights those of the majority
    const EffectiveSamples n = effective_samples(B);
    const auto best = sqrt_batches(B);
    const double of_best = low_snr_error(0.05, B, best),
                 of_equal = low_snr_error(0.05, B, std::vector<double>(B.size(), 2));
    EXPECT_NEAR(of_best, 0.5 * std::erfc(0.05 * std::sqrt(n.weighted_vote / 2)), 1e-14);
    EXPECT_NEAR(of_equal, 0.5 * std::erfc(0.05 * std::sqrt(n.majority / 2)), 1e-14);
    EXPECT_LE(of_best, of_equal * (1 + 1e-14));
    EXPECT_LE(n.unweighted_gradients, n.weighted_gradients * (1 + 1e-14));
  }
  // no signal: nobody knows
  const BatchErrors none = batch_errors(0, mode_batches(2, 15));
  EXPECT_NEAR(*none.majority, 0.5, 1e-14);
  EXPECT_EQ(*none.weighted, 0.5);
  EXPECT_EQ(none.weighted_gradients, 0.5);
  // far too much signal: errors stay numbers
  const BatchErrors much = batch_errors(40, mode_batches(4, 15));
  EXPECT_GE(*much.weighted, 0);
  EXPECT_LT(*much.weighted, 1e-200);
  // workers that all differ: only the majority is exact
  std::vector<int64_t> many;
  for (int64_t b = 1; b <= 80; ++b) many.push_back(b);
  EXPECT_TRUE(batch_errors(0.03, many).majority.has_value());
  EXPECT_FALSE(batch_errors(0.03, many).weighted.has_value());
}

TEST(EffectiveBatch, BadInput) {
  EXPECT_THROW(majority_efficiency({}), std::logic_error);
  EXPECT_THROW(effective_samples({4, 0}), std::logic_error);
  EXPECT_THROW(sqrt_batches({-1}), std::logic_error);
  EXPECT_THROW(gaussian_errors(-0.1, {4}), std::logic_error);
  EXPECT_THROW(gaussian_errors(std::nan(""), {4}), std::logic_error);
  EXPECT_THROW(low_snr_error(0.1, {4, 4}, {1}), std::logic_error);
  EXPECT_THROW(low_snr_error(0.1, {4, 4}, {0, 0}), std::logic_error);
  EXPECT_THROW(batch_errors(0.1, {}), std::logic_error);
}

}  // namespace
}  // namespace orrery::sign_vote
