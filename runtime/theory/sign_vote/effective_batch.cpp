#include "runtime/theory/sign_vote/effective_batch.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/core/error.hpp"
#include "runtime/theory/sign_vote/cross_over.hpp"
#include "runtime/theory/sign_vote/decoding_bounds.hpp"
#include "runtime/theory/sign_vote/decoding_error.hpp"

namespace orrery::sign_vote {
namespace {

struct Sums {
  double workers = 0, samples = 0, roots = 0, inverses = 0;  // M, sum B, sum sqrt(B), sum 1/B
};
Sums sums(const std::vector<int64_t>& batch) {
  expects(!batch.empty(), "one worker at least");
  Sums s;
  for (const int64_t b : batch) {
    expects(b >= 1, "batches of one sample at least");
    const auto B = static_cast<double>(b);
    s.workers += 1, s.samples += B, s.roots += std::sqrt(B), s.inverses += 1 / B;
  }
  return s;
}

}  // namespace

double majority_efficiency(const std::vector<int64_t>& batch) {
  const Sums s = sums(batch);
  return s.roots * s.roots / (s.workers * s.samples);
}

EffectiveSamples effective_samples(const std::vector<int64_t>& batch) {
  const Sums s = sums(batch);
  constexpr double of_a_bit = 2 / std::numbers::pi;  // what a sign keeps of a sample
  return {.weighted_vote = of_a_bit * s.samples,
          .majority = of_a_bit * s.roots * s.roots / s.workers,
          .weighted_gradients = s.samples,
          .unweighted_gradients = s.workers * s.workers / s.inverses};
}

std::vector<double> sqrt_batches(const std::vector<int64_t>& batch) {
  sums(batch);
  std::vector<double> v;
  for (const int64_t b : batch) v.push_back(std::sqrt(static_cast<double>(b)));
  return v;
}

std::vector<double> gaussian_errors(double s, const std::vector<int64_t>& batch) {
  expects(s >= 0, "a signal-to-noise ratio of 0 at least");
  std::vector<double> p;
  for (const double root : sqrt_batches(batch)) p.push_back(std::max(upper_tail(s * root), 1e-300));
  return p;
}

double low_snr_error(double s, const std::vector<int64_t>& batch, const std::vector<double>& v) {
  expects(s >= 0, "a signal-to-noise ratio of 0 at least");
  const std::vector<double> root = sqrt_batches(batch);
  expects(v.size() == root.size(), "as many weights as batches");
  double signal = 0, noise = 0;
  for (size_t m = 0; m < v.size(); ++m) signal += v[m] * root[m], noise += v[m] * v[m];
  expects(noise > 0, "a weight that is not 0");
  return upper_tail(s * std::sqrt(2 / std::numbers::pi) * signal / std::sqrt(noise));
}

BatchErrors batch_errors(double s, const std::vector<int64_t>& batch) {
  const std::vector<double> p = gaussian_errors(s, batch);
  const EffectiveSamples samples = effective_samples(batch);
  return {.majority = decoding_error(p, std::vector<double>(p.size(), 1)),
          .weighted = decoding_error(p, log_likelihood_ratios(p)),
          .sqrt_batch = decoding_error(p, sqrt_batches(batch)),
          .unweighted_gradients = upper_tail(s * std::sqrt(samples.unweighted_gradients)),
          .weighted_gradients = upper_tail(s * std::sqrt(samples.weighted_gradients))};
}

}  // namespace orrery::sign_vote
