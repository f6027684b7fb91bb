#include "kernels/core/view.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace orrery {
namespace {

class ViewTest : public testing::Test {
 protected:
  ViewTest() : data_(60) { std::iota(data_.begin(), data_.end(), 0); }
  std::vector<int> data_;
};

TEST_F(ViewTest, IndexesRowMajorWithStride) {
  const MatrixView<int> dense(data_.data(), 4, 5, Backend::cpu), strided(data_.data(), 4, 5, 9, Backend::cuda);
  EXPECT_EQ(dense.stride(), 5);
  EXPECT_EQ(dense(2, 3), 13);
  EXPECT_EQ(strided(2, 3), 21);
  EXPECT_EQ(*strided.row(3), 27);
  EXPECT_EQ(strided.extent(0), 4);
  EXPECT_EQ(strided.extent(1), 5);
  EXPECT_EQ(strided.size(), 20);
  EXPECT_EQ(strided.where(), Backend::cuda);
  dense(1, 1) = -1;
  EXPECT_EQ(data_[6], -1);
}

TEST_F(ViewTest, TakesRowsAndColumns) {
  const MatrixView<int> m(data_.data(), 5, 6, 10, Backend::cuda);
  const MatrixView<int> rows = m.rows(2, 3), columns = m.columns(1, 4), both = rows.columns(2, 2);
  EXPECT_EQ(rows.extent(0), 3);
  EXPECT_EQ(rows.extent(1), 6);
  EXPECT_EQ(rows(0, 0), 20);
  EXPECT_EQ(columns.extent(0), 5);
  EXPECT_EQ(columns.extent(1), 4);
  EXPECT_EQ(columns.stride(), 10);
  EXPECT_EQ(columns(3, 0), 31);
  EXPECT_EQ(both(1, 1), 33);
  EXPECT_EQ(both.where(), Backend::cuda);
}

TEST_F(ViewTest, StrideZeroSharesOneRow) {
  const MatrixView<int> shared(data_.data() + 7, 3, 4, 0, Backend::cpu);
  EXPECT_EQ(shared(2, 1), 8);
  EXPECT_EQ(shared.rows(1, 2)(1, 1), 8);
}

TEST_F(ViewTest, BecomesConstAndNotBack) {
  static_assert(std::is_convertible_v<MatrixView<float>, MatrixView<const float>>);
  static_assert(!std::is_constructible_v<MatrixView<float>, MatrixView<const float>>);
  static_assert(!std::is_convertible_v<MatrixView<float>, MatrixView<const double>>);
  static_assert(std::is_convertible_v<VectorView<int>, VectorView<const int>>);
  static_assert(!std::is_constructible_v<VectorView<int>, VectorView<const int>>);
  const MatrixView<const int> c = MatrixView<int>(data_.data(), 3, 4, 7, Backend::cuda);
  EXPECT_EQ(c.stride(), 7);
  EXPECT_EQ(c.where(), Backend::cuda);
}

TEST_F(ViewTest, VectorParts) {
  const VectorView<int> v(data_.data(), 60, Backend::cpu);
  const VectorView<const int> part = v.part(50, 3);
  EXPECT_EQ(part.size(), 3);
  EXPECT_EQ(part[2], 52);
  EXPECT_EQ(VectorView<int>().size(), 0);
  EXPECT_EQ(MatrixView<int>().size(), 0);
}

// rows * cols passes 2^31: no index is 32 bits wide.
TEST(View, IndicesAre64Bits) {
  const int64_t rows = int64_t{1} << 20, cols = int64_t{1} << 16;
  const auto* base = reinterpret_cast<const char*>(uintptr_t{1} << 40);
  const MatrixView<const char> m(base, rows, cols, Backend::cuda);  // never read
  EXPECT_EQ(m.size(), int64_t{1} << 36);
  EXPECT_EQ(m.row(rows - 1) - base, (rows - 1) * cols);
  EXPECT_EQ(m.rows(rows - 1, 1).data() - base, (rows - 1) * cols);
}

}  // namespace
}  // namespace orrery
