// Cross-over errors: the check values of 5.3, V8 on fixed samples, bad input (papers/signsgd-fv.md).
#include "runtime/theory/sign_vote/cross_over.hpp"

#include <functional>

#include "tests/runtime/theory/sign_vote/digits.hpp"

namespace orrery::sign_vote {
namespace {

using test::expect_printed;

TEST(CrossOver, CheckValuesOfTheDigest) {
  struct Row {
    const char *S, *gauss, *gaussian;
  };
  for (const Row& r :
       {Row{"0.5", "0.35566", "0.30854"}, Row{"1", "0.21132", "0.15866"}, Row{"1.1547", "0.16667", "0.12411"},
        Row{"2", "0.05556", "0.02275"}, Row{"3", "0.02469", "0.00135"}}) {
    const CrossOver c = cross_over(std::atof(r.S));
    expect_printed(c.gauss, r.gauss, std::string("Gauss at ") + r.S);
    expect_printed(c.gaussian, r.gaussian, std::string("Gaussian at ") + r.S);
  }
  const CrossOver two = cross_over(2);
  EXPECT_DOUBLE_EQ(two.cantelli, 0.2);
  EXPECT_DOUBLE_EQ(two.half_chebyshev, 0.125);
  EXPECT_DOUBLE_EQ(two.markov, 0.5);
  EXPECT_DOUBLE_EQ(two.sub_gaussian, std::exp(-2.0));
  const double knee = 2 / std::sqrt(3.0);  // both branches meet
  EXPECT_NEAR(cross_over(knee * (1 - 1e-12)).gauss, 1.0 / 6, 1e-11);
  EXPECT_NEAR(cross_over(knee * (1 + 1e-12)).gauss, 1.0 / 6, 1e-11);
}

TEST(CrossOver, OrderedAndFalling) {
  CrossOver before = cross_over(0);
  EXPECT_EQ(before.gaussian, 0.5);
  EXPECT_EQ(before.gauss, 0.5);
  EXPECT_EQ(before.cantelli, 1);
  EXPECT_EQ(before.markov, 1);
  EXPECT_EQ(before.half_chebyshev, 1);
  for (double S = 0.01; S < 30; S *= 1.05) {
    const CrossOver c = cross_over(S);
    EXPECT_LE(c.gaussian, c.gauss) << S;
    EXPECT_LE(c.gauss, c.half_chebyshev) << S;
    EXPECT_LE(c.cantelli, c.markov) << S;
    EXPECT_LE(c.gaussian, c.sub_gaussian) << S;
    EXPECT_LT(c.gaussian, before.gaussian);
    EXPECT_LT(c.gauss, before.gauss);
    EXPECT_LT(c.cantelli, before.cantelli);
    before = c;
  }
}

// V8: noise of unit variance by its inverse distribution function, 10^6 samples each
constexpr uint32_t samples = 1'000'000;
std::vector<double> drawn(uint64_t key, const std::function<double(const Stream&, uint32_t)>& noise) {
  const Stream s(key, Draw::gradient_noise, 0, 0);
  std::vector<double> out;
  for (uint32_t i = 0; i < samples; ++i) out.push_back(noise(s, i));
  return out;
}
double fraction_wrong(const std::vector<double>& noise, double S) {
  int64_t wrong = 0;
  for (const double x : noise) wrong += S + x < 0;
  return static_cast<double>(wrong) / samples;
}
double four_sigma(double p) { return 4 * std::sqrt(p * (1 - p) / samples); }

TEST(CrossOver, SampledNoise) {
  const auto normal = drawn(1, [](const Stream& s, uint32_t i) { return s.normal(i); });
  const auto uniform = drawn(2, [](const Stream& s, uint32_t i) { return std::sqrt(12.0) * (s.uniform(i) - 0.5); });
  const auto laplace = drawn(3, [](const Stream& s, uint32_t i) {
    const double u = s.uniform(i) - 0.5;
    return (u < 0 ? 1 : -1) * std::log1p(-2 * std::abs(u)) / std::sqrt(2.0);
  });
  // skewed to the wrong side: -(exponential - 1)
  const auto skewed = drawn(4, [](const Stream& s, uint32_t i) { return 1 + std::log(s.uniform(i)); });
  for (const double S : {0.1, 0.5, 1.0, 1.1547, 1.5, 2.0, 3.0}) {
    const CrossOver c = cross_over(S);
    EXPECT_NEAR(fraction_wrong(normal, S), c.gaussian, four_sigma(c.gaussian)) << S;
    for (const auto* noise : {&normal, &uniform, &laplace}) {
      EXPECT_LE(fraction_wrong(*noise, S), c.gauss + four_sigma(c.gauss)) << S;
      EXPECT_LE(fraction_wrong(*noise, S), c.half_chebyshev) << S;
    }
    if (S < 1.15) {  // attained
      EXPECT_NEAR(fraction_wrong(uniform, S), c.gauss, four_sigma(c.gauss)) << S;
    }
    EXPECT_LE(fraction_wrong(skewed, S), c.cantelli) << S;
    EXPECT_LE(fraction_wrong(skewed, S), c.markov) << S;
    EXPECT_LE(fraction_wrong(normal, S), c.sub_gaussian) << S;
  }
  // Cantelli's two-point law attains it: -S with 1/(1+S^2), else 1/S; noise pushed over by a hair
  for (const double S : {0.5, 1.0, 2.0}) {
    const double p = cross_over(S).cantelli;
    const auto two_points =
        drawn(5, [&](const Stream& s, uint32_t i) { return s.bernoulli(i, p) ? -S * 1.0000001 : 1 / S; });
    EXPECT_NEAR(fraction_wrong(two_points, S), p, four_sigma(p)) << S;
  }
}

TEST(CrossOver, SignalToNoise) {
  EXPECT_DOUBLE_EQ(signal_to_noise(-0.3, 64, 2), 1.2);
  EXPECT_EQ(upper_tail(0), 0.5);
  EXPECT_THROW(signal_to_noise(1, 0, 1), std::logic_error);
  EXPECT_THROW(signal_to_noise(1, 4, 0), std::logic_error);
  EXPECT_THROW(cross_over(-0.1), std::logic_error);
  EXPECT_THROW(cross_over(std::nan("")), std::logic_error);
}

}  // namespace
}  // namespace orrery::sign_vote
