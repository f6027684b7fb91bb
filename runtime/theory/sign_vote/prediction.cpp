#include "runtime/theory/sign_vote/prediction.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/core/error.hpp"
#include "runtime/theory/sign_vote/decoding_bounds.hpp"
#include "runtime/theory/sign_vote/decoding_error.hpp"

namespace orrery::sign_vote {
namespace {

constexpr size_t longest_recursion = 20000;  // workers of a majority

}  // namespace

VotePrediction vote_prediction(const std::vector<double>& p, const std::vector<double>& v) {
  expects(p.size() == v.size(), "as many weights as error probabilities");
  const std::vector<double> ones(p.size(), 1);
  const bool majority = v == ones;
  VotePrediction out;
  if (p.size() <= longest_recursion) out.majority = majority_error(p);
  out.own = majority ? out.majority : decoding_error(p, v);
  out.weighted = decoding_error(p, log_likelihood_ratios(p));
  out.kearns_saul = error_bound(kearns_saul_exponent(p, v));
  out.chernoff = error_bound(chernoff(p, v).exponent);
  out.majority_kearns_saul = error_bound(kearns_saul_exponent(p, ones));
  out.bounds = error_bounds(p);
  out.gamma = wmv_exponent(p) / static_cast<double>(p.size());
  return out;
}

std::vector<double> rates_inside(std::vector<double> p, double signs) {
  expects(signs >= 1, "one sign at least");
  for (double& x : p) x = std::clamp(x, 0.5 / signs, 1 - 0.5 / signs);
  return p;
}

std::vector<double> learned_weights(const std::vector<double>& agreement, double clip) {
  std::vector<double> w;
  for (const double a : agreement) w.push_back(learned_weight(1 - a, clip));
  return w;
}

bool above(double measured, double bound, double signs) {
  expects(signs >= 1, "one sign at least");
  const double b = std::clamp(bound, 0.0, 1.0);
  return measured > b + 4 * std::sqrt(b * (1 - b) / signs) + 4 / signs;
}

}  // namespace orrery::sign_vote
