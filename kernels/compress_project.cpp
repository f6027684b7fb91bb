#include "kernels/compress_project.hpp"

namespace orrery {

void probe_fill(const Context& ctx, const Rows& rows, Slot slot, const ProbeRule& rule, VectorView<const int32_t> lead,
                MatrixView<double> psi) {
  expects(lead.size() == psi.extent(0), "a leading row for every direction");
  expects(rule.dwell >= 1, "a dwell of at least one slot");
  if (psi.size() == 0) return;
  expects(psi.where() == ctx.backend && lead.where() == ctx.backend, "directions on the context's side");
  if (rule.family == ProbeRule::Family::cycle)
    expects(rule.given.extent(0) >= 1 && rule.given.extent(1) == psi.extent(1) && rule.given.where() == ctx.backend,
            "given directions of P numbers on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::probe_fill_impl<B>(ctx, rows, slot, rule, lead, psi); });
}

template <class T>
void scalarize(const Context& ctx, MatrixView<const double> psi, VectorView<const int32_t> which, double factor,
               MatrixView<const T> x, MatrixView<T> y, MatrixView<T> q) {
  const int64_t rows = which.size();
  expects(y.extent(0) == rows && y.extent(1) == 1, "one number for every row");
  expects(x.size() == 0 || (x.extent(0) == rows && x.extent(1) == psi.extent(1)), "numbers of shape (rows, P)");
  expects(q.size() == 0 || (q.extent(0) == rows && q.extent(1) == psi.extent(1)), "messages of shape (rows, P)");
  if (rows == 0) return;
  expects(psi.size() > 0 && psi.where() == ctx.backend && which.where() == ctx.backend && y.where() == ctx.backend,
          "directions and products on the context's side");
  expects((x.size() == 0 || x.where() == ctx.backend) && (q.size() == 0 || q.where() == ctx.backend),
          "numbers and messages on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::scalarize_impl<T, B>(ctx, psi, which, factor, x, y, q); });
}

#define ORRERY_INSTANTIATE(T)                                                                             \
  template void scalarize<T>(const Context&, MatrixView<const double>, VectorView<const int32_t>, double, \
                             MatrixView<const T>, MatrixView<T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
