// How the signs of the workers become one sign per coordinate: the keys of [algorithm] kind = "sign-vote" (papers/signsgd-fv.md, 3).
#pragma once

#include <cstdint>
#include <string>

#include "kernels/core/params.hpp"
#include "kernels/signs.hpp"
#include "kernels/vote_weights.hpp"

namespace orrery {

//   majority    all equal                                                              signSGD with majority vote
//   fv          warm-up: majority; then per worker and coordinate, learned             signSGD-FV
//   fv-nonneg   the same, weights below 0 become 0
//   fv-worker   warm-up: majority; then per worker, learned over all coordinates
//   fd          warm-up: per worker; then per worker and coordinate                    signSGD-FD
//   sqrt-batch  the square root of the worker's batch, for ever                        the oracle of low signal to noise
enum class Vote { majority, fv, fd, fv_worker, fv_nonneg, sqrt_batch };
const char* name(Vote);

struct VoteSpec {
  Vote vote = Vote::majority;
  int64_t warmup = 100;   // rounds of the initial phase
  LlrRule rule;           // epsilon, clip
  double forgetting = 1;  // phi: counters fade by it every round
  SignZero sign_zero = SignZero::zero;

  bool learns() const { return vote != Vote::majority && vote != Vote::sqrt_batch; }
  bool per_coordinate() const { return vote == Vote::fv || vote == Vote::fd || vote == Vote::fv_nonneg; }

  // Bits of one round and worker (section 4): a sign up; the decision down, log2(3) bits where it may be zero, rounded up to whole bits.
  int64_t bits_up(int64_t parameters) const { return parameters; }
  int64_t bits_down(int64_t parameters) const;
};

// One sentence where the warm-up is never left: the run is then the vote of the warm-up; "" elsewhere.
std::string warmup_notice(const VoteSpec&, int64_t steps);

// Reads vote, warmup, clip, epsilon, forgetting, sign_zero and downlink.
VoteSpec read_vote(Params& algorithm);

}  // namespace orrery
