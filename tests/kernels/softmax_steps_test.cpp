#include "kernels/softmax_steps.hpp"

#include "kernels/descend.hpp"
#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Storage;

class SoftmaxSteps : public test::OnEachBackend {};

constexpr int64_t kSlot = 21;
constexpr int64_t kRoomy = int64_t{1} << 24;

// Values in float64, and beside each a bound on what rounding in T may add.
struct Bounded {
  std::vector<double> value, error;
};

// The gradient of row r's batch at w, from the header's formula. Roundings, u each:
//   x_j      3 on |scale * stored|, 2 on |shift|: at most 3 u X_j, X_j = |scale * stored| + |shift|
//   z_c      d products and d - 1 sums: (d + 3) u sum_j |V_cj| X_j
//   delta_c  as in softmax_loss_test.cpp: q_c times the errors of the exponents and (C + 11) u; the label's class 2 u
//            more and its own
//   g_V      B products, B sums, the feature's 3: (B + 4) u sum_k |delta| X, and the deltas' errors times X;
//            l2: 3 u |l2 V|, and the sum
//   g_b      B sums
template <class T>
Bounded gradient(const test::Samples& samples, int classes, double l2, const test::Rows& rows, int64_t r, int64_t step,
                 const std::vector<double>& w) {
  const double u = test::unit<T>;
  const int64_t d = samples.view().features(), B = rows.batch_size(r);
  const size_t V = static_cast<size_t>(classes * d);
  Bounded g{std::vector<double>(w.size()), std::vector<double>(w.size())};
  std::vector<double> size(w.size());
  for (int64_t k = 0; k < B; ++k) {
    const int64_t s = rows.sample(r, k, step);
    std::vector<double> z, dz;
    for (int64_t c = 0; c < classes; ++c) {
      double sum = 0, terms = 0;
      for (int64_t j = 0; j < d; ++j) {
        sum += w[static_cast<size_t>(c * d + j)] * samples.x(s, j);
        terms += std::abs(w[static_cast<size_t>(c * d + j)]) * samples.x_size(s, j);
      }
      z.push_back(sum + w[V + static_cast<size_t>(c)]);
      dz.push_back(static_cast<double>(d + 3) * u * terms + u * std::abs(z.back()));
    }
    const size_t top = static_cast<size_t>(std::max_element(z.begin(), z.end()) - z.begin());
    double total = 0, share = 0;
    for (size_t c = 0; c < z.size(); ++c) {
      total += std::exp(z[c] - z[top]);
      dz[c] += (c == top ? 0 : dz[top]) + u * std::abs(z[c] - z[top]);
      share = std::max(share, dz[c]);
    }
    for (int64_t c = 0; c < classes; ++c) {
      const double q = std::exp(z[static_cast<size_t>(c)] - z[top]) / total;
      const bool label = c == samples.label(s);
      const double delta = (q - label) / static_cast<double>(B);
      double off = q * (dz[static_cast<size_t>(c)] + share + (classes + 11) * u) / static_cast<double>(B);
      if (label) off += 2 * u / static_cast<double>(B) + u * std::abs(delta);
      for (int64_t j = 0; j <= d; ++j) {
        const size_t i = j < d ? static_cast<size_t>(c * d + j) : V + static_cast<size_t>(c);
        const double x = j < d ? samples.x(s, j) : 1, x_size = j < d ? samples.x_size(s, j) : 1;
        g.value[i] += delta * x;
        size[i] += std::abs(delta) * x_size;
        g.error[i] += off * x_size;
      }
    }
  }
  for (size_t i = 0; i < w.size(); ++i) {
    g.error[i] += static_cast<double>(B + 4) * u * size[i];
    if (i < V) {
      g.error[i] += u * (3 * std::abs(l2 * w[i]) + std::abs(g.value[i] + l2 * w[i]));
      g.value[i] += l2 * w[i];
    }
  }
  return g;
}

