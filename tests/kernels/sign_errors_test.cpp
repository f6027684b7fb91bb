#include "kernels/sign_errors.hpp"

#include "tests/kernels/votes.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Signs;
using test::Trits;

class SignErrors : public test::OnEachBackend {};

// any numbers, every fifth of them 0
std::vector<double> numbers(int64_t P) {
  const Stream s(9, Draw::initial, 4, 1);
  std::vector<double> g;
  for (int64_t j = 0; j < P; ++j) g.push_back(j % 5 == 4 ? 0 : s.normal(static_cast<uint32_t>(j)));
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
        const auto g = numbers(P);
        const Matrix<double> reference(b, 1, P, g);
        const auto run = [&] {
          const Matrix<double> out(b, 1, rows, 2);
          sign_errors(ctx(), signs.cview(), reference.vector(), out.vector());
          return out.host();
        };
        const auto got = run();
        test::Near near("out");
        for (int64_t r = 0; r < rows; ++r) {
          double want = 0;
          for (int64_t j = 0; j < P; ++j) {
            const double product = g[static_cast<size_t>(j)] * y(r, j);
            want += product < 0 ? -product : y(r, j) == 0 ? std::abs(g[static_cast<size_t>(j)]) / 2 : 0;
          }
          near(got[static_cast<size_t>(r)], want, 2 * static_cast<double>(P) * test::unit<double> * want, 0, r);
        }
        test::expect_same_bits_for_any_threads(run);
      }
}

// Three classes: every third coordinate, none, the last one alone; a coordinate may be in two.
TEST_P(SignErrors, CountsAreTheirDefinition) {
  const Backend b = GetParam();
  for (int64_t rows : {1, 3, 70})
    for (int64_t P : {1, 31, 32, 33, 20000})
      for (bool zeros : {false, true}) {
        const Trits y = test::trits(rows, P, 1, zeros), s = test::trits(1, P, 2, false);
        const Signs signs(b, y, zeros), reference(b, s, false);
        const auto in = [&](int64_t c, int64_t j) { return c == 0 ? j % 3 == 0 : c == 2 && j == P - 1; };
        std::vector<uint32_t> bits(static_cast<size_t>(3 * sign_words(P)));
        for (int64_t c = 0; c < 3; ++c)
          for (int64_t j = 0; j < P; ++j)
            if (in(c, j)) bits[static_cast<size_t>(c * sign_words(P) + j / 32)] |= uint32_t{1} << (j % 32);
        const Matrix<uint32_t> classes(b, 3, sign_words(P), bits, sign_words(P) + 2);
        const auto run = [&] {
          const Matrix<int64_t> out(b, rows, 3, 2, 4);
          count_errors(ctx(), signs.cview(), reference.cview(), classes.view(), out.view());
          return out.host();
        };
        const auto got = run();
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t c = 0; c < 3; ++c) {
            int64_t want = 0;
            for (int64_t j = 0; j < P; ++j)
              if (in(c, j)) want += y(r, j) == 0 ? 1 : y(r, j) == s(0, j) ? 0 : 2;
            ASSERT_EQ(got[static_cast<size_t>(r * 3 + c)], want) << "row " << r << " class " << c << " of P = " << P;
          }
        test::expect_same_bits_for_any_threads(run);
      }
}

// The signs of a vector miss nothing of it, their opposites everything, and no signs at all one half.
TEST_P(SignErrors, KnowRightFromWrong) {
  const Backend b = GetParam();
  const int64_t P = 77;
  const auto g = numbers(P);
  double all = 0;
  Trits y{3, P, std::vector<int>(static_cast<size_t>(3 * P))};
  for (int64_t j = 0; j < P; ++j) {
    const double x = g[static_cast<size_t>(j)];
    all += std::abs(x);
    y(0, j) = x > 0 ? 1 : -1;
    y(1, j) = -y(0, j);
  }
  const Signs signs(b, y, true);
  const Matrix<double> out(b, 1, 3, 2), reference(b, 1, P, g);
  sign_errors(ctx(), signs.cview(), reference.vector(), out.vector());
  const auto got = out.host();
  EXPECT_EQ(got[0], 0);
  EXPECT_NEAR(got[1], all, 1e-13 * all);
  EXPECT_NEAR(got[2], all / 2, 1e-13 * all);
}

TEST_P(SignErrors, RefuseWrongShapes) {
  const Backend b = GetParam();
  const Signs y(b, test::trits(2, 40, 1, false), false), s(b, test::trits(1, 40, 1, false), false),
      zeros(b, test::trits(1, 40, 1, true), true);
  const Matrix<double> g(b, 1, 40, 5), wide(b, 1, 41, 5), out(b, 1, 2, 5), narrow(b, 1, 1, 5);
  EXPECT_THROW(sign_errors(ctx(), y.cview(), wide.vector(), out.vector()), std::logic_error);
  EXPECT_THROW(sign_errors(ctx(), y.cview(), g.vector(), narrow.vector()), std::logic_error);
  const Matrix<uint32_t> classes(b, 3, 2, 5), short_classes(b, 3, 1, 5);
  const Matrix<int64_t> counts(b, 2, 3, 5), few(b, 2, 2, 5);
  EXPECT_THROW(count_errors(ctx(), y.cview(), y.cview(), classes.view(), counts.view()), std::logic_error);
  EXPECT_THROW(count_errors(ctx(), y.cview(), zeros.cview(), classes.view(), counts.view()), std::logic_error);
  EXPECT_THROW(count_errors(ctx(), y.cview(), s.cview(), short_classes.view(), counts.view()), std::logic_error);
  EXPECT_THROW(count_errors(ctx(), y.cview(), s.cview(), classes.view(), few.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(SignErrors);

}  // namespace
}  // namespace orrery
