#include "kernels/mlp_hessian.hpp"

#include "kernels/softmax_hessian.hpp"
#include "tests/kernels/mlp_hessian_oracle.hpp"
#include "tests/kernels/mlp_oracle.hpp"

namespace orrery {
namespace {

using test::Dual;
using test::Matrix;
using test::Storage;

class MlpHessian : public test::OnEachBackend {};

constexpr int64_t kSlot = 21, kRoomy = int64_t{1} << 24;

struct Case {
  std::vector<int64_t> width;
  Activation activation;
  int32_t all;  // samples of the row whose batch is all of them: beyond the CPU's pieces of 64 in two cases
  Storage storage;
  double l2;
};
const Case kCases[] = {{{6, 3}, Activation::relu, 9, Storage::sparse, 0.2},
                       {{1, 1, 2}, Activation::relu, 3, Storage::floats, 0},
                       {{7, 5, 3}, Activation::tanh, 64, Storage::bytes, 0.1},
                       {{12, 17, 9, 10}, Activation::relu, 70, Storage::floats, 0.03},
                       {{9, 20, 3, 6, 4}, Activation::tanh, 130, Storage::bytes, 0}};

struct Problem {
  test::Samples samples;
  MlpView view;
  int64_t P;
  test::Rows rows;

  Problem(Backend b, const Case& c)
      : samples(b, 140, c.width.front(), static_cast<int>(c.width.back()), c.storage, 3,
                c.storage == Storage::bytes ? 1 / 127.5 : 0.8, c.storage == Storage::sparse ? 0 : -0.4),
        view{samples.view(), c.width, c.activation, c.l2},
        P(view.parameters()),
        // The CPU's pieces of 64 samples are its own: elsewhere (the emulated device among it) 20 are enough.
        rows(ragged(b, b == Backend::cpu ? c.all : std::min(c.all, 20))) {}
  int64_t count() const { return rows.count(); }

  static test::Rows ragged(Backend b, int32_t all) {
    std::vector<test::RowSpec> specs;
    for (int32_t w = 0; w < 6; ++w)
      specs.push_back({.seed = 5ull << 40,
                       .worker = w,
                       .rate = w == 3   ? 0.0
                               : w == 4 ? 0.6
                                        : 1.0,
                       .batch = std::vector<int32_t>{1, 15, 0, 4, 3, 7}[static_cast<size_t>(w)],
                       .samples = test::range_of(2 * w, w == 2 ? all : 9)});
    return {b, specs, kSlot};
  }

