// What the theory of fixed weights says of votes whose error rates were measured (papers/signsgd-fv.md 5.1). Host only, float64.
//
//   p_m   measured share of wrong signs of worker m
//   v_m   weights of the vote:  1,  sqrt(B_m),  w_m = ln((1-p_m)/p_m),  or learned: clamp(ln(a_m/(1-a_m)), -clip, clip) with the measured
//         agreement a_m of the worker with the decision, over all coordinates
//
// Coordinates whose p differ: classes c with share s_c of the coordinates and rates p_mc, and sum_c s_c P_E(p_c, v) in place of P_E(p, v),
// for errors and bounds alike; weights in place of shares for a sum over coordinates weighted by |g|.
//
// A share of none (of all) among n signs is taken as half a sign, for no finite run shows p = 0.
// A measured share above a bound by chance alone:  bound + 4 sqrt(bound (1 - bound)/n) + 4/n, n signs as if independent.
// Errors  std::logic_error as in decoding_error.hpp, where sizes differ, or n is below 1.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/theory/sign_vote/tables.hpp"

namespace orrery::sign_vote {

// exact errors of a majority: M <= 5,000; of weights: M <= 22, or two kinds of workers
std::optional<double> exact_error(const std::vector<double>& p, const std::vector<double>& v);

struct VotePrediction {                           // decoding errors P_E
  std::optional<double> own, majority, weighted;  // exact, with v, 1 and w; nothing where the workers differ too much
  double kearns_saul = 1, chernoff = 1;           // bounds with v
  double majority_kearns_saul = 1;                // v = 1; others, and those of w, in `bounds`
  ErrorBounds bounds;
  double gamma = 0;              // (1/M) exponent of w: P_E <= exp(-M gamma)
  double weighted_at_least = 0;  // no weights err less often (decoding_bounds.hpp)
  // v as w with a relative error: v_m / w_m in [low, high] = c [1 - d, 1 + d], d = (high - low)/(high + low), and the scale c does not matter;
  // nothing where a ratio is not above 0
  std::optional<double> weight_error, imperfect;  // d, the bound exp(-(1 - d^2) M gamma)
};
VotePrediction vote_prediction(const std::vector<double>& p, const std::vector<double>& v);

struct ClassPrediction {
  double share = 0;                      // or weight
  std::optional<double> own;             // exact, with v
  double hoeffding = 1;                  // bound of a majority
  double kearns_saul = 1, chernoff = 1;  // bounds with v
};
ClassPrediction class_prediction(double share, const std::vector<double>& p, const std::vector<double>& v);
ClassPrediction all_classes(const std::vector<ClassPrediction>&);  // sums weighted by the shares

std::vector<double> rates_inside(std::vector<double> p, double signs);  // each at least half a sign away from 0 and 1
std::vector<double> learned_weights(const std::vector<double>& agreement, double clip);

bool above(double measured, double bound, double signs);  // beyond chance

}  // namespace orrery::sign_vote
