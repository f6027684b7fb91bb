// A row's coordinates go through all steps in tiles that stay in the first-level cache; what does not depend on the coordinate is looked up
// once per tile and step, so that the loops over a tile are plain and vectorise.
#include <algorithm>

#include "kernels/quadratic.hpp"

namespace orrery::detail {
namespace {

constexpr int64_t tile = 1024;  // coordinates; a multiple of the four that one block of draws serves

// g[i] = gradient at coordinate first + i of row r, for i < count <= tile; first is a multiple of four
template <class T>
void tile_gradient(const QuadraticView<T>& q, const Rows& rows, int64_t r, Step t, int64_t first, int64_t count,
                   const T* __restrict__ x, T* __restrict__ g) {
  const int64_t w = rows.worker[r];
  const T* __restrict__ a = q.curvature.row(w) + first, * __restrict__ c = q.center.row(w) + first;
  for (int64_t i = 0; i < count; ++i) g[i] = a[i] * (x[i] - c[i]);
  if (!(q.noisy() && rows.batch[r] > 0)) return;
  const Stream stream(rows.seed[r], Draw::gradient_noise, static_cast<uint32_t>(w), t.key());
  const double root = std::sqrt(static_cast<double>(rows.batch[r])), same = q.noise / root;
  const bool differ = q.noises.size() > 0;
  for (int64_t i = 0; i < count; i += 4) {
    double n[4];
    stream.four_normals(static_cast<uint32_t>((first + i) / 4), n);
    for (int64_t k = 0; k < std::min<int64_t>(4, count - i); ++k)
      g[i + k] += static_cast<T>((differ ? q.noises[first + i + k] / root : same) * n[k]);
  }
}

template <class T>
void tile_update(T* __restrict__ x, const T* __restrict__ g, int64_t count, T eta) {
  T unused{0};
  for (int64_t i = 0; i < count; ++i) quadratic_update(x[i], unused, g[i], eta, T{0}, false);
}
template <class T>
void tile_update(T* __restrict__ x, T* __restrict__ v, const T* __restrict__ g, int64_t count, T eta, T mu) {
  for (int64_t i = 0; i < count; ++i) quadratic_update(x[i], v[i], g[i], eta, mu, true);
}

}  // namespace

template <class T, Backend B>
void quadratic_steps_impl(const Context&, const QuadraticView<T>& q, const Rows& rows, Slot slot, int64_t steps,
                          MatrixView<T> x, const Momentum<T>& m) {
  const int64_t t = slot.at().slot, columns = x.extent(1);
  const T mu = static_cast<T>(m.mu);
#pragma omp parallel for schedule(static) if (x.size() * steps >= 1 << 14)
  for (int64_t r = 0; r < rows.count; ++r) {
    const T eta = static_cast<T>(rows.learning_rate[r]);
    T g[tile];
    for (int64_t first = 0; first < columns; first += tile) {
      const int64_t count = std::min(tile, columns - first);
      T* at = x.row(r) + first;
      for (int64_t s = 0; s < steps; ++s) {
        if (!rows.active(r, t + s)) continue;
        for (int32_t k = 0; k < rows.repeats_of(r); ++k) {
          tile_gradient(q, rows, r, {t + s, k}, first, count, at, g);
          if (m.on())
            tile_update(at, m.velocity.row(r) + first, g, count, eta, mu);
          else
            tile_update(at, g, count, eta);
        }
      }
    }
  }
}

template <class T, Backend B>
void quadratic_gradients_impl(const Context&, const QuadraticView<T>& q, const Rows& rows, Slot slot,
                              MatrixView<const T> x, MatrixView<T> g) {
  const Step t = slot.at();
#pragma omp parallel for schedule(static) if (g.size() >= 1 << 14)
  for (int64_t r = 0; r < rows.count; ++r) {
    const bool active = rows.active(r, t);
    if (!active) std::fill(g.row(r), g.row(r) + g.extent(1), T{0});
    for (int64_t first = 0; active && first < g.extent(1); first += tile)
      tile_gradient(q, rows, r, t, first, std::min(tile, g.extent(1) - first), x.row(r) + first, g.row(r) + first);
  }
}

template <class T, Backend B>
void quadratic_hessian_impl(const Context&, const QuadraticView<T>& q, const Rows& rows, Slot slot,
                            MatrixView<const T> v, MatrixView<T> out) {
  const Step t = slot.at();
#pragma omp parallel for schedule(static) if (out.size() >= 1 << 14)
  for (int64_t r = 0; r < rows.count; ++r) {
    const bool active = rows.active(r, t);
    for (int64_t j = 0; j < out.extent(1); ++j) out(r, j) = active ? q.curvature(rows.worker[r], j) * v(r, j) : T{0};
  }
}

template <class T, class C, Backend B>
void quadratic_losses_impl(const Context&, const QuadraticView<C>& q, const Rows& rows, MatrixView<const T> x,
                           VectorView<double> out) {
#pragma omp parallel for schedule(static) if (x.size() >= 1 << 14)
  for (int64_t r = 0; r < rows.count; ++r) {
    const int64_t w = rows.worker[r];
    double sum = 0;
    for (int64_t j = 0; j < x.extent(1); ++j) {
      const double away = static_cast<double>(x(r, j)) - static_cast<double>(q.center(w, j));
      sum += 0.5 * static_cast<double>(q.curvature(w, j)) * away * away;
    }
    out[r] = sum;
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                         \
  template void quadratic_steps_impl<T, Backend::cpu>(const Context&, const QuadraticView<T>&, const Rows&, Slot,     \
                                                      int64_t, MatrixView<T>, const Momentum<T>&);                    \
  template void quadratic_gradients_impl<T, Backend::cpu>(const Context&, const QuadraticView<T>&, const Rows&, Slot, \
                                                          MatrixView<const T>, MatrixView<T>);                        \
  template void quadratic_hessian_impl<T, Backend::cpu>(const Context&, const QuadraticView<T>&, const Rows&, Slot,   \
                                                        MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)
#undef ORRERY_INSTANTIATE
#define ORRERY_INSTANTIATE(T, C)                                                                                \
  template void quadratic_losses_impl<T, C, Backend::cpu>(const Context&, const QuadraticView<C>&, const Rows&, \
                                                          MatrixView<const T>, VectorView<double>);
ORRERY_INSTANTIATE(float, float)
ORRERY_INSTANTIATE(float, double)
ORRERY_INSTANTIATE(double, double)

}  // namespace orrery::detail
