#include "runtime/theory/sign_vote/exponents.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/core/error.hpp"

namespace orrery::sign_vote {
namespace {

double x_log_x(double x) { return x > 0 ? x * std::log(x) : 0; }

// (1/a) int_0^a ln(p e^l + (1-p) e^{-l}) dp
double mean_log_moment(double a, double l) {
  const double e = std::exp(-2 * l), T = std::tanh(l), remainder = 2 * e / (1 + e);      // 1 - T
  const auto primitive = [&](double rest, double y) { return -x_log_x(rest) / T - y; };  // rest = 1 - yT
  const double low = 1 - 2 * a;
  const double integral = primitive(remainder, 1) - primitive(remainder + 2 * a * T, low);
  return -0.5 * std::log(remainder * (1 + T)) + integral / (2 * a);
}

// -min over l: unimodal, by golden section
double majority_exponent(double a) {
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  double low = 0, high = 3 - std::log(a);
  double left = high - ratio * (high - low), right = low + ratio * (high - low);
  double at_left = mean_log_moment(a, left), at_right = mean_log_moment(a, right);
  for (int i = 0; i < 100; ++i) {
    if (at_left <= at_right) {
      high = right, right = left, at_right = at_left;
      left = high - ratio * (high - low), at_left = mean_log_moment(a, left);
    } else {
      low = left, left = right, at_left = at_right;
      right = low + ratio * (high - low), at_right = mean_log_moment(a, right);
    }
    if (high - low < 1e-9 * high) break;  // the minimum is flat: its value is then known to rounding
  }
  return std::max(-std::min(at_left, at_right), 0.0);
}

}  // namespace

UniformExponents uniform_exponents(double a) {
  expects(a > 0 && a <= 1, "a in (0, 1]");
  const double rest = 1 - a;
  return {.wmv_bhattacharyya = 1 - std::log(4 * a) / 2 + x_log_x(rest) / (2 * a),
          .wmv_kearns_saul = (1 + x_log_x(rest) - rest * std::log(a)) / 4,
          .majority_mean_chernoff = std::max(-std::log1p(-rest * rest) / 2, 0.0),  // a (2-a) = 1 - (1-a)^2
          .majority = a < 1 ? majority_exponent(a) : 0,
          .majority_hoeffding = rest * rest / 2};
}

}  // namespace orrery::sign_vote
