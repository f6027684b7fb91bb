#include "kernels/sign_step.hpp"

#include "tests/kernels/votes.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Signs;
using test::Trits;

class SignStep : public test::OnEachBackend {};

// One rounding of the difference and one of delta; a zero keeps the parameter's bits.
TEST_P(SignStep, MatchesTheFormulaInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (int64_t n : {1, 3})
      for (int64_t P : {1, 31, 32, 33, 1000})
        for (bool zeros : {false, true}) {
          const Trits u = test::trits(n, P, 1, zeros);
          const Signs signs(b, u, zeros);
          const Matrix<double> delta(b, 1, n, 5);
          const auto run = [&] {
            const Matrix<T> x(b, n, P, 2, P + 2);
            sign_step<T>(ctx(), signs.cview(), delta.vector(), x.view());
            return x.host();
          };
          const Matrix<T> x(b, n, P, 2);
          const auto got = run();
          test::Near near("x");
          for (int64_t r = 0; r < n; ++r)
            for (int64_t j = 0; j < P; ++j) {
              const double d = delta.initial(0, r), want = x.initial(r, j) - d * u(r, j);
              near(got[static_cast<size_t>(r * P + j)], want,
                   u(r, j) == 0 ? 0 : 2 * test::unit<T> * (std::abs(x.initial(r, j)) + std::abs(d)), r, j);
            }
          test::expect_same_bits_for_any_threads(run);
        }
  });
}

// The weights shrink first: one rounding of the factor, one of the product, one of the difference.
TEST_P(SignStep, ShrinksBeforeItSteps) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (int64_t P : {1, 33, 3000}) {
      const Trits u = test::trits(3, P, 1, true);
      const Signs signs(b, u, true);
      const Matrix<double> delta(b, 1, 3, 5), factor(b, 1, 3, std::vector<double>{0.9, 1, 0.25});
      const auto run = [&] {
        const Matrix<T> x(b, 3, P, 2, P + 2);
        sign_step<T>(ctx(), signs.cview(), delta.vector(), x.view(), factor.vector());
        return x.host();
      };
      const Matrix<T> x(b, 3, P, 2);
      const auto got = run();
      test::Near near("x");
      for (int64_t r = 0; r < 3; ++r)
        for (int64_t j = 0; j < P; ++j) {
          const double d = delta.initial(0, r), kept = factor.initial(0, r) * x.initial(r, j);
          near(got[static_cast<size_t>(r * P + j)], kept - d * u(r, j),
               test::unit<T> * (4 * std::abs(kept) + 2 * std::abs(d)), r, j);
        }
      test::expect_same_bits_for_any_threads(run);
    }
  });
}

TEST_P(SignStep, RefusesWrongShapes) {
  const Backend b = GetParam();
  const Signs u(b, test::trits(2, 40, 1, false), false);
  const Matrix<double> delta(b, 1, 2, 5), one(b, 1, 1, 5);
  const Matrix<float> x(b, 2, 40, 2), wide(b, 2, 41, 2);
  EXPECT_THROW(sign_step<float>(ctx(), u.cview(), delta.vector(), wide.view()), std::logic_error);
  EXPECT_THROW(sign_step<float>(ctx(), u.cview(), one.vector(), x.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(SignStep);

}  // namespace
}  // namespace orrery
