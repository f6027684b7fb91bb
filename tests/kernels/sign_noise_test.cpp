#include "kernels/sign_noise.hpp"

#include "tests/kernels/votes.hpp"

namespace orrery {
namespace {

using test::Matrix;

class SignNoise : public test::OnEachBackend {};

constexpr NoiseLaw kLaws[] = {NoiseLaw::uniform, NoiseLaw::normal};
constexpr int64_t kSlot = 23;

test::Rows workers(Backend b, int64_t n) {
  std::vector<test::RowSpec> specs;
  for (int64_t r = 0; r < n; ++r)
    specs.push_back({.seed = static_cast<uint64_t>(50 + r / 3), .worker = static_cast<int32_t>(r % 3)});
  return {b, specs, kSlot};
}
std::vector<double> repeated(int64_t n, double value) { return std::vector<double>(static_cast<size_t>(n), value); }
// the scale of row r: every fourth row has none
std::vector<double> scales(int64_t n) {
  std::vector<double> s;
  for (int64_t r = 0; r < n; ++r) s.push_back(r % 4 == 1 ? 0 : 0.3 + 0.9 * static_cast<double>(r));
  return s;
}
std::vector<double> signs_of(const Context& ctx, Backend b, const test::Rows& rows, const Matrix<float>& g, int64_t P) {
  const test::Signs out(b, test::trits(rows.count(), P, 1, true), true);
  sign_pack<float>(ctx, rows.view(), rows.slot(), SignZero::zero, g.cview(), out.view());
  const test::Trits t = out.host();
  return {t.y.begin(), t.y.end()};
}

// Tolerance: the product's rounding to T and the sum; in xi, six roundings of half a unit of double at the size of the radius times the
// angle (2 pi), which the sine and cosine pass on (normal law only).
TEST_P(SignNoise, MatchesTheDrawsInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (NoiseLaw law : kLaws)
      for (int64_t n : {1, 6})
        for (int64_t P : {1, 3, 4, 31, 1025, 2050}) {
          const test::Rows rows = workers(b, n);
          const Matrix<double> scale(b, 1, n, scales(n));
          const Matrix<T> g(b, n, P, 7, P + 3);
          sign_noise<T>(ctx(), rows.view(), rows.slot(), law, scale.vector(), g.view());
          const auto got = g.host();
          test::Near near("g");
          for (int64_t r = 0; r < n; ++r) {
            const Stream draws(rows.spec(r).seed, Draw::sign_noise, static_cast<uint32_t>(rows.spec(r).worker), kSlot);
            for (int64_t j = 0; j < P; ++j) {
              const auto i = static_cast<uint32_t>(j);
              const double xi = law == NoiseLaw::uniform ? 2 * draws.uniform(i) - 1 : draws.normal(i);
              const double s = scale.initial(0, r), g0 = g.initial(r, j);
              const double inner = law == NoiseLaw::uniform ? 0 : 3 * test::unit<double> * 6.28 * 6.8 * s;
              near(got[static_cast<size_t>(r * P + j)], g0 + s * xi,
                   s == 0 ? 0 : inner + 2 * test::unit<T> * (std::abs(g0) + std::abs(s * xi)), r, j);
            }
          }
        }
  });
}

// The laws: mean, variance and fourth moment within 4.5 standard errors; neighbours, workers and steps uncorrelated.
TEST_P(SignNoise, FollowsItsLaw) {
  const Backend b = GetParam();
  const int64_t n = 4, P = 60000;
  const double count = static_cast<double>(P);
  for (NoiseLaw law : kLaws) {
    const double second = law == NoiseLaw::uniform ? 1.0 / 3 : 1, fourth = law == NoiseLaw::uniform ? 1.0 / 5 : 3,
                 eighth = law == NoiseLaw::uniform ? 1.0 / 9 : 105;
    const test::Rows rows = workers(b, n);
    const Matrix<double> scale(b, 1, n, repeated(n, 1));
    const auto run = [&](int64_t later) {
      const Matrix<double> g(b, n, P, repeated(n * P, 0));
      sign_noise<double>(ctx(), rows.view(), rows.slot().plus(later), law, scale.vector(), g.view());
      return g.host();
    };
    const auto now = run(0), then = run(1);
    for (int64_t r = 0; r < n; ++r) {
      double m1 = 0, m2 = 0, m4 = 0, beside = 0, other = 0, later = 0, largest = 0;
      for (int64_t j = 0; j < P; ++j) {
        const double x = now[static_cast<size_t>(r * P + j)];
        m1 += x, m2 += x * x, m4 += x * x * x * x, largest = std::max(largest, std::abs(x));
        beside += x * now[static_cast<size_t>(r * P + (j + 1) % P)];
        other += x * now[static_cast<size_t>((r + 1) % n * P + j)];
        later += x * then[static_cast<size_t>(r * P + j)];
      }
      EXPECT_NEAR(m1 / count, 0, 4.5 * std::sqrt(second / count));
      EXPECT_NEAR(m2 / count, second, 4.5 * std::sqrt((fourth - second * second) / count));
      EXPECT_NEAR(m4 / count, fourth, 4.5 * std::sqrt((eighth - fourth * fourth) / count));
      for (double product : {beside, other, later}) EXPECT_NEAR(product / count, 0, 4.5 * second / std::sqrt(count));
      if (law == NoiseLaw::uniform) {
        EXPECT_LT(largest, 1);
      }
    }
    test::expect_same_bits_for_any_threads([&] { return run(0); });
  }
}

