#include "kernels/sine_map.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class SineMap : public test::OnEachBackend {};

// In float64 a sine of 2 units, a product and a sum; then one rounding to T.
TEST_P(SineMap, MatchesTheFormulaInFloat64) {
  const Backend where = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const double a : {0.0, 0.5, 0.99})
      for (int64_t n : {1, 3})
        for (int64_t P : {1, 33, 5000}) {
          const Matrix<T> x(where, n, P, 10, P + 1);
          const auto run = [&] {
            const Matrix<T> q(where, n, P, 3, P + 2);
            sine_map<T>(ctx(), a, x.cview(), q.view());
            return q.host();
          };
          const auto got = run();
          test::Near near("q");
          for (int64_t r = 0; r < n; ++r)
            for (int64_t j = 0; j < P; ++j) {
              const double v = x.initial(r, j), want = v + a * std::sin(v);
              near(got[static_cast<size_t>(r * P + j)], want,
                   test::unit<T> * std::abs(want) + 4 * test::unit<double> * (std::abs(v) + a), r, j);
            }
          test::expect_same_bits_for_any_threads(run);
        }
  });
}

// Slopes between 1 - a and 1 + a: strongly monotone and Lipschitz.
TEST_P(SineMap, IsMonotoneAndLipschitz) {
  const int64_t P = 4000;
  const Matrix<double> x(GetParam(), 1, P, 5), q(GetParam(), 1, P, 6);
  std::vector<double> line(static_cast<size_t>(P));
  for (int64_t j = 0; j < P; ++j) line[static_cast<size_t>(j)] = 0.01 * static_cast<double>(j - P / 2);
  const Matrix<double> at(GetParam(), 1, P, line);
  sine_map<double>(ctx(), 0.7, at.cview(), q.view());
  const auto got = q.host();
  for (size_t j = 1; j < line.size(); ++j) {
    const double slope = (got[j] - got[j - 1]) / (line[j] - line[j - 1]);
    ASSERT_GE(slope, 0.3 - 1e-9);
    ASSERT_LE(slope, 1.7 + 1e-9);
  }
  EXPECT_EQ(got[static_cast<size_t>(P / 2)], 0);
}

TEST_P(SineMap, RefusesWrongShapes) {
  const Matrix<float> x(GetParam(), 2, 40, 2), y(GetParam(), 2, 41, 2), z(GetParam(), 2, 40, 2);
  EXPECT_THROW(sine_map<float>(ctx(), 0.5, x.cview(), y.view()), std::logic_error);
  EXPECT_THROW(sine_map<float>(ctx(), 0.5, x.cview(), x.view()), std::logic_error);
  EXPECT_THROW(sine_map<float>(ctx(), 1, x.cview(), z.view()), std::logic_error);
  EXPECT_THROW(sine_map<float>(ctx(), -0.1, x.cview(), z.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(SineMap);

}  // namespace
}  // namespace orrery
