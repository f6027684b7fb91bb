#include "kernels/nonconvex.hpp"

#include "kernels/quadratic.hpp"
#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class NonconvexKernel : public test::OnEachBackend {};

constexpr int64_t kWorkers = 4, kSlot = 37;

// Two replicas of four workers; batches 1, 4, 0 (no noise) and 9; rates 1 and below. 70 copies pass a block of threads.
test::Rows some_rows(Backend b, int copies = 1) {
  std::vector<test::RowSpec> rows;
  for (int copy = 0; copy < copies; ++copy)
    for (uint64_t seed : {3ull, 99ull << 32})
      for (int32_t w = 0; w < kWorkers; ++w)
        rows.push_back({.seed = seed + static_cast<uint64_t>(copy),
                        .worker = w,
                        .learning_rate = 0.02 + 0.01 * w,
                        .rate = w == 1   ? 0.4
                                : w == 3 ? 0.6
                                         : 1.0,
                        .batch = std::vector<int32_t>{1, 4, 0, 9}[static_cast<size_t>(w)]});
  return test::Rows(b, rows, kSlot);
}

const std::vector<double> own_numbers{0.3, -1.25, 0, 2};

double noise_of(const test::RowSpec& s, double deviation, int64_t step) {
  if (s.batch == 0 || deviation == 0) return 0;
  const Stream n(s.seed, Draw::gradient_noise, static_cast<uint32_t>(s.worker), static_cast<uint64_t>(kSlot + step));
  return deviation / std::sqrt(static_cast<double>(s.batch)) * n.normal(0);
}

struct Result {
  std::vector<double> value;
  double error = 0;  // of float64 alone: what the terms' sizes and the formula's derivatives make of roundings
};

// The headers' formulas, each exponential by itself. An exponent T a (w - m)^2 has 5 roundings of its size, which change p_0 by p_0 p_1 times as
// much; the rest are at most 10 roundings on terms below `size`; noise: 16 roundings of a radius below 6.8 (tests/kernels/quadratic_test.cpp).
struct TwoWellBench {
  using Risk = TwoWell;
  static Risk risk(double noise) {
    return {.inverse_temperature = 1.5, .center = {-0.9, 0.8}, .steepness = {2, 0.75}, .noise = noise};
  }
  static Result gradient(const Risk& f, double c, const std::vector<double>& x, double noise) {
    double e[2], slope[2], exponents = 0;
    for (int k : {0, 1}) {
      const double exponent = f.inverse_temperature * f.steepness[k] * std::pow(x[0] - f.center[k], 2);
      exponents += exponent;
      e[k] = std::exp(-exponent);
      slope[k] = 2 * f.steepness[k] * (x[0] - f.center[k]);
    }
    const double Z = e[0] + e[1], mixed = e[0] * e[1] / (Z * Z);
    const double size = std::abs(slope[0]) + std::abs(slope[1]) + std::abs(c) + std::abs(noise);
    return {
        {(e[0] * slope[0] + e[1] * slope[1]) / Z + c + noise},
        test::unit<double> * (10 * exponents * mixed * std::abs(slope[0] - slope[1]) + 20 * size + 16 * 6.8 * f.noise)};
  }
  static double loss(const Risk& f, double c, const std::vector<double>& x) {
    double sum = 0;
    for (int k : {0, 1}) sum += std::exp(-f.inverse_temperature * f.steepness[k] * std::pow(x[0] - f.center[k], 2));
    return -std::log(sum) / f.inverse_temperature + c * x[0];
  }
};

struct FactorizationBench {
  using Risk = Factorization;
  static Risk risk(double noise) { return {.noise = noise}; }
  static Result gradient(const Risk& f, double c, const std::vector<double>& x, double noise) {
    const double e = x[0] * x[1] - c + noise, size = std::abs(x[0] * x[1]) + std::abs(c) + std::abs(noise);
    return {{e * x[1], e * x[0]},
            test::unit<double> * (8 * size + 16 * 6.8 * f.noise) * (std::abs(x[0]) + std::abs(x[1]))};
  }
  static double loss(const Risk&, double c, const std::vector<double>& x) { return std::pow(x[0] * x[1] - c, 2) / 2; }
};

template <class F>
void for_each_risk(F&& f) {
  {
    SCOPED_TRACE("two-well");
    f.template operator()<TwoWellBench>();
  }
  SCOPED_TRACE("factorization");
  f.template operator()<FactorizationBench>();
}

// x of row r as float64, stored in T
template <class T>
std::vector<double> row_of(const Matrix<T>& x, int64_t r) {
  std::vector<double> out;
  for (T v : x.host_row(r)) out.push_back(static_cast<double>(v));
  return out;
}