  // H v per row, with bounds for T; 0 for rows that skip
  template <class T>
  std::vector<test::Bound> products(const Matrix<T>& w, const Matrix<T>& v, bool shared_w, bool shared_v,
                                    double off = 0) const {
    std::vector<test::Bound> out(static_cast<size_t>(count() * P));
    for (int64_t r = 0; r < count(); ++r) {
      if (!rows.active(r)) continue;
      const auto duals =
          test::mlp_dual_gradient<T>(view, samples, rows, r, row(w, shared_w ? 0 : r), row(v, shared_v ? 0 : r), off);
      for (int64_t i = 0; i < P; ++i) out[static_cast<size_t>(r * P + i)] = duals[static_cast<size_t>(i)].slope;
    }
    return out;
  }
  template <class T>
  std::vector<double> row(const Matrix<T>& m, int64_t r) const {
    return {m.initial().begin() + r * P, m.initial().begin() + (r + 1) * P};
  }
  template <class T>
  std::vector<T> run(Backend b, MatrixView<const T> w, MatrixView<const T> v, MlpWorkspace<T>& space) const {
    Matrix<T> out(b, count(), P, 9);
    mlp_hessian<T>(test::context(b), view, rows.view(), rows.slot(), w, v, out.view(), space);
    return out.host();
  }
  template <class T>
  std::vector<T> run(Backend b, MatrixView<const T> w, MatrixView<const T> v) const {
    MlpWorkspace<T> space(test::context(b), view, count(), rows.view().max_batch, kRoomy);
    return run(b, w, v, space);
  }
};

// The oracle differentiates the function it should: its values are the gradient that mlp_oracle.hpp forms, its slopes the differences of it.
TEST_P(MlpHessian, TheOracleIsTheDerivativeOfTheGradient) {
  const Backend b = GetParam();
  for (const Case& c : kCases) {
    const Problem q(b, c);
    const Matrix<double> w(b, 1, q.P, 1), v(b, 1, q.P, 2);
    const auto at = q.row(w, 0), along = q.row(v, 0);
    const auto duals = test::mlp_dual_gradient<double>(q.view, q.samples, q.rows, 1, at, along);
    const auto gradient = [&](double h) {
      auto there = at;
      for (size_t i = 0; i < there.size(); ++i) there[i] += h * along[i];
      return test::mlp_gradient<double>(q.view, q.samples, q.rows, 1, 0, there);
    };
    const double h = 1e-6;  // what the step twice as wide changes is three times the error of truncation
    const auto here = gradient(0), up = gradient(h), down = gradient(-h), up2 = gradient(2 * h),
               down2 = gradient(-2 * h);
    test::Near near_value("gradient"), near_slope("differences");
    for (size_t i = 0; i < at.size(); ++i) {
      near_value(duals[i].value.value, here.value[i], duals[i].value.error + here.error[i], 0, static_cast<int64_t>(i));
      const double slope = (up.value[i] - down.value[i]) / (2 * h), wide = (up2.value[i] - down2.value[i]) / (4 * h);
      near_slope(duals[i].slope.value, slope, std::abs(slope - wide) + (up.error[i] + down.error[i]) / h, 0,
                 static_cast<int64_t>(i));
    }
  }
}

TEST_P(MlpHessian, MatchesDualNumbersInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const Case& c : kCases) {
      const Problem q(b, c);
      const int64_t n = q.count(), largest = q.rows.view().max_batch;
      const Matrix<T> w(b, n, q.P, 1, q.P + 3), v(b, n, q.P, 2, q.P + 2);
      for (bool shared_w : {false, true})
        for (bool shared_v : {false, true}) {
          const auto want = q.products<T>(w, v, shared_w, shared_v);
          for (int64_t room : {kRoomy, 3 * largest * q.view.units() * int64_t{sizeof(T)} * 3, int64_t{1}})
            for (int64_t places :
                 {largest, int64_t{5}, int64_t{1}}) {  // a chunk of rows, pieces of their batches, one place
              if (on_cpu() && (room != kRoomy || places != largest)) continue;  // the CPU has no workspace
              MlpWorkspace<T> space(ctx(), q.view, n, places, room);
              const auto got =
                  q.run<T>(b, shared_w ? w.shared(n) : w.cview(), shared_v ? v.shared(n) : v.cview(), space);
              test::Near near(std::string(shared_w ? "shared w" : "own w") + (shared_v ? ", shared v" : ", own v"));
              for (size_t i = 0; i < want.size(); ++i)
                near(static_cast<double>(got[i]), want[i].value, want[i].error, static_cast<int64_t>(i) / q.P,
                     static_cast<int64_t>(i) % q.P);
            }
        }
      EXPECT_EQ(w.host(), w.dense());
      EXPECT_EQ(v.host(), v.dense());
    }
  });
}

// At w = 0 every hidden unit of tanh is 0 and has slope 1: a unit may be 0 where its derivative is not.
TEST_P(MlpHessian, AtZeroWeights) {
  const Backend b = GetParam();
  const Problem q(b, kCases[2]);
  const Matrix<double> w(b, 1, q.P, std::vector<double>(static_cast<size_t>(q.P))), v(b, q.count(), q.P, 2);
  const auto got = q.run<double>(b, w.shared(q.count()), v.cview());
  const auto want = q.products<double>(w, v, true, false);
  test::Near near("H v at w = 0");
  double largest = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    near(got[i], want[i].value, want[i].error, static_cast<int64_t>(i));
    if (static_cast<int64_t>(i) % q.P < q.view.bias(0)) largest = std::max(largest, std::abs(got[i]));
  }
  EXPECT_GT(largest, 0.01) << "the first layer's products are not all 0";
}

