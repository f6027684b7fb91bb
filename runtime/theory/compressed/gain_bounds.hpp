// Gains for which the analyses of compressed methods promise convergence (papers/st-compression.md 5, A.2, A.4). Host, float64, O(1) each; the same
// bits everywhere.
#pragma once

namespace orrery::compressed_theory {

// Statement 1, direct consensus x' = -alpha L C(x) with an incrementally strongly monotone C: |x - mean| decays at this rate a unit of time, or faster.
double monotone_rate(double alpha, double m, double lambda_2);  // alpha m lambda_2

// The same after Euler steps of length s, for a C whose increments also satisfy |dC|^2 <= L_c dx . dC (gradients of convex functions do): from
// V = x^T L^+ x / 2,  V+ <= V - 2 s alpha m lambda_2 (1 - s alpha lambda_n L_c / 2) V. Decay of |x - mean| a step; 0 where nothing is promised.
double monotone_decay(double s, double alpha, double m, double lambda_2, double lambda_n, double L_c);

// Statement 4, observer consensus: exponential for alpha below lambda_2 kappa m / (lambda_n (lambda_n + lambda_2)); C does not change over time,
// x . C(x) >= m |x|^2.
double observer_alpha(double m, double kappa, double lambda_2, double lambda_n);

// CHOCO-Gossip with a contractive C (Koloskova, Stich, Jaggi, ICML 2019): the consensus step of the theorem, and the factor of a step for
// E sum_i (|x_i - mean|^2 + |x_i - xh_i|^2) with it.
//   D  spectral gap of W,  b = |I - W|_2
double choco_gamma(double D, double delta, double b);  // D^2 delta / (16 D + D^2 + 4 b^2 + 2 D b^2 - 8 D delta)
double choco_contraction(double D, double delta);      // 1 - D^2 delta / 82

// EF21 with a contractive C and exact gradients (Richtarik, Sokolov, Fatkhullin, NeurIPS 2021): theta = 1 - sqrt(1 - delta), beta = (1 - delta)/theta.
//   f        L-smooth, the workers' objectives L_i-smooth, Lt^2 = mean of L_i^2
//   step     1/(L + Lt sqrt(beta/theta)): the gradient's norm goes to zero
//   linear   min{1/(L + Lt sqrt(2 beta/theta)), theta/(2 mu)} with a mu-Polyak-Lojasiewicz f: f(x_t) - f* <= (1 - gamma mu)^t Psi_0 for gamma up to that,
//            Psi = f - f* + gamma/theta mean |h_i - grad f_i|^2
struct FeedbackSteps {
  double theta = 0, beta = 0, step = 0, linear = 0;
};
FeedbackSteps ef21_steps(double delta, double L, double Lt, double mu);

}  // namespace orrery::compressed_theory
