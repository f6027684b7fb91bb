// The clock of a launch: which slot comes next, and how many local steps each row has taken.
//
//   steps[r] <- steps[r] + repeats_r sum_{s < n} θ_r(t + s)        θ: does row r step in that slot; repeats: gradient steps per slot
//   *base    <- *base + n                                after all rows are counted
//
// Result   integers, exact. Cost: n Philox blocks per row where its rate is below 1, none where it is 1.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/rows.hpp"

namespace orrery {

void count_steps(const Context&, const Rows&, Slot, int64_t n, VectorView<int64_t> steps);
void advance_clock(const Context&, VectorView<int64_t> base, int64_t n);

ORRERY_HD inline int64_t steps_taken(const Rows& rows, int64_t r, int64_t t, int64_t n) {
  if (!rows.takes_part(r)) return 0;
  const int64_t each = rows.repeats_of(r);
  if (rows.rate[r] >= 1) return n * each;
  int64_t taken = 0;
  for (int64_t s = 0; s < n; ++s) taken += rows.active(r, t + s) ? each : 0;
  return taken;
}

namespace detail {
template <Backend B>
void count_steps_impl(const Context&, const Rows&, Slot, int64_t n, VectorView<int64_t> steps);
template <Backend B>
void advance_clock_impl(const Context&, VectorView<int64_t> base, int64_t n);
}  // namespace detail

}  // namespace orrery
