#include "kernels/sine_map.hpp"

namespace orrery {

template <class T>
void sine_map(const Context& ctx, double a, MatrixView<const T> x, MatrixView<T> q) {
  expects(q.extent(0) == x.extent(0) && q.extent(1) == x.extent(1), "numbers and their images of one shape");
  expects(a >= 0 && a < 1, "an amplitude in [0, 1)");
  if (x.size() == 0) return;
  expects(x.where() == ctx.backend && q.where() == ctx.backend && x.data() != q.data(),
          "numbers and their images on the context's side, apart");
  dispatch(ctx.backend, [&]<Backend B>() { detail::sine_map_impl<T, B>(ctx, a, x, q); });
}

#define ORRERY_INSTANTIATE(T) template void sine_map<T>(const Context&, double, MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
