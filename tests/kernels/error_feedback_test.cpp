#include "kernels/error_feedback.hpp"

#include "kernels/descend.hpp"
#include "kernels/sign_step.hpp"
#include "kernels/tensor_norms.hpp"
#include "tests/kernels/votes.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Signs;
using test::Trits;
using test::VoteGroups;

class ErrorFeedback : public test::OnEachBackend {};

// tensors that end inside words, one of a single coordinate, one empty, one of many words; P = 2500
const std::vector<int64_t> kOffsets{0, 1, 33, 47, 47, 640, 2500};
const int64_t kTensors = static_cast<int64_t>(kOffsets.size()) - 1, kColumns = kOffsets.back();

int64_t tensor_at(int64_t j) {
  int64_t t = 0;
  while (kOffsets[static_cast<size_t>(t) + 1] <= j) ++t;
  return t;
}
int64_t length_of(int64_t t) { return kOffsets[static_cast<size_t>(t) + 1] - kOffsets[static_cast<size_t>(t)]; }
std::vector<uint8_t> every_third_absent(int64_t n) {
  std::vector<uint8_t> present;
  for (int64_t r = 0; r < n; ++r) present.push_back(r % 3 != 1);
  return present;
}
Trits blank(int64_t rows, int64_t P) { return {rows, P, std::vector<int>(static_cast<size_t>(rows * P), -1)}; }

// Tolerance: lambda rounded to T, the product, the sum. Absent rows keep their bits.
TEST_P(ErrorFeedback, AccumulateMatchesTheFormulaInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (int64_t n : {1, 5})
      for (int64_t P : {1, 31, 257, 3000})
        for (bool all : {true, false}) {
          const Matrix<double> lambda(b, 1, n, 3);
          const Matrix<T> e(b, n, P, 1, P + 3), g(b, n, P, 2, P + 1);
          const Matrix<uint8_t> present(b, 1, n, every_third_absent(n));
          accumulate<T>(ctx(), lambda.vector(), g.cview(), e.view(),
                        all ? VectorView<const uint8_t>{} : present.vector());
          const auto got = e.host();
          test::Near near("e");
          for (int64_t r = 0; r < n; ++r)
            for (int64_t j = 0; j < P; ++j) {
              const double kept = lambda.initial(0, r) * e.initial(r, j), more = g.initial(r, j);
              const bool in = all || r % 3 != 1;
              near(got[static_cast<size_t>(r * P + j)], in ? kept + more : e.initial(r, j),
                   in ? test::unit<T> * (2 * std::abs(kept) + std::abs(kept + more)) * 1.01 : 0, r, j);
            }
        }
  });
}

// A message by definition: scale and sign from e, both planes' worth of bits, the rest left in e.
TEST_P(ErrorFeedback, ScaledSignsMatchTheFormula) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets);
  test::for_float_and_double([&]<class T>() {
    for (int64_t n : {1, 5})
      for (bool all : {true, false}) {
        Matrix<T> values(b, n, kColumns, 1);
        std::vector<T> dense = values.dense();
        for (size_t i = 0; i < dense.size(); i += 7) dense[i] = i % 2 == 0 ? T{0} : -T{0};
        const Matrix<T> e(b, n, kColumns, dense, kColumns + 3);
        const Matrix<double> norms(b, n, kTensors, 4, kTensors + 2), scales(b, n, kTensors, 5, kTensors + 1);
        const Matrix<uint8_t> present(b, 1, n, every_third_absent(n));
        const Signs signs(b, blank(n, kColumns), false);
        scaled_signs<T>(ctx(), offset.vector(), norms.cview(), e.view(), signs.view(), scales.view(),
                        all ? VectorView<const uint8_t>{} : present.vector());
        const auto rest = e.host();
        const auto scale = scales.host();
        const Trits y = signs.host();
        for (int64_t r = 0; r < n; ++r) {
          const bool in = all || r % 3 != 1;
          for (int64_t t = 0; t < kTensors; ++t) {
            const double sent = length_of(t) > 0 ? norms.initial(r, t) / static_cast<double>(length_of(t)) : 0;
            ASSERT_EQ(scale[static_cast<size_t>(r * kTensors + t)],
                      in ? static_cast<double>(static_cast<T>(sent)) : scales.initial(r, t));
          }
          for (int64_t j = 0; j < kColumns; ++j) {
            const T v = dense[static_cast<size_t>(r * kColumns + j)];
            const T s = static_cast<T>(scale[static_cast<size_t>(r * kTensors + tensor_at(j))]);
            ASSERT_EQ(y(r, j), in && v >= 0 ? 1 : -1) << "row " << r << " coordinate " << j;
            ASSERT_EQ(rest[static_cast<size_t>(r * kColumns + j)], !in      ? v
                                                                   : v >= 0 ? v - s
                                                                            : v + s)
                << "row " << r << " coordinate " << j;
          }
        }
      }
  });
}

