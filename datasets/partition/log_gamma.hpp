// The logarithm of a Gamma(a, 1) variate, for any a > 0: Marsaglia and Tsang, ACM TOMS 26(3), 2000.
//
//   a >= 1   d v, accepted where log u < x^2/2 + d - d v + d log v;  d = a - 1/3, v = (1 + x / (3 sqrt d))^3, x normal
//   a < 1    Gamma(a) = Gamma(a + 1) * U^(1/a), in logarithms: with small a the variate itself underflows
//
// Attempt k takes block k of the stream; more than 95 % of the attempts are accepted.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/core/rng.hpp"

namespace orrery::partition {

inline double log_gamma_variate(double a, const Stream& s) {
  a = std::max(a, 1e-290);  // log(u) / a stays finite
  const double shape = a < 1 ? a + 1 : a;
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  const double boost = a < 1 ? std::log(s.uniform(3)) / a : 0;  // word 3 of block 0, which no attempt takes
  for (uint32_t k = 0;; ++k) {
    const double x = s.normal(4 * k), u = s.uniform(4 * k + 2);
    const double v = 1 + c * x;
    if (v <= 0) continue;
    const double log_v = 3 * std::log(v);
    if (std::log(u) < 0.5 * x * x + d - d * std::exp(log_v) + d * log_v) return std::log(d) + log_v + boost;
  }
}

}  // namespace orrery::partition