// `steps` steps of row r. An error E (2-norm) of w becomes (1 + eta L) E at most, where L = max |(x, 1)|^2 / 2 + l2
// bounds the Hessian; a step adds eta times the gradient's error and 4 roundings (eta or eta * l2, the products, the
// difference) on w and on the step; the folded update scales the B deltas by eta before they are summed onto w: B
// roundings on w.
template <class T>
Bounded walk(const test::Samples& samples, int classes, double l2, const test::Rows& rows, int64_t r, int64_t steps,
             std::vector<double> w) {
  const double u = test::unit<T>, eta = rows.spec(r).learning_rate;
  double longest = 0;
  for (int64_t s = 0; s < samples.count(); ++s) {
    double square = 1;
    for (int64_t j = 0; j < samples.view().features(); ++j) square += samples.x(s, j) * samples.x(s, j);
    longest = std::max(longest, square);
  }
  const double grow = 1 + eta * (longest / 2 + l2);
  std::vector<double> error(w.size());
  double carried = 0;  // 2-norm of the error that earlier steps left
  for (int64_t s = 0; s < steps; ++s) {
    if (!rows.active(r, s)) continue;
    const Bounded g = gradient<T>(samples, classes, l2, rows, r, s, w);
    double squares = 0;
    const double spread = carried * grow;
    for (size_t i = 0; i < w.size(); ++i) {
      const double own = eta * g.error[i] + u * (static_cast<double>(rows.batch_size(r) + 4) * std::abs(w[i]) +
                                                 4 * std::abs(eta * g.value[i]));
      squares += own * own;
      error[i] = own + spread;
      w[i] -= eta * g.value[i];
    }
    carried = spread + std::sqrt(squares);
  }
  return {w, error};
}

// Ragged batches of two replicas; skipping rows; `all` samples in row 2, more than the CPU's pieces of 64 where all >
// 64.
test::Rows ragged(Backend b, int32_t all = 11) {
  std::vector<test::RowSpec> rows;
  for (uint64_t seed : {17ull, 5ull << 40})
    for (int32_t w = 0; w < 5; ++w)
      rows.push_back({.seed = seed,
                      .worker = w,
                      .learning_rate = 0.05 + 0.02 * w,
                      .rate = w == 3   ? 0.0
                              : w == 4 ? 0.6
                                       : 1.0,
                      .batch = std::vector<int32_t>{1, 6, 0, 4, 3}[static_cast<size_t>(w)],
                      .samples = test::range_of(2 * w, w == 2 ? all : 9)});
  return test::Rows(b, rows, kSlot);
}

template <class T>
std::vector<double> row_of(const Matrix<T>& w, int64_t r, int64_t P) {
  return {w.initial().begin() + r * P, w.initial().begin() + (r + 1) * P};
}

template <class T>
void expect_near(const std::vector<T>& got, int64_t r, const Bounded& want, test::Near& near) {
  for (size_t i = 0; i < want.value.size(); ++i)
    near(got[static_cast<size_t>(r) * want.value.size() + i], want.value[i], want.error[i], r, static_cast<int64_t>(i));
}

struct Case {
  int64_t d;
  int classes;
  int32_t all;
  Storage storage;
  double l2;
};
const Case kCases[] = {{1, 2, 3, Storage::floats, 0},
                       {7, 3, 64, Storage::bytes, 0.1},
                       {20, 10, 65, Storage::floats, 0.03},
                       {33, 4, 150, Storage::bytes, 0}};

struct Problem {
  Case p;
  test::Samples samples;
  SoftmaxView view;
  int64_t P;

  // The CPU's pieces of 64 samples are its own: elsewhere (the emulated device among it) 20 are enough.
  Problem(Backend b, const Case& q)
      : p(q), samples(b, 170, q.d, q.classes, q.storage, 3, q.storage == Storage::bytes ? 1 / 127.5 : 0.8, -0.4) {
    if (b != Backend::cpu) p.all = std::min(p.all, 20);
    view = {samples.view(), q.classes, q.l2};
    P = view.parameters();
  }
};

// Room for everything, for one row at a time, for a part of a batch, for one sample: the rows come in chunks, a batch
// in pieces.
std::vector<int64_t> rooms(const Problem& q, int64_t element_size) {
  const int64_t sample = q.p.d * element_size;
  return {kRoomy, sample * std::max<int32_t>(q.p.all, 6) * 3, sample * std::max<int32_t>(q.p.all, 6), sample * 5, 1};
}

TEST_P(SoftmaxSteps, GradientsMatchTheFormulaInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const Case& p : kCases) {
      const Problem q(b, p);
      const test::Rows rows = ragged(b, q.p.all);
      for (bool shared : {false, true})
        for (int64_t room : rooms(q, sizeof(T))) {
          if (on_cpu() && room != kRoomy) continue;  // the CPU has no workspace
          SoftmaxWorkspace<T> space(ctx(), q.view, rows.count(), rows.view().max_batch, room);
          Matrix<T> w(b, shared ? 1 : rows.count(), q.P, 1, q.P + 3), g(b, rows.count(), q.P, 2);
          softmax_gradients<T>(ctx(), q.view, rows.view(), rows.slot(), shared ? w.shared(rows.count()) : w.cview(),
                               g.view(), space);
          const auto got = g.host();
          const std::string what = std::string(shared ? "shared" : "own") + " rows, room " + std::to_string(room);
          test::Near near("g, " + what);
          for (int64_t r = 0; r < rows.count(); ++r) {
            const auto at = row_of(w, shared ? 0 : r, q.P);
            const Bounded zero{std::vector<double>(at.size()), std::vector<double>(at.size())};
            expect_near(got, r, rows.active(r) ? gradient<T>(q.samples, p.classes, p.l2, rows, r, 0, at) : zero, near);
          }
          EXPECT_EQ(w.host(), w.dense());
        }
    }
  });
}

