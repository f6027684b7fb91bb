#include "runtime/theory/sign_vote/cross_over.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/core/error.hpp"

namespace orrery::sign_vote {

double upper_tail(double x) { return std::erfc(x / std::sqrt(2.0)) / 2; }

double signal_to_noise(double gradient, double batch, double sigma) {
  expects(batch > 0 && sigma > 0, "batch and sigma above 0");
  return std::abs(gradient) * std::sqrt(batch) / sigma;
}

CrossOver cross_over(double S) {
  expects(S >= 0, "a signal-to-noise ratio of 0 at least");
  const double square = S * S;
  return {.gaussian = upper_tail(S),
          .gauss = S > 2 / std::sqrt(3.0) ? 2.0 / 9 / square : 0.5 - S / (2 * std::sqrt(3.0)),
          .cantelli = 1 / (1 + square),
          .half_chebyshev = std::min(1 / (2 * square), 1.0),
          .markov = std::min(1 / S, 1.0),
          .sub_gaussian = std::exp(-square / 2)};
}

}  // namespace orrery::sign_vote
