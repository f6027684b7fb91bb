#include "kernels/logistic_scores.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Storage;

class LogisticScores : public test::OnEachBackend {};

struct Case {
  int64_t n, d, M;
  Storage storage;
  double l2;
  bool bias;
  int classes;  // 4: the labels 1 and 2 count as y = 1
};
// below, at and past the CPU's pieces of 256 samples
const Case kCases[] = {{1, 1, 1, Storage::floats, 0, true, 2},     {255, 5, 3, Storage::bytes, 0.2, true, 4},
                       {256, 31, 2, Storage::floats, 0, false, 2}, {600, 40, 3, Storage::sparse, 0.05, true, 2},
                       {700, 70, 2, Storage::sparse, 0, false, 4}, {4100, 2, 2, Storage::floats, 0.1, true, 2}};

struct Problem {
  Case p;
  test::Samples samples;
  Matrix<uint8_t> positive;
  LogisticView view;

  Problem(Backend b, const Case& q)
      : p(q),
        samples(b, q.n, q.d, q.classes, q.storage, 4, q.storage == Storage::bytes ? 1 / 127.5 : 1,
                q.storage == Storage::sparse ? 0 : -0.3),
        positive(b, 1, 4, std::vector<uint8_t>{0, 1, 1, 0}) {
    view = {samples.view(), q.classes == 4 ? VectorView<const uint8_t>(positive.vector()) : VectorView<const uint8_t>(),
            q.l2, q.bias};
  }
  bool one(int64_t s) const {
    return p.classes == 4 ? samples.label(s) == 1 || samples.label(s) == 2 : samples.label(s) == 1;
  }
};

std::vector<double> some_weights(int64_t rows, int64_t n) {
  const Stream s(8, Draw::initial, 0, 0);
  std::vector<double> u;
  for (int64_t i = 0; i < rows * n; ++i) u.push_back(s.uniform(static_cast<uint32_t>(i)) / static_cast<double>(n));
  return u;
}

// Tolerance of a sample's loss: the logit lies in T: (d + 3) u sum_j |w_j| X_j as in logistic_oracle.hpp, and 1 rounding for the bias; the
// loss moves by less. The rest is float64: 8 roundings, one for the weight, n sums. A hit may differ only where the logit is below its error.
TEST_P(LogisticScores, MatchTheFormulaInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const Case& p : kCases)
      for (bool weighted : {false, true}) {
        const Problem q(b, p);
        const int64_t P = q.view.parameters(), K = 2;
        const Matrix<T> w(b, p.M, P, 1, P + 2);
        const Matrix<double> u(b, weighted ? K : 0, p.n, some_weights(weighted ? K : 0, p.n));
        const std::vector<int64_t> rows{1, 0, 1};
        const Scores got =
            logistic_scores<T>(ctx(), q.view, w.cview(), weighted ? u.cview() : MatrixView<const double>(),
                               {rows.begin(), rows.begin() + p.M});
        ASSERT_EQ(got.loss.size(), static_cast<size_t>(p.M));
        ASSERT_EQ(got.hits.size(), static_cast<size_t>(p.M));
        test::Near losses("loss, n = " + std::to_string(p.n)), hits("hits, n = " + std::to_string(p.n));
        for (int64_t m = 0; m < p.M; ++m) {
          double loss = 0, hit = 0, error = 0, size = 0, unsure = 0, norm = 0;
          for (int64_t s = 0; s < p.n; ++s) {
            double z = p.bias ? w.initial(m, p.d) : 0, terms = 0;
            for (int64_t j = 0; j < p.d; ++j) {
              z += w.initial(m, j) * q.samples.x(s, j);
              terms += std::abs(w.initial(m, j)) * q.samples.x_size(s, j);
            }
            const double dz = test::unit<T> * (static_cast<double>(p.d + 3) * terms + std::abs(z));
            const double one = std::log(1 + std::exp(q.one(s) ? -z : z));
            const double weight = weighted ? u.initial(rows[static_cast<size_t>(m)], s) : 1 / static_cast<double>(p.n);
            const bool empty = terms == 0 && !p.bias;  // a logit of exactly 0 counts as class 0
            if (std::abs(z) <= dz && !empty) unsure += weight;
            loss += weight * one;
            hit += (z > 0) == q.one(s) ? weight : 0;
            error += weight * (dz + 8 * test::unit<double> * (1 + one));
            size += weight * (one + 1);
          }
          for (int64_t j = 0; j < p.d; ++j) norm += w.initial(m, j) * w.initial(m, j);
          const double sums = static_cast<double>(p.n + 2) * test::unit<double> * size, decay = p.l2 / 2 * norm;
          losses(got.loss[static_cast<size_t>(m)], loss + decay,
                 error + sums + static_cast<double>(p.d + 4) * test::unit<double> * (decay + loss), m);
          hits(got.hits[static_cast<size_t>(m)], hit, unsure + sums, m);
          EXPECT_LE(unsure, 0.02);  // so that the hits are a test
        }
      }
  });
}

