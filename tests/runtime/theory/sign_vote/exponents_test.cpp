// Exponents for p ~ Uniform[0, a]: the table of 5.2, V7, bad input (papers/signsgd-fv.md).
#include "runtime/theory/sign_vote/exponents.hpp"

#include <functional>

#include "runtime/theory/sign_vote/decoding_bounds.hpp"
#include "runtime/theory/sign_vote/decoding_error.hpp"
#include "tests/runtime/theory/sign_vote/digits.hpp"

namespace orrery::sign_vote {
namespace {

using test::expect_printed;
using test::times;

TEST(Exponents, TheTableOfTheDigest) {
  struct Row {
    double a;
    const char *bhattacharyya, *kearns_saul, *mean_chernoff, *majority, *hoeffding;
  };
  for (const Row& r : {Row{0.1, "0.98402", "0.74438", "0.83037", "0.87602", "0.40500"},
                       Row{0.2, "0.66528", "0.52726", "0.51083", "0.55107", "0.32000"},
                       Row{0.3, "0.49272", "0.39828", "0.33667", "0.37133", "0.24500"},
                       Row{0.4, "0.38188", "0.31082", "0.22314", "0.25204", "0.18000"},
                       Row{0.5, "0.30685", "0.25000", "0.14384", "0.16687", "0.12500"},
                       Row{0.8, "0.21724", "0.18069", "0.02041", "0.02655", "0.02000"},
                       Row{1.0, "0.30685", "0.25000", "0", "0", "0"}}) {
    const UniformExponents e = uniform_exponents(r.a);
    const std::string a = "a = " + std::to_string(r.a);
    expect_printed(e.wmv_bhattacharyya, r.bhattacharyya, a);
    expect_printed(e.wmv_kearns_saul, r.kearns_saul, a);
    expect_printed(e.majority_mean_chernoff, r.mean_chernoff, a);
    expect_printed(e.majority, r.majority, a);
    expect_printed(e.majority_hoeffding, r.hoeffding, a);
  }
  EXPECT_NEAR(uniform_exponents(0.5).wmv_bhattacharyya, 1 - std::log(2.0), 1e-15);
  EXPECT_NEAR(uniform_exponents(0.5).wmv_kearns_saul, 0.25, 1e-15);
  for (const double none : {uniform_exponents(1).majority, uniform_exponents(1).majority_mean_chernoff,
                            uniform_exponents(1).majority_hoeffding})
    EXPECT_EQ(none, 0);
}

// (1/a) int_0^a f by the midpoint rule in t, p = a t^3: the logarithms at 0 are tamed
double mean_over(double a, const std::function<double(double)>& f) {
  constexpr int n = 20000;
  double sum = 0;
  for (int i = 0; i < n; ++i) {
    const double t = (i + 0.5) / n;
    sum += 3 * t * t * f(a * t * t * t) / n;
  }
  return sum;
}

// V7, first part: the integrals themselves
TEST(Exponents, Quadrature) {
  for (const double a : {0.001, 0.1, 0.3, 0.5, 0.8, 0.99}) {
    const UniformExponents e = uniform_exponents(a);
    EXPECT_NEAR(e.wmv_bhattacharyya, mean_over(a, [](double p) { return -0.5 * std::log(4 * p * (1 - p)); }), 1e-6)
        << a;
    EXPECT_NEAR(e.wmv_kearns_saul, mean_over(a, [](double p) { return 0.5 * (0.5 - p) * std::log((1 - p) / p); }), 1e-6)
        << a;

    double majority = 0;  // the best lambda by a scan
    for (double l = 0.0005; l < 8; l *= 1.01)
      majority = std::max(majority,
                          -mean_over(a, [&](double p) { return std::log(p * std::exp(l) + (1 - p) * std::exp(-l)); }));
    EXPECT_NEAR(e.majority, majority, 1e-4 * e.majority + 1e-7) << a;
    EXPECT_GE(e.majority, majority - 1e-7) << a;
  }
}

// V7, second part: -ln P_E of workers on the grid p = a (m - 1/2)/M grows by "majority" per worker. The difference between M and 2M still
// holds the (1/2) ln 2 of P_E ~ exp(-gamma M)/sqrt(M).
TEST(Exponents, SlopeOfTheExactError) {
  for (const double a : {0.1, 0.5, 0.8}) {
    const auto grid = [&](size_t M) {
      std::vector<double> p;
      for (size_t m = 0; m < M; ++m) p.push_back(a * (static_cast<double>(m) + 0.5) / static_cast<double>(M));
      return p;
    };
    const double gamma = uniform_exponents(a).majority;
    const double slope = (std::log(majority_error(grid(201))) - std::log(majority_error(grid(401)))) / 200;
    EXPECT_NEAR(slope - 0.5 * std::log(2.0) / 200, gamma, 0.01 * gamma + 3e-4) << a;
    // bounds on the grid approach the closed forms
    const auto p = grid(400);
    EXPECT_NEAR(chernoff(p, times(400, 1)).exponent / 400, gamma, 1e-3) << a;
    EXPECT_NEAR(bhattacharyya_exponent(p) / 400, uniform_exponents(a).wmv_bhattacharyya, 1e-3) << a;
    EXPECT_NEAR(wmv_exponent(p) / 400, uniform_exponents(a).wmv_kearns_saul, 1e-3) << a;
    EXPECT_NEAR(mean_chernoff_exponent(p) / 400, uniform_exponents(a).majority_mean_chernoff, 1e-12) << a;
    EXPECT_NEAR(hoeffding_exponent(p) / 400, uniform_exponents(a).majority_hoeffding, 1e-12) << a;
  }
}

TEST(Exponents, Ordered) {
  for (double a = 1e-6; a < 1; a = a < 0.01 ? a * 3 : a + 0.007) {
    const UniformExponents e = uniform_exponents(a);
    EXPECT_LE(e.majority_hoeffding, e.majority_mean_chernoff);
    EXPECT_LE(e.majority_mean_chernoff, e.majority) << a;
    EXPECT_LT(e.majority, e.wmv_bhattacharyya) << a;
    EXPECT_LT(e.wmv_kearns_saul, e.wmv_bhattacharyya) << a;
  }
}

TEST(Exponents, BadInput) {
  for (const double a : {0.0, -0.1, 1.01, std::nan("")}) EXPECT_THROW(uniform_exponents(a), std::logic_error) << a;
}

}  // namespace
}  // namespace orrery::sign_vote
