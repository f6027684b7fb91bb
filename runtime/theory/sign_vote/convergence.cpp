#include "runtime/theory/sign_vote/convergence.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/core/error.hpp"
#include "runtime/theory/sign_vote/decoding_bounds.hpp"
#include "runtime/theory/sign_vote/effective_batch.hpp"

namespace orrery::sign_vote {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

void check(const Descent& d) {
  expects(d.gap >= 0, "a gap of 0 at least");
  expects(d.norm1_L > 0 && d.rounds > 0, "smoothness and rounds above 0");
}

}  // namespace

double best_step(const Descent& d) {
  check(d);
  return std::sqrt(2 * d.gap / (d.rounds * d.norm1_L));
}

double weighted_gradient_bound(const Descent& d) {
  check(d);
  expects(d.step > 0, "a step above 0");
  return d.gap / (d.step * d.rounds) + d.step * d.norm1_L / 2;
}

double expected_change(const std::vector<double>& gradient, const std::vector<double>& error, double step,
                       double norm1_L) {
  expects(gradient.size() == error.size(), "a decoding error per coordinate");
  double descent = 0;
  for (size_t n = 0; n < gradient.size(); ++n) {
    expects(error[n] >= 0 && error[n] <= 1, "decoding errors in [0, 1]");
    descent += std::abs(gradient[n]) * (1 - 2 * error[n]);
  }
  return -step * descent + step * step / 2 * norm1_L;
}

double gradient_bound(double R, double error_at_most) {
  expects(R >= 0 && error_at_most >= 0, "R and an error of 0 at least");
  return error_at_most < 0.5 ? R / (1 - 2 * error_at_most) : infinite;
}

FvGradientBound fv_gradient_bound(double R, double rounds, double warmup, double majority_exponent,
                                  double weights_exponent) {
  expects(rounds > 0 && warmup >= 0, "rounds above 0 and a warm-up of 0 at least");
  const double majority = warmup > 0 ? error_bound(majority_exponent) : 0;
  const double weights = warmup < rounds ? error_bound(weights_exponent) : 0;
  const double after = warmup < rounds ? R * rounds / (rounds - warmup) : infinite;
  return {.whole_run = gradient_bound(R, std::max(majority, weights)), .after_warmup = gradient_bound(after, weights)};
}

double noise_floor(double norm1_sigma, const std::vector<int64_t>& batch, const std::vector<double>& v) {
  expects(norm1_sigma >= 0, "standard deviations of 0 at least");
  const std::vector<double> root = sqrt_batches(batch);
  expects(v.size() == root.size(), "as many weights as batches");
  double signal = 0, noise = 0;
  for (size_t m = 0; m < v.size(); ++m) {
    expects(v[m] >= 0, "weights of 0 at least");
    signal += v[m] * root[m], noise += v[m] * v[m];
  }
  expects(noise > 0, "a weight that is not 0");
  return std::sqrt(3.0) / 2 * norm1_sigma * std::sqrt(noise) / signal;
}

double majority_floor(double norm1_sigma, const std::vector<int64_t>& batch) {
  return noise_floor(norm1_sigma, batch, std::vector<double>(batch.size(), 1));
}

double weighted_floor(double norm1_sigma, const std::vector<int64_t>& batch) {
  return noise_floor(norm1_sigma, batch, sqrt_batches(batch));
}

double additive_gradient_bound(double R, double floor) { return R + 2 * floor; }

double quadratic_weighted_gradients(double f_start, double f_end, const Descent& d) {
  expects(d.step > 0 && d.rounds > 0, "a step and rounds above 0");
  return (f_start - f_end) / d.step + d.rounds * d.step * d.norm1_L / 2;
}

}  // namespace orrery::sign_vote
