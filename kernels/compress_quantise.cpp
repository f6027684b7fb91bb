#include "kernels/compress_quantise.hpp"

namespace orrery {

template <class T>
void compress_quantise(const Context& ctx, const Rows& rows, Slot slot, const QuantiseRule& rule, MatrixView<const T> x,
                       MatrixView<T> q, VectorView<int64_t> bits) {
  expects(x.extent(0) == rows.count && q.extent(0) == rows.count && q.extent(1) == x.extent(1),
          "numbers and levels of shape (rows, P)");
  expects(x.extent(1) <= int64_t{1} << 32, "at most 2^32 coordinates");
  expects(bits.size() == 0 || bits.size() == rows.count, "a count of bits for every row");
  expects(rule.levels >= 1 && rule.levels <= int64_t{1} << 20, "1 to 2^20 levels");
  expects(rule.step > 0 && rule.decay > 0 && rule.decay <= 1 && rule.factor > 0,
          "a step and a factor above 0, a decay in (0, 1]");
  if (rows.count == 0) return;
  expects(bits.size() == 0 || bits.where() == ctx.backend, "counts on the context's side");
  if (x.size() > 0)
    expects(x.where() == ctx.backend && q.where() == ctx.backend && x.data() != q.data(),
            "numbers and levels on the context's side, apart");
  dispatch(ctx.backend, [&]<Backend B>() { detail::compress_quantise_impl<T, B>(ctx, rows, slot, rule, x, q, bits); });
}

#define ORRERY_INSTANTIATE(T)                                                                                     \
  template void compress_quantise<T>(const Context&, const Rows&, Slot, const QuantiseRule&, MatrixView<const T>, \
                                     MatrixView<T>, VectorView<int64_t>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