// One call, whatever the room; and the same steps one by one through gradients and descend. All against the formula.
TEST_P(SoftmaxSteps, StepsMatchTheFormulaAndGradientsPlusDescend) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const Case& p : kCases) {
      const Problem q(b, p);
      const test::Rows rows = ragged(b, q.p.all);
      for (int64_t steps : {1, 4}) {
        std::vector<Bounded> want;
        for (int64_t r = 0; r < rows.count(); ++r)
          want.push_back(
              walk<T>(q.samples, p.classes, p.l2, rows, r, steps, row_of(Matrix<T>(b, rows.count(), q.P, 1), r, q.P)));
        for (int64_t room : rooms(q, sizeof(T))) {
          if (on_cpu() && room != kRoomy) continue;
          SoftmaxWorkspace<T> space(ctx(), q.view, rows.count(), rows.view().max_batch, room);
          Matrix<T> w(b, rows.count(), q.P, 1, q.P + 5);
          softmax_steps<T>(ctx(), q.view, rows.view(), rows.slot(), steps, w.view(), space);
          const auto got = w.host();
          test::Near near(std::to_string(steps) + " steps, room " + std::to_string(room));
          for (int64_t r = 0; r < rows.count(); ++r) expect_near(got, r, want[static_cast<size_t>(r)], near);
        }
        SoftmaxWorkspace<T> space(ctx(), q.view, rows.count(), rows.view().max_batch, kRoomy);
        Matrix<T> w(b, rows.count(), q.P, 1), g(b, rows.count(), q.P, 2);
        for (int64_t s = 0; s < steps; ++s) {
          softmax_gradients<T>(ctx(), q.view, rows.view(), rows.slot().plus(s), w.view(), g.view(), space);
          descend<T>(ctx(), rows.view(), w.view(), g.view());
        }
        const auto got = w.host();
        test::Near near(std::to_string(steps) + " steps one by one");
        for (int64_t r = 0; r < rows.count(); ++r) expect_near(got, r, want[static_cast<size_t>(r)], near);
      }
    }
  });
}

// Rows that skip every slot keep their bits, and take no part in what their neighbours do.
TEST_P(SoftmaxSteps, SkippingRowsAreUntouched) {
  const Backend b = GetParam();
  const Problem q(b, kCases[2]);
  const test::Rows rows = ragged(b, q.p.all);
  SoftmaxWorkspace<float> space(ctx(), q.view, rows.count(), rows.view().max_batch, kRoomy);
  Matrix<float> w(b, rows.count(), q.P, 1);
  softmax_steps<float>(ctx(), q.view, rows.view(), rows.slot(), 3, w.view(), space);
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

// One shared row is as good as a copy for every row: bit for bit on the CPU; on CUDA it is another product, so to both
// their roundings.
TEST_P(SoftmaxSteps, SharedRowEqualsCopies) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const Problem q(b, kCases[1]);
    const test::Rows rows = ragged(b, q.p.all);
    SoftmaxWorkspace<T> space(ctx(), q.view, rows.count(), rows.view().max_batch, kRoomy);
    Matrix<T> one(b, 1, q.P, 1), of_shared(b, rows.count(), q.P, 2), of_copies(b, rows.count(), q.P, 3);
    std::vector<T> copies;
    for (int64_t r = 0; r < rows.count(); ++r) copies.insert(copies.end(), one.dense().begin(), one.dense().end());
    Matrix<T> many(b, rows.count(), q.P, copies);
    softmax_gradients<T>(ctx(), q.view, rows.view(), rows.slot(), one.shared(rows.count()), of_shared.view(), space);
    softmax_gradients<T>(ctx(), q.view, rows.view(), rows.slot(), many.view(), of_copies.view(), space);
    const auto shared = of_shared.host(), copied = of_copies.host();
    if (on_cpu()) test::expect_same_bits(shared, copied, "gradients");
    test::Near near("gradients");
    for (int64_t r = 0; r < rows.count(); ++r) {
      const Bounded want = gradient<T>(q.samples, q.p.classes, q.p.l2, rows, r, 0, row_of(one, 0, q.P));
      for (size_t i = 0; i < want.error.size(); ++i) {
        const size_t at = static_cast<size_t>(r * q.P) + i;
        near(shared[at], copied[at], rows.active(r) ? 2 * want.error[i] : 0.0, r, static_cast<int64_t>(i));
      }
    }
  });
}

