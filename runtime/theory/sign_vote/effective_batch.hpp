// What unequal batches do to a vote: effective batch sizes and decoding errors (papers/signsgd-fv.md 5.5). Host only, float64.
//
//   s = |g| / sigma   per-sample signal-to-noise ratio of a coordinate;   p_m = Q(s sqrt(B_m)), Gaussian noise;   B_m = batch of worker m
//
//   low s      P_E ~ Q(s sqrt(2/pi) sum_m v_m sqrt(B_m) / sqrt(sum_m v_m^2))
//   samples    as many as one perfect worker would need for the same error at low s:
//              weights w_m or sqrt(B_m)   (2/pi) sum_m B_m                majority                     (2/pi) (sum_m sqrt(B_m))^2 / M
//              gradients weighted by B_m  sum_m B_m                       unweighted mean of gradients  M^2 / sum_m 1/B_m
//   efficiency of the majority            eta = (mean sqrt(B))^2 / mean B <= 1, = 1 only where all batches are equal
//
// Errors  std::logic_error where there is no worker, a batch is below 1, s < 0, or there are not as many weights as batches.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace orrery::sign_vote {

double majority_efficiency(const std::vector<int64_t>& batch);  // eta

struct EffectiveSamples {
  double weighted_vote, majority, weighted_gradients, unweighted_gradients;
};
EffectiveSamples effective_samples(const std::vector<int64_t>& batch);

std::vector<double> sqrt_batches(const std::vector<int64_t>& batch);               // (M) the "sqrt-B rule" for weights
std::vector<double> gaussian_errors(double s, const std::vector<int64_t>& batch);  // (M) p_m, 1e-300 where smaller
double low_snr_error(double s, const std::vector<int64_t>& batch, const std::vector<double>& v);

struct BatchErrors {  // P_E; nothing where the workers differ too much for decoding_error()
  std::optional<double> majority, weighted, sqrt_batch;
  double unweighted_gradients, weighted_gradients;  // the sign of a mean of full-precision gradients
};
BatchErrors batch_errors(double s, const std::vector<int64_t>& batch);

}  // namespace orrery::sign_vote
