#include "kernels/quadratic.hpp"

#include "kernels/descend.hpp"
#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class Quadratic : public test::OnEachBackend {};

constexpr int64_t kWorkers = 4, kSlot = 37;

// Two replicas of four workers; batches 1, 4, 0 (no noise) and 9; rates 1 and below.
test::Rows some_rows(Backend b, int64_t slot = kSlot) {
  std::vector<test::RowSpec> rows;
  for (uint64_t seed : {3ull, 99ull << 32})
    for (int32_t w = 0; w < kWorkers; ++w)
      rows.push_back({.seed = seed,
                      .worker = w,
                      .learning_rate = 0.1 + 0.05 * w,
                      .rate = w == 1   ? 0.4
                              : w == 3 ? 0.6
                                       : 1.0,
                      .batch = std::vector<int32_t>{1, 4, 0, 9}[static_cast<size_t>(w)]});
  return test::Rows(b, rows, slot);
}

// a and c of each worker, or one row for all (stride 0); the noise one number, or with `differ` noise times 0, 0.5, ..., 2 by coordinate.
template <class T>
struct Risks {
  bool shared;
  double noise;
  bool differ;
  Matrix<T> a, c;
  Matrix<double> s;
  QuadraticView<T> view;

  Risks(Backend b, int64_t P, bool shared_, double noise_, bool differ_ = false)
      : shared(shared_),
        noise(noise_),
        differ(differ_),
        a(b, shared_ ? 1 : kWorkers, P, positive(b, shared_ ? 1 : kWorkers, P)),
        c(b, shared_ ? 1 : kWorkers, P, 12),
        s(b, 1, P, noises(P)) {
    view = {shared ? a.shared(kWorkers) : a.cview(), shared ? c.shared(kWorkers) : c.cview(), differ ? 0 : noise};
    if (differ) view.noises = s.vector();
  }
  std::vector<double> noises(int64_t P) const {
    std::vector<double> v;
    for (int64_t j = 0; j < P; ++j) v.push_back(deviation(j));
    return v;
  }
  double deviation(int64_t j) const { return differ ? noise * 0.5 * static_cast<double>(j % 5) : noise; }
  static std::vector<T> positive(Backend b, int64_t rows, int64_t P) {
    auto v = Matrix<T>(b, rows, P, 11).dense();
    for (T& x : v) x = std::abs(x);
    return v;
  }
  double curvature(int64_t w, int64_t j) const { return a.initial(shared ? 0 : w, j); }
  double center(int64_t w, int64_t j) const { return c.initial(shared ? 0 : w, j); }
};

struct Bounded {
  double value, error;  // and what rounding in T may add to it
};

// g_j at x. Tolerance: x - c, its product with a, the noise's rounding to T and the sum: 3 roundings at most on a (x -
// c), 2 on the noise. The noise itself is float64: log, square root, their product, the angle (2 pi u < 7 u absolute),
// sine, s / sqrt(B): 16 roundings of the radius, which is below 6.8.
template <class T>
Bounded gradient(const Risks<T>& q, const test::Rows& rows, int64_t r, int64_t step, int64_t j, double x) {
  const test::RowSpec& s = rows.spec(r);
  const double a = q.curvature(s.worker, j), c = q.center(s.worker, j), pull = a * (x - c);
  double noise = 0, radius = 0;
  if (s.batch > 0 && q.deviation(j) > 0) {
    const Stream n(s.seed, Draw::gradient_noise, static_cast<uint32_t>(s.worker), static_cast<uint64_t>(kSlot + step));
    const double share = q.deviation(j) / std::sqrt(static_cast<double>(s.batch));
    noise = share * n.normal(static_cast<uint32_t>(j));
    radius = share * 6.8;
  }
  return {pull + noise, test::unit<T> * (3 * std::abs(pull) + 2 * std::abs(noise)) + 16 * test::unit<double> * radius};
}

