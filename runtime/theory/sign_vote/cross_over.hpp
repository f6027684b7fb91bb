// How often the sign of a mini-batch gradient is wrong, by its signal-to-noise ratio (papers/signsgd-fv.md 5.3). Host only, float64.
//
//   S = |g| sqrt(B) / sigma      g = true gradient coordinate, B = samples in the batch, sigma = per-sample standard deviation
//
//   Gaussian noise                                    p  = Q(S) = (1/2) erfc(S / sqrt 2)
//   unimodal and symmetric (Gauss; Bernstein et al.)  p <= (2/9) / S^2 where S > 2/sqrt 3, else 1/2 - S / (2 sqrt 3)
//   any (Cantelli)                                    p <= 1 / (1 + S^2)
//   symmetric (half of Chebyshev)                     p <= 1 / (2 S^2)
//   any (Markov)                                      p <= 1 / S
//   sub-Gaussian with sigma^2 / B                     p <= exp(-S^2 / 2)
//
// Bounds above 1 are given as 1. Errors: std::logic_error where S < 0 or NaN; B, sigma not above 0.
#pragma once

namespace orrery::sign_vote {

double upper_tail(double x);  // Q(x), standard normal

double signal_to_noise(double gradient, double batch, double sigma);  // S

struct CrossOver {
  double gaussian, gauss, cantelli, half_chebyshev, markov, sub_gaussian;
};
CrossOver cross_over(double S);

}  // namespace orrery::sign_vote
