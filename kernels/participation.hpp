// Partial participation: which workers of each group take part in the present local period, and what they then weigh.
//
//   draw_participants   period p = floor(t / I_k) of group k at local step t, n_k members; word_m = draw m (its place in the group) of
//                       Stream(seed, participation; worker = index of k in its replica, step = p)
//                         present[i] <- 1 for the c_k members with the smallest words (equal words: the earlier member), else 0
//                         scale[i]   <- 1 / sum of v_m over those members where i is one of them, else 0     (c_k = n_k: exactly 1)
//   scale_weights       live[m] <- weight[m] * scale[member[m]]
//
// With v the weights inside the first tier, live weights of the first tier are those renormalised over who takes part; of a coarser
// tier (weights inside its nodes) each group keeps the weight of all its workers.
//
// Shapes   groups: the first tier over all replicas; count, period, index (nodes); seed, words, present, scale (rows), of which only rows
//          that are members are read or written; member, weight, live (members of any tier's table).
// Result   who is drawn: integers, the same on both backends. scale: members added in a fixed order, same bits for any grid, number of
//          threads and rows beside it.
// Cost     one Philox block per member and 33 passes over a group's words; once per local period.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/core/rng.hpp"
#include "kernels/group_mean.hpp"
#include "kernels/participation_inline.hpp"
#include "kernels/rows.hpp"

namespace orrery {

struct ParticipationTable {
  GroupTable groups;
  VectorView<const int64_t> count;   // c_k, 1 <= c_k <= n_k
  VectorView<const int64_t> period;  // I_k, local steps
  VectorView<const int32_t> index;   // of the group in its replica
};

void draw_participants(const Context&, const ParticipationTable&, VectorView<const uint64_t> seed, Slot,
                       VectorView<uint32_t> words, VectorView<uint8_t> present, VectorView<double> scale);
void scale_weights(const Context&, VectorView<const int64_t> member, VectorView<const double> weight,
                   VectorView<const double> scale, VectorView<double> live);

namespace detail {
template <Backend B>
void draw_participants_impl(const Context&, const ParticipationTable&, VectorView<const uint64_t> seed, Slot,
                            VectorView<uint32_t> words, VectorView<uint8_t> present, VectorView<double> scale);
template <Backend B>
void scale_weights_impl(const Context&, VectorView<const int64_t> member, VectorView<const double> weight,
                        VectorView<const double> scale, VectorView<double> live);
}  // namespace detail

}  // namespace orrery
