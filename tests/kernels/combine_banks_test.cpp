#include "kernels/combine_banks.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class CombineBanks : public test::OnEachBackend {};

const std::vector<BankTerm<double>> coefficients{{1.5, {}, 0}, {-0.75, {}, 1}, {2, {}, -1},
                                                 {0.3, {}, 0}, {-1, {}, 1},    {0.125, {}, -1}};

// A product and a sum for every term, and two roundings in each coefficient.
TEST_P(CombineBanks, MatchesTheFormulaInFloat64) {
  const Backend where = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (int terms = 1; terms <= 6; ++terms)
      for (int64_t n : {1, 3})
        for (int64_t P : {1, 33, 5000}) {
          const Matrix<double> rate(where, 1, n, std::vector<double>(static_cast<size_t>(n), 0.4));
          std::vector<Matrix<T>> x;
          for (int k = 0; k < terms; ++k) x.emplace_back(where, n, P, 10 + k, P + k);
          const auto term = [&](int k) {
            return BankTerm<T>{coefficients[static_cast<size_t>(k)].factor, x[static_cast<size_t>(k)].cview(),
                               coefficients[static_cast<size_t>(k)].power};
          };
          const auto run = [&] {
            const Matrix<T> y(where, n, P, 3, P + 2);
            switch (terms) {
              case 1: combine_banks<T>(ctx(), {}, {term(0)}, y.view()); break;
              case 2: combine_banks<T>(ctx(), rate.vector(), {term(0), term(1)}, y.view()); break;
              case 3: combine_banks<T>(ctx(), rate.vector(), {term(0), term(1), term(2)}, y.view()); break;
              case 4: combine_banks<T>(ctx(), rate.vector(), {term(0), term(1), term(2), term(3)}, y.view()); break;
              case 5:
                combine_banks<T>(ctx(), rate.vector(), {term(0), term(1), term(2), term(3), term(4)}, y.view());
                break;
              default:
                combine_banks<T>(ctx(), rate.vector(), {term(0), term(1), term(2), term(3), term(4), term(5)},
                                 y.view());
            }
            return y.host();
          };
          const auto got = run();
          test::Near near("y");
          for (int64_t r = 0; r < n; ++r)
            for (int64_t j = 0; j < P; ++j) {
              double sum = 0, size = 0;
              for (int k = 0; k < terms; ++k) {
                const auto& c = coefficients[static_cast<size_t>(k)];
                const double a = c.factor * (c.power == 0 ? 1 : c.power > 0 ? 0.4 : 1 / 0.4);
                sum += a * x[static_cast<size_t>(k)].initial(r, j);
                size += std::abs(a * x[static_cast<size_t>(k)].initial(r, j));
              }
              near(got[static_cast<size_t>(r * P + j)], sum, (terms + 4) * test::unit<T> * size, r, j);
            }
          test::expect_same_bits_for_any_threads(run);
        }
  });
}

// In place, and with the threshold of the proximal step: within it exact zeros, outside nearer to zero by it.
TEST_P(CombineBanks, InPlaceAndShrunk) {
  const Backend where = GetParam();
  const Matrix<double> rate(where, 1, 2, std::vector<double>{0.5, 2});
  const Matrix<double> x(where, 2, 5, std::vector<double>{1, -1, 0.2, -0.2, 0.25, 1, -1, 0.2, -0.2, 3});
  combine_banks<double>(ctx(), rate.vector(), {{1, x.cview()}}, x.view(), 0.5);
  EXPECT_EQ(x.host(), (std::vector<double>{0.75, -0.75, 0, 0, 0, 0, 0, 0, 0, 2}));
}

TEST_P(CombineBanks, RefusesWrongShapes) {
  const Backend where = GetParam();
  const Matrix<double> one(where, 1, 1, 5);
  const Matrix<float> x(where, 2, 40, 2), y(where, 2, 41, 2);
  EXPECT_THROW(combine_banks<float>(ctx(), {}, {{1, x.cview()}}, y.view()), std::logic_error);
  EXPECT_THROW(combine_banks<float>(ctx(), one.vector(), {{1, x.cview(), 1}}, x.view()), std::logic_error);
  EXPECT_THROW(combine_banks<float>(ctx(), {}, {{1, x.cview(), -1}}, x.view()), std::logic_error);
  EXPECT_THROW(combine_banks<float>(ctx(), {}, {{1, x.cview(), 2}}, x.view()), std::logic_error);
  EXPECT_THROW(combine_banks<float>(ctx(), {}, {}, x.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(CombineBanks);

}  // namespace
}  // namespace orrery
