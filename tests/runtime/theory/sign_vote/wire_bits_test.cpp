// Bits per worker and round: section 4's table, totals and position costs, bad input (papers/signsgd-fv.md).
#include "runtime/theory/sign_vote/wire_bits.hpp"

#include "tests/runtime/theory/sign_vote/digits.hpp"

namespace orrery::sign_vote {
namespace {

using test::expect_printed;

constexpr int64_t resnet56 = 853'018;

TEST(WireBits, PerWorkerAndRound) {
  const double N = resnet56, T = 170;
  EXPECT_EQ(gradients(resnet56).up, 32 * N);
  EXPECT_EQ(gradients(resnet56).down, 32 * N);
  EXPECT_EQ(sign_votes(resnet56).up, N);
  EXPECT_EQ(sign_votes(resnet56).down, N);
  EXPECT_EQ(sign_votes(resnet56, Decoded::sign_or_zero).up, N);
  expect_printed(sign_votes(resnet56, Decoded::sign_or_zero).down / N, "1.585", "a tie may be sent");
  EXPECT_EQ(error_feedback(resnet56, 170).up, N + 32 * T);
  EXPECT_EQ(error_feedback(resnet56, 170).down, 32 * N);
  EXPECT_EQ(two_way_error_feedback(resnet56, 170).up, N + 32 * T);
  EXPECT_EQ(two_way_error_feedback(resnet56, 170).down, N + 32 * T);
  EXPECT_EQ(averaged_signs(resnet56, 15, Mean::float32).up, N);
  EXPECT_EQ(averaged_signs(resnet56, 15, Mean::float32).down, 32 * N);
  EXPECT_EQ(averaged_signs(resnet56, 15, Mean::integer_sums).down, 4 * N);  // 16 sums
  EXPECT_EQ(averaged_signs(resnet56, 16, Mean::integer_sums).down, 5 * N);
  EXPECT_EQ(averaged_signs(resnet56, 1, Mean::integer_sums).down, N);
  EXPECT_EQ(forwarded_counts(100, {3, 4, 15, 16}), (std::vector<double>{100, 200, 300, 400, 500}));
  EXPECT_EQ(forwarded_counts(100, {}), std::vector<double>{100});
}

TEST(WireBits, TotalsOfTheDigest) {
  struct Row {
    int64_t N;
    double bytes, words;
    const char *signs, *floats;
  };
  for (const Row& r :
       {Row{582'026, 72'753.25, 18'189, "52.4", "1676"}, Row{resnet56, 106'627.25, 26'657, "76.8", "2457"},
        Row{858'868, 107'358.5, 26'840, "77.3", "2474"}}) {
    EXPECT_EQ(sign_votes(r.N).up / 8, r.bytes);
    EXPECT_EQ(std::ceil(sign_votes(r.N).up / 32), r.words);
    const double signs = total_bits(sign_votes(r.N), 15, 3000), floats = total_bits(gradients(r.N), 15, 3000);
    expect_printed(signs / 1e9, r.signs, std::to_string(r.N));
    expect_printed(floats / 1e9, r.floats, std::to_string(r.N));
    EXPECT_EQ(floats, 32 * signs);  // V17
  }
}

TEST(WireBits, Positions) {
  const int64_t K = 85'302;  // 10 % of ResNet-56
  EXPECT_EQ(sparse_bits(resnet56, K, Positions::listed), 1'791'342);
  EXPECT_EQ(sparse_bits(resnet56, K, Positions::bitmap), 938'320);
  expect_printed(sparse_bits(resnet56, K, Positions::entropy), "485364", "entropy");
  // the listed positions win over dense signs below K/N = 1/21 only
  EXPECT_LT(sparse_bits(resnet56, resnet56 / 21, Positions::listed), sign_votes(resnet56).up);
  EXPECT_GT(sparse_bits(resnet56, resnet56 / 21 + 1, Positions::listed), sign_votes(resnet56).up);

  for (const int64_t kept : {int64_t{0}, int64_t{1}, int64_t{500}, int64_t{1000}}) {
    const double entropy = sparse_bits(1000, kept, Positions::entropy);
    EXPECT_LE(entropy, sparse_bits(1000, kept, Positions::bitmap));
    EXPECT_LE(entropy, sparse_bits(1000, kept, Positions::listed) + 1.5);  // log2(e) per coordinate, at K = 1
  }
  EXPECT_EQ(sparse_bits(1000, 0, Positions::entropy), 0);
  EXPECT_EQ(sparse_bits(1000, 1000, Positions::entropy), 1000);
  EXPECT_NEAR(sparse_bits(1000, 500, Positions::entropy), 1500, 1e-9);
  EXPECT_EQ(sparse_bits(1024, 3, Positions::listed), 33);
  EXPECT_EQ(sparse_bits(1025, 3, Positions::listed), 36);
  EXPECT_EQ(sparse_bits(1, 1, Positions::listed), 1);
}

TEST(WireBits, SparseVotesComeBackTogether) {
  const WireBits few = sparse_sign_votes(1000, 10, 15, Positions::listed);
  EXPECT_EQ(few.up, 110);
  EXPECT_EQ(few.down, 150 * 11);
  EXPECT_EQ(sparse_sign_votes(1000, 100, 15, Positions::bitmap).down, 2000);  // no more than all
}

TEST(WireBits, BadInput) {
  EXPECT_THROW(gradients(0), std::logic_error);
  EXPECT_THROW(sign_votes(-1), std::logic_error);
  EXPECT_THROW(error_feedback(10, 0), std::logic_error);
  EXPECT_THROW(two_way_error_feedback(0, 1), std::logic_error);
  EXPECT_THROW(sparse_bits(10, 11, Positions::bitmap), std::logic_error);
  EXPECT_THROW(sparse_bits(10, -1, Positions::entropy), std::logic_error);
  EXPECT_THROW(sparse_sign_votes(10, 1, 0, Positions::bitmap), std::logic_error);
  EXPECT_THROW(averaged_signs(10, 0, Mean::integer_sums), std::logic_error);
  EXPECT_THROW(forwarded_counts(10, {3, 0}), std::logic_error);
  EXPECT_THROW(total_bits({1, 1}, 0, 1), std::logic_error);
}

}  // namespace
}  // namespace orrery::sign_vote
