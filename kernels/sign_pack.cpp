#include "kernels/sign_pack.hpp"

namespace orrery {

void detail::check_signs(const Context& ctx, const SignsIn& s) {
  expects(s.positive.extent(1) == s.words(), "one bit per coordinate: ceil(P/32) words");
  expects(!s.has_zeros() || (s.zero.extent(0) == s.rows() && s.zero.extent(1) == s.words()), "two planes of one shape");
  expects(s.positive.size() == 0 || s.positive.where() == ctx.backend, "signs on the context's side");
}

template <class T>
void sign_pack(const Context& ctx, const Rows& rows, Slot slot, SignZero rule, MatrixView<const T> g,
               const SignsOut& signs) {
  detail::check_signs(ctx, signs);
  expects(g.extent(0) == rows.count && signs.rows() == rows.count && g.extent(1) == signs.coordinates,
          "gradients of shape (rows, P)");
  if (g.size() == 0) return;
  expects(g.where() == ctx.backend, "gradients on the context's side");
  expects(rule != SignZero::zero || signs.has_zeros(), "a second plane where zeros stay");
  dispatch(ctx.backend, [&]<Backend B>() { detail::sign_pack_impl<T, B>(ctx, rows, slot, rule, g, signs); });
}

#define ORRERY_INSTANTIATE(T) \
  template void sign_pack<T>(const Context&, const Rows&, Slot, SignZero, MatrixView<const T>, const SignsOut&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
