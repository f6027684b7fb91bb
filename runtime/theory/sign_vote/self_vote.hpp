// What learned weights estimate: a worker is compared with the vote that it took part in (papers/signsgd-fv.md 5.6). Host only, float64.
//
//   q_m = P[Y_m != Uhat] = (1-p_m) P[the others outvote a right m] + p_m P[the others do not outvote a wrong m],     ties half
//   equal p, odd M, plain majority, H = (M+1)/2, D ~ Bin(M-1, p):   q = (1-p) P[D >= H] + p P[D <= H-2]
//
// With endless estimation the weights are  w_m = clamp(ln((1-q_m)/q_m), -clip, clip),  and the rounds of a static channel go
//
//   majority --q--> weights of the warm-up --> first weighted vote --q--> weights --> ... --> self-consistent weights
//
// Cost    a round enumerates once per group and outcome (decoding_error.hpp).
// Errors  std::logic_error where there is no group, a group does not fit decoding_error.hpp, or clip is not above 0.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/theory/sign_vote/decoding_error.hpp"

namespace orrery::sign_vote {

std::vector<double> disagreements(
    const std::vector<Group>&);  // q of a worker of each group, decoding with the groups' weights
double equal_workers_disagreement(int64_t workers, double p);  // q of plain majority
double learned_weight(double q, double clip);                  // 0 <= q <= 1
double learned_weight_deviation(double p, double rounds);  // ~ 1 / sqrt(t p (1-p)), standard deviation after t rounds

struct SelfVote {
  std::vector<double> true_weights, warmup_weights,
      weights;  // per group: ln((1-p)/p); after the majority phase; self-consistent
  double majority = 0, first = 0, self_consistent = 0, true_weighted = 0;  // P_E
  int64_t rounds = 0;                                                      // estimates until the weights stood still
  bool settled = false;                                                    // false: they still moved after 1,000
};
SelfVote self_vote(std::vector<Group> groups, double clip = 10);  // whatever weights the groups have

}  // namespace orrery::sign_vote