TEST_P(Quadratic, GradientsMatchTheFormulaInFloat64) {
  const Backend b = GetParam();
  const test::Rows rows = some_rows(b);
  int64_t active = 0;
  for (int64_t r = 0; r < rows.count(); ++r) active += rows.active(r);
  EXPECT_TRUE(active > 4 && active < rows.count());  // of either kind
  test::for_float_and_double([&]<class T>() {
    for (int64_t P : {1, 31, 129, 1030})
      for (auto [noise, differ] : {std::pair{0.0, false}, {1.5, false}, {1.5, true}})
        for (bool shared : {false, true}) {
          const Risks<T> q(b, P, shared, noise, differ);
          Matrix<T> x(b, shared ? 1 : rows.count(), P, 1), g(b, rows.count(), P, 2, P + 2);
          quadratic_gradients<T>(ctx(), q.view, rows.view(), rows.slot(), shared ? x.shared(rows.count()) : x.cview(),
                                 g.view());
          const auto got = g.host();
          test::Near near("g");
          for (int64_t r = 0; r < rows.count(); ++r)
            for (int64_t j = 0; j < P; ++j) {
              const Bounded want =
                  rows.active(r) ? gradient(q, rows, r, 0, j, x.initial(shared ? 0 : r, j)) : Bounded{0, 0};
              near(got[static_cast<size_t>(r * P + j)], want.value, want.error, r, j);
            }
          EXPECT_EQ(x.host(), x.dense());
        }
  });
}

// Many steps in one call, and the same steps one by one through gradients and descend, both against the formula.
// Tolerance: an error E of x becomes (1 + eta a) E at most; a step adds eta times the gradient's own, and eta, its
// product and the difference: 3 roundings on each term.
TEST_P(Quadratic, StepsAreRepeatedGradientsAndDescents) {
  const Backend b = GetParam();
  const test::Rows rows = some_rows(b);
  const int64_t steps = 6;
  test::for_float_and_double([&]<class T>() {
    for (int64_t P : {1, 200})
      for (auto [noise, differ] : {std::pair{0.0, false}, {1.5, false}, {1.5, true}}) {
        const Risks<T> q(b, P, false, noise, differ);
        Matrix<T> fused(b, rows.count(), P, 1, P + 3), single(b, rows.count(), P, 1), g(b, rows.count(), P, 2);
        quadratic_steps<T>(ctx(), q.view, rows.view(), rows.slot(), steps, fused.view());
        for (int64_t s = 0; s < steps; ++s) {
          quadratic_gradients<T>(ctx(), q.view, rows.view(), rows.slot().plus(s), single.view(), g.view());
          descend<T>(ctx(), rows.view(), single.view(), g.view());
        }
        const auto got = fused.host(), repeated = single.host();
        test::Near near("fused"), near_repeated("one by one");
        for (int64_t r = 0; r < rows.count(); ++r)
          for (int64_t j = 0; j < P; ++j) {
            const double eta = rows.spec(r).learning_rate, a = q.curvature(rows.spec(r).worker, j);
            double x = fused.initial(r, j), error = 0;
            for (int64_t s = 0; s < steps; ++s) {
              if (!rows.active(r, s)) continue;
              const Bounded grad = gradient(q, rows, r, s, j, x);
              error = (1 + eta * a) * error + eta * grad.error +
                      3 * test::unit<T> * (std::abs(x) + std::abs(eta * grad.value));
              x -= eta * grad.value;
            }
            near(got[static_cast<size_t>(r * P + j)], x, error, r, j);
            near_repeated(repeated[static_cast<size_t>(r * P + j)], x, error, r, j);
          }
      }
  });
}

// At x = c the gradient is the noise: its mean is 0 and its variance s^2 / B. Seeds are fixed; the bounds are 5
// standard errors.
TEST_P(Quadratic, NoiseHasVarianceSquareOverBatch) {
  const Backend b = GetParam();
  const int64_t P = 1000, slots = 10;
  const double s = 1.5;
  for (int32_t batch : {1, 16}) {
    const test::Rows rows(b, {{.seed = 5, .worker = 0, .batch = batch}, {.seed = 5, .worker = 3, .batch = batch}});
    Matrix<double> c(b, 1, P, 1), a(b, 1, P, 2), g(b, 2, P, 3);
    const QuadraticView<double> q{a.shared(kWorkers), c.shared(kWorkers), s};
    double sum = 0, squares = 0, between = 0;
    for (int64_t t = 0; t < slots; ++t) {
      quadratic_gradients<double>(ctx(), q, rows.view(), rows.slot().plus(t), c.shared(2), g.view());
      const auto n = g.host();
      for (double v : n) sum += v, squares += v * v;
      for (size_t j = 0; j < static_cast<size_t>(P); ++j) between += n[j] * n[j + static_cast<size_t>(P)];
    }
    const double N = static_cast<double>(2 * P * slots), variance = s * s / batch;
    EXPECT_NEAR(sum / N, 0, 5 * std::sqrt(variance / N));
    EXPECT_NEAR(squares / N, variance, 5 * variance * std::sqrt(2 / N));
    EXPECT_NEAR(between / (N / 2), 0, 5 * variance / std::sqrt(N / 2));  // workers do not share noise
  }
}

