#include "kernels/clock.hpp"

namespace orrery::detail {

template <>
void count_steps_impl<Backend::cpu>(const Context&, const Rows& rows, Slot slot, int64_t n, VectorView<int64_t> steps) {
  const int64_t t = slot.at().slot;
#pragma omp parallel for schedule(static) if (rows.count >= 1 << 12)
  for (int64_t r = 0; r < rows.count; ++r) steps[r] += steps_taken(rows, r, t, n);
}

template <>
void advance_clock_impl<Backend::cpu>(const Context&, VectorView<int64_t> base, int64_t n) {
  base[0] += n;
}

}  // namespace orrery::detail