// u . H v = v . H u;  H (2 v - 3 u) = 2 H v - 3 H u, the direction itself rounded 3 times
TEST_P(MlpHessian, IsSymmetricAndLinear) {
  const Backend b = GetParam();
  for (const Case& c : kCases) {
    const Problem q(b, c);
    const int64_t n = q.count();
    const double eps = test::unit<double>;
    const Matrix<double> w(b, n, q.P, 1), v(b, n, q.P, 2), u(b, n, q.P, 3);
    std::vector<double> mixed;
    for (size_t i = 0; i < v.initial().size(); ++i) mixed.push_back(2 * v.initial()[i] - 3 * u.initial()[i]);
    const Matrix<double> m(b, n, q.P, mixed);
    const auto hv = q.run<double>(b, w.cview(), v.cview()), hu = q.run<double>(b, w.cview(), u.cview()),
               hm = q.run<double>(b, w.cview(), m.cview());
    const auto bv = q.products<double>(w, v, false, false), bu = q.products<double>(w, u, false, false),
               bm = q.products<double>(w, m, false, false, 8 * eps);
    test::Near symmetric("u H v = v H u"), linear("H (2 v - 3 u)");
    for (int64_t r = 0; r < n; ++r) {
      double uhv = 0, vhu = 0, allowed = 0;
      for (size_t i = static_cast<size_t>(r * q.P); i < static_cast<size_t>((r + 1) * q.P); ++i) {
        uhv += u.initial()[i] * hv[i], vhu += v.initial()[i] * hu[i];
        const double rounding = static_cast<double>(q.P + 2) * eps;
        allowed += std::abs(u.initial()[i]) * (bv[i].error + rounding * std::abs(hv[i])) +
                   std::abs(v.initial()[i]) * (bu[i].error + rounding * std::abs(hu[i]));
        linear(hm[i], 2 * hv[i] - 3 * hu[i],
               2 * bv[i].error + 3 * bu[i].error + bm[i].error + 4 * eps * (std::abs(hv[i]) + std::abs(hu[i])), r,
               static_cast<int64_t>(i) - r * q.P);
      }
      symmetric(uhv, vhu, allowed, r);
      if (q.rows.active(r) && c.width.size() > 2) {
        EXPECT_NE(uhv, 0.0);
      }
    }
  }
}

// Without hidden layers the model is softmax regression, its weights transposed.
TEST_P(MlpHessian, WithoutHiddenLayersIsThatOfSoftmaxRegression) {
  const Backend b = GetParam();
  const Case c = kCases[0];
  const Problem q(b, c);
  const int64_t n = q.count(), d = c.width[0], C = c.width[1];
  const Matrix<double> w(b, n, q.P, 1), v(b, n, q.P, 2);
  const auto place = [&](int64_t i) {
    return i < d * C ? i % C * d + i / C : i;
  };  // of parameter i in softmax regression
  const auto transposed = [&](const Matrix<double>& m) {
    std::vector<double> out(m.initial().size());
    for (int64_t r = 0; r < n; ++r)
      for (int64_t i = 0; i < q.P; ++i) out[static_cast<size_t>(r * q.P + place(i))] = m.initial(r, i);
    return Matrix<double>(b, n, q.P, out);
  };
  const SoftmaxView softmax{q.samples.view(), static_cast<int>(C), c.l2};
  SoftmaxWorkspace<double> space(ctx(), softmax, n, q.rows.view().max_batch, kRoomy);
  Matrix<double> out(b, n, q.P, 4);
  softmax_hessian<double>(ctx(), softmax, q.rows.view(), q.rows.slot(), transposed(w).cview(), transposed(v).cview(),
                          out.view(), space);
  const auto want = out.host(), got = q.run<double>(b, w.cview(), v.cview());
  const auto bounds = q.products<double>(w, v, false, false);
  test::Near near("mlp and softmax");
  for (int64_t r = 0; r < n; ++r)
    for (int64_t i = 0; i < q.P; ++i)
      near(got[static_cast<size_t>(r * q.P + i)], want[static_cast<size_t>(r * q.P + place(i))],
           2 * bounds[static_cast<size_t>(r * q.P + i)].error, r, i);
}

