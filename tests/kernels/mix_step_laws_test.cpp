// What the forms have to do with each other and with the centralized step.
#include "tests/kernels/mix_graphs.hpp"

namespace orrery {
namespace {

using test::alone;
using test::complete;
using test::Matrix;
using test::star;
using test::stepped;
using test::Table;

class MixStepLaws : public test::OnEachBackend {};

// Complete averaging of equal starts is the centralized step, for diffusion at once: w - (1/W) sum_l eta_l g_l.
TEST_P(MixStepLaws, CompleteAveragingIsCentralized) {
  const Backend b = GetParam();
  const int64_t W = 24, P = 50;
  const Table table(b, {complete(W)});
  test::for_float_and_double([&]<class T>() {
    const MixPlan<T> plan(ctx(), table.view, W, P);
    const Matrix<T> start(b, 1, P, 1);
    std::vector<T> equal;
    for (int64_t k = 0; k < W; ++k) equal.insert(equal.end(), start.dense().begin(), start.dense().end());
    Matrix<T> w(b, W, P, equal), g(b, W, P, 2);
    const Buffer<double> eta(ctx(), std::vector<double>(static_cast<size_t>(W), 0.125));
    mix_step<T>(ctx(), plan, MixForm::diffusion, eta.view(), g.view(), w.view());
    const auto got = w.host();
    test::Near near("w");
    for (int64_t k = 0; k < W; ++k)
      for (int64_t j = 0; j < P; ++j) {
        double mean = 0, size = std::abs(start.initial(0, j));
        for (int64_t l = 0; l < W; ++l) mean += g.initial(l, j) / W, size += 0.125 * std::abs(g.initial(l, j)) / W;
        near(got[static_cast<size_t>(k * P + j)], start.initial(0, j) - 0.125 * mean, (6 + W) * test::unit<T> * size, k,
             j);
      }
  });
}

// Check C4: with equal rates, w^CTA_0 = w0 and w^ATC_0 = A w0, A w^CTA_n = w^ATC_n for all n, the gradients being those of the same point:
// here of quadratics, g_k(x) = h_k x. Every row of A adds up to 1, so errors grow by at most 1 + eta h_k in a step.
TEST_P(MixStepLaws, AdaptThenCombineInterleavesCombineThenAdapt) {
  const Backend b = GetParam();
  const int64_t W = 12, P = 19, steps = 20;
  const double rate = 0.25;
  const Table table(b, {star(W)});
  const MixPlan<double> plan(ctx(), table.view, W, P);
  Matrix<double> cta(b, W, P, 1), atc(b, W, P, 1);
  const auto gradients = [&](const Matrix<double>& w) {
    auto g = w.host();
    for (int64_t i = 0; i < W * P; ++i) g[static_cast<size_t>(i)] *= 0.5 + 0.1 * static_cast<double>(i / P);
    return g;
  };
  const Buffer<double> eta(ctx(), std::vector<double>(static_cast<size_t>(W), rate));
  const Table own(b, {alone(W)});
  const MixPlan<double> apart(ctx(), own.view, W, P);
  const auto combine = [&](const Matrix<double>& w) {
    mix_step<double>(ctx(), plan, MixForm::combine, eta.view(), {}, w.view());
  };
  combine(atc);
  for (int64_t n = 0; n < steps; ++n) {
    const Matrix<double> at_atc(b, W, P, gradients(atc));
    mix_step<double>(ctx(), plan, MixForm::diffusion, eta.view(), at_atc.view(), atc.view());
    combine(cta);
    const Matrix<double> at_cta(b, W, P, gradients(cta));
    mix_step<double>(ctx(), apart, MixForm::consensus, eta.view(), at_cta.view(), cta.view());  // w - eta g
  }
  combine(cta);
  const auto left = cta.host(), right = atc.host();
  double largest = 0;
  for (double x : cta.initial()) largest = std::max(largest, std::abs(x));
  test::Near near("A w^CTA");
  for (size_t i = 0; i < left.size();
       ++i)  // per step and side: 6 roundings and the sum of W terms, on numbers that only shrink
    near(left[i], right[i], 2 * steps * (6 + W) * test::unit<double> * largest, static_cast<int64_t>(i));
  EXPECT_NE(left, cta.initial());
}

// Without links to others all forms are W separate steps, to the bit.
TEST_P(MixStepLaws, AloneAllFormsAreSeparateSteps) {
  const Backend b = GetParam();
  const Table table(b, {alone(9), alone(9)});
  test::for_float_and_double([&]<class T>() {
    const auto consensus = stepped<T>(b, table, 45, MixForm::consensus, MixPath::sparse);
    test::expect_same_bits(stepped<T>(b, table, 45, MixForm::diffusion, MixPath::sparse), consensus, "diffusion");
    test::expect_same_bits(stepped<T>(b, table, 45, MixForm::combine, MixPath::sparse), Matrix<T>(b, 18, 45, 1).dense(),
                           "combine");
  });
}

ORRERY_ON_EACH_BACKEND(MixStepLaws);

}  // namespace
}  // namespace orrery
