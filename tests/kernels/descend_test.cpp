#include "kernels/descend.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class Descend : public test::OnEachBackend {};

std::vector<test::RowSpec> some_rows(int n) {
  std::vector<test::RowSpec> rows;
  for (int32_t r = 0; r < n; ++r)
    rows.push_back({.seed = 11,
                    .worker = r,
                    .learning_rate = 0.05 * (r + 1),
                    .rate = r % 3 == 2   ? 0.5
                            : r % 3 == 1 ? 1.0
                                         : 0.1});
  return rows;
}

constexpr std::pair<int, int64_t> kShapes[] = {{1, 1}, {9, 31}, {5, 257}, {40, 700}};  // below, across and past a block

bool some_active_some_not(const test::Rows& rows) {
  int64_t active = 0;
  for (int64_t r = 0; r < rows.count(); ++r) active += rows.active(r);
  return active > 0 && active < rows.count();
}

// Tolerance: eta, the product, the difference: 3 roundings at most on each term.
TEST_P(Descend, MatchesTheFormulaInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (auto [W, P] : kShapes) {
      const test::Rows rows(b, some_rows(W));
      Matrix<T> w(b, W, P, 1, P + 5), g(b, W, P, 2);
      descend<T>(ctx(), rows.view(), w.view(), g.view());
      const auto got = w.host();
      test::Near near("w");
      for (int64_t r = 0; r < W; ++r)
        for (int64_t j = 0; j < P; ++j) {
          const double w0 = w.initial(r, j), step = rows.spec(r).learning_rate * g.initial(r, j);
          near(got[static_cast<size_t>(r * P + j)], w0 - step, 3 * test::unit<T> * (std::abs(w0) + std::abs(step)), r,
               j);
        }
      EXPECT_EQ(g.host(), g.dense());
    }
  });
}

// Tolerance: lambda, the product, the sum. Rows that skip the slot, and the parameters from n on, keep their bits.
TEST_P(Descend, AddDecayMatchesTheFormulaInFloat64) {
  const Backend b = GetParam();
  const double lambda = 0.37;
  test::for_float_and_double([&]<class T>() {
    for (auto [W, P] : kShapes)
      for (bool shared : {false, true}) {
        const test::Rows rows(b, some_rows(W), 3);
        EXPECT_TRUE(W == 1 || some_active_some_not(rows));
        const int64_t n = P - P / 4;
        Matrix<T> w(b, shared ? 1 : W, P, 1), g(b, W, P, 2);
        add_decay<T>(ctx(), rows.view(), rows.slot(), lambda, n, shared ? w.shared(W) : w.cview(), g.view());
        const auto got = g.host();
        test::Near near("g");
        for (int64_t r = 0; r < W; ++r)
          for (int64_t j = 0; j < P; ++j) {
            const double g0 = g.initial(r, j), more = lambda * w.initial(shared ? 0 : r, j);
            const bool changed = rows.active(r) && j < n;
            near(got[static_cast<size_t>(r * P + j)], changed ? g0 + more : g0,
                 changed ? 3 * test::unit<T> * (std::abs(g0) + std::abs(more)) : 0.0, r, j);
          }
        EXPECT_EQ(w.host(), w.dense());
      }
  });
}

// Tolerance: eta * lambda in float64 and its rounding to T, the product, the difference.
TEST_P(Descend, DecayMatchesTheFormulaInFloat64) {
  const Backend b = GetParam();
  const double lambda = 0.37;
  test::for_float_and_double([&]<class T>() {
    for (auto [W, P] : kShapes) {
      const test::Rows rows(b, some_rows(W), 3);
      const int64_t n = P - P / 4;
      Matrix<T> w(b, W, P, 1, P + 1);
      decay<T>(ctx(), rows.view(), rows.slot(), lambda, n, w.view());
      const auto got = w.host();
      test::Near near("w");
      for (int64_t r = 0; r < W; ++r)
        for (int64_t j = 0; j < P; ++j) {
          const double w0 = w.initial(r, j), less = rows.spec(r).learning_rate * lambda * w0;
          const bool changed = rows.active(r) && j < n;
          near(got[static_cast<size_t>(r * P + j)], changed ? w0 - less : w0,
               changed ? 4 * test::unit<T> * (std::abs(w0) + std::abs(less)) : 0.0, r, j);
        }
    }
  });
}

