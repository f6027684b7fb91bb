// The parts of PowerSGD: orthonormal rows, products of factors, the start.
#include "kernels/compress_low_rank.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class CompressLowRank : public test::OnEachBackend {};

// Rows become orthonormal to a few roundings and span what they spanned; nearly parallel ones too; what is not independent becomes 0.
TEST_P(CompressLowRank, RowsBecomeOrthonormal) {
  const Backend b = GetParam();
  const int64_t n = 3;
  test::for_float_and_double([&]<class T>() {
    for (auto [rank, length] : {std::pair<int64_t, int64_t>{1, 1}, {2, 5}, {4, 33}, {3, 1100}}) {
      Matrix<T> drawn(Backend::cpu, n, rank * length, 3);
      std::vector<T> values = drawn.dense();
      if (rank > 1)  // the second row of the last matrix is nearly its first
        for (int64_t j = 0; j < length; ++j) {
          T* const at = values.data() + (n - 1) * rank * length + j;
          at[length] = at[0] * T{2} + T{1e-3} * at[length];
        }
      const Matrix<T> left(b, n, rank * length, values, rank * length + 3);
      orthonormalise<T>(ctx(), rank, left.view());
      const auto got = left.host();
      test::Near near("products");
      for (int64_t r = 0; r < n; ++r)
        for (int64_t a = 0; a < rank; ++a)
          for (int64_t c = 0; c <= a; ++c) {
            double product = 0;
            for (int64_t j = 0; j < length; ++j)
              product += static_cast<double>(got[static_cast<size_t>((r * rank + a) * length + j)]) *
                         static_cast<double>(got[static_cast<size_t>((r * rank + c) * length + j)]);
            near(product, a == c ? 1 : 0, 16 * static_cast<double>(rank) * test::unit<T>, r, a * rank + c);
          }
    }
    // the same row twice, and a row of zeros
    const Matrix<T> twice(b, 1, 6, std::vector<T>{3, 4, 3, 4, 0, 0});
    orthonormalise<T>(ctx(), 3, twice.view());
    const auto got = twice.host();
    EXPECT_NEAR(got[0], 0.6, 1e-7);
    EXPECT_NEAR(got[1], 0.8, 1e-7);
    for (size_t i = 2; i < 6; ++i) EXPECT_EQ(got[i], 0) << i;
  });
}

TEST_P(CompressLowRank, ExpandsFactors) {
  const Backend b = GetParam();
  const int64_t n = 2;
  test::for_float_and_double([&]<class T>() {
    for (const MatrixRank m : {MatrixRank{1, 1, 1}, {3, 4, 2}, {5, 700, 3}}) {
      const Matrix<T> left(b, n, m.rank * m.n1, 1, m.rank * m.n1 + 1), right(b, n, m.rank * m.n2, 2),
          q(b, n, m.n1 * m.n2, 3, m.n1 * m.n2 + 5);
      low_rank_expand<T>(ctx(), m, left.cview(), right.cview(), q.view());
      const auto got = q.host();
      test::Near near("products");
      for (int64_t r = 0; r < n; ++r)
        for (int64_t i = 0; i < m.n1; ++i)
          for (int64_t j = 0; j < m.n2; ++j) {
            double sum = 0, size = 0;
            for (int64_t a = 0; a < m.rank; ++a) {
              const double term = left.initial(r, a * m.n1 + i) * right.initial(r, a * m.n2 + j);
              sum += term, size += std::abs(term);
            }
            near(got[static_cast<size_t>((r * m.n1 + i) * m.n2 + j)], sum,
                 test::unit<T> * std::abs(sum) + 4 * test::unit<double> * size, r, i * m.n2 + j);
          }
    }
  });
}

// Only rows of zeros are drawn, from the key of the worker or of the replica.
TEST_P(CompressLowRank, StartsWhereNothingIs) {
  const Backend b = GetParam();
  const MatrixRank m{4, 6, 2};
  const test::Rows rows(b, {{.seed = 1, .worker = 0}, {.seed = 1, .worker = 1}}, 8);
  std::vector<double> values(24);
  for (size_t j = 6; j < 12; ++j) values[j] = 2;  // the second row of the first matrix
  for (const bool alike : {false, true}) {
    const Matrix<double> right(b, 2, 12, values);
    low_rank_start<double>(ctx(), rows.view(), rows.slot(), m, alike, right.view());
    const auto got = right.host();
    for (uint32_t r = 0; r < 2; ++r) {
      const Stream draws(1, Draw::compression_probe, alike ? 0 : r, 8);
      for (uint32_t e = 0; e < 12; ++e)
        EXPECT_NEAR(got[r * 12 + e], r == 0 && e >= 6 ? 2 : draws.normal(e), 1e-14) << r << ", " << e;
    }
  }
}

TEST_P(CompressLowRank, RefusesWrongShapes) {
  const Backend b = GetParam();
  const Matrix<float> left(b, 2, 8, 1), right(b, 2, 12, 2), q(b, 2, 24, 3), few(b, 1, 24, 4);
  EXPECT_NO_THROW(low_rank_expand<float>(ctx(), {4, 6, 2}, left.cview(), right.cview(), q.view()));
  EXPECT_THROW(low_rank_expand<float>(ctx(), {4, 6, 3}, left.cview(), right.cview(), q.view()), std::logic_error);
  EXPECT_THROW(low_rank_expand<float>(ctx(), {4, 6, 2}, left.cview(), right.cview(), few.view()), std::logic_error);
  EXPECT_THROW(orthonormalise<float>(ctx(), 3, left.view()), std::logic_error);
  const test::Rows rows(b, std::vector<test::RowSpec>(2));
  EXPECT_THROW(low_rank_start<float>(ctx(), rows.view(), rows.slot(), {4, 6, 1}, true, right.view()), std::logic_error);
  EXPECT_THROW(low_rank_start<float>(ctx(), rows.view(), rows.slot(), {1, 6, 2}, true, right.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(CompressLowRank);

}  // namespace
}  // namespace orrery
