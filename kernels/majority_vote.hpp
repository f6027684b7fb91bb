// Votes of signs in which every worker counts the same, and the forwarding of their counts from tier to tier.
//
//   majority_vote   u[k,j]     <- sign( sum_m Y[m,j] )     m over the members of group k that are present
//   vote_counts     s[k,j]     <-       sum_m Y[m,j]       what a group forwards so that the tier above loses nothing
//   forward_sums    s[k,j]     <-       sum_m s[m,j]       a tier in between: forwarded counts, or weighted scores, summed and passed on
//   sum_vote        u[k,j]     <- sign( sum_m s[m,j] )     m over the members of group k; s forwarded counts, or weighted scores
//
// A tied vote (a sum of 0; nobody present is a tie) stays zero, becomes +1, or follows bit j mod 32 of draw floor(j/32) of
// Stream(seed of the group's replica, vote_tie; index of the group, step). The decoded signs are packed as those of the workers are,
// one row per group, with the second plane where ties stay: a majority of majorities is the same call again.
//
// Shapes   signs, present of the rows (workers) that the groups' members name; weights of the table are not read; out.signs (nodes, P);
//          counts int32 (nodes, P); forwarded sums (rows, P) int32 or float64. Groups of one call are disjoint, below 2^24 members.
// Method   majority: the workers' words are added into bit-sliced counters by carry-save adders, 32 coordinates per word at once; ranges
//          of workers are counted apart and their counters added. With zeros, 2 #(+1) + #(0) is compared with the number of workers.
// Result   integers (float64 scores of one WeightGrid add exactly too, weighted_vote.hpp): the same bits on both backends, for any grid,
//          number of threads, split of the workers and rows beside the group.
// Cost     majority_vote reads W P / 8 bytes (twice that with a second plane), about 2 three-input operations per word: memory bound.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/group_mean.hpp"
#include "kernels/signs.hpp"

namespace orrery {

// Who votes on what.
struct Ballots {
  GroupTable groups;
  SignsIn signs;
  VectorView<const uint8_t> present = {};  // (rows) 0: no vote this time; empty: all vote
  ORRERY_HD bool votes(int64_t row) const { return present.size() == 0 || present[row] != 0; }
};

// Where the decision goes, and what a tie becomes.
struct Decision {
  SignsOut signs;  // (nodes, P)
  SignZero tie = SignZero::zero;
  VectorView<const uint64_t> seed =
      {};  // (nodes) of the group's replica; seed, index and slot serve SignZero::random only
  VectorView<const int32_t> index = {};  // (nodes) place of the group in its replica
  Slot slot = {};

  ORRERY_HD Stream coins(int64_t k) const {
    return tie == SignZero::random ? Stream(seed[k], Draw::vote_tie, static_cast<uint32_t>(index[k]), slot.at().key())
                                   : Stream(0, Draw::vote_tie, 0, 0);
  }
};

void majority_vote(const Context&, const Ballots&, const Decision& out);
void vote_counts(const Context&, const Ballots&, MatrixView<int32_t> counts);
template <class S>
void forward_sums(const Context&, const GroupTable&, MatrixView<const S> sums, MatrixView<S> out);
template <class S>
void sum_vote(const Context&, const GroupTable&, MatrixView<const S> sums, const Decision& out);

namespace detail {
template <Backend B>
void majority_vote_impl(const Context&, const Ballots&, const Decision&);
template <Backend B>
void vote_counts_impl(const Context&, const Ballots&, MatrixView<int32_t> counts);
template <class S, Backend B>
void forward_sums_impl(const Context&, const GroupTable&, MatrixView<const S> sums, MatrixView<S> out);
template <class S, Backend B>
void sum_vote_impl(const Context&, const GroupTable&, MatrixView<const S> sums, const Decision&);

void check_ballots(const Context&, const Ballots&);
void check_decision(const Context&, const GroupTable&, const Decision&, int64_t coordinates);

// ---- bit-sliced arithmetic: bit b of a plane belongs to coordinate b
ORRERY_HD inline uint32_t majority_of(uint32_t a, uint32_t b, uint32_t c) { return (a & b) | (c & (a | b)); }
// sum <- the low bits of sum + a + b; returns the high bits
ORRERY_HD inline uint32_t carry_save(uint32_t& sum, uint32_t a, uint32_t b) {
  const uint32_t carry = majority_of(sum, a, b);
  sum ^= a ^ b;
  return carry;
}

// Compares 2 p + z with the number of voters, lowest bit first.
struct Comparison {
  uint32_t carry = 0, greater = 0, equal = 0xffffffffu;
  ORRERY_HD void bit(uint32_t p_below, uint32_t z_here, uint32_t of_voters) {
    uint32_t sum = p_below;
    const uint32_t next = carry_save(sum, z_here, carry);
    greater = (sum & ~of_voters) | (~(sum ^ of_voters) & greater);
    equal &= ~(sum ^ of_voters);
    carry = next;
  }
};
ORRERY_HD inline uint32_t all_bits(int64_t number, int b) { return number >> b & 1 ? 0xffffffffu : 0u; }
inline constexpr int counter_planes = 24;  // counts below 2^24
}  // namespace detail

}  // namespace orrery