// |C(v) - v|^2 = (1 - phi) |v|^2 in every tensor. A scale off by a relative u changes the left side by d (s u)^2 <= u^2 |v|^2 only (it is the
// least there); the rest e is rounded once (2 u |e|^2 in its square); float64 sums of d terms on the right.
TEST_P(ErrorFeedback, TheCompressorKeepsTheShareOfTheFormula) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets);
  test::for_float_and_double([&]<class T>() {
    const int64_t n = 4;
    const Matrix<T> e(b, n, kColumns, 1);
    const Matrix<double> l1(b, n, kTensors, 4), scales(b, n, kTensors, 5);
    const Signs signs(b, blank(n, kColumns), false);
    tensor_norms<T>(ctx(), offset.vector(), e.cview(), Norm::l1, l1.view());
    scaled_signs<T>(ctx(), offset.vector(), l1.cview(), e.view(), signs.view(), scales.view());
    const auto rest = e.host();
    test::Near near("|C(v) - v|^2");
    for (int64_t r = 0; r < n; ++r)
      for (int64_t t = 0; t < kTensors; ++t) {
        if (length_of(t) == 0) continue;
        double norm1 = 0, norm2 = 0, left = 0;
        for (int64_t j = kOffsets[static_cast<size_t>(t)]; j < kOffsets[static_cast<size_t>(t) + 1]; ++j) {
          const double v = e.initial(r, j), kept = static_cast<double>(rest[static_cast<size_t>(r * kColumns + j)]);
          norm1 += std::abs(v), norm2 += v * v, left += kept * kept;
        }
        const double d = static_cast<double>(length_of(t)), phi = norm1 * norm1 / (d * norm2);
        near(left, (1 - phi) * norm2, norm2 * (3 * test::unit<T> + 4 * d * test::unit<double>), r, t);
        EXPECT_GT(phi, d == 1 ? 0.999 : 0.3);
      }
  });
}

// The mean of what the members sent. The order of its blocks of 32, in float64 and rounded once, leaves no freedom: every bit must agree.
TEST_P(ErrorFeedback, ScaledMeanMatchesTheOrderedSum) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets);
  test::for_float_and_double([&]<class T>() {
    for (auto [groups, M] : {std::pair<int64_t, int64_t>{1, 1}, {3, 5}, {2, 33}, {1, 300}})
      for (bool zeros : {false, true})
        for (bool all : {true, false}) {
          const VoteGroups table(b, groups, M);
          const int64_t n = table.rows();
          const Trits y = test::trits(n, kColumns, 1, zeros);
          const Signs signs(b, y, zeros);
          const Matrix<double> scales(b, n, kTensors, 5, kTensors + 1);
          const Matrix<uint8_t> present(b, 1, n, every_third_absent(n));
          const auto run = [&] {
            const Matrix<T> out(b, groups, kColumns, 6, kColumns + 1);
            scaled_mean<T>(ctx(), table.table(), {offset.vector(), signs.cview(), scales.cview()}, out.view(),
                           all ? VectorView<const uint8_t>{} : present.vector());
            return out.host();
          };
          const auto got = run();
          test::expect_same_bits_for_any_threads(run);
          for (int64_t k = 0; k < groups; ++k)
            for (int64_t j = 0; j < kColumns; ++j) {
              double total = 0, part = 0;
              int64_t members = 0, place = 0;
              for (int64_t r : table.members(k)) {
                if (all || r % 3 != 1) part += scales.initial(r, tensor_at(j)) * y(r, j), ++members;
                if (++place % 32 == 0 || place == M) total += std::exchange(part, 0);
              }
              ASSERT_EQ(got[static_cast<size_t>(k * kColumns + j)],
                        static_cast<T>(members > 0 ? total / static_cast<double>(members) : 0))
                  << "group " << k << " of " << M << ", coordinate " << j;
            }
        }
  });
}

