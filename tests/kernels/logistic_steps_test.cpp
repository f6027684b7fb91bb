#include "kernels/logistic_steps.hpp"

#include "kernels/descend.hpp"
#include "tests/kernels/logistic_oracle.hpp"

namespace orrery {
namespace {

using test::Bounded;
using test::expect_near;
using test::LogisticProblem;
using test::LogisticRows;
using test::Matrix;
using test::row_of;
using test::Storage;

class LogisticSteps : public test::OnEachBackend {
 protected:
  // a workspace for every row at once, or for one row after the other
  template <class T>
  static LogisticWorkspace<T> space(const LogisticRows& rows, int64_t bytes = int64_t{1} << 24) {
    return {ctx(), rows.count(), rows.view().max_batch, bytes};
  }
  static Bounded nothing(int64_t P) {
    return {std::vector<double>(static_cast<size_t>(P)), std::vector<double>(static_cast<size_t>(P))};
  }
};

TEST_P(LogisticSteps, GradientsMatchTheFormulaInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const auto& c : test::kLogisticCases) {
      SCOPED_TRACE("d = " + std::to_string(c.d));
      const LogisticProblem q(b, c);
      const LogisticRows rows = q.rows(b);
      for (bool shared : {false, true})
        for (int64_t bytes : {int64_t{1} << 24, int64_t{1}}) {
          if (on_cpu() && bytes == 1) continue;  // the CPU has no workspace
          auto room = space<T>(rows, bytes);
          Matrix<T> w(b, shared ? 1 : rows.count(), q.P, 1, q.P + 3), g(b, rows.count(), q.P, 2, q.P + 1);
          for (int32_t repeat : {0, 1}) {
            logistic_gradients<T>(ctx(), q.view, rows.view(), rows.slot().repeated(repeat),
                                  shared ? w.shared(rows.count()) : w.cview(), g.view(), room);
            const auto got = g.host();
            test::Near near(shared ? "g of a shared row" : "g of own rows");
            for (int64_t r = 0; r < rows.count(); ++r) {
              const bool active = rows.active(r) && repeat < rows.repeats(r);
              expect_near(
                  got, r,
                  active ? q.derivative<T>(q.batch(rows, r, 0, repeat), row_of(w, shared ? 0 : r, q.P)) : nothing(q.P),
                  near);
            }
          }
          EXPECT_EQ(w.host(), w.dense());
        }
    }
  });
}

// One call; and the same steps one by one through gradients and descend. Both against the formula.
TEST_P(LogisticSteps, StepsMatchTheFormulaAndGradientsPlusDescend) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const auto& c : test::kLogisticCases) {
      SCOPED_TRACE("d = " + std::to_string(c.d));
      const LogisticProblem q(b, c);
      const LogisticRows rows = q.rows(b);
      const int64_t n = rows.count(), steps = c.d > 1000 ? 2 : 3;
      const Matrix<T> start(b, n, q.P, 1), velocity(b, n, q.P, 2);
      std::vector<Bounded> want_w, want_v;
      for (int64_t r = 0; r < n; ++r) {
        auto w = row_of(start, r, q.P), v = row_of(velocity, r, q.P);
        double e_v = 0;
        const double e_w = q.walk<T>(rows, r, steps, w, v, &e_v);
        want_w.push_back({w, std::vector<double>(w.size(), e_w)});
        want_v.push_back({v, std::vector<double>(v.size(), e_v)});
      }
      const auto compare = [&](const Matrix<T>& w, const Matrix<T>& v, const std::string& what) {
        const auto got_w = w.host(), got_v = v.host();
        test::Near near_w("w, " + what), near_v("v, " + what);
        for (int64_t r = 0; r < n; ++r) {
          expect_near(got_w, r, want_w[static_cast<size_t>(r)], near_w);
          expect_near(got_v, r, want_v[static_cast<size_t>(r)], near_v);
        }
      };
      const auto momentum = [&](const Matrix<T>& v) { return c.mu > 0 ? Momentum<T>{c.mu, v.view()} : Momentum<T>{}; };
      for (int64_t bytes : {int64_t{1} << 24, int64_t{1}}) {
        if (on_cpu() && bytes == 1) continue;
        auto room = space<T>(rows, bytes);
        Matrix<T> w(b, n, q.P, 1, q.P + 5), v(b, n, q.P, 2, q.P + 2);
        logistic_steps<T>(ctx(), q.view, rows.view(), rows.slot(), steps, w.view(), room, momentum(v));
        compare(w, v, "fused, room " + std::to_string(bytes));
      }
      auto room = space<T>(rows);
      Matrix<T> w(b, n, q.P, 1), v(b, n, q.P, 2), g(b, n, q.P, 3);
      for (int64_t s = 0; s < steps * rows.view().max_repeats; ++s) {
        const Slot now = rows.slot().plus(s / rows.view().max_repeats).repeated(s % rows.view().max_repeats);
        logistic_gradients<T>(ctx(), q.view, rows.view(), now, w.view(), g.view(), room);
        if (c.mu > 0)
          momentum_descend<T>(ctx(), rows.view(), now, momentum(v), w.view(), g.view());
        else
          descend<T>(ctx(), rows.view(), w.view(), g.view());
      }
      compare(w, v, "gradients and descend");
    }
  });
}

