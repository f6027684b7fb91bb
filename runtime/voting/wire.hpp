// Bits of one round of a voting method, per class of links (papers/signsgd-fv.md 4; formulas in theory/sign_vote/wire_bits.hpp).
//
//   N parameters, T tensors, M workers below a server, K coordinates kept, g workers below a node, b bits of a float
//
//   worker to its node   signs N;  error feedback N + 32 T;  sparse signs min(K (1 + ceil log2 N), N + K);  numbers b N, top-k as sparse signs and b a value
//   node to node above   forward = "signs": N;  "sums": counts N ceil(log2(g + 1)), weighted sums 64 N, means b N
//   decision, down       N, or ceil(log2(3) N) where it may be 0;  average of signs N ceil(log2(M + 1));  error feedback b N, two-way N + 32 T;
//                        sparse: as for min(M K, N) coordinates;  means b N;  over every link of every tier
//   model average        b N up on the links of the tier that averages, b N down on those and all below: the workers need the new model
#pragma once

#include <cstdint>
#include <vector>

#include "models/model.hpp"
#include "runtime/network/network.hpp"
#include "runtime/voting/spec.hpp"

namespace orrery {

// Tiers from the workers upward that act in every step, and so vote; those above average models.
int voting_tiers(const NetworkSpec&);

struct MessageSize {
  MessageSize(const std::vector<Tensor>& layout, int64_t float_bits);
  std::vector<int64_t> tensors;  // sizes
  int64_t float_bits = 32;
  int64_t parameters() const;
  int64_t kept(double sparsity) const;  // sum of ceil(sparsity * size)
};

Ledger vote_ledger(const NetworkSpec&);  // the tiers, or one link to the "server", nothing sent yet
void charge_vote(Ledger&, const VoteSpec&, const Network&, const MessageSize&, int64_t rounds = 1);
void charge_model_average(Ledger&, const Network&, int tier, int64_t bits_per_model, int64_t times = 1);
Ledger ledger_after(const VoteSpec&, const Network&, const MessageSize&, int64_t steps);  // of a whole run

}  // namespace orrery