// Nobody there: no step. One member: the message itself, and what was sent and what was kept add up to e within one rounding.
TEST_P(ErrorFeedback, SentAndKeptAddUp) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets);
  test::for_float_and_double([&]<class T>() {
    const int64_t n = 3;
    const VoteGroups alone(b, n, 1);
    const Matrix<T> e(b, n + 1, kColumns, 1), out(b, n, kColumns, 2);
    const Matrix<double> l1(b, n + 1, kTensors, 4), scales(b, n + 1, kTensors, 5);
    const Matrix<uint8_t> nobody(b, 1, n + 1, std::vector<uint8_t>(static_cast<size_t>(n + 1)));
    const Signs signs(b, blank(n + 1, kColumns), false);
    tensor_norms<T>(ctx(), offset.vector(), e.cview(), Norm::l1, l1.view());
    scaled_signs<T>(ctx(), offset.vector(), l1.cview(), e.view(), signs.view(), scales.view());
    const ScaledSigns sent{offset.vector(), signs.cview(), scales.cview()};
    scaled_mean<T>(ctx(), alone.table(), sent, out.view());
    const auto rest = e.host(), message = out.host();
    test::Near near("sent + kept");
    for (int64_t k = 0; k < n; ++k) {
      const int64_t r = alone.members(k)[0];
      for (int64_t j = 0; j < kColumns; ++j) {
        const double kept = static_cast<double>(rest[static_cast<size_t>(r * kColumns + j)]);
        near(static_cast<double>(message[static_cast<size_t>(k * kColumns + j)]) + kept, e.initial(r, j),
             1.01 * test::unit<T> * std::abs(kept) + test::unit<double> * std::abs(e.initial(r, j)), k, j);
      }
    }
    scaled_mean<T>(ctx(), alone.table(), sent, out.view(), nobody.vector());
    for (T v : out.host()) ASSERT_EQ(v, 0);
  });
}

// One round of the workers' error feedback, and of the server's where the method is two-way: what the model is moved by.
template <class T>
class Feedback {
 public:
  Feedback(Backend b, const std::vector<int64_t>& offsets, int64_t workers)
      : P_(offsets.back()),
        b_(b),
        offset_(b, 1, static_cast<int64_t>(offsets.size()), offsets),
        workers_(b, 1, workers),
        server_(b, 1, 1),
        ones_(b, 1, workers, std::vector<double>(static_cast<size_t>(workers), 1.0)),
        e_(b, workers, P_, zeros(workers)),
        of_server_(b, 1, P_, zeros(1)),
        mean_(b, 1, P_, zeros(1)),
        norms_(b, workers, static_cast<int64_t>(offsets.size()) - 1, 1),
        scales_(b, workers, static_cast<int64_t>(offsets.size()) - 1, 1),
        signs_(b, blank(workers, P_), false) {}

  const Matrix<T>& round(MatrixView<const T> g, bool two_way) {
    compress(g, e_.view(), workers_.table());
    if (two_way) compress(mean_.cview(), of_server_.view(), server_.table());
    return mean_;
  }
  std::vector<T> errors() const { return e_.host(); }
  std::vector<T> server_error() const { return of_server_.host(); }

 private:
  std::vector<T> zeros(int64_t rows) const { return std::vector<T>(static_cast<size_t>(rows * P_)); }
  void compress(MatrixView<const T> g, MatrixView<T> e, const GroupTable& groups) {
    const Context& ctx = test::context(b_);
    const int64_t rows = e.extent(0);
    const auto norms = norms_.view().rows(0, rows), scales = scales_.view().rows(0, rows);
    const SignsOut signs{P_, signs_.view().positive.rows(0, rows), {}};
    accumulate<T>(ctx, ones_.vector().part(0, rows), g, e);
    tensor_norms<T>(ctx, offset_.vector(), e, Norm::l1, norms);
    scaled_signs<T>(ctx, offset_.vector(), norms, e, signs, scales);
    scaled_mean<T>(ctx, groups, {offset_.vector(), signs, scales}, mean_.view());
  }

  int64_t P_;
  Backend b_;
  Matrix<int64_t> offset_;
  VoteGroups workers_, server_;
  Matrix<double> ones_;
  Matrix<T> e_, of_server_, mean_;
  Matrix<double> norms_, scales_;
  Signs signs_;
};

