#include "kernels/tensor_norms.hpp"

namespace orrery {

template <class T>
void tensor_norms(const Context& ctx, VectorView<const int64_t> offset, MatrixView<const T> g, Norm which,
                  MatrixView<double> out) {
  expects(offset.size() == out.extent(1) + 1 && out.extent(0) == g.extent(0), "norms of shape (rows, tensors)");
  if (out.size() == 0) return;
  expects(offset.where() == ctx.backend && out.where() == ctx.backend && (g.size() == 0 || g.where() == ctx.backend),
          "offsets, numbers and norms on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::tensor_norms_impl<T, B>(ctx, offset, g, which, out); });
}

#define ORRERY_INSTANTIATE(T)                                                                         \
  template void tensor_norms<T>(const Context&, VectorView<const int64_t>, MatrixView<const T>, Norm, \
                                MatrixView<double>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
