// Bits that sign methods put on the wire, per worker and round (papers/signsgd-fv.md 4). Host only, float64: exact below 2^53.
//
//   N = parameters, T = parameter tensors, M = workers, K = coordinates kept
//
//   method                                   up               down
//   gradients in float32                     32 N             32 N
//   sign votes (majority, SIGNUM, FV, FD,    N                N; log2(3) N where a tie may be sent as 0
//     noisy and stochastic signs)
//   error feedback, averaged                 N + 32 T         32 N
//   error feedback both ways                 N + 32 T         N + 32 T
//   sparse sign votes (S3GD-MV)              sparse(N, K)     sparse(N, min(M K, N)) at most
//   averaged signs (z-SignFedAvg)            N                32 N, or N ceil(log2(M+1)) as integer sums
//
//   sparse(N, K)   K signs and where they are:  positions K (1 + ceil(log2 N));  bitmap N + K;  entropy bound N h2(K/N) + K
//
// Errors  std::logic_error where a number is below 1 (K: below 0), or K > N.
#pragma once

#include <cstdint>
#include <vector>

namespace orrery::sign_vote {

struct WireBits {
  double up = 0, down = 0;
};
double total_bits(const WireBits&, int64_t workers, int64_t rounds);  // both directions, every worker counted

enum class Decoded { sign, sign_or_zero };  // what the server may send
enum class Positions { listed, bitmap, entropy };
enum class Mean { float32, integer_sums };

WireBits gradients(int64_t parameters);
WireBits sign_votes(int64_t parameters, Decoded = Decoded::sign);
WireBits error_feedback(int64_t parameters, int64_t tensors);
WireBits two_way_error_feedback(int64_t parameters, int64_t tensors);
WireBits sparse_sign_votes(int64_t parameters, int64_t kept, int64_t workers, Positions);
WireBits averaged_signs(int64_t parameters, int64_t workers, Mean);

double sparse_bits(int64_t parameters, int64_t kept, Positions);

// Counts forwarded through tiers: bits up on one link of each tier, N from a worker, N ceil(log2(g+1)) from a node with g workers below.
// workers_below has an entry per tier of nodes that forward, from the workers up.
std::vector<double> forwarded_counts(int64_t parameters, const std::vector<int64_t>& workers_below);

}  // namespace orrery::sign_vote
