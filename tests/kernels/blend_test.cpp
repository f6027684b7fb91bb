#include "kernels/blend.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class Blend : public test::OnEachBackend {};

// Two products, one sum, one rounding of each coefficient: five roundings at most.
TEST_P(Blend, MatchesTheFormulaInFloat64) {
  const Backend where = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (int64_t n : {1, 3})
      for (int64_t P : {1, 33, 5000}) {
        std::vector<double> share(static_cast<size_t>(n), -0.75);
        share.back() = 0;
        const Matrix<double> a(where, 1, n, 5), b(where, 1, n, share);
        const Matrix<T> x(where, n, P, 2, P + 1);
        const auto run = [&] {
          const Matrix<T> y(where, n, P, 3, P + 2);
          blend<T>(ctx(), a.vector(), x.cview(), b.vector(), y.view());
          return y.host();
        };
        const Matrix<T> y(where, n, P, 3);
        const auto got = run();
        test::Near near("y");
        for (int64_t r = 0; r < n; ++r)
          for (int64_t j = 0; j < P; ++j) {
            const double add = a.initial(0, r) * x.initial(r, j), kept = b.initial(0, r) * y.initial(r, j);
            near(got[static_cast<size_t>(r * P + j)], add + kept, 5 * test::unit<T> * (std::abs(add) + std::abs(kept)),
                 r, j);
          }
        test::expect_same_bits_for_any_threads(run);
      }
  });
}

// b = 0 replaces: what was there is not read. One row may serve all.
TEST_P(Blend, ReplacesWithoutReading) {
  const Backend where = GetParam();
  const Matrix<double> one(where, 1, 2, std::vector<double>{1, 1}), none(where, 1, 2, std::vector<double>{0, 0});
  const Matrix<float> x(where, 1, 40, 4);
  const Matrix<float> y(where, 2, 40, std::vector<float>(80, std::numeric_limits<float>::quiet_NaN()));
  blend<float>(ctx(), one.vector(), x.shared(2), none.vector(), y.view());
  EXPECT_EQ(y.host_row(0), x.dense());
  EXPECT_EQ(y.host_row(1), x.dense());
}

TEST_P(Blend, RefusesWrongShapes) {
  const Backend where = GetParam();
  const Matrix<double> a(where, 1, 2, 5), one(where, 1, 1, 5);
  const Matrix<float> x(where, 2, 40, 2), y(where, 2, 41, 2);
  EXPECT_THROW(blend<float>(ctx(), a.vector(), x.cview(), a.vector(), y.view()), std::logic_error);
  EXPECT_THROW(blend<float>(ctx(), one.vector(), x.cview(), a.vector(), x.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(Blend);

}  // namespace
}  // namespace orrery
