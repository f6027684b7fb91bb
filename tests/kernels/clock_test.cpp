#include "kernels/clock.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class Clock : public test::OnEachBackend {};

test::Rows rows_at(Backend b, int n, int64_t slot) {
  std::vector<test::RowSpec> specs;
  for (int32_t r = 0; r < n; ++r)
    specs.push_back({.seed = r % 2 ? 5u : 0xabcdef0123456789u,
                     .worker = r / 2,
                     .rate = std::vector<double>{1, 0, 0.3, 0.9}[r % 4]});
  return test::Rows(b, specs, slot);
}

// Integers: exact. A rate of 1 steps in every slot, a rate of 0 in none. Below, at and past a block of 128 rows; slots
// past 2^32.
TEST_P(Clock, CountsTheStepsTaken) {
  const Backend b = GetParam();
  for (int rows_count : {1, 4, 128, 131})
    for (int64_t slot : {int64_t{2}, (int64_t{1} << 32) + 7})
      for (int64_t n : {0, 1, 40}) {
        const test::Rows rows = rows_at(b, rows_count, slot);
        Matrix<int64_t> steps(b, 1, rows_count, 9);
        count_steps(ctx(), rows.view(), rows.slot(), n, steps.vector());
        const auto got = steps.host();
        for (int64_t r = 0; r < rows_count; ++r) {
          int64_t taken = 0;
          for (int64_t s = 0; s < n; ++s)
            taken += rows.spec(r).rate == 1 || (rows.spec(r).rate > 0 && rows.active(r, s));
          ASSERT_EQ(got[static_cast<size_t>(r)], steps.dense()[static_cast<size_t>(r)] + taken)
              << "row " << r << " n " << n;
        }
      }
}

// Counting a stretch in parts, with any number of threads, gives the same.
TEST_P(Clock, CountsInParts) {
  const Backend b = GetParam();
  const test::Rows rows = rows_at(b, 9, 100);
  const auto count = [&](std::vector<int64_t> parts) {
    Matrix<int64_t> steps(b, 1, 9, std::vector<int64_t>(9));
    int64_t at = 0;
    for (int64_t n : parts) {
      count_steps(ctx(), rows.view(), rows.slot().plus(at), n, steps.vector());
      at += n;
    }
    return steps.host();
  };
  test::expect_same_bits_for_any_threads([&] { return count({50}); });
  EXPECT_EQ(count({50}), count({1, 30, 19}));
}

TEST_P(Clock, AdvancesBaseAndNothingElse) {
  const Backend b = GetParam();
  Matrix<int64_t> base(b, 1, 1, std::vector<int64_t>{(int64_t{1} << 40) - 1});
  advance_clock(ctx(), base.vector(), 3);
  advance_clock(ctx(), base.vector(), 0);
  EXPECT_EQ(base.host(), std::vector<int64_t>{(int64_t{1} << 40) + 2});
  EXPECT_THROW(advance_clock(ctx(), Matrix<int64_t>(b, 1, 2, 1).vector(), 3), std::logic_error);
  const test::Rows rows = rows_at(b, 4, 2);
  EXPECT_THROW(count_steps(ctx(), rows.view(), rows.slot(), 1, Matrix<int64_t>(b, 1, 3, 1).vector()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(Clock);

}  // namespace
}  // namespace orrery