// The same samples, stored sparse and dense: the same numbers to both their roundings.
TEST_P(LogisticSteps, SparseEqualsDense) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const auto& c : test::kLogisticCases) {
      if (c.storage != Storage::sparse) continue;
      const LogisticProblem q(b, c);
      const LogisticRows rows = q.rows(b);
      const Matrix<float> dense(b, q.samples.count(), q.d, q.samples.spread());
      LogisticView as_dense = q.view;
      as_dense.samples.rows = {};
      as_dense.samples.values = dense.cview();
      auto room = space<T>(rows);
      const auto run = [&](const LogisticView& view) {
        Matrix<T> w(b, rows.count(), q.P, 1), v(b, rows.count(), q.P, 2);
        logistic_steps<T>(ctx(), view, rows.view(), rows.slot(), 2, w.view(), room,
                          c.mu > 0 ? Momentum<T>{c.mu, v.view()} : Momentum<T>{});
        return w.host();
      };
      const auto sparse = run(q.view), spread = run(as_dense);
      test::Near near("w");
      for (int64_t r = 0; r < rows.count(); ++r) {
        auto w = row_of(Matrix<T>(b, rows.count(), q.P, 1), r, q.P);
        auto v = row_of(Matrix<T>(b, rows.count(), q.P, 2), r, q.P);
        const double error = q.walk<T>(rows, r, 2, w, v);
        for (int64_t j = 0; j < q.P; ++j)
          near(sparse[static_cast<size_t>(r * q.P + j)], spread[static_cast<size_t>(r * q.P + j)], 2 * error, r, j);
      }
    }
  });
}

// Without l2 and momentum a sparse step leaves every parameter that no sample of its batch holds as it is, even one that is no number.
TEST_P(LogisticSteps, SparseStepsTouchOnlyWhatTheirSamplesHold) {
  const Backend b = GetParam();
  const int64_t d = 500;
  const LogisticProblem q(b, {d, 5, Storage::sparse});
  const LogisticRows rows = q.rows(b);
  std::vector<uint8_t> held(static_cast<size_t>(rows.count() * d));
  for (int64_t r = 0; r < rows.count(); ++r)
    for (int32_t repeat = 0; repeat < rows.repeats(r) && rows.active(r); ++repeat)
      for (int32_t s : q.batch(rows, r, 0, repeat))
        for (int64_t j = 0; j < d; ++j) held[static_cast<size_t>(r * d + j)] |= q.samples.stored(s, j) != 0;
  std::vector<float> start(static_cast<size_t>(rows.count() * q.P), 0.5f);
  for (int64_t r = 0; r < rows.count(); ++r)
    for (int64_t j = 0; j < d; ++j)
      if (!held[static_cast<size_t>(r * d + j)]) start[static_cast<size_t>(r * q.P + j)] = std::nanf("");
  Matrix<float> w(b, rows.count(), q.P, start);
  auto room = space<float>(rows);
  logistic_steps<float>(ctx(), q.view, rows.view(), rows.slot(), 1, w.view(), room);
  const auto got = w.host();
  int64_t kept = 0, moved = 0;
  for (int64_t r = 0; r < rows.count(); ++r)
    for (int64_t j = 0; j < d; ++j) {
      const auto i = static_cast<size_t>(r * q.P + j);
      ASSERT_EQ(std::isnan(got[i]), !held[static_cast<size_t>(r * d + j)]) << r << "," << j;
      (held[static_cast<size_t>(r * d + j)] && got[i] != 0.5f ? moved : kept)++;
    }
  EXPECT_TRUE(kept > 1000 && moved > 500) << kept << " " << moved;
}

