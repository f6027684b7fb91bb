#include "kernels/softmax_loss.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class SoftmaxLoss : public test::OnEachBackend {};

test::Rows some_rows(Backend b) {
  return test::Rows(b, {{.learning_rate = 0.3, .batch = 3},
                        {.learning_rate = 0.05, .batch = 0, .samples = test::range_of(0, 7)},
                        {.learning_rate = 2, .batch = 64}});
}

struct Case {
  int64_t count;
  int classes;
  double spread;  // of the logits: 60 would overflow exp in float without the subtraction of the largest
};
const Case kCases[] = {{1, 1, 1}, {5, 2, 1}, {31, 10, 1}, {33, 10, 60}, {70, 33, 1}, {130, 3, 60}};  // past 128 threads

template <class T>
std::vector<T> spread_out(Backend b, int64_t rows, int64_t cols, double spread) {
  auto values = Matrix<T>(b, rows, cols, 1).dense();
  for (T& v : values) v = static_cast<T>(spread * static_cast<double>(v));
  return values;
}

std::vector<int32_t> some_labels(int64_t rows, int64_t count, int classes) {
  std::vector<int32_t> y;
  for (int64_t i = 0; i < rows * count; ++i) y.push_back(i % 4 == 3 ? -1 : static_cast<int32_t>((i * 7) % classes));
  return y;
}

// Tolerance of a delta: z' = z + b is off by u |z'|, z' - max by as much again and its own rounding, so e = exp(z' -
// max) by a share of D = u (|z'| + |max| + |z' - max|) and 4 u for exp itself (2 ulp); the sum of C such terms by that
// share and (C - 1) u more; coefficient 2 roundings, coefficient / sum 1, the product 1. The label's class loses the
// coefficient: one more rounding.
TEST_P(SoftmaxLoss, MatchesTheFormulaInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const double u = test::unit<T>;
    const test::Rows rows = some_rows(b);
    const int64_t R = rows.count();
    for (const Case& p : kCases)
      for (Fold fold : {Fold::gradient, Fold::update})
        for (bool shared : {false, true}) {
          if (shared && fold == Fold::update) continue;  // rows may share one bias under Fold::gradient only
          const int C = p.classes;
          Matrix<T> logits(b, R, p.count * C, spread_out<T>(b, R, p.count * C, p.spread), p.count * C + 3);
          Matrix<T> bias(b, shared ? 1 : R, C, 2, C + 2), out(b, R, C, 3);
          const Matrix<int32_t> y(b, R, p.count, some_labels(R, p.count, C));
          Matrix<T>& bias_out = fold == Fold::update ? bias : out;  // the bias itself
          softmax_loss<T>(ctx(), rows.view(), fold, p.count, C, logits.view(), y.view(),
                          shared ? bias.shared(R) : bias.cview(), bias_out.view());
          const auto got = logits.host(), got_bias = bias_out.host();
          test::Near deltas("delta"), biases("bias");
          for (int64_t r = 0; r < R; ++r) {
            const double coefficient =
                (fold == Fold::update ? -rows.spec(r).learning_rate : 1.0) / static_cast<double>(rows.batch_size(r));
            std::vector<double> sum(static_cast<size_t>(C)), size(sum), error(sum);
            for (int64_t k = 0; k < p.count; ++k) {
              const int32_t label = y.dense()[static_cast<size_t>(r * p.count + k)];
              std::vector<double> z;
              for (int c = 0; c < C; ++c) z.push_back(logits.initial(r, k * C + c) + bias.initial(shared ? 0 : r, c));
              const double largest = *std::max_element(z.begin(), z.end());
              double total = 0, share = 0;
              for (double v : z) total += std::exp(v - largest);
              for (double v : z)
                share = std::max(
                    share, (std::abs(v) + std::abs(largest) + std::abs(v - largest)) * u * (std::exp(v - largest) > 0));
              for (int c = 0; c < C; ++c) {
                const size_t i = static_cast<size_t>(c);
                const double q = std::exp(z[i] - largest) / total;
                const double want = label < 0 ? 0 : coefficient * (q - (c == label));
                const double own = (std::abs(z[i]) + std::abs(largest) + std::abs(z[i] - largest)) * u;
                double tolerance = std::abs(coefficient) * q * (own + share + (2 * 4 + C - 1 + 4) * u);
                if (c == label) tolerance += std::abs(coefficient) * 2 * u + std::abs(want) * u;
                // exp of a very negative number goes through the subnormal range and stops at 0
                tolerance += std::abs(coefficient) * static_cast<double>(std::numeric_limits<T>::min());
                if (label < 0) tolerance = 0;
                deltas(got[static_cast<size_t>(r * p.count * C + k * C + c)], want, tolerance, r, k * C + c);
                sum[i] += want, size[i] += std::abs(want), error[i] += tolerance;
              }
            }
            for (int c = 0; c < C; ++c) {  // `count` sums
              const size_t i = static_cast<size_t>(c);
              const double b0 = bias_out.initial(r, c);
              biases(got_bias[static_cast<size_t>(r * C + c)], b0 + sum[i],
                     error[i] + static_cast<double>(p.count) * u * (std::abs(b0) + size[i]), r, c);
            }
          }
          if (fold == Fold::gradient) {
            EXPECT_EQ(bias.host(), bias.dense());
          }
        }
  });
}

