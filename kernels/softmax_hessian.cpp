#include "kernels/softmax_hessian.hpp"

namespace orrery {

template <class T>
void softmax_hessian(const Context& ctx, const SoftmaxView& model, const Rows& rows, Slot slot, MatrixView<const T> w,
                     MatrixView<const T> v, MatrixView<T> out, SoftmaxWorkspace<T>& space) {
  expects(w.extent(1) == model.parameters() && v.extent(0) == rows.count && v.extent(1) == model.parameters() &&
              out.extent(0) == rows.count && out.extent(1) == model.parameters(),
          "w, v and the result of shape (rows, P)");
  expects(out.where() == ctx.backend && v.where() == ctx.backend && out.stride() == out.extent(1),
          "v and a dense result on the context's side");
  expects(ctx.backend == Backend::cpu || (space.rows > 0 && rows.max_batch <= space.max_batch),
          "a workspace for the largest batch");
  if (rows.count == 0) return;
  dispatch(ctx.backend,
           [&]<Backend B>() { detail::softmax_hessian_impl<T, B>(ctx, model, rows, slot, w, v, out, space); });
}

#define ORRERY_INSTANTIATE(T)                                                                                  \
  template void softmax_hessian<T>(const Context&, const SoftmaxView&, const Rows&, Slot, MatrixView<const T>, \
                                   MatrixView<const T>, MatrixView<T>, SoftmaxWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
