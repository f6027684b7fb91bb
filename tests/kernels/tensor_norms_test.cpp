#include "kernels/tensor_norms.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class TensorNorms : public test::OnEachBackend {};

constexpr Norm kNorms[] = {Norm::l1, Norm::l2_squared, Norm::max};

// below, at, past and far past the number of lanes, one of them empty; the first does not begin at a multiple of anything
const std::vector<int64_t> kOffsets{0, 1, 34, 34, 289, 545, 802, 3000};
const int64_t kTensors = static_cast<int64_t>(kOffsets.size()) - 1, kColumns = kOffsets.back();

double plain(Norm which, double total, double x) {
  return which == Norm::l1           ? total + std::abs(x)
         : which == Norm::l2_squared ? total + x * x
                                     : std::max(total, std::abs(x));
}

// Tolerance: a lane adds at most n/256 + 1 numbers, the tree has 8 levels, the oracle n, and the product is rounded once; all terms are
// positive. The maximum is exact.
TEST_P(TensorNorms, MatchTheFormulasInFloat64) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets);
  test::for_float_and_double([&]<class T>() {
    for (int64_t n : {1, 5})
      for (Norm which : kNorms) {
        const Matrix<T> g(b, n, kColumns, 3, kColumns + 5);
        const Matrix<double> out(b, n, kTensors, 4, kTensors + 1);
        tensor_norms<T>(ctx(), offset.vector(), g.cview(), which, out.view());
        const auto got = out.host();
        test::Near near("norm");
        for (int64_t r = 0; r < n; ++r)
          for (int64_t t = 0; t < kTensors; ++t) {
            const int64_t first = kOffsets[static_cast<size_t>(t)], end = kOffsets[static_cast<size_t>(t) + 1];
            double want = 0;
            for (int64_t j = first; j < end; ++j) want = plain(which, want, g.initial(r, j));
            const double length = static_cast<double>(end - first), roundings = length + length / 256 + 11;
            near(got[static_cast<size_t>(r * kTensors + t)], want,
                 which == Norm::max ? 0 : roundings * test::unit<double> / 2 * want, r, t);
          }
      }
  });
}

// Any order of whole numbers gives the same sum; the golden norms of a tensor of -1, 2, -3, ... n.
TEST_P(TensorNorms, WholeNumbersAreExact) {
  const Backend b = GetParam();
  const int64_t n = 700;
  std::vector<float> values{9};
  for (int64_t i = 1; i <= n; ++i) values.push_back(static_cast<float>(i % 2 == 0 ? i : -i));
  const Matrix<float> g(b, 1, n + 1, values);
  const Matrix<int64_t> offset(b, 1, 3, std::vector<int64_t>{0, 1, n + 1});
  const auto norms = [&](Norm which) {
    const Matrix<double> out(b, 1, 2, 4);
    tensor_norms<float>(ctx(), offset.vector(), g.cview(), which, out.view());
    return out.host();
  };
  EXPECT_EQ(norms(Norm::l1), (std::vector<double>{9, 700 * 701 / 2}));
  EXPECT_EQ(norms(Norm::l2_squared), (std::vector<double>{81, 700 * 701.0 * 1401 / 6}));
  EXPECT_EQ(norms(Norm::max), (std::vector<double>{9, 700}));
}

// The order of the header, written plainly: lanes, then halves of 32, then halves of the eight totals. Same bits on either backend.
TEST_P(TensorNorms, SumInTheOrderOfTheHeader) {
  const Backend b = GetParam();
  const int64_t n = 5000;
  const Matrix<double> g(b, 1, n, 3);
  const Matrix<int64_t> offset(b, 1, 2, std::vector<int64_t>{0, n});
  for (Norm which : {Norm::l1, Norm::l2_squared}) {
    std::vector<double> lane(256);
    for (int64_t j = 0; j < n; ++j) {
      double& at = lane[static_cast<size_t>(j % 256)];
      at = plain(which, at, g.initial(0, j));
    }
    std::vector<double> of_32;
    for (size_t w = 0; w < 256; w += 32) {
      for (size_t d = 16; d > 0; d /= 2)
        for (size_t l = 0; l < d; ++l) lane[w + l] += lane[w + l + d];
      of_32.push_back(lane[w]);
    }
    for (size_t d = 4; d > 0; d /= 2)
      for (size_t l = 0; l < d; ++l) of_32[l] += of_32[l + d];
    const Matrix<double> out(b, 1, 1, 4);
    tensor_norms<double>(ctx(), offset.vector(), g.cview(), which, out.view());
    test::expect_same_bits(out.host(), {of_32[0]}, which == Norm::l1 ? "l1" : "l2_squared");
  }
}

TEST_P(TensorNorms, SameBitsForAnyThreadsAndNeighbours) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets);
  test::for_float_and_double([&]<class T>() {
    const int64_t n = 5;
    const Matrix<T> g(b, n, kColumns, 3);
    const auto run = [&](int64_t first, int64_t count, Norm which) {
      const Matrix<double> out(b, count, kTensors, 4);
      tensor_norms<T>(ctx(), offset.vector(), g.cview().rows(first, count), which, out.view());
      return out.host();
    };
    for (Norm which : kNorms) {
      test::expect_same_bits_for_any_threads([&] { return run(0, n, which); });
      const auto all = run(0, n, which);
      for (int64_t r = 0; r < n; ++r)
        test::expect_same_bits(run(r, 1, which), {all.begin() + r * kTensors, all.begin() + (r + 1) * kTensors},
                               "alone");
    }
  });
}

TEST_P(TensorNorms, ANaNShowsInTheSumsOnly) {
  const Backend b = GetParam();
  std::vector<float> values(300, 0.5f);
  values[17] = std::numeric_limits<float>::quiet_NaN();
  const Matrix<float> g(b, 1, 300, values);
  const Matrix<int64_t> offset(b, 1, 3, std::vector<int64_t>{0, 10, 300});
  for (Norm which : kNorms) {
    const Matrix<double> out(b, 1, 2, 4);
    tensor_norms<float>(ctx(), offset.vector(), g.cview(), which, out.view());
    const auto got = out.host();
    EXPECT_EQ(got[0], which == Norm::l1 ? 5 : which == Norm::l2_squared ? 2.5 : 0.5);
    if (which == Norm::max)
      EXPECT_EQ(got[1], 0.5);
    else
      EXPECT_TRUE(std::isnan(got[1]));
  }
}

TEST_P(TensorNorms, RefusesWrongShapes) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, 3, std::vector<int64_t>{0, 10, 40});
  const Matrix<float> g(b, 2, 40, 1);
  const Matrix<double> out(b, 2, 2, 1), wide(b, 2, 3, 1), tall(b, 3, 2, 1);
  const auto run = [&](const Matrix<double>& at) {
    tensor_norms<float>(ctx(), offset.vector(), g.cview(), Norm::l1, at.view());
  };
  EXPECT_NO_THROW(run(out));
  EXPECT_THROW(run(wide), std::logic_error);
  EXPECT_THROW(run(tall), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(TensorNorms);

}  // namespace
}  // namespace orrery
