#include "kernels/top_signs.hpp"

#include "kernels/sign_pack.hpp"
#include "kernels/tensors.hpp"

namespace orrery {
namespace {

template <class T>
void check_tensors(const Context& ctx, VectorView<const int64_t> offset, VectorView<const int64_t> keep,
                   MatrixView<T> e, MatrixView<TopCut> cuts, VectorView<const uint8_t> present) {
  expects(offset.size() == keep.size() + 1, "a number to keep for every tensor");
  expects(cuts.extent(0) == e.extent(0) && cuts.extent(1) == keep.size(), "cuts of shape (rows, tensors)");
  check_present(ctx, present, e.extent(0));
  if (e.size() == 0) return;
  expects(keep.size() > 0, "tensors that cover the row");
  expects(e.where() == ctx.backend && offset.where() == ctx.backend && keep.where() == ctx.backend &&
              cuts.where() == ctx.backend,
          "numbers, offsets, what to keep and cuts on the context's side");
}

}  // namespace

template <class T>
void top_signs(const Context& ctx, VectorView<const int64_t> offset, VectorView<const int64_t> keep, MatrixView<T> e,
               MatrixView<TopCut> cuts, const SignsOut& signs, VectorView<const uint8_t> present) {
  detail::check_signs(ctx, signs);
  check_tensors(ctx, offset, keep, e, cuts, present);
  expects(signs.rows() == e.extent(0) && signs.coordinates == e.extent(1), "signs of shape (rows, P)");
  expects(signs.has_zeros() || signs.positive.size() == 0, "a second plane for what is not kept");
  if (e.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() {
    detail::top_cuts_impl<T, B>(ctx, offset, keep, e, cuts, present);
    detail::cut_signs_impl<T, B>(ctx, offset, cuts, e, signs, present);
  });
}

template <class T>
void top_values(const Context& ctx, VectorView<const int64_t> offset, VectorView<const int64_t> keep, MatrixView<T> e,
                MatrixView<TopCut> cuts, MatrixView<T> out, VectorView<const uint8_t> present) {
  check_tensors(ctx, offset, keep, e, cuts, present);
  expects(out.extent(0) == e.extent(0) && out.extent(1) == e.extent(1), "values of shape (rows, P)");
  if (e.size() == 0) return;
  expects(out.where() == ctx.backend && out.data() != e.data(), "values on the context's side, apart from e");
  dispatch(ctx.backend, [&]<Backend B>() {
    detail::top_cuts_impl<T, B>(ctx, offset, keep, e, cuts, present);
    detail::cut_values_impl<T, B>(ctx, offset, cuts, e, out, present);
  });
}

template <class T>
void sparse_mean(const Context& ctx, const GroupTable& groups, MatrixView<const T> sent, MatrixView<T> out,
                 VectorView<const uint8_t> present) {
  expects(groups.begin.size() == groups.nodes + 1, "a table of whole groups");
  expects(out.extent(0) == groups.nodes && out.extent(1) == sent.extent(1), "means of shape (nodes, P)");
  check_present(ctx, present, sent.extent(0));
  if (out.size() == 0) return;
  expects(out.where() == ctx.backend && groups.begin.where() == ctx.backend &&
              (sent.size() == 0 || sent.where() == ctx.backend),
          "means, the table and what was sent on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::sparse_mean_impl<T, B>(ctx, groups, sent, out, present); });
}

#define ORRERY_INSTANTIATE(T)                                                                                      \
  template void top_signs<T>(const Context&, VectorView<const int64_t>, VectorView<const int64_t>, MatrixView<T>,  \
                             MatrixView<TopCut>, const SignsOut&, VectorView<const uint8_t>);                      \
  template void top_values<T>(const Context&, VectorView<const int64_t>, VectorView<const int64_t>, MatrixView<T>, \
                              MatrixView<TopCut>, MatrixView<T>, VectorView<const uint8_t>);                       \
  template void sparse_mean<T>(const Context&, const GroupTable&, MatrixView<const T>, MatrixView<T>,              \
                               VectorView<const uint8_t>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
