#include "kernels/sign_attack.hpp"

#include "kernels/sign_pack.hpp"

namespace orrery {

void flip_signs(const Context& ctx, const Rows& rows, Slot slot, VectorView<const double> probability,
                const SignsOut& signs) {
  detail::check_signs(ctx, signs);
  expects(signs.rows() == rows.count && probability.size() == rows.count, "signs and a probability for every row");
  if (signs.positive.size() == 0) return;
  expects(probability.where() == ctx.backend, "probabilities on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::flip_signs_impl<B>(ctx, rows, slot, probability, signs); });
}

void oppose_signs(const Context& ctx, const SignsIn& u, VectorView<const int64_t> node,
                  VectorView<const uint8_t> chosen, const SignsOut& signs) {
  detail::check_signs(ctx, u);
  detail::check_signs(ctx, signs);
  expects(u.coordinates == signs.coordinates, "signs of the same coordinates");
  expects(node.size() == signs.rows() && chosen.size() == signs.rows(), "a node and a choice for every row");
  if (signs.positive.size() == 0) return;
  expects(node.where() == ctx.backend && chosen.where() == ctx.backend, "nodes and choices on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::oppose_signs_impl<B>(ctx, u, node, chosen, signs); });
}

}  // namespace orrery