// At zero every logit is 0: each loss is log 2 and class 0 is guessed.
TEST_P(LogisticScores, ZeroGuessesClassZero) {
  const Problem q(GetParam(), kCases[3]);
  LogisticView plain = q.view;
  plain.l2 = 0;
  const Matrix<double> w(GetParam(), 1, plain.parameters(),
                         std::vector<double>(static_cast<size_t>(plain.parameters())));
  const Scores got = logistic_scores<double>(ctx(), plain, w.cview(), {}, {});
  double zeros = 0;
  for (int64_t s = 0; s < q.p.n; ++s) zeros += !q.one(s);
  EXPECT_TRUE(zeros > 0 && zeros < static_cast<double>(q.p.n));
  const double n = static_cast<double>(q.p.n);
  EXPECT_NEAR(got.loss[0], std::log(2.0), (n + 4) * test::unit<double>);
  EXPECT_NEAR(got.hits[0], zeros / n, (n + 4) * test::unit<double>);
}

// Any number of threads; a model alone and among others.
TEST_P(LogisticScores, SameBits) {
  test::for_float_and_double([&]<class T>() {
    for (size_t c : {2u, 3u}) {
      const Problem q(GetParam(), kCases[c]);
      const int64_t M = 3, P = q.view.parameters();
      const Matrix<T> w(GetParam(), M, P, 1);
      const auto run = [&](int64_t first, int64_t n) {
        const Scores s = logistic_scores<T>(ctx(), q.view, w.cview().rows(first, n), {}, {});
        auto out = s.loss;
        out.insert(out.end(), s.hits.begin(), s.hits.end());
        return out;
      };
      test::expect_same_bits_for_any_threads([&] { return run(0, M); });
      const auto all = run(0, M);
      for (int64_t m = 0; m < M; ++m)
        test::expect_same_bits(run(m, 1), {all[static_cast<size_t>(m)], all[static_cast<size_t>(M + m)]}, "alone");
    }
  });
}

// A call takes what logistic_scores_bytes says (CUDA: and what the library's sums need) and gives it back.
TEST_P(LogisticScores, MemoryIsAsSaid) {
  const Backend b = GetParam();
  for (size_t c : {2u, 4u}) {
    const Problem q(b, kCases[c]);
    const Matrix<float> w(b, 2, q.view.parameters(), 1);
    reset_memory_peak(b);
    const int64_t before = memory_use(b).now;
    logistic_scores<float>(ctx(), q.view, w.cview(), {}, {});
    const int64_t took = memory_use(b).peak - before,
                  said = logistic_scores_bytes(b, q.p.d, q.view.samples.sparse(), sizeof(float), 2, q.p.n);
    EXPECT_EQ(memory_use(b).now, before);
    EXPECT_GE(took, said);
    EXPECT_LE(took, on_cpu() ? said : said + (1 << 16));
  }
}

TEST_P(LogisticScores, RefusesWrongShapes) {
  const Problem q(GetParam(), kCases[1]);
  const Matrix<float> w(GetParam(), 2, q.view.parameters(), 1), wide(GetParam(), 2, q.view.parameters() + 1, 1);
  const Matrix<double> u(GetParam(), 1, q.p.n, 2), few(GetParam(), 1, q.p.n - 1, 2);
  EXPECT_THROW(logistic_scores<float>(ctx(), q.view, wide.cview(), {}, {}), std::logic_error);
  EXPECT_THROW(logistic_scores<float>(ctx(), q.view, w.cview(), few.cview(), {0, 0}), std::logic_error);
  EXPECT_THROW(logistic_scores<float>(ctx(), q.view, w.cview(), u.cview(), {0}), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(LogisticScores);

}  // namespace
}  // namespace orrery
