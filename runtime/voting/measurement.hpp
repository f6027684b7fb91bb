// What the votes of a run were seen to do, beside the gradient of the objective g = grad f(x) at the same point: means over the record
// points at which a vote was looked at (metrics vote_agreement, vote_error) and over the replicas.
//
//   agreement[m]    share of coordinates on which the sign of worker m is the decided one, two zeros included
//   p[m]            cross-over rate: (1/N) sum_n [Y_mn != sign g_n], over the N coordinates with g_n != 0; Y_mn = 0 counts half
//   p_weighted[m]   sum_n |g_n| [Y_mn != sign g_n] / sum_n |g_n|
//   decoding_error  as p, of the decision;      vote_error   as p_weighted, of the decision: the metric
//
// Signal to noise differs much between coordinates, so p and the decoding error are also kept by classes: the N coordinates sorted by
// |g_n|, in (up to) eight parts of equal number.
//
// Memory  numbers per worker and class, and 8 bytes per coordinate while one replica is looked at; nothing grows with workers times
//         parameters.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/core/buffer.hpp"
#include "kernels/signs.hpp"

namespace orrery {

struct VoteClass {
  double share = 0, weight = 0;  // of the N coordinates, of sum_n |g_n|
  std::vector<double> p;         // (M)
  double decoding_error = 0;
};

// One vote of one replica.
struct VoteLook {
  std::vector<double> agreement;      // (M)
  std::vector<double> p, p_weighted;  // (M), empty without a reference, or where it is 0 everywhere
  double decoding_error = 0, vote_error = 0;
  std::vector<VoteClass> classes;  // |g_n| ascending
  int64_t decoded = 0;             // N
};

struct VotePhase {  // means over its looks
  int64_t looks = 0, references = 0;
  int64_t decoded = 0;  // sum of N
  std::vector<double> agreement, p, p_weighted;
  double decoding_error = 0, vote_error = 0;
  std::vector<VoteClass> classes;

  void add(const VoteLook&);
};

struct VoteMeasurement {
  VotePhase warmup, after;  // votes that learn: rounds of the initial phase, and later ones; others: all in `after`
};

// Holds a vote against the gradient: fills all of the look but `agreement`. decided: one row; sent: a row per worker.
void look_at_errors(const Context&, const std::vector<double>& gradient, const SignsIn& decided, const SignsIn& sent,
                    VoteLook& look);

}  // namespace orrery
