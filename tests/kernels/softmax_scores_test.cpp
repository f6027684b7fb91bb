#include "kernels/softmax_scores.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Storage;

class SoftmaxScores : public test::OnEachBackend {};

struct Case {
  int64_t n, d, M;
  int classes;
  Storage storage;
  double l2;
};
// below, at and past the CPU's pieces of 256 samples; past CUDA's of 4096
const Case kCases[] = {{1, 1, 1, 2, Storage::floats, 0},
                       {255, 5, 3, 3, Storage::bytes, 0.2},
                       {256, 31, 2, 10, Storage::floats, 0},
                       {600, 4, 3, 4, Storage::bytes, 0.05},
                       {4100, 2, 2, 3, Storage::floats, 0.1}};

std::vector<double> some_weights(int64_t rows, int64_t n) {
  const Stream s(8, Draw::initial, 0, 0);
  std::vector<double> u;
  for (int64_t i = 0; i < rows * n; ++i) u.push_back(s.uniform(static_cast<uint32_t>(i)) / static_cast<double>(n));
  return u;
}

// Tolerance of a sample's loss: the logits lie in T: (d + 3) u sum_j |V_cj| X_j as in softmax_steps_test.cpp, and 1
// rounding for the bias; the loss moves by the label's error and at most the largest one. The rest is float64: fewer
// than C + 8 roundings of |z| + |loss|, one for the weight, n sums. A hit may differ only where the best two logits are
// closer than their errors.
TEST_P(SoftmaxScores, MatchTheFormulaInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const Case& p : kCases)
      for (bool weighted : {false, true}) {
        const test::Samples samples(b, p.n, p.d, p.classes, p.storage, 4, p.storage == Storage::bytes ? 1 / 127.5 : 1,
                                    -0.3);
        const SoftmaxView model{samples.view(), p.classes, p.l2};
        const int64_t P = model.parameters(), V = model.weights(), K = 2;
        Matrix<T> w(b, p.M, P, 1, P + 2);
        Matrix<double> u(b, weighted ? K : 0, p.n, some_weights(weighted ? K : 0, p.n));
        const std::vector<int64_t> rows{1, 0, 1};
        const Scores got = softmax_scores<T>(ctx(), model, w.view(), weighted ? u.cview() : MatrixView<const double>(),
                                             {rows.begin(), rows.begin() + p.M});
        ASSERT_EQ(got.loss.size(), static_cast<size_t>(p.M));
        ASSERT_EQ(got.hits.size(), static_cast<size_t>(p.M));
        const std::string what = "n = " + std::to_string(p.n) + (weighted ? " weighted" : "");
        test::Near losses("loss, " + what), hits("hits, " + what);
        double unsure_share = 0;
        for (int64_t m = 0; m < p.M; ++m) {
          double loss = 0, hit = 0, error = 0, size = 0, unsure = 0;
          for (int64_t s = 0; s < p.n; ++s) {
            std::vector<double> z, dz;
            for (int64_t c = 0; c < p.classes; ++c) {
              double sum = w.initial(m, V + c), terms = 0;
              for (int64_t j = 0; j < p.d; ++j) {
                sum += w.initial(m, c * p.d + j) * samples.x(s, j);
                terms += std::abs(w.initial(m, c * p.d + j)) * samples.x_size(s, j);
              }
              z.push_back(sum);
              dz.push_back(test::unit<T> * (static_cast<double>(p.d + 3) * terms + std::abs(sum)));
            }
            const size_t y = static_cast<size_t>(samples.label(s));
            const size_t best = static_cast<size_t>(std::max_element(z.begin(), z.end()) - z.begin());
            double total = 0, off = 0;
            for (size_t c = 0; c < z.size(); ++c) total += std::exp(z[c] - z[best]), off = std::max(off, dz[c]);
            const double one = z[best] + std::log(total) - z[y];
            const double weight = weighted ? u.initial(rows[static_cast<size_t>(m)], s) : 1 / static_cast<double>(p.n);
            for (size_t c = 0; c < z.size(); ++c)
              if (c != best && z[best] - z[c] <= dz[best] + dz[c]) {
                unsure += weight;
                break;
              }
            loss += weight * one;
            hit += best == y ? weight : 0;
            error += weight *
                     (off + dz[y] + (p.classes + 8) * test::unit<double> * (std::abs(z[best]) + std::abs(z[y]) + one));
            size += weight * (one + 1);
          }
          double norm = 0;
          for (int64_t i = 0; i < V; ++i) norm += w.initial(m, i) * w.initial(m, i);
          const double sums = static_cast<double>(p.n + 2) * test::unit<double> * size;
          const double decay = p.l2 / 2 * norm;
          losses(got.loss[static_cast<size_t>(m)], loss + decay,
                 error + sums + static_cast<double>(V + 4) * test::unit<double> * (decay + loss), m);
          hits(got.hits[static_cast<size_t>(m)], hit, unsure + sums, m);
          unsure_share = std::max(unsure_share, unsure);
        }
        EXPECT_LE(unsure_share, 0.02);  // so that the hits are a test
      }
  });
}

