// What error feedback does over many rounds: what is not sent is not lost.
#include "kernels/blend.hpp"
#include "kernels/descend.hpp"
#include "kernels/error_feedback.hpp"
#include "kernels/sign_step.hpp"
#include "kernels/tensor_norms.hpp"
#include "tests/kernels/votes.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Signs;
using test::VoteGroups;

class ErrorFeedbackLaws : public test::OnEachBackend {};

Signs blank_signs(Backend b, int64_t rows, int64_t P) { return {b, test::trits(rows, P, 1, false), false}; }

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
        signs_(blank_signs(b, workers, P_)) {}

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
    const auto ones = ones_.vector().part(0, rows);
    blend<T>(ctx, ones, g, ones, e);
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
TEST_P(ErrorFeedbackLaws, TheModelLessTheErrorIsExactSgd) {
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
TEST_P(ErrorFeedbackLaws, GoesDownWhereSignsGoUp) {
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

    const Signs y = blank_signs(b, 1, copies);
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

ORRERY_ON_EACH_BACKEND(ErrorFeedbackLaws);

}  // namespace
}  // namespace orrery