TEST_P(NonconvexKernel, GradientsMatchTheFormulaInFloat64) {
  const Backend b = GetParam();
  const test::Rows rows = some_rows(b, 70);
  const Matrix<double> own(b, 1, kWorkers, own_numbers);
  for_each_risk([&]<class Bench>() {
    constexpr int64_t P = Bench::Risk::parameters;
    test::for_float_and_double([&]<class T>() {
      for (double noise : {0.0, 1.5})
        for (bool shared : {false, true}) {
          auto f = Bench::risk(noise);
          f.own = own.vector();
          const Matrix<T> x(b, shared ? 1 : rows.count(), P, 1);
          Matrix<T> g(b, rows.count(), P, 2, P + 2);
          nonconvex_gradients<typename Bench::Risk, T>(ctx(), f, rows.view(), rows.slot(),
                                                       shared ? x.shared(rows.count()) : x.cview(), g.view());
          const auto got = g.host();
          test::Near near("g");
          int64_t skipping = 0;
          for (int64_t r = 0; r < rows.count(); ++r) {
            const auto& s = rows.spec(r);
            skipping += !rows.active(r);
            const Result want = Bench::gradient(f, own_numbers[static_cast<size_t>(s.worker)],
                                                row_of(x, shared ? 0 : r), noise_of(s, noise, 0));
            for (int64_t j = 0; j < P; ++j) {
              const double value = rows.active(r) ? want.value[static_cast<size_t>(j)] : 0;
              near(got[static_cast<size_t>(r * P + j)], value, test::unit<T> * std::abs(value) + want.error, r, j);
            }
          }
          EXPECT_TRUE(skipping > 0 && skipping < rows.count());
        }
    });
  });
}

// One slot at a time against the formula, v <- mu v + g and x <- x - eta v (two roundings each); and the slots in one call: the same bits.
TEST_P(NonconvexKernel, StepsFollowTheGradientsInOneCallAsInMany) {
  const Backend b = GetParam();
  const test::Rows rows = some_rows(b);
  const Matrix<double> own(b, 1, kWorkers, own_numbers);
  for_each_risk([&]<class Bench>() {
    using Risk = typename Bench::Risk;
    constexpr int64_t P = Risk::parameters, steps = 6;
    test::for_float_and_double([&]<class T>() {
      for (double mu : {0.0, 0.75}) {
        auto f = Bench::risk(1.5);
        f.own = own.vector();
        Matrix<T> x(b, rows.count(), P, 1), v(b, rows.count(), P, 2), all(b, rows.count(), P, 1),
            all_v(b, rows.count(), P, 2);
        const auto momentum = [&](Matrix<T>& velocity) {
          return mu > 0 ? Momentum<T>{mu, velocity.view()} : Momentum<T>{};
        };
        test::Near near("x"), near_v("v");
        for (int64_t s = 0; s < steps; ++s) {
          std::vector<std::vector<double>> before, before_v;
          for (int64_t r = 0; r < rows.count(); ++r) before.push_back(row_of(x, r)), before_v.push_back(row_of(v, r));
          nonconvex_steps<Risk, T>(ctx(), f, rows.view(), rows.slot().plus(s), 1, x.view(), momentum(v));
          for (int64_t r = 0; r < rows.count(); ++r) {
            const auto& spec = rows.spec(r);
            const auto i = static_cast<size_t>(r);
            const auto now = row_of(x, r), now_v = row_of(v, r);
            const Result g =
                Bench::gradient(f, own_numbers[static_cast<size_t>(spec.worker)], before[i], noise_of(spec, 1.5, s));
            for (size_t j = 0; j < P; ++j) {
              const bool active = rows.active(r, s);
              const double velocity = mu > 0 ? mu * before_v[i][j] + g.value[j] : g.value[j];
              const double size = mu * std::abs(before_v[i][j]) + std::abs(g.value[j]),
                           error = 2 * test::unit<T> * size + g.error;
              const double eta = spec.learning_rate;
              near(now[j], active ? before[i][j] - eta * velocity : before[i][j],
                   3 * test::unit<T> * (std::abs(before[i][j]) + eta * size) + eta * error, r, static_cast<int64_t>(j));
              near_v(now_v[j], active && mu > 0 ? velocity : before_v[i][j], error, r, static_cast<int64_t>(j));
            }
          }
        }
        nonconvex_steps<Risk, T>(ctx(), f, rows.view(), rows.slot(), steps, all.view(), momentum(all_v));
        test::expect_same_bits(all.host(), x.host(), "in one call");
        test::expect_same_bits(all_v.host(), v.host(), "velocity in one call");
      }
    });
  });
}

