#include "runtime/theory/sign_vote/prediction.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/core/error.hpp"
#include "runtime/theory/sign_vote/decoding_bounds.hpp"
#include "runtime/theory/sign_vote/decoding_error.hpp"

namespace orrery::sign_vote {
namespace {

constexpr size_t most_in_majority = 5000, most_to_enumerate = 22;

}  // namespace

std::optional<double> exact_error(const std::vector<double>& p, const std::vector<double>& v) {
  expects(p.size() == v.size(), "as many weights as error probabilities");
  if (std::all_of(v.begin(), v.end(), [](double x) { return x == 1; }))
    return p.size() <= most_in_majority ? std::optional(majority_error(p)) : std::nullopt;
  return p.size() <= most_to_enumerate || groups_of(p, v).size() <= 2 ? decoding_error(p, v) : std::nullopt;
}

VotePrediction vote_prediction(const std::vector<double>& p, const std::vector<double>& v) {
  const std::vector<double> ones(p.size(), 1);
  VotePrediction out;
  out.own = exact_error(p, v);
  out.majority = exact_error(p, ones);
  out.weighted = exact_error(p, log_likelihood_ratios(p));
  out.kearns_saul = error_bound(kearns_saul_exponent(p, v));
  out.chernoff = error_bound(chernoff(p, v).exponent);
  out.majority_kearns_saul = error_bound(kearns_saul_exponent(p, ones));
  out.bounds = error_bounds(p);
  out.gamma = wmv_exponent(p) / static_cast<double>(p.size());
  out.weighted_at_least = wmv_error_at_least(p);

  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (size_t m = 0; m < p.size(); ++m) {
    const double ratio = v[m] / log_likelihood_ratio(p[m]);
    low = std::min(low, ratio), high = std::max(high, ratio);
  }
  if (low > 0 && std::isfinite(high)) {
    out.weight_error = (high - low) / (high + low);
    out.imperfect = error_bound(imperfect_exponent(p, *out.weight_error));
  }
  return out;
}

ClassPrediction class_prediction(double share, const std::vector<double>& p, const std::vector<double>& v) {
  return {.share = share,
          .own = exact_error(p, v),
          .hoeffding = error_bound(hoeffding_exponent(p)),
          .kearns_saul = error_bound(kearns_saul_exponent(p, v)),
          .chernoff = error_bound(chernoff(p, v).exponent)};
}

ClassPrediction all_classes(const std::vector<ClassPrediction>& classes) {
  ClassPrediction all{.share = 0, .own = 0, .hoeffding = 0, .kearns_saul = 0, .chernoff = 0};
  for (const ClassPrediction& c : classes) {
    all.share += c.share;
    all.own = all.own && c.own ? std::optional(*all.own + c.share * *c.own) : std::nullopt;
    all.hoeffding += c.share * c.hoeffding;
    all.kearns_saul += c.share * c.kearns_saul;
    all.chernoff += c.share * c.chernoff;
  }
  return all;
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