// Tolerance: mu rounded to T, the product; eta rounded, the product, the difference; the sum and so on. A row that skips
// the slot keeps its velocity and its parameters bit for bit.
TEST_P(Descend, DampAndPushMatchTheFormulaInFloat64) {
  const Backend b = GetParam();
  const double mu = 0.83;
  test::for_float_and_double([&]<class T>() {
    for (auto [W, P] : kShapes) {
      const test::Rows rows(b, some_rows(W), 3);
      Matrix<T> v(b, W, P, 1, P + 3), w(b, W, P, 2, P + 1);
      const Momentum<T> m{mu, v.view()};
      damp<T>(ctx(), rows.view(), rows.slot(), m);
      const auto damped = v.host();
      push<T>(ctx(), rows.view(), rows.slot(), m, w.view());
      EXPECT_EQ(v.host(), damped) << "push reads the velocity alone";
      const auto got = w.host();
      test::Near near_v("v"), near_w("w");
      for (int64_t r = 0; r < W; ++r)
        for (int64_t j = 0; j < P; ++j) {
          const auto at = static_cast<size_t>(r * P + j);
          const bool active = rows.active(r);
          const double v0 = v.initial(r, j), w0 = w.initial(r, j), v1 = active ? mu * v0 : v0;
          const double step = active ? rows.spec(r).learning_rate * v1 : 0;
          near_v(damped[at], v1, active ? 2 * test::unit<T> * std::abs(v1) : 0.0, r, j);
          near_w(got[at], w0 - step, active ? 5 * test::unit<T> * (std::abs(w0) + std::abs(step)) : 0.0, r, j);
        }
    }
  });
}

TEST_P(Descend, MomentumDescendMatchesTheFormulaInFloat64) {
  const Backend b = GetParam();
  const double mu = 0.83;
  test::for_float_and_double([&]<class T>() {
    for (auto [W, P] : kShapes) {
      const test::Rows rows(b, some_rows(W), 3);
      EXPECT_TRUE(W == 1 || some_active_some_not(rows));
      Matrix<T> v(b, W, P, 1, P + 3), w(b, W, P, 2), g(b, W, P, 3, P + 2);
      momentum_descend<T>(ctx(), rows.view(), rows.slot(), {mu, v.view()}, w.view(), g.view());
      const auto got_v = v.host(), got_w = w.host();
      EXPECT_EQ(g.host(), g.dense());
      test::Near near_v("v"), near_w("w");
      for (int64_t r = 0; r < W; ++r)
        for (int64_t j = 0; j < P; ++j) {
          const auto at = static_cast<size_t>(r * P + j);
          const bool active = rows.active(r);
          const double v0 = v.initial(r, j), w0 = w.initial(r, j), g0 = g.initial(r, j),
                       eta = rows.spec(r).learning_rate;
          const double v1 = active ? mu * v0 + g0 : v0, size = std::abs(mu * v0) + std::abs(g0);
          near_v(got_v[at], v1, active ? 3 * test::unit<T> * size : 0.0, r, j);
          near_w(got_w[at], active ? w0 - eta * v1 : w0, active ? 6 * test::unit<T> * (std::abs(w0) + eta * size) : 0.0,
                 r, j);
        }
    }
  });
}