// The draws are those of a quadratic with the same noise. Difference of two gradients: 4 roundings of float64.
TEST_P(NonconvexKernel, NoiseIsThatOfQuadratics) {
  const Backend b = GetParam();
  const test::Rows rows = some_rows(b);
  const Matrix<double> own(b, 1, kWorkers, own_numbers), x(b, rows.count(), 1, 1),
      flat(b, 1, 1, std::vector<double>{0});
  Matrix<double> noisy(b, rows.count(), 1, 2), plain(b, rows.count(), 1, 2), noise(b, rows.count(), 1, 2);
  auto f = TwoWellBench::risk(1.5);
  f.own = own.vector();
  nonconvex_gradients<TwoWell, double>(ctx(), f, rows.view(), rows.slot(), x.cview(), noisy.view());
  f.noise = 0;
  nonconvex_gradients<TwoWell, double>(ctx(), f, rows.view(), rows.slot(), x.cview(), plain.view());
  quadratic_gradients<double>(ctx(), {flat.shared(kWorkers), flat.shared(kWorkers), 1.5}, rows.view(), rows.slot(),
                              x.cview(), noise.view());
  const auto n = noise.host(), with = noisy.host(), without = plain.host();
  test::Near near("noise");
  for (size_t r = 0; r < n.size(); ++r)
    near(with[r] - without[r], n[r], 4 * test::unit<double> * (std::abs(with[r]) + std::abs(without[r])),
         static_cast<int64_t>(r));
  EXPECT_NE(n, std::vector<double>(n.size()));
}

// Losses against the formula: 12 roundings on terms below `size`.
TEST_P(NonconvexKernel, LossesMatchTheFormula) {
  const Backend b = GetParam();
  const int64_t R = 300;
  std::vector<int32_t> which;
  for (int64_t r = 0; r < R; ++r) which.push_back(static_cast<int32_t>(r % kWorkers));
  const Buffer<int32_t> device(ctx(), which);
  const Matrix<double> own(b, 1, kWorkers, own_numbers);
  for_each_risk([&]<class Bench>() {
    using Risk = typename Bench::Risk;
    test::for_float_and_double([&]<class T>() {
      auto f = Bench::risk(1.5);
      f.own = own.vector();
      const Matrix<T> x(b, R, Risk::parameters, 1);
      Matrix<double> out(b, 1, R, 2);
      nonconvex_losses<Risk, T>(ctx(), f, device.view(), x.cview(), out.vector());
      const auto got = out.host();
      test::Near near("F");
      for (int64_t r = 0; r < R; ++r) {
        const auto at = row_of(x, r);
        const double c = own_numbers[static_cast<size_t>(which[static_cast<size_t>(r)])], want = Bench::loss(f, c, at);
        double size = 2 + std::abs(c) + std::abs(want);
        for (double v : at) size += 8 * v * v;
        near(got[static_cast<size_t>(r)], want, 12 * test::unit<double> * size, r);
      }
    });
  });
}

// H v: the factorization's by its formula, two wells' by the difference of the oracle's gradients at w +- h (truncation h^2/6 times a third
// derivative below 100, rounding of the gradients over h).
TEST_P(NonconvexKernel, HessianProducts) {
  const Backend b = GetParam();
  const test::Rows rows = some_rows(b);
  const Matrix<double> own(b, 1, kWorkers, own_numbers);
  for_each_risk([&]<class Bench>() {
    using Risk = typename Bench::Risk;
    constexpr int64_t P = Risk::parameters;
    auto f = Bench::risk(1.5);
    f.own = own.vector();
    const Matrix<double> x(b, rows.count(), P, 1), v(b, rows.count(), P, 2);
    Matrix<double> out(b, rows.count(), P, 3, P + 1);
    nonconvex_hessian<Risk, double>(ctx(), f, rows.view(), rows.slot(), x.cview(), v.cview(), out.view());
    const auto got = out.host();
    test::Near near("H v");
    for (int64_t r = 0; r < rows.count(); ++r) {
      const auto& s = rows.spec(r);
      const double c = own_numbers[static_cast<size_t>(s.worker)], h = 1e-5, noise = noise_of(s, 1.5, 0);
      auto up = row_of(x, r), down = up;
      for (size_t j = 0; j < P; ++j)
        up[j] += h * v.initial(r, static_cast<int64_t>(j)), down[j] -= h * v.initial(r, static_cast<int64_t>(j));
      const Result high = Bench::gradient(f, c, up, noise), low = Bench::gradient(f, c, down, noise);
      for (size_t j = 0; j < P; ++j)
        near(got[static_cast<size_t>(r * P) + j], rows.active(r) ? (high.value[j] - low.value[j]) / (2 * h) : 0,
             h * h / 6 * 100 + (high.error + low.error) / h, r, static_cast<int64_t>(j));
    }
  });
}

