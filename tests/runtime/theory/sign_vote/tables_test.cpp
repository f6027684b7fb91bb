// What is printed of sign voting: the rows of 5.1, 5.2, 5.5 and 5.6 stand in the text as the digest has them (papers/signsgd-fv.md).
#include "runtime/theory/sign_vote/tables.hpp"

#include <gmock/gmock.h>

#include <sstream>

#include "runtime/batch_mode.hpp"
#include "tests/runtime/theory/sign_vote/digits.hpp"

namespace orrery::sign_vote {
namespace {

using test::expect_printed;
using test::times;
using testing::HasSubstr;
using testing::Not;

// The lines of a text as words.
std::vector<std::vector<std::string>> words(const std::string& text) {
  std::vector<std::vector<std::string>> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream in(line);
    out.emplace_back();
    for (std::string word; in >> word;) out.back().push_back(word);
  }
  return out;
}
bool has_line(const std::string& text, const std::vector<std::string>& line) {
  const auto all = words(text);
  return std::find(all.begin(), all.end(), line) != all.end();
}

TEST(SignVoteTables, RowsOfTheDigest) {
  const std::string text = sign_vote_tables_text(mode_batches(3, 15), {0.03, 0.1});
  EXPECT_THAT(text, HasSubstr("batches 12 x 4, 3 x 304\n"));
  EXPECT_THAT(text, HasSubstr("eta = 0.4044\n"));
  // 5.5: s, p least, p most, majority, WMV, sqrt-B, SGD unweighted, weighted
  EXPECT_TRUE(has_line(text, {"0.03", "0.30046", "0.47608", "0.3188", "0.21647", "0.21647", "0.39767", "0.17631"}))
      << text;
  EXPECT_TRUE(
      has_line(text, {"0.1", "0.040618", "0.42074", "0.091834", "0.0048101", "0.0048101", "0.19363", "0.00097289"}))
      << text;
  // 5.6
  EXPECT_TRUE(
      has_line(text, {"0.03", "0.3188", "0.28902", "0.21658", "0.21647", "0.096", "/", "0.420", "0.845", "/", "0.642"}))
      << text;
  // 5.2
  EXPECT_TRUE(has_line(text, {"0.5", "0.30685", "0.25000", "0.14384", "0.16687", "0.12500"})) << text;
  EXPECT_TRUE(has_line(text, {"0.8", "0.21724", "0.18069", "0.02041", "0.02655", "0.02000"})) << text;
  EXPECT_TRUE(has_line(text, {"1", "0.30685", "0.25000", "0.00000", "0.00000", "0.00000"})) << text;
  EXPECT_THAT(text, Not(HasSubstr(" \n")));
  EXPECT_EQ(text.back(), '\n');
}

// 5.1 has p of its own: one of its rows by the function behind the table, and the order of the columns
TEST(SignVoteTables, BoundsOfTheDigest) {
  const ErrorBounds b = error_bounds(times(9, 0.45, 6, 0.15));
  expect_printed(b.majority_hoeffding, "0.4202", "");
  expect_printed(b.majority_mean_chernoff, "0.398", "");
  expect_printed(b.majority_chernoff, "0.3554", "");
  expect_printed(b.weighted_bhattacharyya, "0.1268", "");
  expect_printed(b.weighted_kearns_saul, "0.1547", "");
  for (const SnrTables& r : sign_vote_tables(mode_batches(2, 15), {0.01, 0.05, 0.2, 1}).snr) {
    EXPECT_LE(*r.errors.majority, r.bounds.majority_chernoff);
    EXPECT_LE(r.bounds.majority_chernoff, r.bounds.majority_mean_chernoff);
    EXPECT_LE(r.bounds.majority_mean_chernoff, r.bounds.majority_hoeffding);
    EXPECT_LE(*r.errors.weighted, r.bounds.weighted_bhattacharyya);
    EXPECT_LE(r.bounds.weighted_bhattacharyya, r.bounds.weighted_kearns_saul);
    EXPECT_NEAR(r.bounds.weighted_kearns_saul, std::exp(-15 * r.gamma), 1e-13);
  }
}

TEST(SignVoteTables, WorkersThatAllDiffer) {
  std::vector<int64_t> batch;
  for (int64_t b = 1; b <= 60; ++b) batch.push_back(b);
  const SignVoteTables t = sign_vote_tables(batch, {0.05});
  EXPECT_EQ(t.groups.size(), 60u);
  EXPECT_TRUE(t.snr[0].errors.majority.has_value());
  EXPECT_FALSE(t.snr[0].errors.weighted.has_value());
  EXPECT_FALSE(t.snr[0].learned.has_value());
  const std::string text = to_text(t);
  EXPECT_THAT(text, HasSubstr(", ...\n"));
  EXPECT_THAT(text, HasSubstr("  -  "));
  EXPECT_THAT(text, Not(HasSubstr("learned")));
}

TEST(SignVoteTables, ManyWorkersAndStrongSignals) {
  const std::string text = sign_vote_tables_text(mode_batches(4, 500), {0.03, 30});
  EXPECT_THAT(text, HasSubstr("batches 1 x 30004, 499 x 4"));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
  EXPECT_THAT(sign_vote_tables_text({8}, {0.1}), HasSubstr("batches 1 x 8\n"));
  EXPECT_THAT(sign_vote_tables_text({8}, {}), Not(HasSubstr("learned")));
}

TEST(SignVoteTables, BadInput) {
  EXPECT_THROW(sign_vote_tables({}, {0.1}), std::logic_error);
  EXPECT_THROW(sign_vote_tables({0}, {0.1}), std::logic_error);
  EXPECT_THROW(sign_vote_tables({4}, {0}), std::logic_error);
  EXPECT_THROW(sign_vote_tables({4}, {-1}), std::logic_error);
}

}  // namespace
}  // namespace orrery::sign_vote