// x_t - gamma (mean of e + error of the server) = x_0 - gamma sum of mean G: the model less what is still owed is exact SGD.
// Tolerance: each of the t rounds rounds e twice, c, the mean and x once, at most at the size of the largest |e| + |G| so far.
TEST_P(ErrorFeedback, TheModelLessTheErrorIsExactSgd) {
  const Backend b = GetParam();
  const int64_t M = 5, rounds = 40;
  const double gamma = 0.125;  // gamma times a number is exact
  const std::vector<int64_t> offsets{0, 3, 40, 77};
  const int64_t P = offsets.back();
  const test::Rows model(b, {{.learning_rate = gamma}});
  test::for_float_and_double([&]<class T>() {
    for (bool two_way : {false, true}) {
      Feedback<T> feedback(b, offsets, M);
      const Matrix<T> x(b, 1, P, 9);
      std::vector<double> exact = x.initial();
      double size = 0, differs = 0;
      for (int64_t t = 0; t < rounds; ++t) {
        const Matrix<T> g(b, M, P, static_cast<uint32_t>(100 + t));
        descend<T>(ctx(), model.view(), x.view(), feedback.round(g.cview(), two_way).cview());
        for (int64_t j = 0; j < P; ++j) {
          double sum = 0;
          for (int64_t m = 0; m < M; ++m) sum += g.initial(m, j);
          exact[static_cast<size_t>(j)] -= gamma * sum / static_cast<double>(M);
          for (int64_t m = 0; m < M; ++m) size = std::max(size, std::abs(g.initial(m, j)));
        }
        const auto got = x.host(), e = feedback.errors(), server = feedback.server_error();
        for (T v : e) size = std::max(size, std::abs(static_cast<double>(v)));
        for (T v : server) size = std::max(size, std::abs(static_cast<double>(v)));
        for (T v : got) size = std::max(size, std::abs(static_cast<double>(v)));
        test::Near near("x - gamma e");
        for (int64_t j = 0; j < P; ++j) {
          const auto at = static_cast<size_t>(j);
          double owed = two_way ? static_cast<double>(server[at]) : 0;
          for (int64_t m = 0; m < M; ++m)
            owed += static_cast<double>(e[static_cast<size_t>(m * P + j)]) / static_cast<double>(M);
          near(static_cast<double>(got[at]) - gamma * owed, exact[at],
               static_cast<double>(t + 1) * test::unit<T> * (two_way ? 12 : 8) * 2 * size, t, j);
          differs = std::max(differs, std::abs(static_cast<double>(got[at]) - exact[at]));
        }
      }
      EXPECT_GT(differs, 0.01) << "the errors matter";
    }
  });
}

// On [-1, 1] with steps of 0.01 a gradient of +4 (one time in four) or -1 has mean +1/4 and mean sign -1/2: signs climb to +0.996, error
// feedback goes down to -0.92 in 2000 steps. Both are walks on a grid, so their laws after 2000 steps are known exactly; copies, each a tensor
// of its own, come within 4.5 standard errors of them.
TEST_P(ErrorFeedback, GoesDownWhereSignsGoUp) {
  const Backend b = GetParam();
  const int64_t copies = on_cpu() ? 48 : 8, steps = 2000, half = 100;
  const double step = 0.01;
  struct Law {
    double mean = 0, deviation = 0;
  };
  const auto law_of = [&](int64_t of_four, int64_t of_minus_one) {
    std::vector<double> now(2 * half + 1);
    now[half] = 1;
    for (int64_t t = 0; t < steps; ++t) {
      std::vector<double> next(now.size());
      for (int64_t i = 0; i <= 2 * half; ++i) {
        next[static_cast<size_t>(std::clamp<int64_t>(i + of_four, 0, 2 * half))] += 0.25 * now[static_cast<size_t>(i)];
        next[static_cast<size_t>(std::clamp<int64_t>(i + of_minus_one, 0, 2 * half))] +=
            0.75 * now[static_cast<size_t>(i)];
      }
      now = next;
    }
    double mean = 0, square = 0;
    for (int64_t i = 0; i <= 2 * half; ++i) {
      const double x = step * static_cast<double>(i - half);
      mean += now[static_cast<size_t>(i)] * x, square += now[static_cast<size_t>(i)] * x * x;
    }
    return Law{mean, std::sqrt(square - mean * mean)};
  };
  const Law of_signs = law_of(-1, 1), of_feedback = law_of(-4, 1);
  EXPECT_NEAR(of_signs.mean, 0.996, 0.002);
  EXPECT_NEAR(of_feedback.mean, -0.92, 0.03);

  std::vector<int64_t> offsets(static_cast<size_t>(copies + 1));
  std::iota(offsets.begin(), offsets.end(), 0);
  Feedback<double> feedback(b, offsets, 1);
  const test::Rows rows(b, {{.seed = 5}});
  const Matrix<double> delta(b, 1, 1, std::vector<double>{step});
  std::vector<double> by_signs(static_cast<size_t>(copies)), by_feedback = by_signs, gradients = by_signs;
  const Stream draws(11, Draw::gradient_noise, 0, 0);
  for (int64_t t = 0; t < steps; ++t) {
    for (int64_t c = 0; c < copies; ++c)
      gradients[static_cast<size_t>(c)] = draws.bernoulli(static_cast<uint32_t>(t * copies + c), 0.25) ? 4 : -1;
    const Matrix<double> g(b, 1, copies, gradients);

    const Signs y(b, blank(1, copies), false);
    const Matrix<double> x(b, 1, copies, by_signs);
    sign_pack<double>(ctx(), rows.view(), rows.slot(), SignZero::plus, g.cview(), y.view());
    sign_step<double>(ctx(), y.cview(), delta.vector(), x.view());
    by_signs = x.host();

    const auto c = feedback.round(g.cview(), false).host();
    for (size_t i = 0; i < by_feedback.size(); ++i) {
      by_signs[i] = std::clamp(by_signs[i], -1.0, 1.0);
      by_feedback[i] = std::clamp(by_feedback[i] - step * c[i], -1.0, 1.0);
    }
  }
  const auto mean = [&](const std::vector<double>& x) {
    return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(copies);
  };
  const double root = std::sqrt(static_cast<double>(copies));
  EXPECT_NEAR(mean(by_signs), of_signs.mean, 4.5 * of_signs.deviation / root);
  EXPECT_NEAR(mean(by_feedback), of_feedback.mean, 4.5 * of_feedback.deviation / root);
}

