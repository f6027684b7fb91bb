// The exponent per worker, gamma = lim -(1/M) ln P_E, where the workers' error probabilities spread as Uniform[0, a]
// (papers/signsgd-fv.md 5.2). Host only, float64.
//
//   weights w_m   Bhattacharyya    1 - (1/2) ln(4a) + ((1-a)/(2a)) ln(1-a)           the true exponent
//                 Kearns-Saul      (1/4) [1 + (1-a) ln((1-a)/a)]                      = lim Phi/(2M)
//   majority      true             max_{l>0} -(1/a) int_0^a ln(p e^l + (1-p) e^{-l}) dp      p_m fixed: the optimised Chernoff bound
//                 mean-Chernoff    -(1/2) ln(a (2-a))                                 p_m drawn anew in every vote
//                 Hoeffding        (1-a)^2 / 2
//
// With T = tanh l and y = 1 - 2p the integral of "true" is elementary:
//   ln(p e^l + (1-p) e^{-l}) = -(1/2) ln(1 - T^2) + ln(1 - yT),   int ln(1 - yT) dy = -(1 - yT) ln(1 - yT)/T - y
//
// Domain   0 < a <= 1, else std::logic_error. At a = 1 a majority knows nothing (0); weights still do, for they invert bad voters.
#pragma once

namespace orrery::sign_vote {

struct UniformExponents {  // gamma of each
  double wmv_bhattacharyya, wmv_kearns_saul, majority_mean_chernoff, majority, majority_hoeffding;
};
UniformExponents uniform_exponents(double a);

}  // namespace orrery::sign_vote
