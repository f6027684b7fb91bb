#include "kernels/compress_low_rank.hpp"

namespace orrery {
namespace {

void check_rank(MatrixRank m) {
  expects(m.rank >= 1 && m.rank <= m.n1 && m.rank <= m.n2, "a rank of 1 to the smaller side of the matrix");
}

}  // namespace

template <class T>
void low_rank_start(const Context& ctx, const Rows& rows, Slot slot, MatrixRank m, bool alike, MatrixView<T> right) {
  check_rank(m);
  expects(right.extent(0) == rows.count && right.extent(1) == m.rank * m.n2, "right factors of shape (rows, r n2)");
  if (right.size() == 0) return;
  expects(right.where() == ctx.backend, "factors on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::low_rank_start_impl<T, B>(ctx, rows, slot, m, alike, right); });
}

template <class T>
void orthonormalise(const Context& ctx, int64_t rank, MatrixView<T> left) {
  expects(rank >= 1 && left.extent(1) % rank == 0, "left factors of shape (rows, r n1)");
  if (left.size() == 0) return;
  expects(left.where() == ctx.backend, "factors on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::orthonormalise_impl<T, B>(ctx, rank, left); });
}

template <class T>
void low_rank_expand(const Context& ctx, MatrixRank m, MatrixView<const T> left, MatrixView<const T> right,
                     MatrixView<T> q) {
  check_rank(m);
  expects(left.extent(1) == m.rank * m.n1 && right.extent(1) == m.rank * m.n2 && q.extent(1) == m.n1 * m.n2,
          "factors and products of the matrix's shape");
  expects(left.extent(0) == q.extent(0) && right.extent(0) == q.extent(0), "factors of as many rows");
  if (q.size() == 0) return;
  expects(left.where() == ctx.backend && right.where() == ctx.backend && q.where() == ctx.backend,
          "factors and products on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::low_rank_expand_impl<T, B>(ctx, m, left, right, q); });
}

#define ORRERY_INSTANTIATE(T)                                                                          \
  template void low_rank_start<T>(const Context&, const Rows&, Slot, MatrixRank, bool, MatrixView<T>); \
  template void orthonormalise<T>(const Context&, int64_t, MatrixView<T>);                             \
  template void low_rank_expand<T>(const Context&, MatrixRank, MatrixView<const T>, MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