TEST_P(SoftmaxLoss, SameBitsForAnyThreadsAndNeighbours) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const test::Rows rows = some_rows(b);
    const int64_t R = rows.count(), count = 40;
    const int C = 10;
    const Matrix<int32_t> y(b, R, count, some_labels(R, count, C));
    const auto run = [&](int64_t first, int64_t n) {
      Matrix<T> logits(b, R, count * C, 1), bias(b, R, C, 2);
      const MatrixView<T> part = bias.view().rows(first, n);
      softmax_loss<T>(ctx(), rows.view().part(first, n), Fold::update, count, C, logits.view().rows(first, n),
                      y.cview().rows(first, n), part, part);
      const auto deltas = logits.host(), biases = bias.host();
      std::vector<T> out(deltas.begin() + first * count * C, deltas.begin() + (first + n) * count * C);
      out.insert(out.end(), biases.begin() + first * C, biases.begin() + (first + n) * C);
      return out;
    };
    test::expect_same_bits_for_any_threads([&] { return run(0, R); });
    const auto all = run(0, R);
    for (int64_t r = 0; r < R; ++r) {
      std::vector<T> own(all.begin() + r * count * C, all.begin() + (r + 1) * count * C);
      own.insert(own.end(), all.begin() + R * count * C + r * C, all.begin() + R * count * C + (r + 1) * C);
      test::expect_same_bits(run(r, 1), own, "alone and among others");
    }
  });
}

// bias_out is the sum of the stored deltas, in order of k, bit for bit.
TEST_P(SoftmaxLoss, AddsTheBiasInOrder) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const test::Rows rows = some_rows(b);
    const int64_t R = rows.count(), count = 130;
    const int C = 5;
    Matrix<T> logits(b, R, count * C, 1), bias(b, R, C, 2), out(b, R, C, 3);
    const Matrix<int32_t> y(b, R, count, some_labels(R, count, C));
    softmax_loss<T>(ctx(), rows.view(), Fold::gradient, count, C, logits.view(), y.view(), bias.view(), out.view());
    auto want = out.dense();
    const auto deltas = logits.host();
    for (int64_t r = 0; r < R; ++r)
      for (int64_t k = 0; k < count; ++k)
        for (int c = 0; c < C; ++c)
          want[static_cast<size_t>(r * C + c)] += deltas[static_cast<size_t>(r * count * C + k * C + c)];
    test::expect_same_bits(out.host(), want, "bias");
  });
}

TEST_P(SoftmaxLoss, RefusesWrongShapes) {
  const Backend b = GetParam();
  const test::Rows rows = some_rows(b);
  Matrix<float> logits(b, 3, 20, 1), bias(b, 3, 10, 2), narrow(b, 3, 9, 3);
  Matrix<int32_t> y(b, 3, 2, 4), few(b, 3, 1, 5);
  const auto call = [&](const Matrix<int32_t>& labels, const Matrix<float>& in, const Matrix<float>& out) {
    softmax_loss<float>(ctx(), rows.view(), Fold::gradient, 2, 10, logits.view(), labels.view(), in.view(), out.view());
  };
  EXPECT_THROW(call(few, bias, bias), std::logic_error);
  EXPECT_THROW(call(y, narrow, bias), std::logic_error);
  EXPECT_THROW(call(y, bias, narrow), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(SoftmaxLoss);

}  // namespace
}  // namespace orrery
