#include "kernels/mlp_hessian.hpp"

namespace orrery {

template <class T>
void mlp_hessian(const Context& ctx, const MlpView& model, const Rows& rows, Slot slot, MatrixView<const T> w,
                 MatrixView<const T> v, MatrixView<T> out, MlpWorkspace<T>& space) {
  for (const auto& m : {w, v, MatrixView<const T>(out)})
    expects(m.extent(0) == rows.count && m.extent(1) == model.parameters() && m.where() == ctx.backend,
            "w, v and the result of shape (rows, P) on the context's side");
  expects(out.stride() == out.extent(1), "a dense result");
  expects(ctx.backend == Backend::cpu || space.rows > 0, "a workspace");
  if (rows.count == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::mlp_hessian_impl<T, B>(ctx, model, rows, slot, w, v, out, space); });
}

#define ORRERY_INSTANTIATE(T)                                                                          \
  template void mlp_hessian<T>(const Context&, const MlpView&, const Rows&, Slot, MatrixView<const T>, \
                               MatrixView<const T>, MatrixView<T>, MlpWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