TEST_P(Descend, MomentumGivesTheSameBitsForAnyThreadsAndNeighbours) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const int64_t W = 6, P = 300;
    const test::Rows rows(b, some_rows(W), 3);
    const auto run = [&](int64_t first, int64_t n) {
      Matrix<T> v(b, W, P, 1), w(b, W, P, 2), g(b, W, P, 3);
      const Rows part = rows.view().part(first, n);
      const Momentum<T> m = Momentum<T>{0.9, v.view()}.part(first, n);
      momentum_descend<T>(ctx(), part, rows.slot(), m, w.view().rows(first, n), g.cview().rows(first, n));
      damp<T>(ctx(), part, rows.slot(), m);
      push<T>(ctx(), part, rows.slot(), m, w.view().rows(first, n));
      auto out = w.host();
      return std::vector<T>(out.begin() + first * P, out.begin() + (first + n) * P);
    };
    test::expect_same_bits_for_any_threads([&] { return run(0, W); });
    const auto all = run(0, W);
    for (int64_t r = 0; r < W; ++r)
      test::expect_same_bits(run(r, 1), std::vector<T>(all.begin() + r * P, all.begin() + (r + 1) * P),
                             "alone and among others");
  });
}

TEST_P(Descend, SameBitsForAnyThreadsAndNeighbours) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const int64_t W = 6, P = 300;
    const test::Rows rows(b, some_rows(W), 3);
    const auto run = [&](int64_t first, int64_t n) {
      Matrix<T> w(b, W, P, 1), g(b, W, P, 2);
      const Rows part = rows.view().part(first, n);
      add_decay<T>(ctx(), part, rows.slot(), 0.37, P, w.cview().rows(first, n), g.view().rows(first, n));
      descend<T>(ctx(), part, w.view().rows(first, n), g.view().rows(first, n));
      decay<T>(ctx(), part, rows.slot(), 0.21, P, w.view().rows(first, n));
      auto out = w.host();
      return std::vector<T>(out.begin() + first * P, out.begin() + (first + n) * P);
    };
    test::expect_same_bits_for_any_threads([&] { return run(0, W); });
    const auto all = run(0, W);
    for (int64_t r = 0; r < W; ++r)
      test::expect_same_bits(run(r, 1), std::vector<T>(all.begin() + r * P, all.begin() + (r + 1) * P),
                             "alone and among others");
  });
}

TEST_P(Descend, NothingToDoAndWrongShapes) {
  const Backend b = GetParam();
  const test::Rows rows(b, some_rows(3));
  Matrix<float> w(b, 3, 4, 1), g(b, 3, 4, 2), wide(b, 3, 5, 3);
  add_decay<float>(ctx(), rows.view(), rows.slot(), 0, 4, w.cview(), g.view());
  decay<float>(ctx(), rows.view(), rows.slot(), 0, 4, w.view());
  EXPECT_EQ(w.host(), w.dense());
  EXPECT_EQ(g.host(), g.dense());
  EXPECT_THROW(descend<float>(ctx(), rows.view(), w.view(), wide.cview()), std::logic_error);
  EXPECT_THROW(descend<float>(ctx(), rows.view().part(0, 2), w.view(), g.cview()), std::logic_error);
  EXPECT_THROW(add_decay<float>(ctx(), rows.view(), rows.slot(), 1, 5, w.cview(), g.view()), std::logic_error);
  EXPECT_THROW(decay<float>(ctx(), rows.view(), rows.slot(), 1, 5, w.view()), std::logic_error);
  EXPECT_THROW(push<float>(ctx(), rows.view(), rows.slot(), {0.9, wide.view()}, w.view()), std::logic_error);
  EXPECT_THROW(damp<float>(ctx(), rows.view().part(0, 2), rows.slot(), {0.9, w.view()}), std::logic_error);
  EXPECT_THROW(momentum_descend<float>(ctx(), rows.view(), rows.slot(), {0.9, w.view()}, w.view(), wide.cview()),
               std::logic_error);
}

ORRERY_ON_EACH_BACKEND(Descend);

}  // namespace
}  // namespace orrery