// CPU: any number of threads, any chunk of rows. CUDA: run to run.
TEST_P(MlpHessian, SameBits) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const Problem q(b, kCases[3]);
    const Matrix<T> w(b, q.count(), q.P, 1), v(b, q.count(), q.P, 2);
    const auto all = [&] { return q.run<T>(b, w.cview(), v.cview()); };
    test::expect_same_bits_for_any_threads(all);
    for (int64_t chunk : {1, 2, 4}) {
      if (!on_cpu()) continue;  // cuBLAS may choose by the number of rows
      Matrix<T> out(b, q.count(), q.P, 3);
      MlpWorkspace<T> space(ctx(), q.view, chunk, q.rows.view().max_batch, kRoomy);
      for (int64_t r = 0; r < q.count(); r += chunk) {
        const int64_t n = std::min(chunk, q.count() - r);
        mlp_hessian<T>(ctx(), q.view, q.rows.view().part(r, n), q.rows.slot(), w.cview().rows(r, n),
                       v.cview().rows(r, n), out.view().rows(r, n), space);
      }
      test::expect_same_bits(all(), out.host(), "chunks of " + std::to_string(chunk) + " rows");
    }
  });
}

// Batches beyond the workspace ask for no memory.
TEST_P(MlpHessian, WorksInTheMemoryItIsGiven) {
  const Backend b = GetParam();
  const Problem q(b, kCases[3]);
  const Matrix<float> w(b, 1, q.P, 1), v(b, q.count(), q.P, 2);
  MlpWorkspace<float> space(ctx(), q.view, 1, 4, 1);
  Matrix<float> out(b, q.count(), q.P, 3);
  reset_memory_peak(b);
  const int64_t before = memory_use(b).peak;
  mlp_hessian<float>(ctx(), q.view, q.rows.view(), q.rows.slot(), w.shared(q.count()), v.cview(), out.view(), space);
  EXPECT_EQ(memory_use(b).peak, before);
}

TEST_P(MlpHessian, RefusesWrongShapes) {
  const Backend b = GetParam();
  const Problem q(b, kCases[1]);
  const int64_t n = q.count();
  const Matrix<float> w(b, n, q.P, 1), few(b, n - 1, q.P, 2), wide(b, n, q.P + 1, 3), gaps(b, n, q.P, 4, q.P + 1);
  MlpWorkspace<float> space(ctx(), q.view, n, q.rows.view().max_batch, kRoomy), none;
  const auto run = [&](const Matrix<float>& at, const Matrix<float>& v, const Matrix<float>& out,
                       MlpWorkspace<float>& room) {
    mlp_hessian<float>(ctx(), q.view, q.rows.view(), q.rows.slot(), at.cview(), v.cview(), out.view(), room);
  };
  const Matrix<float> out(b, n, q.P, 5);
  EXPECT_NO_THROW(run(gaps, gaps, out, space));
  EXPECT_THROW(run(wide, w, out, space), std::logic_error);
  EXPECT_THROW(run(w, few, out, space), std::logic_error);
  EXPECT_THROW(run(w, wide, out, space), std::logic_error);
  EXPECT_THROW(run(w, w, few, space), std::logic_error);
  EXPECT_THROW(run(w, w, gaps, space), std::logic_error);
  if (!on_cpu()) {
    EXPECT_THROW(run(w, w, out, none), std::logic_error);
  }
}

ORRERY_ON_EACH_BACKEND(MlpHessian);

}  // namespace
}  // namespace orrery
