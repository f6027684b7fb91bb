// What kernels on messages share: who takes part, and the tensors of a row of parameters. Tensor t is columns offset[t] ... offset[t+1] - 1,
// 0 = offset[0] <= ... <= offset[tensors] = P.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/core/view.hpp"

namespace orrery {

// the tensor of column j, 0 <= j < P: the last one that begins at or before it (empty ones have no column)
ORRERY_HD inline int64_t tensor_of(const VectorView<const int64_t>& offset, int64_t j) {
  int64_t low = 0, high = offset.size() - 1;
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    if (offset[middle] <= j)
      low = middle;
    else
      high = middle;
  }
  return low;
}

// f(tensor, begin, end) for the tensors among columns first ... last - 1, cut to them
template <class F>
inline void for_tensors(const VectorView<const int64_t>& offset, int64_t first, int64_t last, F f) {
  for (int64_t t = first < last ? tensor_of(offset, first) : 0; first < last; ++t) {
    const int64_t end = offset[t + 1] < last ? offset[t + 1] : last;
    if (first < end) f(t, first, end);
    first = end;
  }
}

// does row r take part?
ORRERY_HD inline bool takes_part(const VectorView<const uint8_t>& present, int64_t r) {
  return present.size() == 0 || present[r] != 0;
}
inline void check_present(const Context& ctx, const VectorView<const uint8_t>& present, int64_t rows) {
  expects(present.size() == 0 || present.size() == rows, "present of shape (rows)");
  expects(present.size() == 0 || present.where() == ctx.backend, "present on the context's side");
}

}  // namespace orrery
