// Messages between the nodes of a tier and their children: who sends in an action, what is offered to a compressor, what stays behind, what is
// taken over.
//
//   tier_numbers   number[l] <- t / unit_l - 1                         which message of its kind comes now, from 0 on; t: local steps done
//   tier_senders   acts[r]   <- 1 where period_r divides t and the row is present, else 0
//   tier_offer     e[r,j]    <- e[r,j] + (x[r,j] - ref[o_r,j])         keep = false: x[r,j] - ref[o_r,j] alone, e is not read
//   tier_settle    e[r,j]    <- e[r,j] - q[r,j];  where ref is given  ref[r,j] <- ref[r,j] + q[r,j]
//   tier_take      x[r,j]    <- m[o_r,j]
//
// An offer e is compressed to q, and settled: what was sent and what is kept add up to what was offered. Rows with acts[r] = 0 keep all they have.
//
// Shapes   e, q, x (rows, P) of any stride, none overlapping another; ref and m (owners, P), of settle (rows, P); o = of (rows), empty: the row itself; acts
//          (rows), empty: all act; present (rows), empty: all are; number, unit, period int64, above 0.
// Result   each element depends on its own inputs only, and no products: same bits for any grid, any number of shards and both backends.
// Cost     offer reads 3 elements and writes 1, settle 2 and 1 (4 and 2 with ref), take 1 and 1: memory bound.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/core/view.hpp"
#include "kernels/rows.hpp"

namespace orrery {

// Which rows an action is about, and whose reference each of them has.
struct TierRows {
  VectorView<const int64_t> of = {};    // (rows); empty: own row
  VectorView<const uint8_t> acts = {};  // (rows); empty: all
  ORRERY_HD int64_t owner(int64_t r) const { return of.size() > 0 ? of[r] : r; }
  ORRERY_HD bool act(int64_t r) const { return acts.size() == 0 || acts[r] != 0; }
};

void tier_numbers(const Context&, Slot, VectorView<const int64_t> unit, VectorView<int64_t> number);
void tier_senders(const Context&, Slot, VectorView<const int64_t> period, VectorView<const uint8_t> present,
                  VectorView<uint8_t> acts);
template <class T>
void tier_offer(const Context&, const TierRows&, MatrixView<const T> x, MatrixView<const T> ref, bool keep,
                MatrixView<T> e);
template <class T>
void tier_settle(const Context&, const TierRows&, MatrixView<const T> q, MatrixView<T> e, MatrixView<T> ref = {});
template <class T>
void tier_take(const Context&, const TierRows&, MatrixView<const T> m, MatrixView<T> x);

namespace detail {
template <Backend B>
void tier_numbers_impl(const Context&, Slot, VectorView<const int64_t> unit, VectorView<int64_t> number);
template <Backend B>
void tier_senders_impl(const Context&, Slot, VectorView<const int64_t> period, VectorView<const uint8_t> present,
                       VectorView<uint8_t> acts);
template <class T, Backend B>
void tier_offer_impl(const Context&, const TierRows&, MatrixView<const T> x, MatrixView<const T> ref, bool keep,
                     MatrixView<T> e);
template <class T, Backend B>
void tier_settle_impl(const Context&, const TierRows&, MatrixView<const T> q, MatrixView<T> e, MatrixView<T> ref);
template <class T, Backend B>
void tier_take_impl(const Context&, const TierRows&, MatrixView<const T> m, MatrixView<T> x);

// on both backends
ORRERY_HD inline uint8_t sends(int64_t t, int64_t period, const VectorView<const uint8_t>& present, int64_t r) {
  return t % period == 0 && (present.size() == 0 || present[r] != 0) ? 1 : 0;
}
}  // namespace detail

}  // namespace orrery
