// Votes in which workers count differently, and what the server learns from each decision (signSGD-FV and its kin).
//
//   weighted_vote      s[k,j] <- sum_m w[m,j] * Y[m,j]      u[k,j] <- sign(s[k,j])      m over the members of group k that are present
//                      then, where asked for, the learning below in the same pass
//   learn_agreements   for every member m that is present:
//                        agreed[m]  <- number of coordinates j with u[k,j] = Y[m,j] (both zero: agreed)
//                        A[m,j]     <- A[m,j] + [ u[k,j] = Y[m,j] ]             CountedWeights, saturating at 65535
//                        A[m,j]     <- phi * A[m,j] + [ u[k,j] = Y[m,j] ]       FadingWeights
//                      absent members learn nothing and their agreed is 0
//
// W is one of WorkerWeights, CountedWeights, FadingWeights (vote_weights.hpp). Ballots, ties and decoded signs as in majority_vote.hpp.
//
// Shapes   agreements (rows, P); scores float64 (nodes, P) or empty; agreed int64 (rows) or empty; decoded (nodes, P).
// Result   weights lie on one grid, on which sums in float64 are exact: worker order or any other gives the same bits, for any grid,
//          number of threads, split of the workers and rows beside the group; scores of one grid may be forwarded and added by sum_vote
//          without loss. Agreements are integers. Both backends give the same bits for the same weights (logarithms of FadingWeights may
//          differ in their last bit before they are rounded to the grid).
// Cost     CountedWeights: reads 2 bytes of count and 1/8 (1/4) of signs per worker and coordinate, one look-up and one sum; learning reads
//          the counts again, from cache on the CPU, and writes them back. WorkerWeights: 1/8 (1/4) bytes and one sum.
#pragma once

#include "kernels/majority_vote.hpp"
#include "kernels/vote_weights.hpp"

namespace orrery {

struct VoteRecord {
  MatrixView<double> scores = {};   // (nodes, P)
  bool learn = false;               // learn_agreements in the same pass
  VectorView<int64_t> agreed = {};  // (rows), written where learn is set
};

template <class W>
void weighted_vote(const Context&, const Ballots&, const W& weights, const Decision& out, const VoteRecord& = {});
template <class W>
void learn_agreements(const Context&, const Ballots&, const SignsIn& decoded, const W& weights,
                      VectorView<int64_t> agreed = {});
// agreed only, for votes that learn nothing
void count_agreements(const Context&, const Ballots&, const SignsIn& decoded, VectorView<int64_t> agreed);

namespace detail {
template <class W, Backend B>
void weighted_vote_impl(const Context&, const Ballots&, const W&, const Decision&, const VoteRecord&);
template <class W, Backend B>
void learn_agreements_impl(const Context&, const Ballots&, const SignsIn& decoded, const W&,
                           VectorView<int64_t> agreed);
}  // namespace detail

}  // namespace orrery
