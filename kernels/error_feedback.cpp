#include "kernels/error_feedback.hpp"

#include "kernels/sign_pack.hpp"
#include "kernels/tensors.hpp"

namespace orrery {

template <class T>
void scaled_signs(const Context& ctx, VectorView<const int64_t> offset, MatrixView<const double> norms, MatrixView<T> e,
                  const SignsOut& signs, MatrixView<double> scales, VectorView<const uint8_t> present) {
  detail::check_signs(ctx, signs);
  expects(signs.rows() == e.extent(0) && signs.coordinates == e.extent(1), "signs of shape (rows, P)");
  expects(!signs.has_zeros(), "one plane of signs: no sign is zero");
  expects(norms.extent(0) == e.extent(0) && offset.size() == norms.extent(1) + 1, "norms of shape (rows, tensors)");
  expects(scales.extent(0) == e.extent(0) && scales.extent(1) == norms.extent(1), "scales of shape (rows, tensors)");
  check_present(ctx, present, e.extent(0));
  if (e.size() == 0) return;
  expects(e.where() == ctx.backend && offset.where() == ctx.backend && norms.where() == ctx.backend &&
              scales.where() == ctx.backend,
          "errors, offsets, norms and scales on the context's side");
  expects(norms.data() != scales.data(), "norms and scales in two matrices");
  dispatch(ctx.backend,
           [&]<Backend B>() { detail::scaled_signs_impl<T, B>(ctx, offset, norms, e, signs, scales, present); });
}

template <class T>
void scaled_mean(const Context& ctx, const GroupTable& groups, const ScaledSigns& sent, MatrixView<T> out,
                 VectorView<const uint8_t> present) {
  detail::check_signs(ctx, sent.signs);
  expects(groups.begin.size() == groups.nodes + 1, "a table of whole groups");
  expects(sent.scales.extent(0) == sent.signs.rows() && sent.offset.size() == sent.scales.extent(1) + 1,
          "scales of shape (rows, tensors)");
  expects(out.extent(0) == groups.nodes && out.extent(1) == sent.signs.coordinates, "means of shape (nodes, P)");
  check_present(ctx, present, sent.signs.rows());
  if (out.size() == 0) return;
  expects(out.where() == ctx.backend && groups.begin.where() == ctx.backend && sent.offset.where() == ctx.backend &&
              (sent.scales.size() == 0 || sent.scales.where() == ctx.backend),
          "means, the table, offsets and scales on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::scaled_mean_impl<T, B>(ctx, groups, sent, out, present); });
}

#define ORRERY_INSTANTIATE(T)                                                                                       \
  template void scaled_signs<T>(const Context&, VectorView<const int64_t>, MatrixView<const double>, MatrixView<T>, \
                                const SignsOut&, MatrixView<double>, VectorView<const uint8_t>);                    \
  template void scaled_mean<T>(const Context&, const GroupTable&, const ScaledSigns&, MatrixView<T>,                \
                               VectorView<const uint8_t>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
