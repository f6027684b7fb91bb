// How the messages of the workers become one step for all: the keys of [algorithm] kind = "sign-vote" (papers/signsgd-fv.md 3, 7).
#pragma once

#include <cstdint>
#include <string>

#include "kernels/core/params.hpp"
#include "kernels/signs.hpp"
#include "kernels/vote_weights.hpp"
#include "runtime/voting/attack.hpp"
#include "runtime/voting/noise.hpp"

namespace orrery {

// Votes: one sign per coordinate is decided.
//   majority    all equal                                                              signSGD with majority vote; SIGNUM with momentum
//   fv          warm-up: majority; then per worker and coordinate, learned             signSGD-FV
//   fv-nonneg   the same, weights below 0 become 0
//   fv-worker   warm-up: majority; then per worker, learned over all coordinates
//   fd          warm-up: per worker; then per worker and coordinate                    signSGD-FD
//   sqrt-batch  the square root of the worker's batch, for ever                        the oracle of low signal to noise
//   genie       per worker, from how its signs of this round agree with those of the exact gradient     the oracle of theory
// Means: numbers are averaged.
//   average     of the signs, times the noise's amplitude                              z-signs, SSDM
//   mean        of the gradients                                                       distributed SGD
//   batch-mean  the same, a worker weighing as much as its batch
//   top-k       of what each worker sends of its residual, over those who sent        Top-K
enum class Vote { majority, fv, fd, fv_worker, fv_nonneg, sqrt_batch, genie, average, mean, batch_mean, top_k };
const char* name(Vote);

struct VoteSpec {
  Vote vote = Vote::majority;
  int64_t warmup = 100;   // rounds of the initial phase
  LlrRule rule;           // epsilon, clip
  double forgetting = 1;  // phi: counters fade by it every round
  SignZero sign_zero = SignZero::zero;

  bool one_bit_down = false;  // insists on a decision of one bit

  double momentum = 0;      // SIGNUM: v <- beta v + (1 - beta) g, and the sign of v is sent
  double weight_decay = 0;  // x <- x - eta (u + lambda x)
  enum class ErrorFeedback { none, worker, two_way } error_feedback = ErrorFeedback::none;
  double sparsity = 1;      // kappa: the share of a tensor's coordinates that is sent (S3GD-MV, Top-K)
  double accumulation = 1;  // lambda of its residual, e <- lambda e + g
  NoiseSpec noise;
  AttackSpec attack;
  enum class Forward { sums, signs } forward = Forward::sums;  // what a node of a tier passes on

  bool learns() const {
    return vote == Vote::fv || vote == Vote::fd || vote == Vote::fv_worker || vote == Vote::fv_nonneg;
  }
  bool per_coordinate() const { return vote == Vote::fv || vote == Vote::fd || vote == Vote::fv_nonneg; }
  bool feeds_back() const { return error_feedback != ErrorFeedback::none; }
  bool sparse() const { return sparsity < 1 || vote == Vote::top_k; }
  bool sends_signs() const { return vote < Vote::mean; }
  bool decides_signs() const { return vote < Vote::average && !feeds_back(); }
  // A worker's velocity or residual: a row of P numbers kept between rounds.
  bool keeps_state() const { return momentum > 0 || feeds_back() || sparse(); }
  // The signs are those of the gradients themselves: nothing needs the numbers.
  bool plain_signs() const { return sends_signs() && !keeps_state() && !noise.on() && !attack.on_numbers(); }
};

// One sentence where the warm-up is never left: the run is then the vote of the warm-up; "" elsewhere.
std::string warmup_notice(const VoteSpec&, int64_t steps);

// Reads the keys above; refuses what cannot go together.
VoteSpec read_vote(Params& algorithm);

}  // namespace orrery
