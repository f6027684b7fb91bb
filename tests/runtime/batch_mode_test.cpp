// The four batch modes of papers/signsgd-fv.md 3.6 (V9) and their bad input.
#include "runtime/batch_mode.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "kernels/core/error.hpp"

namespace orrery {
namespace {

using Batches = std::vector<int64_t>;

Batches joined(size_t n, int64_t x, size_t more = 0, int64_t y = 0) {
  Batches out(n, x);
  out.insert(out.end(), more, y);
  return out;
}

TEST(BatchMode, TheVectorsOfTheDigest) {
  EXPECT_EQ(mode_batches(1, 15), joined(15, 64));
  EXPECT_EQ(mode_batches(2, 15), joined(9, 4, 6, 154));
  EXPECT_EQ(mode_batches(3, 15), joined(12, 4, 3, 304));
  EXPECT_EQ(mode_batches(4, 15), joined(1, 904, 14, 4));
}

TEST(BatchMode, SixtyFourOnAverage) {
  for (const int64_t M : {5, 15, 100, 500, 100'000})
    for (const int64_t mode : {1, 2, 3, 4}) {
      const Batches b = mode_batches(mode, M);
      ASSERT_EQ(static_cast<int64_t>(b.size()), M);
      EXPECT_EQ(std::accumulate(b.begin(), b.end(), int64_t{0}), 64 * M) << mode << " " << M;
    }
  EXPECT_EQ(mode_batches(4, 1), Batches{64});  // any number of workers fits
  EXPECT_EQ(mode_batches(4, 7)[0], 424);
  EXPECT_EQ(mode_batches(1, 7).size(), 7u);
}

std::string refusal(int64_t mode, int64_t workers) {
  try {
    mode_batches(mode, workers);
  } catch (const ExperimentError& e) {
    return e.what();
  }
  return "";
}

TEST(BatchMode, BadInput) {
  EXPECT_EQ(refusal(5, 15), "there is no batch mode 5; choose 1, 2, 3 or 4");
  EXPECT_EQ(refusal(0, 15), "there is no batch mode 0; choose 1, 2, 3 or 4");
  EXPECT_EQ(refusal(2, 16), "batch mode 2 splits the workers by fifths; choose a multiple of 5 instead of 16 workers");
  EXPECT_EQ(refusal(3, 4), "batch mode 3 splits the workers by fifths; choose a multiple of 5 instead of 4 workers");
  EXPECT_EQ(refusal(1, 0), "a batch mode needs one worker at least, not 0");
  EXPECT_EQ(refusal(4, -5), "a batch mode needs one worker at least, not -5");
}

}  // namespace
}  // namespace orrery
