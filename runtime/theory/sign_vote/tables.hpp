// The tables of papers/signsgd-fv.md 5.1, 5.2, 5.5 and 5.6 for given batches and per-sample signal-to-noise ratios. Host only, float64.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/theory/sign_vote/effective_batch.hpp"
#include "runtime/theory/sign_vote/exponents.hpp"
#include "runtime/theory/sign_vote/self_vote.hpp"

namespace orrery::sign_vote {

struct ErrorBounds {  // 5.1 on P_E, each exp(-exponent)
  double majority_hoeffding, majority_mean_chernoff, majority_chernoff, weighted_bhattacharyya, weighted_kearns_saul;
};
ErrorBounds error_bounds(const std::vector<double>& p);

struct SnrTables {  // of one s = |g| / sigma, Gaussian noise
  double s = 0;
  double p_least = 0, p_most = 0;  // of the largest and the smallest batch
  ErrorBounds bounds;
  BatchErrors errors;                             // exact
  double low_snr_majority = 0, low_snr_best = 0;  // low_snr_error with v = 1, sqrt(B)
  double gamma = 0;                               // (1/M) wmv_exponent: P_E <= exp(-M gamma) of the weights w
  std::optional<SelfVote> learned;                // two batch sizes at most, M <= 10,000; groups as they first occur
};

struct SignVoteTables {
  std::vector<std::pair<int64_t, int64_t>> groups;  // workers, batch; as they first occur
  double efficiency = 1;                            // eta
  EffectiveSamples samples;
  std::vector<SnrTables> snr;
  std::vector<std::pair<double, UniformExponents>> uniform;  // a, exponents
};

// Errors as in effective_batch.hpp. Expects s > 0, for at s = 0 there is nothing to decode.
SignVoteTables sign_vote_tables(const std::vector<int64_t>& batch, const std::vector<double>& snr);

std::string to_text(const SignVoteTables&);
std::string sign_vote_tables_text(const std::vector<int64_t>& batch, const std::vector<double>& snr);

}  // namespace orrery::sign_vote
