// lambda_max of second moments against LAPACK; dense floats, bytes and sparse rows.
#include "runtime/theory/smoothness.hpp"

#include <gtest/gtest.h>
#include <lapacke.h>

#include <numeric>

namespace orrery {
namespace {

// (1/m) sum z z^T of rows (m, d) with a constant 1 behind
double oracle(const std::vector<double>& x, size_t d, const std::vector<int32_t>& samples) {
  const size_t n = d + 1;
  std::vector<double> m(n * n), lambda(n);
  for (const int32_t s : samples)
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) {
        const auto at = static_cast<size_t>(s) * d;
        m[i * n + j] += (i < d ? x[at + i] : 1) * (j < d ? x[at + j] : 1) / static_cast<double>(samples.size());
      }
  EXPECT_EQ(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', static_cast<lapack_int>(n), m.data(), static_cast<lapack_int>(n),
                          lambda.data()),
            0);
  return lambda.back();
}

// Power iteration stops where an iteration gains 1e-6 of the quotient; the distance that is left is larger by the ratio of eigenvalues.
constexpr double tolerance = 1e-3;

class SecondMomentsOf : public testing::Test {
 protected:
  static constexpr size_t n = 40, d = 17;
  SecondMomentsOf() {
    const Stream draw(11, Draw::initial, 0, 0);
    for (size_t i = 0; i < n * d; ++i)
      x_.push_back(draw.normal(static_cast<uint32_t>(i)) * (1 + static_cast<double>(i % d)) + (i % 5 == 0 ? 2 : 0));
    labels_.assign(n, 0);
    for (int32_t s = 0; s < static_cast<int32_t>(n); ++s) (s < 15 ? first_ : second_).push_back(s);
  }
  SampleView view() const {
    SampleView v;
    v.labels = {labels_.data(), static_cast<int64_t>(n), Backend::cpu};
    return v;
  }
  void expect_both(SecondMoments& moments, const std::vector<double>& x) const {
    for (const auto* samples :
         {&first_, &second_, &first_}) {  // one after the other: the start of the next is the last vector
      const double want = oracle(x, d, *samples);
      const double got = moments.largest_eigenvalue(samples->data(), static_cast<int64_t>(samples->size()));
      EXPECT_NEAR(got, want, tolerance * want);
      EXPECT_LE(got, want * (1 + 1e-9)) << "a quotient is never above the eigenvalue";
    }
  }
  std::vector<double> x_;
  std::vector<int32_t> labels_, first_, second_;
};

TEST_F(SecondMomentsOf, Floats) {
  std::vector<float> stored(x_.begin(), x_.end());
  SampleView v = view();
  v.values = {stored.data(), static_cast<int64_t>(n), static_cast<int64_t>(d), Backend::cpu};
  SecondMoments moments(v);
  expect_both(moments, {stored.begin(), stored.end()});
}

TEST_F(SecondMomentsOf, BytesWithScaleAndShift) {
  std::vector<uint8_t> stored;
  std::vector<double> x;
  for (size_t i = 0; i < n * d; ++i) {
    stored.push_back(static_cast<uint8_t>(i * 97 % 251));
    x.push_back(0.02 * stored.back() - 1.5);
  }
  SampleView v = view();
  v.bytes = {stored.data(), static_cast<int64_t>(n), static_cast<int64_t>(d), Backend::cpu};
  v.scale = 0.02;
  v.shift = -1.5;
  SecondMoments moments(v);
  expect_both(moments, x);
}

TEST_F(SecondMomentsOf, SparseRows) {
  std::vector<int64_t> begin{0};
  std::vector<int32_t> column;
  std::vector<float> value;
  std::vector<double> x(n * d);
  for (size_t s = 0; s < n; ++s) {
    for (size_t j = s % 3; j < d && s != 4; j += 1 + s % 4) {  // row 4 is empty
      column.push_back(static_cast<int32_t>(j));
      value.push_back(static_cast<float>(x_[s * d + j]));
      x[s * d + j] = 0.5 * static_cast<double>(value.back());
    }
    begin.push_back(static_cast<int64_t>(value.size()));
  }
  SampleView v = view();
  v.scale = 0.5;
  v.rows = {{begin.data(), static_cast<int64_t>(begin.size()), Backend::cpu},
            {column.data(), static_cast<int64_t>(column.size()), Backend::cpu},
            {value.data(), static_cast<int64_t>(value.size()), Backend::cpu},
            static_cast<int64_t>(d)};
  SecondMoments moments(v);
  expect_both(moments, x);
}

}  // namespace
}  // namespace orrery
