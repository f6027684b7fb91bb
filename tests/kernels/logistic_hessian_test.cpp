#include "tests/kernels/logistic_oracle.hpp"

namespace orrery {
namespace {

using test::Bounded;
using test::LogisticProblem;
using test::LogisticRows;
using test::Matrix;
using test::row_of;

class LogisticHessian : public test::OnEachBackend {};

// The formula itself is the derivative of the oracle's gradient. Central differences: truncation h^2/6 |v|^3 |x|^4 (third derivatives of
// the loss are below |x|^3 / 8), rounding B + d + 20 units of a gradient below |x| (1 + |w| |x|), over h.
TEST(LogisticOracle, HessianIsTheDerivativeOfTheGradient) {
  for (const auto& c : test::kLogisticCases) {
    if (c.d > 1000) continue;
    SCOPED_TRACE("d = " + std::to_string(c.d));
    const LogisticProblem q(Backend::cpu, c);
    const LogisticRows rows = q.rows(Backend::cpu);
    const Matrix<double> points(Backend::cpu, rows.count(), q.P, 1), directions(Backend::cpu, rows.count(), q.P, 2);
    test::Near near("H v");
    for (int64_t r = 0; r < rows.count(); ++r) {
      const auto w = row_of(points, r, q.P), v = row_of(directions, r, q.P);
      double w_norm = 0, v_norm = 0;
      for (size_t j = 0; j < w.size(); ++j) w_norm += w[j] * w[j], v_norm += v[j] * v[j];
      w_norm = std::sqrt(w_norm), v_norm = std::sqrt(v_norm);
      const double x = std::sqrt(4 * q.L + 1), h = 1e-4 / (v_norm * x);
      auto up = w, down = w;
      for (size_t j = 0; j < w.size(); ++j) up[j] += h * v[j], down[j] -= h * v[j];
      const auto batch = q.batch(rows, r);
      const Bounded got = q.derivative<double>(batch, w, &v), forth = q.derivative<double>(batch, up),
                    back = q.derivative<double>(batch, down);
      const double allowed =
          h * h / 6 * std::pow(v_norm, 3) * std::pow(x, 4) +
          static_cast<double>(rows.batch_size(r) + q.d + 20) * test::unit<double> * x * (1 + w_norm * x) / h;
      for (size_t j = 0; j < w.size(); ++j)
        near(got.value[j], (forth.value[j] - back.value[j]) / (2 * h), allowed, r, static_cast<int64_t>(j));
    }
  }
}

TEST_P(LogisticHessian, MatchesTheFormulaInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const auto& c : test::kLogisticCases) {
      SCOPED_TRACE("d = " + std::to_string(c.d));
      const LogisticProblem q(b, c);
      const LogisticRows rows = q.rows(b);
      const int64_t n = rows.count();
      for (const auto& [shared, one] : {std::pair{false, false}, {true, false}, {false, true}}) {  // point, direction
        LogisticWorkspace<T> space(ctx(), n, rows.view().max_batch, shared ? 1 : 1 << 24);
        const Matrix<T> w(b, shared ? 1 : n, q.P, 1, q.P + 3), v(b, n, q.P, 2, q.P + 2);
        Matrix<T> out(b, n, q.P, 3, q.P + 1);
        logistic_hessian<T>(ctx(), q.view, rows.view(), rows.slot(), shared ? w.shared(n) : w.cview(),
                            one ? v.shared(n) : v.cview(), out.view(), space);
        const auto got = out.host();
        test::Near near(shared ? "shared row" : "own rows");
        for (int64_t r = 0; r < n; ++r) {
          const auto direction = row_of(v, one ? 0 : r, q.P);
          Bounded want{std::vector<double>(direction.size()), std::vector<double>(direction.size())};
          if (rows.active(r)) want = q.derivative<T>(q.batch(rows, r), row_of(w, shared ? 0 : r, q.P), &direction);
          test::expect_near(got, r, want, near);
        }
        EXPECT_EQ(w.host(), w.dense());
        EXPECT_EQ(v.host(), v.dense());
      }
    }
  });
}

// Any number of threads, blocks and neighbours, on both backends.
TEST_P(LogisticHessian, SameBits) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (size_t c : {2u, 7u}) {
      const LogisticProblem q(b, test::kLogisticCases[c]);
      const LogisticRows rows = q.rows(b);
      const auto run = [&](int64_t first, int64_t n, int64_t bytes) {
        LogisticWorkspace<T> space(ctx(), n, rows.view().max_batch, bytes);
        const Matrix<T> w(b, rows.count(), q.P, 1), v(b, rows.count(), q.P, 2);
        Matrix<T> out(b, rows.count(), q.P, 3);
        logistic_hessian<T>(ctx(), q.view, rows.view().part(first, n), rows.slot(), w.cview().rows(first, n),
                            v.cview().rows(first, n), out.view().rows(first, n), space);
        const auto all = out.host();
        return std::vector<T>(all.begin() + first * q.P, all.begin() + (first + n) * q.P);
      };
      test::expect_same_bits_for_any_threads([&] { return run(0, rows.count(), 1 << 24); });
      const auto all = run(0, rows.count(), 1 << 24);
      test::expect_same_bits(run(0, rows.count(), 1), all, "one block");
      for (int64_t r = 0; r < rows.count(); ++r)
        test::expect_same_bits(run(r, 1, 1 << 24), {all.begin() + r * q.P, all.begin() + (r + 1) * q.P},
                               "alone and among others");
    }
  });
}

ORRERY_ON_EACH_BACKEND(LogisticHessian);

}  // namespace
}  // namespace orrery
