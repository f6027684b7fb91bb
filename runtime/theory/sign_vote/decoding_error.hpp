// How often a weighted vote of one-bit messages decodes the wrong sign, exactly (papers/signsgd-fv.md 5.1). Host only, float64.
//
//   worker m sends the wrong sign with probability p_m, independent of the others: Z_m ~ Bernoulli(p_m);   m = 0 ... M-1
//   score = sum_m v_m (1 - 2 Z_m),     P_E = P[score < 0] + P[score = 0] / 2          v_m = weights that do not depend on these votes
//
// Ties    |score| <= 1e-13 sum_m |v_m| counts as 0, for rounding must not decide a tie.
// Result  sums of positive terms only: relative error below n * 2^-52 also where P_E is tiny, n = M or the patterns of a half.
// Errors  std::logic_error where M = 0, sizes differ, a p_m is not inside (0, 1) or a weight is not finite.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace orrery::sign_vote {

struct Group {  // of workers with one p and one weight
  int64_t workers = 1;
  double p = 0.5;
  double weight = 1;
};

// Equal (p_m, v_m) put together, in the order in which they first occur.
std::vector<Group> groups_of(const std::vector<double>& p, const std::vector<double>& v);

// Majority (all v_m = 1) by the Poisson-binomial recursion: f <- (1-p_m) f + p_m shift(f). Any M; M^2/2 steps.
double majority_error(const std::vector<double>& p);

// Any weights by enumeration of who errs: the prod_g (n_g + 1) patterns of groups of n_g workers (weight 0: not counted), as pairs of half
// patterns, both sorted.
// Needs at most 2^20 patterns in each half: 40 workers that all differ, or two groups of a million.
bool enumerable(const std::vector<Group>&);
double enumerated_error(const std::vector<Group>&);
double enumerated_error(const std::vector<double>& p, const std::vector<double>& v);

// P[head_start + score < 0] + P[head_start + score = 0] / 2: what the other workers decide where one vote is given.
double enumerated_error_given(const std::vector<Group>& others, double head_start);

// The cheapest of these that applies. Nothing where the weights differ too much to enumerate, and for a majority of more than 20,000
// workers that differ in p.
std::optional<double> decoding_error(const std::vector<double>& p, const std::vector<double>& v);

}  // namespace orrery::sign_vote