// E[s sign(g + s xi)] = g under the uniform law while |g| <= s, and E[sqrt(pi/2) s sign(g + s xi)] = sqrt(pi/2) s erf(g/(s sqrt 2)) under the
// normal one: within 4.5 standard errors of a mean of N signs. Golden number: g = 0.3, s = 1 gives 0.29556.
TEST_P(SignNoise, ExpectedSignsAreThoseOfTheFormulas) {
  const Backend b = GetParam();
  const int64_t n = 4, P = 100000;
  const double count = static_cast<double>(n * P), half_pi = std::acos(0.0);
  EXPECT_NEAR(std::sqrt(half_pi) * std::erf(0.3 / std::sqrt(2.0)), 0.29556, 5e-6);
  const test::Rows rows = workers(b, n);
  for (NoiseLaw law : kLaws)
    for (auto [value, s] : {std::pair{0.3, 1.0}, {-0.5, 0.5}, {0.0, 2.0}, {-1.25, 5.0}}) {
      const Matrix<double> scale(b, 1, n, repeated(n, s));
      const Matrix<float> g(b, n, P, std::vector<float>(static_cast<size_t>(n * P), static_cast<float>(value)));
      sign_noise<float>(ctx(), rows.view(), rows.slot(), law, scale.vector(), g.view());
      double sum = 0;
      for (double y : signs_of(ctx(), b, rows, g, P)) sum += y;
      const double factor = law == NoiseLaw::uniform ? s : std::sqrt(half_pi) * s;
      const double want = law == NoiseLaw::uniform ? value : factor * std::erf(value / (s * std::sqrt(2.0)));
      const double share = want / factor;
      EXPECT_NEAR(factor * sum / count, want, 4.5 * factor * std::sqrt((1 - share * share) / count) + 1e-7)
          << (law == NoiseLaw::uniform ? "uniform" : "normal") << ", g = " << value << ", s = " << s;
    }
}

TEST_P(SignNoise, SameBitsAloneAndAmongOthers) {
  const Backend b = GetParam();
  const int64_t n = 5, P = 333;
  test::for_float_and_double([&]<class T>() {
    for (NoiseLaw law : kLaws) {
      const test::Rows rows = workers(b, n);
      const Matrix<double> scale(b, 1, n, scales(n));
      const auto run = [&](int64_t first, int64_t count) {
        const Matrix<T> g(b, n, P, 7);
        sign_noise<T>(ctx(), rows.view().part(first, count), rows.slot(), law, scale.vector().part(first, count),
                      g.view().rows(first, count));
        const auto out = g.host();
        return std::vector<T>(out.begin() + first * P, out.begin() + (first + count) * P);
      };
      const auto all = run(0, n);
      for (int64_t r = 0; r < n; ++r)
        test::expect_same_bits(run(r, 1), std::vector<T>(all.begin() + r * P, all.begin() + (r + 1) * P),
                               "row " + std::to_string(r));
    }
  });
}

TEST_P(SignNoise, ClearRowsLeavesTheOthers) {
  const Backend b = GetParam();
  const int64_t n = 5, P = 300;
  test::for_float_and_double([&]<class T>() {
    const Matrix<uint8_t> chosen(b, 1, n, std::vector<uint8_t>{0, 1, 0, 2, 0});
    const Matrix<T> x(b, n, P, 7, P + 1);
    clear_rows<T>(ctx(), chosen.vector(), x.view());
    const auto got = x.host();
    for (int64_t r = 0; r < n; ++r)
      for (int64_t j = 0; j < P; ++j)
        ASSERT_EQ(static_cast<double>(got[static_cast<size_t>(r * P + j)]), r % 2 == 1 ? 0 : x.initial(r, j));
  });
}

TEST_P(SignNoise, RefusesWrongShapes) {
  const Backend b = GetParam();
  const test::Rows rows = workers(b, 3);
  const Matrix<double> scale(b, 1, 3, 1), few(b, 1, 2, 1);
  const Matrix<uint8_t> chosen(b, 1, 2, 1);
  const Matrix<float> g(b, 3, 40, 1), two(b, 2, 40, 1);
  const auto noise = [&](VectorView<const double> s, MatrixView<float> at) {
    sign_noise<float>(ctx(), rows.view(), rows.slot(), NoiseLaw::normal, s, at);
  };
  EXPECT_THROW(noise(few.vector(), g.view()), std::logic_error);
  EXPECT_THROW(noise(scale.vector(), two.view()), std::logic_error);
  EXPECT_THROW(clear_rows<float>(ctx(), chosen.vector(), g.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(SignNoise);

}  // namespace
}  // namespace orrery
