#include "runtime/theory/compressed/gain_bounds.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/core/error.hpp"

namespace orrery::compressed_theory {

double monotone_rate(double alpha, double m, double lambda_2) { return alpha * m * lambda_2; }

double monotone_decay(double s, double alpha, double m, double lambda_2, double lambda_n, double L_c) {
  const double slack = 1 - s * alpha * lambda_n * L_c / 2;
  const double left = 1 - 2 * s * alpha * m * lambda_2 * slack;
  return slack > 0 && left > 0 ? -0.5 * std::log(left) : 0.0;
}

double observer_alpha(double m, double kappa, double lambda_2, double lambda_n) {
  expects(lambda_n > 0 && lambda_2 > 0, "a connected graph");
  return lambda_2 * kappa * m / (lambda_n * (lambda_n + lambda_2));
}

double choco_gamma(double D, double delta, double b) {
  expects(D > 0 && delta > 0 && delta <= 1, "a connected graph and a contractive compressor");
  return D * D * delta / (16 * D + D * D + 4 * b * b + 2 * D * b * b - 8 * D * delta);
}

double choco_contraction(double D, double delta) { return 1 - D * D * delta / 82; }

FeedbackSteps ef21_steps(double delta, double L, double Lt, double mu) {
  expects(delta > 0 && delta <= 1 && L > 0, "a contractive compressor and a smooth objective");
  FeedbackSteps f;
  f.theta = 1 - std::sqrt(1 - delta);
  f.beta = (1 - delta) / f.theta;
  f.step = 1 / (L + Lt * std::sqrt(f.beta / f.theta));
  f.linear = 1 / (L + Lt * std::sqrt(2 * f.beta / f.theta));
  if (mu > 0) f.linear = std::min(f.linear, f.theta / (2 * mu));
  return f;
}

}  // namespace orrery::compressed_theory
