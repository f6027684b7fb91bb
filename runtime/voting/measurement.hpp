// What the votes of a run were seen to do, beside the gradient of the objective g = grad f(x) at the same point: means over the record
// points at which a vote was looked at (metrics vote_agreement, vote_error) and over the replicas.
//
//   agreement[m]    share of coordinates on which the sign of worker m is the decided one, two zeros included
//   p[m]            cross-over rate: (1/N) sum_n [Y_mn != sign g_n], over the N coordinates with g_n != 0; Y_mn = 0 counts half
//   p_weighted[m]   sum_n |g_n| [Y_mn != sign g_n] / sum_n |g_n|
//   decoding_error  as p, of the decision;      vote_error   as p_weighted, of the decision: the metric
//
// Signal to noise differs much between coordinates and in the course of a run, so errors are also counted by classes: class k has the
// coordinates with 2^k <= |g_n| < 2^(k+1), whenever they were seen; what is smaller than the largest |g_n| of a vote by more than 2^11 counts
// in the lowest class of that vote.
//
// Memory  numbers per worker and class; while one replica is looked at 8 bytes and a bit per class for a coordinate. Nothing grows with workers
//         times parameters.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "kernels/core/buffer.hpp"
#include "kernels/signs.hpp"

namespace orrery {

struct VoteClass {
  double share = 0, weight = 0;    // of the N coordinates, of sum_n |g_n|; sums over the looks
  int64_t decoded = 0;             // coordinates
  int64_t missed = 0;              // by the decision; a zero is 1, a wrong sign 2
  std::vector<int64_t> missed_by;  // (M) by the workers

  double decoding_error() const { return static_cast<double>(missed) / (2 * static_cast<double>(decoded)); }
  std::vector<double> p() const;
};

// One vote of one replica.
struct VoteLook {
  std::vector<double> agreement;      // (M)
  std::vector<double> p, p_weighted;  // (M), empty without a reference, or where it is 0 everywhere
  double decoding_error = 0, vote_error = 0;
  std::map<int, VoteClass> classes;  // by k
  int64_t decoded = 0;               // N
};

struct VotePhase {  // means over its looks
  int64_t looks = 0, references = 0;
  int64_t decoded = 0;  // sum of N
  std::vector<double> agreement, p, p_weighted;
  double decoding_error = 0, vote_error = 0;
  std::map<int, VoteClass> classes;  // sums

  void add(const VoteLook&);
};

struct VoteMeasurement {
  VotePhase warmup, after;  // votes that learn: rounds of the initial phase, and later ones; others: all in `after`
};

// Holds a vote against the gradient: fills all of the look but `agreement`. decided: one row; sent: a row per worker.
void look_at_errors(const Context&, const std::vector<double>& gradient, const SignsIn& decided, const SignsIn& sent,
                    VoteLook& look);

}  // namespace orrery
