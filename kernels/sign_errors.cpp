#include "kernels/sign_errors.hpp"

#include "kernels/sign_pack.hpp"

namespace orrery {

void sign_errors(const Context& ctx, const SignsIn& signs, MatrixView<const double> g, MatrixView<double> out) {
  detail::check_signs(ctx, signs);
  expects(g.extent(1) == signs.coordinates, "a number for every coordinate of the signs");
  expects(out.extent(0) == signs.rows() && out.extent(1) == g.extent(0), "a sum for every row of signs and vector");
  if (out.size() == 0) return;
  expects(out.where() == ctx.backend && (g.size() == 0 || g.where() == ctx.backend),
          "vectors and sums on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::sign_errors_impl<B>(ctx, signs, g, out); });
}

}  // namespace orrery
