// Two nonconvex risks of one and two parameters, where exact theory ends: a double well, and a factorization whose minima differ in flatness.
// c_i is worker i's own number, B the batch, n standard normal, keyed (seed; worker, slot, 0) as the noise of quadratics is.
//
//   two-well       F_i(w) = -(1/T) log( exp(-T a_0 (w - m_0)^2) + exp(-T a_1 (w - m_1)^2) ) + c_i w            c_i: the tilt
//     gradient     p_0 2 a_0 (w - m_0) + p_1 2 a_1 (w - m_1) + c_i + (s / sqrt(B)) n       p_k: the shares of the two exponentials
//   factorization  F_i(u,v) = (u v - c_i)^2 / 2                                                                c_i: the target
//     gradient     (e v, e u), e = u v - c_i + (s / sqrt(B)) n                             noise of the label, not of the gradient
//   batch "full": no noise
//
//   nonconvex_steps      `steps` times, for rows that step in the slot:  x <- x - eta_r g      (momentum: v <- mu v + g, x <- x - eta_r v)
//   nonconvex_gradients  g[r,:] of one slot; 0 for rows that skip it
//   nonconvex_hessian    out[r,:] = H v[r,:] with H the derivative of that gradient, its noise included; 0 for rows that skip the slot
//   nonconvex_losses     out[r] = F with c_which[r] at x[r,:]
//
// Source   Cao, Wu, Yuan, Sayed, arXiv 2406.20006 (escape, flatness); the two risks are this bench's own.
// Shapes   x, v, g (rows, P), P = Risk::parameters; for gradients, Hessians and losses x may be one shared row (stride 0); own (W).
// Result   a row depends on its own inputs only: same bits for any grid, neighbours and shards. Formulas in float64, rounded once to T.
// Cost     a row is one thread; about 60 operations per step where noise is drawn, 60 more for the two exponentials.
#pragma once

#include <cmath>

#include "kernels/core/context.hpp"
#include "kernels/rows.hpp"

namespace orrery {

struct TwoWell {
  static constexpr int parameters = 1;
  double inverse_temperature = 1, center[2] = {-1, 1}, steepness[2] = {4, 0.5}, noise = 0;  // T, m, a, s
  VectorView<const double> own = {};                                                        // c

  // difference of the exponents' sizes, T (a_0 (w - m_0)^2 - a_1 (w - m_1)^2), and p_0
  ORRERY_HD double height(int k, double w) const { return steepness[k] * (w - center[k]) * (w - center[k]); }
  ORRERY_HD double slope(int k, double w) const { return 2 * steepness[k] * (w - center[k]); }
  ORRERY_HD double first_share(double w) const {
    return 1 / (1 + std::exp(inverse_temperature * (height(0, w) - height(1, w))));
  }
  ORRERY_HD void gradient(double c, const double* x, double noise_now, double* g) const {
    const double p = first_share(x[0]);
    g[0] = p * slope(0, x[0]) + (1 - p) * slope(1, x[0]) + c + noise_now;
  }
  ORRERY_HD void hessian(double, const double* x, const double* v, double, double* out) const {
    const double p = first_share(x[0]), apart = slope(0, x[0]) - slope(1, x[0]);
    out[0] =
        (p * 2 * steepness[0] + (1 - p) * 2 * steepness[1] - inverse_temperature * p * (1 - p) * apart * apart) * v[0];
  }
  ORRERY_HD double loss(double c, const double* x) const {
    const double first = height(0, x[0]), second = height(1, x[0]), low = first < second ? first : second;
    return low - std::log1p(std::exp(-inverse_temperature * std::abs(first - second))) / inverse_temperature + c * x[0];
  }
};

struct Factorization {
  static constexpr int parameters = 2;
  double noise = 0;                   // s
  VectorView<const double> own = {};  // c

  ORRERY_HD void gradient(double c, const double* x, double noise_now, double* g) const {
    const double e = x[0] * x[1] - c + noise_now;
    g[0] = e * x[1], g[1] = e * x[0];
  }
  ORRERY_HD void hessian(double c, const double* x, const double* v, double noise_now, double* out) const {
    const double mixed = 2 * x[0] * x[1] - c + noise_now;
    out[0] = x[1] * x[1] * v[0] + mixed * v[1], out[1] = mixed * v[0] + x[0] * x[0] * v[1];
  }
  ORRERY_HD double loss(double c, const double* x) const {
    const double away = x[0] * x[1] - c;
    return 0.5 * away * away;
  }
};

template <class Risk, class T>
void nonconvex_steps(const Context&, const Risk&, const Rows&, Slot, int64_t steps, MatrixView<T> x,
                     const Momentum<T>& = {});
template <class Risk, class T>
void nonconvex_gradients(const Context&, const Risk&, const Rows&, Slot, MatrixView<const T> x, MatrixView<T> g);
template <class Risk, class T>
void nonconvex_hessian(const Context&, const Risk&, const Rows&, Slot, MatrixView<const T> x, MatrixView<const T> v,
                       MatrixView<T> out);
template <class Risk, class T>
void nonconvex_losses(const Context&, const Risk&, VectorView<const int32_t> which, MatrixView<const T> x,
                      VectorView<double> out);

namespace detail {
template <class Risk, class T, Backend B>
void nonconvex_steps_impl(const Context&, const Risk&, const Rows&, Slot, int64_t steps, MatrixView<T> x,
                          const Momentum<T>&);
template <class Risk, class T, Backend B>
void nonconvex_gradients_impl(const Context&, const Risk&, const Rows&, Slot, MatrixView<const T> x, MatrixView<T> g);
template <class Risk, class T, Backend B>
void nonconvex_hessian_impl(const Context&, const Risk&, const Rows&, Slot, MatrixView<const T> x,
                            MatrixView<const T> v, MatrixView<T> out);
template <class Risk, class T, Backend B>
void nonconvex_losses_impl(const Context&, const Risk&, VectorView<const int32_t> which, MatrixView<const T> x,
                           VectorView<double> out);
}  // namespace detail

}  // namespace orrery