// Logits far past where exp overflows: derivatives and losses stay what they are in the limit.
TEST(LogisticSample, LargeLogits) {
  test::for_float_and_double([&]<class T>() {
    for (T z : {T(100), T(1000), T(1e30), std::numeric_limits<T>::infinity()}) {
      bool hit = false;
      EXPECT_EQ(logistic_delta(z, false), T(1));
      EXPECT_EQ(logistic_delta(-z, true), T(-1));
      EXPECT_LE(std::abs(logistic_delta(z, true)), T(1e-43));
      EXPECT_LE(std::abs(logistic_delta(-z, false)), T(1e-43));
      EXPECT_LE(logistic_curvature(z), T(1e-43));
      EXPECT_EQ(logistic_curvature(z), logistic_curvature(-z));
      EXPECT_EQ(logistic_score(z, false, hit), static_cast<double>(z));
      EXPECT_FALSE(hit);
      EXPECT_LE(logistic_score(z, true, hit), 1e-43);
      EXPECT_TRUE(hit);
    }
    // a margin of 40: sigmoid(-40) itself, where 1 - sigmoid(40) would be 0
    test::Near near("derivative");
    near(logistic_delta(T(40), true), -std::exp(-40.0), 8 * test::unit<T> * std::exp(-40.0));
    EXPECT_TRUE(std::isnan(logistic_delta(std::numeric_limits<T>::quiet_NaN(), true)));
  });
}

// Rows that skip every slot keep their bits, and take no part in what their neighbours do.
TEST_P(LogisticSteps, SkippingRowsAreUntouched) {
  const Backend b = GetParam();
  for (size_t c : {1u, 6u}) {
    const LogisticProblem q(b, test::kLogisticCases[c]);
    const LogisticRows rows = q.rows(b);
    auto room = space<float>(rows);
    Matrix<float> w(b, rows.count(), q.P, 1);
    logistic_steps<float>(ctx(), q.view, rows.view(), rows.slot(), 3, w.view(), room);
    int skipping = 0, stepping = 0;
    for (int64_t r = 0; r < rows.count(); ++r) {
      const std::vector<float> before(w.dense().begin() + r * q.P, w.dense().begin() + (r + 1) * q.P);
      if (rows.active(r, 0) || rows.active(r, 1) || rows.active(r, 2)) {
        ++stepping;
        EXPECT_NE(w.host_row(r), before) << "row " << r;
      } else {
        ++skipping;
        test::expect_same_bits(w.host_row(r), before, "row " + std::to_string(r));
      }
    }
    EXPECT_TRUE(skipping >= 2 && stepping >= 6);
  }
}

// Any number of threads and blocks, any neighbours, run to run, on both backends. One call of n steps is n calls of one; a shared row is as
// good as a copy for every row.
TEST_P(LogisticSteps, SameBits) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (size_t c : {2u, 3u, 6u, 8u}) {
      const LogisticProblem q(b, test::kLogisticCases[c]);
      const LogisticRows rows = q.rows(b);
      const auto run = [&](int64_t first, int64_t n, bool one_by_one, int64_t bytes) {
        auto room = space<T>(rows, bytes);
        Matrix<T> w(b, rows.count(), q.P, 1), v(b, rows.count(), q.P, 2), g(b, rows.count(), q.P, 3);
        const Rows part = rows.view().part(first, n);
        const auto m = q.p.mu > 0 ? Momentum<T>{q.p.mu, v.view().rows(first, n)} : Momentum<T>{};
        for (int64_t s = 0; s < 3; s += one_by_one ? 1 : 3)
          logistic_steps<T>(ctx(), q.view, part, rows.slot().plus(s), one_by_one ? 1 : 3, w.view().rows(first, n), room,
                            m);
        logistic_gradients<T>(ctx(), q.view, part, rows.slot(), w.cview().rows(first, n), g.view().rows(first, n),
                              room);
        std::vector<T> out;
        for (const auto& all : {w.host(), v.host(), g.host()})
          out.insert(out.end(), all.begin() + first * q.P, all.begin() + (first + n) * q.P);
        return out;
      };
      const int64_t n = rows.count(), roomy = int64_t{1} << 24;
      test::expect_same_bits_for_any_threads([&] { return run(0, n, false, roomy); });
      const auto all = run(0, n, false, roomy);
      test::expect_same_bits(run(0, n, true, roomy), all, "one by one");
      test::expect_same_bits(run(0, n, false, 1), all, "one block");
      for (int64_t r = 0; r < n; ++r) {
        std::vector<T> own;
        for (int64_t bank = 0; bank < 3; ++bank)
          own.insert(own.end(), all.begin() + (bank * n + r) * q.P, all.begin() + (bank * n + r + 1) * q.P);
        test::expect_same_bits(run(r, 1, false, roomy), own, "alone and among others");
      }

      auto room = space<T>(rows);
      Matrix<T> one(b, 1, q.P, 1), of_shared(b, n, q.P, 2), of_copies(b, n, q.P, 3);
      std::vector<T> copies;
      for (int64_t r = 0; r < n; ++r) copies.insert(copies.end(), one.dense().begin(), one.dense().end());
      Matrix<T> many(b, n, q.P, copies);
      logistic_gradients<T>(ctx(), q.view, rows.view(), rows.slot(), one.shared(n), of_shared.view(), room);
      logistic_gradients<T>(ctx(), q.view, rows.view(), rows.slot(), many.view(), of_copies.view(), room);
      test::expect_same_bits(of_shared.host(), of_copies.host(), "shared row and copies");
    }
  });
}

