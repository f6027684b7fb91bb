// Composed of the batched kernels; every launch serves all rows of a chunk.
#include <algorithm>

#include "kernels/descend.hpp"
#include "kernels/mlp_chunk.hpp"
#include "kernels/mlp_hessian.hpp"
#include "kernels/tangents.hpp"

namespace orrery::detail {
namespace {

// A chunk and its derivatives along v. The first `places` places of every buffer hold the chunk, the next the derivatives.
template <class T>
struct TangentChunk : MlpChunk<T> {
  using Base = MlpChunk<T>;
  using Base::batch, Base::ctx, Base::delta, Base::layer, Base::model, Base::product, Base::rows, Base::space;
  int64_t places;

  TangentChunk(const Base& chunk, int64_t half) : Base(chunk), places(half) {}
  MatrixView<T> second(const Buffer<T>& buffer, int64_t n) const {
    return {buffer.data() + places * n, rows.count, batch * n, ctx.backend};
  }
  MatrixView<T> tangent(int l) const {  // h'_l, l > 0
    return second(space.h[static_cast<size_t>(l)], model.width[static_cast<size_t>(l)]);
  }
  MatrixView<T> delta_tangent(int l) const { return second(space.delta[l % 2], model.in(l)); }

  void forward(MatrixView<const T> w, MatrixView<const T> v) const {
    Base::forward(w);
    for (int l = 0; l < model.layers(); ++l) {
      product(v, l, false, layer(l), tangent(l + 1));
      if (l > 0) product(w, l, false, tangent(l), tangent(l + 1), T{1});
      if (l + 1 < model.layers())
        activate_tangent<T>(ctx, model.activation, batch, model.out(l), v.columns(model.bias(l), model.out(l)),
                            layer(l + 1), tangent(l + 1));
    }
  }
  // out <- out + Hessian times v, layer by layer from the last
  void backward(MatrixView<const T> w, MatrixView<const T> v, MatrixView<T> out) const {
    const int last = model.layers() - 1, classes = model.classes();
    MatrixView<const T> d = layer(last + 1), dd = tangent(last + 1);
    softmax_loss_tangent<T>(ctx, rows, batch, classes, layer(last + 1), tangent(last + 1), Base::labels(),
                            w.columns(model.bias(last), classes), v.columns(model.bias(last), classes),
                            out.columns(model.bias(last), classes));
    for (int l = last; l >= 0; --l) {
      if (l > 0) {
        product(w, l, true, d, delta(l));
        product(w, l, true, dd, delta_tangent(l));
        product(v, l, true, d, delta_tangent(l), T{1});
        backward_tangent<T>(ctx, model.activation, batch, model.in(l), layer(l), tangent(l), delta(l), delta_tangent(l),
                            out.columns(model.bias(l - 1), model.in(l)));
        Base::add_outer_products(l, tangent(l), d, out);
      }
      Base::add_outer_products(l, layer(l), dd, out);
      if (l > 0) d = delta(l), dd = delta_tangent(l);
    }
  }
};

}  // namespace

template <class T, Backend B>
void mlp_hessian_impl(const Context& ctx, const MlpView& model, const Rows& all, Slot slot, MatrixView<const T> w_all,
                      MatrixView<const T> v_all, MatrixView<T> out_all, MlpWorkspace<T>& space) {
  const int64_t half = space.rows * space.max_batch / 2;
  if (half == 0) {  // a single place has no half
    MlpWorkspace<T> two(ctx, model, 1, 2, 1);
    return mlp_hessian_impl<T, B>(ctx, model, all, slot, w_all, v_all, out_all, two);
  }
  // As many samples of a row at a time as all rows leave room for, but at least 256, where there are as many: products of that many rows
  // are large ones.
  const int64_t batch = std::min(all.max_batch, std::max(half / all.count, std::min<int64_t>(half, 256)));
  const int64_t most = std::min<int64_t>({all.count, half / batch, 65535});
  zero(ctx, out_all.data(), out_all.size() * int64_t{sizeof(T)});
  for (int64_t begin = 0; begin < all.count; begin += most) {
    const int64_t many = std::min(most, all.count - begin);
    const MatrixView<const T> w = w_all.rows(begin, many), v = v_all.rows(begin, many);
    const MatrixView<T> out = out_all.rows(begin, many);
    for (int64_t first = 0; first < all.max_batch; first += batch) {
      const int64_t places = std::min(batch, all.max_batch - first);
      const TangentChunk<T> chunk({ctx, model, all.part(begin, many), space, places}, half);
      chunk.gather(slot, first);
      chunk.forward(w, v);
      chunk.backward(w, v, out);
    }
    for (int l = 0; l < model.layers(); ++l) {
      const int64_t size = model.in(l)*model.out(l);
      add_decay<T>(ctx, all.part(begin, many), slot, model.l2, size, v.columns(model.weights(l), size),
                   out.columns(model.weights(l), size));
    }
  }
}

#define ORRERY_INSTANTIATE(T)                                                                               \
  template void mlp_hessian_impl<T, Backend::cuda>(const Context&, const MlpView&, const Rows&, Slot,       \
                                                   MatrixView<const T>, MatrixView<const T>, MatrixView<T>, \
                                                   MlpWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