TEST_P(NonconvexKernel, SameBitsForAnyThreadsAndNeighbours) {
  const Backend b = GetParam();
  const test::Rows rows = some_rows(b, 40);
  const Matrix<double> own(b, 1, kWorkers, own_numbers);
  auto f = FactorizationBench::risk(1);
  f.own = own.vector();
  const auto run = [&](int64_t first, int64_t n) {
    Matrix<float> x(b, rows.count(), 2, 1);
    nonconvex_steps<Factorization, float>(ctx(), f, rows.view().part(first, n), rows.slot(), 5,
                                          x.view().rows(first, n));
    const auto all = x.host();
    return std::vector<float>(all.begin() + 2 * first, all.begin() + 2 * (first + n));
  };
  test::expect_same_bits_for_any_threads([&] { return run(0, rows.count()); });
  const auto all = run(0, rows.count());
  for (int64_t r = 0; r < rows.count(); r += 7)
    test::expect_same_bits(run(r, 1), std::vector<float>(all.begin() + 2 * r, all.begin() + 2 * r + 2), "alone");
}

TEST_P(NonconvexKernel, RefusesWrongShapes) {
  const Backend b = GetParam();
  const test::Rows rows = some_rows(b);
  const Matrix<double> own(b, 1, kWorkers, own_numbers);
  TwoWell f = TwoWellBench::risk(0);
  Matrix<float> x(b, 8, 1, 1), wide(b, 8, 2, 1), few(b, 7, 1, 1);
  const auto step = [&](MatrixView<float> at) {
    nonconvex_steps<TwoWell, float>(ctx(), f, rows.view(), rows.slot(), 1, at);
  };
  EXPECT_THROW(step(x.view()), std::logic_error);  // without the workers' own numbers
  f.own = own.vector();
  step(x.view());
  EXPECT_THROW(step(wide.view()), std::logic_error);
  EXPECT_THROW(step(few.view()), std::logic_error);
  EXPECT_THROW((nonconvex_gradients<TwoWell, float>(ctx(), f, rows.view(), rows.slot(), x.cview(), wide.view())),
               std::logic_error);
}

ORRERY_ON_EACH_BACKEND(NonconvexKernel);

// C12. The digest's places are those of a grid, off by up to 1.2e-5 (it prints -0.964152, -0.230785, 0.999994); values and curvatures agree with it
// to all its digits. The places here are roots of the slope in 30 digits.
TEST(TwoWellConstants, WellsAndBarrier) {
  const TwoWell f;
  const auto at = [&](double w, double printed, double curvature, double digits, double value) {
    double g = 0, h = 0;
    const double one = 1;
    f.gradient(0, &w, 0, &g);
    f.hessian(0, &w, &one, 0, &h);
    EXPECT_NEAR(g, 0, 1e-12 * std::abs(h));  // eleven digits of the place
    EXPECT_NEAR(w, printed, 1.2e-5);
    EXPECT_NEAR(h, curvature, digits);
    EXPECT_NEAR(f.loss(0, &w), value, 0.5e-6);
  };
  at(-0.9641412794797748, -0.964152, 6.5445, 0.5e-4, -0.131181);
  at(-0.2307748344616996, -0.230785, -5.407265631, 1e-8, 0.575080);
  at(0.999998199386951, 0.999994, 0.99997, 0.5e-5, 0);
}

// C13: along u v = y the gradient is zero and the Hessian's trace u^2 + v^2, at least 2 where y = 1.
TEST(FactorizationConstants, AllProductsThatFitAreMinima) {
  const Factorization f;
  for (double u : {0.5, 1.0, 2.0, -4.0}) {
    const double x[2] = {u, 1 / u}, first[2] = {1, 0}, second[2] = {0, 1};
    double g[2], a[2], b[2];
    f.gradient(1, x, 0, g);
    f.hessian(1, x, first, 0, a);
    f.hessian(1, x, second, 0, b);
    EXPECT_EQ(g[0], 0);
    EXPECT_EQ(g[1], 0);
    EXPECT_EQ(f.loss(1, x), 0);
    EXPECT_EQ(a[0] + b[1], u * u + 1 / (u * u));
    EXPECT_GE(a[0] + b[1], 2);
    EXPECT_EQ(a[0] * b[1] - a[1] * b[0], 0);  // flat along the valley
  }
  const double x[2] = {2, 0.5}, v[2] = {1, 0}, u[2] = {0, 1};
  double a[2], b[2];
  f.hessian(1, x, v, 0, a);
  f.hessian(1, x, u, 0, b);
  EXPECT_EQ(a[0] + b[1], 4.25);
}

}  // namespace
}  // namespace orrery