// The room asked for is not passed, down to one row. CUDA keeps it; a call on the CPU takes what logistic_steps_bytes says and gives it back.
TEST_P(LogisticSteps, WorkspaceKeepsItsBound) {
  const Backend b = GetParam();
  for (const auto& [bytes, blocks] : {std::pair{1, 1}, {1000, 1}, {1 << 24, 10}}) {
    const LogisticWorkspace<float> room(ctx(), 10, 65, bytes);
    EXPECT_EQ(room.max_batch, 65);
    const int64_t used = room.delta.size() * int64_t{sizeof(float)} + room.drawn.size() * int64_t{sizeof(int32_t)};
    EXPECT_EQ(used, on_cpu() ? 0 : blocks * 65 * 8);
    if (!on_cpu()) {
      EXPECT_EQ(used, logistic_steps_bytes(b, 20, false, sizeof(float), 10, 65, bytes));
    }
  }
  if (!on_cpu()) return;
  for (size_t c : {2u, 7u}) {
    const LogisticProblem q(b, test::kLogisticCases[c]);
    const LogisticRows rows = q.rows(b);
    LogisticWorkspace<double> none = space<double>(rows);
    const Matrix<double> w(b, rows.count(), q.P, 1), g(b, rows.count(), q.P, 2);
    reset_memory_peak(b);
    const int64_t before = memory_use(b).now;
    logistic_gradients<double>(ctx(), q.view, rows.view(), rows.slot(), w.cview(), g.view(), none);
    EXPECT_EQ(memory_use(b).now, before);
    EXPECT_EQ(memory_use(b).peak - before, logistic_steps_bytes(b, q.d, q.view.samples.sparse(), sizeof(double),
                                                                rows.count(), rows.view().max_batch, 1));
  }
}

TEST_P(LogisticSteps, RefusesWrongShapes) {
  const Backend b = GetParam();
  const LogisticProblem q(b, test::kLogisticCases[0]);
  const LogisticRows rows = q.rows(b);
  auto room = space<float>(rows);
  LogisticWorkspace<float> narrow(ctx(), rows.count(), rows.view().max_batch - 1, 1 << 20);
  Matrix<float> w(b, rows.count(), q.P, 1), wide(b, rows.count(), q.P + 1, 2), few(b, rows.count() - 1, q.P, 3);
  const auto steps = [&](const Matrix<float>& m, LogisticWorkspace<float>& s) {
    logistic_steps<float>(ctx(), q.view, rows.view(), rows.slot(), 1, m.view(), s);
  };
  EXPECT_THROW(steps(wide, room), std::logic_error);
  EXPECT_THROW(steps(few, room), std::logic_error);
  EXPECT_THROW(logistic_gradients<float>(ctx(), q.view, rows.view(), rows.slot(), w.view(), few.view(), room),
               std::logic_error);
  EXPECT_THROW(
      logistic_hessian<float>(ctx(), q.view, rows.view(), rows.slot(), w.view(), few.view(), wide.view(), room),
      std::logic_error);
  if (!on_cpu()) {
    EXPECT_THROW(steps(w, narrow), std::logic_error);
  }
}

ORRERY_ON_EACH_BACKEND(LogisticSteps);

}  // namespace
}  // namespace orrery
