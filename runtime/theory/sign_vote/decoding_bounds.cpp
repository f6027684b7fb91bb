#include "runtime/theory/sign_vote/decoding_bounds.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/core/error.hpp"

namespace orrery::sign_vote {
namespace {

void check(const std::vector<double>& p) {
  expects(!p.empty(), "one worker at least");
  for (const double x : p) expects(x > 0 && x < 1, "error probabilities inside (0, 1)");
}
void check(const std::vector<double>& p, const std::vector<double>& v) {
  check(p);
  expects(p.size() == v.size(), "as many weights as error probabilities");
  for (const double x : v) expects(std::isfinite(x), "finite weights");
}

double mean(const std::vector<double>& p) {
  double sum = 0;
  for (const double x : p) sum += x;
  return sum / static_cast<double>(p.size());
}

// sum_m v_m (1/2 - p_m): half the expected score
double drift(const std::vector<double>& p, const std::vector<double>& v) {
  double sum = 0;
  for (size_t m = 0; m < p.size(); ++m) sum += v[m] * (0.5 - p[m]);
  return sum;
}

// (1/2 - p) / ln((1-p)/p) = x / (4 artanh x), x = 1 - 2p
double kearns_saul_variance(double p) {
  const double x = 1 - 2 * p;
  return std::abs(x) < 1e-4 ? (1 - x * x / 3) / 4 : (0.5 - p) / log_likelihood_ratio(p);
}

// ln(p e^z + (1-p) e^{-z}) and its derivative by z, without overflow
double log_moment(double p, double z) {
  const double with = z > 0 ? p : 1 - p, against = z > 0 ? 1 - p : p;
  return std::abs(z) + std::log(with + against * std::exp(-2 * std::abs(z)));
}
double log_moment_slope(double p, double z) {
  return z > 0 ? 1 - 2 * (1 - p) / (p * std::exp(2 * z) + 1 - p) : 2 * p / (p + (1 - p) * std::exp(-2 * z)) - 1;
}

}  // namespace

double log_likelihood_ratio(double p) {
  expects(p > 0 && p < 1, "error probabilities inside (0, 1)");
  return p > 0.25 && p < 0.75 ? 2 * std::atanh(1 - 2 * p) : std::log1p(-p) - std::log(p);
}

std::vector<double> log_likelihood_ratios(const std::vector<double>& p) {
  std::vector<double> w;
  for (const double x : p) w.push_back(log_likelihood_ratio(x));
  return w;
}

Chernoff chernoff(const std::vector<double>& p, const std::vector<double>& v) {
  check(p, v);
  if (!(drift(p, v) > 0)) return {};
  double largest = 0;
  for (const double x : v) largest = std::max(largest, std::abs(x));

  // the sum is convex in l, falls at 0 and rises in the end: bisection of its slope, l in units of 1 / the largest weight
  const auto slope = [&](double l) {
    double sum = 0;
    for (size_t m = 0; m < p.size(); ++m) sum += v[m] / largest * log_moment_slope(p[m], l * v[m] / largest);
    return sum;
  };
  double low = 0, high = 1;
  while (slope(high) < 0 && high < 1e300) low = high, high *= 2;
  for (int i = 0; i < 100; ++i) (slope((low + high) / 2) < 0 ? low : high) = (low + high) / 2;

  Chernoff best{low / largest, 0};
  for (size_t m = 0; m < p.size(); ++m) best.exponent -= log_moment(p[m], best.lambda * v[m]);
  best.exponent = std::max(best.exponent, 0.0);
  return best;
}

double kearns_saul_exponent(const std::vector<double>& p, const std::vector<double>& v) {
  check(p, v);
  const double half_score = drift(p, v);
  if (!(half_score > 0)) return 0;
  double variance = 0;
  for (size_t m = 0; m < p.size(); ++m) variance += v[m] * v[m] * kearns_saul_variance(p[m]);
  return half_score * half_score / (2 * variance);
}

double hoeffding_exponent(const std::vector<double>& p) {
  check(p);
  const double margin = std::max(0.5 - mean(p), 0.0);
  return 2 * static_cast<double>(p.size()) * margin * margin;
}

double mean_chernoff_exponent(const std::vector<double>& p) {
  check(p);
  const double x = std::max(1 - 2 * mean(p), 0.0);  // 4 pbar (1 - pbar) = 1 - x^2
  return -0.5 * static_cast<double>(p.size()) * std::log1p(-x * x);
}

double phi(const std::vector<double>& p) {
  check(p);
  double sum = 0;
  for (const double x : p) sum += (0.5 - x) * log_likelihood_ratio(x);
  return sum;
}

double wmv_exponent(const std::vector<double>& p) { return phi(p) / 2; }

double bhattacharyya_exponent(const std::vector<double>& p) {
  check(p);
  double sum = 0;
  for (const double x : p) sum -= std::log(4 * x * (1 - x)) / 2;
  return std::max(sum, 0.0);
}

double imperfect_exponent(const std::vector<double>& p, double d) {
  expects(d >= 0 && d < 1, "a relative error of the weights in [0, 1)");
  return (1 - d * d) * phi(p) / 2;
}

double error_bound(double exponent) { return std::exp(-exponent); }

double wmv_error_at_least(const std::vector<double>& p) {
  const double f = phi(p);
  return 0.75 / (1 + std::exp(2 * f + 4 * std::sqrt(f)));
}

}  // namespace orrery::sign_vote