TEST_P(ErrorFeedback, SameBitsForAnyThreadsAndNeighbours) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets);
  test::for_float_and_double([&]<class T>() {
    const int64_t n = 5;
    const Matrix<double> lambda(b, 1, n, 3), norms(b, n, kTensors, 4);
    const auto run = [&](int64_t first, int64_t count) {
      const Matrix<T> e(b, n, kColumns, 1), g(b, n, kColumns, 2);
      const Matrix<double> scales(b, count, kTensors, 5);
      const Signs signs(b, blank(count, kColumns), false);
      const auto part = e.view().rows(first, count);
      accumulate<T>(ctx(), lambda.vector().part(first, count), g.cview().rows(first, count), part);
      scaled_signs<T>(ctx(), offset.vector(), norms.cview().rows(first, count), part, signs.view(), scales.view());
      const auto rest = e.host();
      return std::vector<T>(rest.begin() + first * kColumns, rest.begin() + (first + count) * kColumns);
    };
    test::expect_same_bits_for_any_threads([&] { return run(0, n); });
    const auto all = run(0, n);
    for (int64_t r = 0; r < n; ++r)
      test::expect_same_bits(run(r, 1), {all.begin() + r * kColumns, all.begin() + (r + 1) * kColumns}, "alone");
  });
}

TEST_P(ErrorFeedback, RefusesWrongShapes) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, 3, std::vector<int64_t>{0, 7, 40});
  const Matrix<double> lambda(b, 1, 2, 1), few(b, 1, 1, 1), norms(b, 2, 2, 1), scales(b, 2, 2, 1), wide(b, 2, 3, 1);
  const Matrix<float> e(b, 2, 40, 1), g(b, 2, 40, 2), narrow(b, 2, 39, 2);
  const Matrix<uint8_t> present(b, 1, 3, 1);
  const Signs one(b, blank(2, 40), false), two(b, blank(2, 40), true);
  const VoteGroups groups(b, 1, 1);
  EXPECT_THROW(accumulate<float>(ctx(), few.vector(), g.cview(), e.view()), std::logic_error);
  EXPECT_THROW(accumulate<float>(ctx(), lambda.vector(), narrow.cview(), e.view()), std::logic_error);
  EXPECT_THROW(accumulate<float>(ctx(), lambda.vector(), g.cview(), e.view(), present.vector()), std::logic_error);
  const auto send = [&](const Matrix<double>& from, const Signs& signs, const Matrix<double>& to) {
    scaled_signs<float>(ctx(), offset.vector(), from.cview(), e.view(), signs.view(), to.view());
  };
  EXPECT_NO_THROW(send(norms, one, scales));
  EXPECT_THROW(send(norms, two, scales), std::logic_error);
  EXPECT_THROW(send(wide, one, scales), std::logic_error);
  EXPECT_THROW(send(norms, one, wide), std::logic_error);
  EXPECT_THROW(send(norms, one, norms), std::logic_error);
  const ScaledSigns sent{offset.vector(), one.cview(), scales.cview()},
      wrong{offset.vector(), one.cview(), wide.cview()};
  EXPECT_THROW(scaled_mean<float>(ctx(), groups.table(), sent, e.view()), std::logic_error);
  EXPECT_THROW(scaled_mean<float>(ctx(), groups.table(), wrong, e.view().rows(0, 1)), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(ErrorFeedback);

}  // namespace
}  // namespace orrery