// Rows that skip every slot of the call keep their bits.
TEST_P(Quadratic, SkippingRowsAreUntouched) {
  const Backend b = GetParam();
  const test::Rows rows(b, {{.rate = 0}, {.worker = 1}});
  const int64_t P = 40;
  const Risks<float> q(b, P, false, 1);
  Matrix<float> x(b, 2, P, 1);
  quadratic_steps<float>(ctx(), q.view, rows.view(), rows.slot(), 5, x.view());
  test::expect_same_bits(x.host_row(0), std::vector<float>(x.dense().begin(), x.dense().begin() + P), "skipping row");
  EXPECT_NE(x.host_row(1), std::vector<float>(x.dense().begin() + P, x.dense().end()));
  quadratic_steps<float>(ctx(), q.view, rows.view(), rows.slot(), 0, x.view());  // no step: nothing
}

// Tolerance: x - c counts twice in its square, two products (0.5 is exact), at most P - 1 sums: P + 3 roundings of
// float64.
TEST_P(Quadratic, LossesMatchTheFormula) {
  const Backend b = GetParam();
  const test::Rows rows = some_rows(b);
  test::for_float_and_double([&]<class T>() {
    for (int64_t P : {1, 31, 128, 700})
      for (bool shared : {false, true}) {
        const Risks<T> q(b, P, shared, 2);
        Matrix<T> x(b, shared ? 1 : rows.count(), P, 1);
        Matrix<double> out(b, 1, rows.count(), 2);
        quadratic_losses<T>(ctx(), q.view, rows.view(), shared ? x.shared(rows.count()) : x.cview(), out.vector());
        const auto got = out.host();
        test::Near near("F, P = " + std::to_string(P));
        for (int64_t r = 0; r < rows.count(); ++r) {
          long double want = 0;
          for (int64_t j = 0; j < P; ++j) {
            const long double away =
                static_cast<long double>(x.initial(shared ? 0 : r, j)) - q.center(rows.spec(r).worker, j);
            want += 0.5L * q.curvature(rows.spec(r).worker, j) * away * away;
          }
          near(got[static_cast<size_t>(r)], static_cast<double>(want),
               static_cast<double>(P + 3) * test::unit<double> * static_cast<double>(want), r);
        }
      }
  });
}

TEST_P(Quadratic, SameBitsForAnyThreadsAndNeighbours) {
  const Backend b = GetParam();
  const test::Rows rows = some_rows(b);
  const int64_t P = 150, R = rows.count();
  test::for_float_and_double([&]<class T>() {
    const Risks<T> q(b, P, false, 1);
    const auto run = [&](int64_t first, int64_t n) {
      Matrix<T> x(b, R, P, 1), g(b, R, P, 2);
      Matrix<double> loss(b, 1, n, 3);
      const Rows part = rows.view().part(first, n);
      quadratic_steps<T>(ctx(), q.view, part, rows.slot(), 4, x.view().rows(first, n));
      quadratic_gradients<T>(ctx(), q.view, part, rows.slot(), x.cview().rows(first, n), g.view().rows(first, n));
      quadratic_losses<T>(ctx(), q.view, part, x.cview().rows(first, n), loss.vector());
      std::vector<double> out;
      for (int64_t r = first; r < first + n; ++r) {
        for (T v : x.host_row(r)) out.push_back(static_cast<double>(v));
        for (T v : g.host_row(r)) out.push_back(static_cast<double>(v));
        out.push_back(loss.host()[static_cast<size_t>(r - first)]);
      }
      return out;
    };
    test::expect_same_bits_for_any_threads([&] { return run(0, R); });
    const auto all = run(0, R);
    for (int64_t r = 0; r < R; ++r)
      test::expect_same_bits(run(r, 1),
                             std::vector<double>(all.begin() + r * (2 * P + 1), all.begin() + (r + 1) * (2 * P + 1)),
                             "alone and among others");
  });
}

