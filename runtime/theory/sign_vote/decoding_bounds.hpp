// Bounds on the decoding error of a weighted vote, as exponents: P_E <= exp(-E), E = M gamma (papers/signsgd-fv.md 5.1). Host only, float64.
// Notation of decoding_error.hpp; w_m = ln((1-p_m)/p_m) (natural logarithm), pbar = mean p_m, Phi = sum_m (1/2 - p_m) w_m.
//
//   Chernoff          E = max_{l>0} -sum_m ln(p_m e^{l v_m} + (1-p_m) e^{-l v_m})
//   Kearns-Saul       E = [sum_m v_m (1/2 - p_m)]^2 / (2 sum_m v_m^2 (1/2 - p_m)/w_m)              (1/2 - p)/w = 1/4 at p = 1/2
//   majority          Hoeffding E = 2 M (1/2 - pbar)^2;  mean-Chernoff E = -(M/2) ln(4 pbar (1-pbar))
//   weights w_m       Kearns-Saul E = Phi/2 (Berend and Kontorovich);  Bhattacharyya (Chernoff at l = 1/2) E = -1/2 sum_m ln(4 p_m (1-p_m))
//   learned weights   Kearns-Saul with v = what;  |what_m/w_m - 1| <= d < 1 for all m:  E >= (1 - d^2) Phi/2
//
// Always  Kearns-Saul <= Chernoff, Phi/2 <= Bhattacharyya, Hoeffding <= mean-Chernoff <= Chernoff with v = 1.
// E = 0   where the bound says nothing: sum_m v_m (1/2 - p_m) <= 0, for the majority pbar >= 1/2.
// Errors  std::logic_error as in decoding_error.hpp, or where d is outside [0, 1).
#pragma once

#include <vector>

namespace orrery::sign_vote {

double log_likelihood_ratio(double p);                                    // w
std::vector<double> log_likelihood_ratios(const std::vector<double>& p);  // (M)

struct Chernoff {
  double lambda = 0;    // the best l; 0 where E = 0
  double exponent = 0;  // E
};
Chernoff chernoff(const std::vector<double>& p, const std::vector<double>& v);
double kearns_saul_exponent(const std::vector<double>& p, const std::vector<double>& v);

double hoeffding_exponent(const std::vector<double>& p);
double mean_chernoff_exponent(const std::vector<double>& p);

double phi(const std::vector<double>& p);
double wmv_exponent(
    const std::vector<double>& p);  // Phi/2 = M gamma, gamma = (1/(2M)) sum_m (1/2 - p_m) ln((1-p_m)/p_m)
double bhattacharyya_exponent(const std::vector<double>& p);
double imperfect_exponent(const std::vector<double>& p, double d);  // (1 - d^2) Phi/2

double error_bound(double exponent);  // exp(-E)

// From below, for the weights w_m (Berend and Kontorovich, NeurIPS 2014, as papers/signsgd-fv.md 5.1 restates it):
//   P_E >= 3 / (4 (1 + exp(2 Phi + 4 sqrt(Phi))))
double wmv_error_at_least(const std::vector<double>& p);

}  // namespace orrery::sign_vote
