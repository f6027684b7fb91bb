// Convergence of sign descent whose signs are decoded wrongly now and then (papers/signsgd-fv.md 5.4). Host only, float64.
//
//   x_{t+1} = x_t - delta u_t,  u_n = wrong sign of g_n with probability P_E(t,n), independently given x_t;  any decoder
//   f >= f*,  |f(y) - f(x) - g.(y-x)| <= (1/2) sum_n L_n (y_n - x_n)^2,  |L|_1 = sum_n L_n,  gap = f(x_0) - f*
//
//   E f(x_{t+1}) - f(x_t)                            <= -delta sum_n |g_n| (1 - 2 P_E(n)) + (delta^2/2) |L|_1
//   R = (1/T) sum_{t<T} E sum_n |g_n| (1 - 2 P_E)    <= gap/(delta T) + delta |L|_1/2,     best delta = sqrt(2 gap/(T |L|_1)):
//                                                       sqrt(2 |L|_1 gap/T)
//   (1/T) sum_t E |g_t|_1                            <= R / (1 - 2 P_max)         where P_E <= P_max < 1/2, e.g. exp(-M gamma)
//
// FV: P_max of the majority for t < warm-up, of its weights from then on. Where the majority's bound says nothing, P_E <= 1/2 still does,
// and the rounds after the warm-up alone have  mean |g_t|_1 <= R T / ((T - warm-up)(1 - 2 P_max)).
// Close to a stationary point p -> 1/2 and the multiplicative form is empty; the additive one is not:
//
//   |g_n| P_E <= (sqrt 3/2) sigma_n sqrt(sum_m v_m^2) / sum_m v_m sqrt(B_m)       all S_m <= 2/sqrt 3, v_m >= 0, unimodal symmetric noise
//   floors (summed over n)   majority (sqrt 3/2) |sigma|_1 / (sqrt(M) mean sqrt(B));   v = sqrt(B): (sqrt 3/2) |sigma|_1 / sqrt(sum B)
//   (1/T) sum_t E |g_t|_1 <= R + 2 floor
//
// Quadratics without zero steps, exactly:  sum_t g_t.u_t = (f(x_0) - f(x_T))/delta + T delta |L|_1/2.
// Errors  std::logic_error where a number is out of its range or sizes differ.
#pragma once

#include <cstdint>
#include <vector>

namespace orrery::sign_vote {

struct Descent {
  double gap = 0, norm1_L = 0, rounds = 1, step = 1;  // gap >= 0, the others above 0
};
double best_step(const Descent&);                // its own step is not read
double weighted_gradient_bound(const Descent&);  // R, with its step

// Of one round: E f(x_{t+1}) - f(x_t); |g_n| and P_E(n), one of each per coordinate.
double expected_change(const std::vector<double>& gradient, const std::vector<double>& error, double step,
                       double norm1_L);

double gradient_bound(double R, double error_at_most);  // infinite where P_max >= 1/2

struct FvGradientBound {
  double whole_run, after_warmup;  // infinite where the bound says nothing, or no round is left
};
// Exponents M gamma of the majority and of the weights (decoding_bounds.hpp).
FvGradientBound fv_gradient_bound(double R, double rounds, double warmup, double majority_exponent,
                                  double weights_exponent);

double noise_floor(double norm1_sigma, const std::vector<int64_t>& batch, const std::vector<double>& v);
double majority_floor(double norm1_sigma, const std::vector<int64_t>& batch);
double weighted_floor(double norm1_sigma, const std::vector<int64_t>& batch);  // v = sqrt(B)
double additive_gradient_bound(double R, double floor);

double quadratic_weighted_gradients(double f_start, double f_end,
                                    const Descent&);  // sum_t g_t.u_t; its gap is not read

}  // namespace orrery::sign_vote