// All logits alike: the first class wins every tie, and every loss is log C.
TEST_P(SoftmaxScores, TiesGoToTheFirstClass) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const int64_t n = 300;
    const int C = 4;
    const test::Samples samples(b, n, 3, C, Storage::floats, 4);
    const SoftmaxView model{samples.view(), C, 0};
    Matrix<T> w(b, 1, model.parameters(), std::vector<T>(static_cast<size_t>(model.parameters())));
    const Scores got = softmax_scores<T>(ctx(), model, w.view(), {}, {});
    double first = 0;
    for (int64_t s = 0; s < n; ++s) first += samples.label(s) == 0;
    EXPECT_GT(first, 0);
    test::Near near("scores");
    const double each =
        static_cast<double>(n + 4) * test::unit<double>;  // a weight and at most n sums, log and its sum
    near(got.hits[0], first / static_cast<double>(n), each, 0);
    near(got.loss[0], std::log(static_cast<double>(C)), each * std::log(static_cast<double>(C)), 1);
    // the second and third class tie above the first: the second wins
    std::vector<T> lifted = w.dense();
    lifted[static_cast<size_t>(model.weights()) + 1] = lifted[static_cast<size_t>(model.weights()) + 2] = T{1};
    double second = 0;
    for (int64_t s = 0; s < n; ++s) second += samples.label(s) == 1;
    const Matrix<T> v(b, 1, model.parameters(), lifted);
    near(softmax_scores<T>(ctx(), model, v.view(), {}, {}).hits[0], second / static_cast<double>(n), each, 2);
  });
}

// A model far away: the loss stays finite where exp would overflow.
TEST_P(SoftmaxScores, LargeLogitsStayFinite) {
  const Backend b = GetParam();
  const test::Samples samples(b, 20, 3, 3, Storage::floats, 4);
  const SoftmaxView model{samples.view(), 3, 0};
  auto far = Matrix<float>(b, 1, model.parameters(), 1).dense();
  for (float& v : far) v *= 1e6f;
  const Scores got = softmax_scores<float>(ctx(), model, Matrix<float>(b, 1, model.parameters(), far).view(), {}, {});
  EXPECT_TRUE(std::isfinite(got.loss[0]) && got.loss[0] > 1e4) << got.loss[0];
}

// CPU: any number of threads, any models beside it. CUDA: run to run.
TEST_P(SoftmaxScores, SameBits) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const int64_t n = 700, M = 5;
    const test::Samples samples(b, n, 9, 4, Storage::bytes, 4, 1 / 127.5, -1);
    const SoftmaxView model{samples.view(), 4, 0.1};
    Matrix<T> w(b, M, model.parameters(), 1);
    const auto run = [&](int64_t first, int64_t count) {
      const Scores s = softmax_scores<T>(ctx(), model, w.cview().rows(first, count), {}, {});
      std::vector<double> out;
      for (size_t m = 0; m < s.loss.size(); ++m) out.push_back(s.loss[m]), out.push_back(s.hits[m]);
      return out;
    };
    test::expect_same_bits_for_any_threads([&] { return run(0, M); });
    if (!on_cpu()) return;
    const auto all = run(0, M);
    for (int64_t m = 0; m < M; ++m)
      test::expect_same_bits(run(m, 1), std::vector<double>(all.begin() + 2 * m, all.begin() + 2 * m + 2),
                             "alone and among others");
  });
}

TEST_P(SoftmaxScores, RefusesWrongShapes) {
  const Backend b = GetParam();
  const test::Samples samples(b, 20, 3, 3, Storage::floats, 4);
  const SoftmaxView model{samples.view(), 3, 0};
  Matrix<float> w(b, 2, model.parameters(), 1), wide(b, 2, model.parameters() + 1, 1);
  Matrix<double> u(b, 1, 20, 2), few(b, 1, 19, 3);
  EXPECT_TRUE(softmax_scores<float>(ctx(), model, w.cview().rows(0, 0), {}, {}).loss.empty());
  EXPECT_THROW(softmax_scores<float>(ctx(), model, wide.view(), {}, {}), std::logic_error);
  EXPECT_THROW(softmax_scores<float>(ctx(), model, w.view(), few.view(), {0, 0}), std::logic_error);
  EXPECT_THROW(softmax_scores<float>(ctx(), model, w.view(), u.view(), {0}), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(SoftmaxScores);

}  // namespace
}  // namespace orrery
