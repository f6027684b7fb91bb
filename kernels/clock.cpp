#include "kernels/clock.hpp"

namespace orrery {

void count_steps(const Context& ctx, const Rows& rows, Slot slot, int64_t n, VectorView<int64_t> steps) {
  expects(steps.size() == rows.count && steps.where() == ctx.backend, "a counter for every row");
  if (rows.count == 0 || n == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::count_steps_impl<B>(ctx, rows, slot, n, steps); });
}

void advance_clock(const Context& ctx, VectorView<int64_t> base, int64_t n) {
  expects(base.size() == 1 && base.where() == ctx.backend, "one clock");
  dispatch(ctx.backend, [&]<Backend B>() { detail::advance_clock_impl<B>(ctx, base, n); });
}

}  // namespace orrery