// CPU: any number of threads, any neighbours. CUDA: run to run. One call of n steps is n calls of one.
TEST_P(SoftmaxSteps, SameBits) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const Problem q(b, kCases[2]);
    const test::Rows rows = ragged(b, q.p.all);
    const auto run = [&](int64_t first, int64_t n, bool one_by_one) {
      SoftmaxWorkspace<T> space(ctx(), q.view, n, rows.view().max_batch, kRoomy);
      Matrix<T> w(b, rows.count(), q.P, 1), g(b, rows.count(), q.P, 2);
      const Rows part = rows.view().part(first, n);
      for (int64_t s = 0; s < 3; s += one_by_one ? 1 : 3)
        softmax_steps<T>(ctx(), q.view, part, rows.slot().plus(s), one_by_one ? 1 : 3, w.view().rows(first, n), space);
      softmax_gradients<T>(ctx(), q.view, part, rows.slot(), w.cview().rows(first, n), g.view().rows(first, n), space);
      const auto all_w = w.host(), all_g = g.host();
      std::vector<T> out(all_w.begin() + first * q.P, all_w.begin() + (first + n) * q.P);
      out.insert(out.end(), all_g.begin() + first * q.P, all_g.begin() + (first + n) * q.P);
      return out;
    };
    test::expect_same_bits_for_any_threads([&] { return run(0, rows.count(), false); });
    const auto all = run(0, rows.count(), false);
    test::expect_same_bits(run(0, rows.count(), true), all, "one by one");
    if (!on_cpu()) return;
    for (int64_t r = 0; r < rows.count(); ++r) {
      std::vector<T> own(all.begin() + r * q.P, all.begin() + (r + 1) * q.P);
      const auto g = all.begin() + (rows.count() + r) * q.P;
      own.insert(own.end(), g, g + q.P);
      test::expect_same_bits(run(r, 1, false), own, "alone and among others");
    }
  });
}

// The room asked for is not passed, down to one sample of one row.
TEST_P(SoftmaxSteps, WorkspaceKeepsItsBound) {
  const Backend b = GetParam();
  const Problem q(b, kCases[2]);
  for (int64_t bytes : {int64_t{1}, int64_t{1000}, int64_t{50000}, kRoomy}) {
    const SoftmaxWorkspace<float> space(ctx(), q.view, 10, 65, bytes);
    EXPECT_EQ(space.max_batch, 65);
    if (on_cpu()) {
      EXPECT_EQ(space.x.size() + space.logits.size() + space.y.size(), 0);
      continue;
    }
    EXPECT_LE(space.x.size() * int64_t{sizeof(float)}, std::max<int64_t>(bytes, q.p.d * int64_t{sizeof(float)}));
    EXPECT_EQ(space.x.size(), space.rows * space.places * q.p.d);
    EXPECT_TRUE(space.rows >= 1 && space.rows <= 10 && space.places >= 1 && space.places <= 65);
    if (bytes == kRoomy) {
      EXPECT_EQ(space.rows * space.places, 650);
    }
  }
}

TEST_P(SoftmaxSteps, RefusesWrongShapes) {
  const Backend b = GetParam();
  const Problem q(b, kCases[0]);
  const test::Rows rows = ragged(b, 3);
  SoftmaxWorkspace<float> space(ctx(), q.view, rows.count(), rows.view().max_batch, kRoomy);
  SoftmaxWorkspace<float> narrow(ctx(), q.view, rows.count(), rows.view().max_batch - 1, kRoomy);
  Matrix<float> w(b, rows.count(), q.P, 1), wide(b, rows.count(), q.P + 1, 2), few(b, rows.count() - 1, q.P, 3);
  const auto steps = [&](const Matrix<float>& m, SoftmaxWorkspace<float>& s) {
    softmax_steps<float>(ctx(), q.view, rows.view(), rows.slot(), 1, m.view(), s);
  };
  EXPECT_THROW(steps(wide, space), std::logic_error);
  EXPECT_THROW(steps(few, space), std::logic_error);
  EXPECT_THROW(softmax_gradients<float>(ctx(), q.view, rows.view(), rows.slot(), w.view(), few.view(), space),
               std::logic_error);
  if (!on_cpu()) {
    EXPECT_THROW(steps(w, narrow), std::logic_error);
  }
}

ORRERY_ON_EACH_BACKEND(SoftmaxSteps);

}  // namespace
}  // namespace orrery
