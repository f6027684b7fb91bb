// The element-wise part of a step, for all rows at once.
//
//   descend      w[r,j] <- w[r,j] - eta_r * g[r,j]                                       rung (a): gradients in memory
//   add_decay    g[r,j] <- g[r,j] + lambda * w[r,j]          j < n, rows that step in slot t   (l2 of the weights, rung (a))
//   decay        w[r,j] <- w[r,j] - eta_r * lambda * w[r,j]  j < n, rows that step in slot t   (the same, folded: rung (b))
//
// Heavy-ball momentum (Polyak 1964), for rows that step in slot t, velocity v (rows, P):
//   damp         v[r,j] <- mu * v[r,j]                       rung (b): the gradient is then accumulated into v
//   push         w[r,j] <- w[r,j] - eta_r * v[r,j]
//   momentum_descend  v[r,j] <- mu * v[r,j] + g[r,j];  w[r,j] <- w[r,j] - eta_r * v[r,j]       rung (a)
//
// Shapes   w, g (rows, P); w of add_decay may share one row (stride 0).
// Result   each element depends on its own inputs only: same bits for any grid and any number of shards.
// Cost     reads 2 and writes 1 element per parameter (decay: 1 and 1): memory bound.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/rows.hpp"

namespace orrery {

template <class T>
void descend(const Context&, const Rows&, MatrixView<T> w, MatrixView<const T> g);
template <class T>
void add_decay(const Context&, const Rows&, Slot, double lambda, int64_t n, MatrixView<const T> w, MatrixView<T> g);
template <class T>
void decay(const Context&, const Rows&, Slot, double lambda, int64_t n, MatrixView<T> w);
template <class T>
void damp(const Context&, const Rows&, Slot, const Momentum<T>&);
template <class T>
void push(const Context&, const Rows&, Slot, const Momentum<T>&, MatrixView<T> w);
template <class T>
void momentum_descend(const Context&, const Rows&, Slot, const Momentum<T>&, MatrixView<T> w, MatrixView<const T> g);

namespace detail {
template <class T, Backend B>
void descend_impl(const Context&, const Rows&, MatrixView<T> w, MatrixView<const T> g);
template <class T, Backend B>
void add_decay_impl(const Context&, const Rows&, Slot, double lambda, int64_t n, MatrixView<const T> w,
                    MatrixView<T> g);
template <class T, Backend B>
void decay_impl(const Context&, const Rows&, Slot, double lambda, int64_t n, MatrixView<T> w);
template <class T, Backend B>
void damp_impl(const Context&, const Rows&, Slot, const Momentum<T>&);
template <class T, Backend B>
void push_impl(const Context&, const Rows&, Slot, const Momentum<T>&, MatrixView<T> w);
template <class T, Backend B>
void momentum_descend_impl(const Context&, const Rows&, Slot, const Momentum<T>&, MatrixView<T> w,
                           MatrixView<const T> g);
}  // namespace detail

}  // namespace orrery