TEST_P(Quadratic, RefusesWrongShapes) {
  const Backend b = GetParam();
  const test::Rows rows = some_rows(b);
  const Risks<float> q(b, 5, false, 0);
  Matrix<float> x(b, 8, 5, 1), wide(b, 8, 6, 1), few(b, 7, 5, 1);
  Matrix<double> out(b, 1, 7, 1);
  EXPECT_THROW(quadratic_steps<float>(ctx(), q.view, rows.view(), rows.slot(), 1, wide.view()), std::logic_error);
  EXPECT_THROW(quadratic_steps<float>(ctx(), q.view, rows.view(), rows.slot(), 1, few.view()), std::logic_error);
  EXPECT_THROW(quadratic_gradients<float>(ctx(), q.view, rows.view(), rows.slot(), x.view(), wide.view()),
               std::logic_error);
  EXPECT_THROW(quadratic_losses<float>(ctx(), q.view, rows.view(), x.view(), out.vector()), std::logic_error);
  const Risks<float> other(b, 6, false, 1, true);
  QuadraticView<float> mixed = q.view;
  mixed.noises = other.view.noises;
  EXPECT_THROW(quadratic_steps<float>(ctx(), mixed, rows.view(), rows.slot(), 1, x.view()), std::logic_error);
  EXPECT_THROW(quadratic_gradients<float>(ctx(), mixed, rows.view(), rows.slot(), x.view(), x.view()),
               std::logic_error);
}

// Noises that are all alike are the one number, bit for bit.
TEST_P(Quadratic, EqualNoisesAreOneNoise) {
  const Backend b = GetParam();
  const test::Rows rows = some_rows(b);
  const int64_t P = 1030;
  const Risks<float> q(b, P, true, 0.3);
  Matrix<double> s(b, 1, P, std::vector<double>(static_cast<size_t>(P), 0.3));
  QuadraticView<float> by_coordinate = q.view;
  by_coordinate.noise = 0, by_coordinate.noises = s.vector();
  Matrix<float> x(b, rows.count(), P, 1), y(b, rows.count(), P, 1);
  quadratic_steps<float>(ctx(), q.view, rows.view(), rows.slot(), 3, x.view());
  quadratic_steps<float>(ctx(), by_coordinate, rows.view(), rows.slot(), 3, y.view());
  test::expect_same_bits(y.host(), x.host(), "equal noises");
  EXPECT_NE(x.host(), x.dense());
}

// One product: half a unit of it.
TEST_P(Quadratic, HessianProductsAreTheCurvatureTimesV) {
  const Backend b = GetParam();
  const test::Rows rows = some_rows(b);
  test::for_float_and_double([&]<class T>() {
    for (int64_t P : {1, 31, 129})
      for (bool shared : {false, true}) {
        const Risks<T> q(b, P, shared, 0.7);
        const Matrix<T> v(b, rows.count(), P, 1, P + 2);
        Matrix<T> out(b, rows.count(), P, 2, P + 3);
        quadratic_hessian<T>(ctx(), q.view, rows.view(), rows.slot(), v.cview(), out.view());
        const auto got = out.host();
        test::Near near("H v");
        for (int64_t r = 0; r < rows.count(); ++r)
          for (int64_t j = 0; j < P; ++j) {
            const double want = rows.active(r) ? q.curvature(rows.spec(r).worker, j) * v.initial(r, j) : 0;
            near(got[static_cast<size_t>(r * P + j)], want, test::unit<T> * std::abs(want), r, j);
          }
        EXPECT_THROW(quadratic_hessian<T>(ctx(), q.view, rows.view(), rows.slot(), v.cview().rows(0, 1), out.view()),
                     std::logic_error);
      }
  });
}

ORRERY_ON_EACH_BACKEND(Quadratic);

}  // namespace
}  // namespace orrery
