#include "kernels/sign_errors.hpp"

#include "tests/kernels/votes.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Signs;
using test::Trits;

class SignErrors : public test::OnEachBackend {};

// Three vectors: any numbers, their signs (counts, exact), and numbers that are 0 in every third coordinate.
std::vector<double> vectors(int64_t P) {
  const Stream s(9, Draw::initial, 4, 1);
  std::vector<double> g(static_cast<size_t>(3 * P));
  for (int64_t j = 0; j < P; ++j) {
    const double x = s.normal(static_cast<uint32_t>(j));
    g[static_cast<size_t>(j)] = x;
    g[static_cast<size_t>(P + j)] = j % 5 == 4 ? 0 : x > 0 ? 1 : -1;
    g[static_cast<size_t>(2 * P + j)] = j % 3 == 0 ? 0 : x * x * x;
  }
  return g;
}

// P terms of one sign, a rounding each.
TEST_P(SignErrors, MatchTheFormulaInFloat64) {
  const Backend b = GetParam();
  for (int64_t rows : {1, 3, 70})
    for (int64_t P : {1, 31, 32, 33, 1000})
      for (bool zeros : {false, true}) {
        const Trits y = test::trits(rows, P, 1, zeros);
        const Signs signs(b, y, zeros);
        const auto g = vectors(P);
        const Matrix<double> references(b, 3, P, g, P + 3);
        const auto run = [&] {
          const Matrix<double> out(b, rows, 3, 2, 5);
          sign_errors(ctx(), signs.cview(), references.view(), out.view());
          return out.host();
        };
        const auto got = run();
        test::Near near("out");
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t v = 0; v < 3; ++v) {
            double want = 0;
            for (int64_t j = 0; j < P; ++j) {
              const double x = g[static_cast<size_t>(v * P + j)];
              const double product = x * y(r, j);
              want += product < 0 ? -product : y(r, j) == 0 ? std::abs(x) / 2 : 0;
            }
            const double bound = v == 1 ? 0 : 2 * static_cast<double>(P) * test::unit<double> * want;
            near(got[static_cast<size_t>(r * 3 + v)], want, bound, r, v);
          }
        test::expect_same_bits_for_any_threads(run);
      }
}

// The signs of a vector miss nothing of it, their opposites everything, and no signs at all one half.
TEST_P(SignErrors, KnowRightFromWrong) {
  const Backend b = GetParam();
  const int64_t P = 77;
  auto g = vectors(P);
  g.resize(static_cast<size_t>(P));
  double all = 0;
  Trits y{3, P, std::vector<int>(static_cast<size_t>(3 * P))};
  for (int64_t j = 0; j < P; ++j) {
    const double x = g[static_cast<size_t>(j)];
    all += std::abs(x);
    y(0, j) = x > 0 ? 1 : -1;
    y(1, j) = -y(0, j);
  }
  const Signs signs(b, y, true);
  const Matrix<double> out(b, 3, 1, 2), reference(b, 1, P, g);
  sign_errors(ctx(), signs.cview(), reference.view(), out.view());
  const auto got = out.host();
  EXPECT_EQ(got[0], 0);
  EXPECT_NEAR(got[1], all, 1e-13 * all);
  EXPECT_NEAR(got[2], all / 2, 1e-13 * all);
}

TEST_P(SignErrors, RefuseWrongShapes) {
  const Backend b = GetParam();
  const Signs y(b, test::trits(2, 40, 1, false), false);
  const Matrix<double> g(b, 1, 40, 5), wide(b, 1, 41, 5), out(b, 2, 1, 5), narrow(b, 1, 1, 5);
  EXPECT_THROW(sign_errors(ctx(), y.cview(), wide.view(), out.view()), std::logic_error);
  EXPECT_THROW(sign_errors(ctx(), y.cview(), g.view(), narrow.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(SignErrors);

}  // namespace
}  // namespace orrery
