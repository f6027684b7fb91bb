#include "kernels/sign_errors.hpp"

#include "kernels/sign_pack.hpp"

namespace orrery {

void sign_errors(const Context& ctx, const SignsIn& signs, VectorView<const double> g, VectorView<double> out) {
  detail::check_signs(ctx, signs);
  expects(g.size() == signs.coordinates, "a number for every coordinate of the signs");
  expects(out.size() == signs.rows(), "a sum for every row of signs");
  if (out.size() == 0) return;
  expects(out.where() == ctx.backend && (g.size() == 0 || g.where() == ctx.backend),
          "numbers and sums on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::sign_errors_impl<B>(ctx, signs, g, out); });
}

void count_errors(const Context& ctx, const SignsIn& signs, const SignsIn& reference,
                  MatrixView<const uint32_t> classes, MatrixView<int64_t> out) {
  detail::check_signs(ctx, signs);
  detail::check_signs(ctx, reference);
  expects(reference.rows() == 1 && !reference.has_zeros() && reference.coordinates == signs.coordinates,
          "one row of reference signs, without zeros");
  expects(classes.extent(1) == signs.words(), "a bit of every class for every coordinate");
  expects(out.extent(0) == signs.rows() && out.extent(1) == classes.extent(0), "a count for every row and class");
  if (out.size() == 0) return;
  expects(out.where() == ctx.backend && classes.where() == ctx.backend, "classes and counts on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::count_errors_impl<B>(ctx, signs, reference, classes, out); });
}

}  // namespace orrery
