#include "kernels/sign_noise.hpp"

namespace orrery {

template <class T>
void sign_noise(const Context& ctx, const Rows& rows, Slot slot, NoiseLaw law, VectorView<const double> scale,
                MatrixView<T> g, Draw purpose) {
  expects(g.extent(0) == rows.count && scale.size() == rows.count, "a row of numbers and a scale for every row");
  expects(g.extent(1) <= int64_t{1} << 32, "at most 2^32 coordinates");
  if (g.size() == 0) return;
  expects(g.where() == ctx.backend && scale.where() == ctx.backend, "numbers and scales on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::sign_noise_impl<T, B>(ctx, rows, slot, purpose, law, scale, g); });
}

template <class T>
void clear_rows(const Context& ctx, VectorView<const uint8_t> chosen, MatrixView<T> x) {
  expects(chosen.size() == x.extent(0), "chosen of shape (rows)");
  if (x.size() == 0) return;
  expects(x.where() == ctx.backend && chosen.where() == ctx.backend, "rows and choice on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::clear_rows_impl<T, B>(ctx, chosen, x); });
}

#define ORRERY_INSTANTIATE(T)                                                                                       \
  template void sign_noise<T>(const Context&, const Rows&, Slot, NoiseLaw, VectorView<const double>, MatrixView<T>, \
                              Draw);                                                                                \
  template void clear_rows<T>(const Context&, VectorView<const uint8_t>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
