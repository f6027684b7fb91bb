#include "kernels/sign_step.hpp"

#include "kernels/sign_pack.hpp"

namespace orrery {

template <class T>
void sign_step(const Context& ctx, const SignsIn& u, VectorView<const double> delta, MatrixView<T> x,
               VectorView<const double> factor) {
  detail::check_signs(ctx, u);
  expects(x.extent(0) == u.rows() && x.extent(1) == u.coordinates, "a row of parameters for every row of signs");
  expects(delta.size() == x.extent(0), "a step size for every row");
  expects(factor.size() == 0 || factor.size() == x.extent(0), "a factor for every row, or none");
  if (x.size() == 0) return;
  expects(
      x.where() == ctx.backend && delta.where() == ctx.backend && (factor.size() == 0 || factor.where() == ctx.backend),
      "parameters, steps and factors on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::sign_step_impl<T, B>(ctx, u, delta, x, factor); });
}

#define ORRERY_INSTANTIATE(T)                                                                         \
  template void sign_step<T>(const Context&, const SignsIn&, VectorView<const double>, MatrixView<T>, \
                             VectorView<const double>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
