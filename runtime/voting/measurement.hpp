// What the votes of a run were seen to do, beside the gradient of the objective g = grad f(x) at the same point: means over the record
// points at which a vote was looked at (metrics vote_agreement, vote_error) and over the replicas.
//
//   agreement[m]    share of coordinates on which the sign of worker m is the decided one, two zeros included
//   p[m]            cross-over rate: (1/N) sum_n [Y_mn != sign g_n], over the N coordinates with g_n != 0; Y_mn = 0 counts half
//   p_weighted[m]   sum_n |g_n| [Y_mn != sign g_n] / sum_n |g_n|
//   decoding_error  as p, of the decision;      vote_error   as p_weighted, of the decision: the metric
//
// Memory  numbers per worker; nothing grows with workers times parameters.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/core/buffer.hpp"
#include "kernels/signs.hpp"

namespace orrery {

// One vote of one replica.
struct VoteLook {
  std::vector<double> agreement;      // (M)
  std::vector<double> p, p_weighted;  // (M), empty without a reference, or where it is 0 everywhere
  double decoding_error = 0, vote_error = 0;
  int64_t decoded = 0;  // N
};

struct VotePhase {  // means over its looks
  int64_t looks = 0, references = 0;
  int64_t decoded = 0;  // sum of N
  std::vector<double> agreement, p, p_weighted;
  double decoding_error = 0, vote_error = 0;

  void add(const VoteLook&);
};

struct VoteMeasurement {
  VotePhase warmup, after;  // votes that learn: rounds of the initial phase, and later ones; others: all in `after`
};

// A gradient that signs are held against, on the device: 16 bytes per coordinate.
class VoteReference {
 public:
  VoteReference(const Context&, const std::vector<double>& gradient);

  struct Error {
    double share = 0, weighted = 0;  // p, p_weighted of one row of signs
  };
  std::vector<Error> errors(const SignsIn&) const;  // of every row; empty where the gradient is 0 everywhere
  int64_t decoded() const { return decoded_; }      // N
  double norm1() const { return norm1_; }           // sum_n |g_n|

 private:
  const Context& ctx_;
  int64_t parameters_, decoded_ = 0;
  double norm1_ = 0;
  Buffer<double> vectors_;  // (2, P): signs, then the gradient
};

}  // namespace orrery
