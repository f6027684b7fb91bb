// Quadratic risks of the theory bench: worker i has F_i(x) = 1/2 sum_j a_ij (x_j - c_ij)^2.
//
//   gradient of a batch of B samples   g_j = a_ij (x_j - c_ij) + (s_j / sqrt(B)) * n_j   n_j standard normal, keyed (seed; worker, slot, j)
//                                      (batch "full": no noise)
//   quadratic_steps      `steps` times, for rows that step in the slot:  x_j <- x_j - eta_r * g_j      x stays in a register
//                        (with momentum v_j <- mu v_j + g_j,  x_j <- x_j - eta_r v_j)
//   quadratic_gradients  g[r,:] of one slot (rung (a)); 0 for rows that skip it
//   quadratic_hessian    out_j = a_ij v_j, the Hessian of F_i times v; 0 for rows that skip the slot
//   quadratic_losses     out[r] = F_{worker_r}(x[r,:]), the sum in float64; a, c may be wider than x
//
// Shapes   x, v (rows, P), for gradients and losses also one shared row (stride 0); a, c (W,P) or one row for all workers (stride 0);
//          s one number, or (P).
// Result   each element depends on its own inputs only; losses: order fixed by P. Same bits for any grid, neighbours and shards.
// Cost     steps: 8 P bytes (float) per row for any number of steps; about 4 flop per element, and about 35 operations more where noise is
//          drawn. CPU: the noise of four coordinates comes from one block of draws.
#pragma once

#include <cmath>

#include "kernels/core/context.hpp"
#include "kernels/rows.hpp"

namespace orrery {

template <class T>
struct QuadraticView {
  MatrixView<const T> curvature, center;
  double noise = 0;                      // s of every coordinate,
  VectorView<const double> noises = {};  // or where it differs by coordinate s_j (P)

  ORRERY_HD bool noisy() const { return noise > 0 || noises.size() > 0; }
  ORRERY_HD double noise_of(int64_t j) const { return noises.size() > 0 ? noises[j] : noise; }
};

template <class T>
void quadratic_steps(const Context&, const QuadraticView<T>&, const Rows&, Slot, int64_t steps, MatrixView<T> x,
                     const Momentum<T>& = {});
template <class T>
void quadratic_gradients(const Context&, const QuadraticView<T>&, const Rows&, Slot, MatrixView<const T> x,
                         MatrixView<T> g);
template <class T>
void quadratic_hessian(const Context&, const QuadraticView<T>&, const Rows&, Slot, MatrixView<const T> v,
                       MatrixView<T> out);
template <class T, class C = T>
void quadratic_losses(const Context&, const QuadraticView<C>&, const Rows&, MatrixView<const T> x,
                      VectorView<double> out);

template <class T>
ORRERY_HD inline T quadratic_gradient(const QuadraticView<T>& q, const Rows& rows, int64_t r, Step t, int64_t j, T x) {
  const int64_t w = rows.worker[r];
  T g = q.curvature(w, j) * (x - q.center(w, j));
  if (q.noisy() && rows.batch[r] > 0) {
    const Stream normal(rows.seed[r], Draw::gradient_noise, static_cast<uint32_t>(w), t.key());
    g += static_cast<T>(q.noise_of(j) / std::sqrt(static_cast<double>(rows.batch[r])) *
                        normal.normal(static_cast<uint32_t>(j)));
  }
  return g;
}

// One step of one coordinate; v: its velocity, unused where there is no momentum.
template <class T>
ORRERY_HD inline void quadratic_update(T& x, T& v, T g, T eta, T mu, bool momentum) {
  if (momentum) {
    v = mu * v + g;
    x -= eta * v;
  } else {
    x -= eta * g;
  }
}

namespace detail {
template <class T, Backend B>
void quadratic_steps_impl(const Context&, const QuadraticView<T>&, const Rows&, Slot, int64_t steps, MatrixView<T> x,
                          const Momentum<T>&);
template <class T, Backend B>
void quadratic_gradients_impl(const Context&, const QuadraticView<T>&, const Rows&, Slot, MatrixView<const T> x,
                              MatrixView<T> g);
template <class T, Backend B>
void quadratic_hessian_impl(const Context&, const QuadraticView<T>&, const Rows&, Slot, MatrixView<const T> v,
                            MatrixView<T> out);
template <class T, class C, Backend B>
void quadratic_losses_impl(const Context&, const QuadraticView<C>&, const Rows&, MatrixView<const T> x,
                           VectorView<double> out);
}  // namespace detail

}  // namespace orrery
