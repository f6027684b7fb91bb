// Draws, gathers and normalises the minibatches of all rows in one launch.
//
//   s(r,k)   = order[begin_r + floor(size_r * u)]      u from Philox(seed_r, minibatch; worker_r, t, k), with replacement; or the k-th
//              next of a pass without replacement (Rows::sample)
//   x[r,k,j] = scale * stored[s(r,k), j] + shift       k = first .. first+count-1, j = 0 .. d-1
//   y[r,k]   = label[s(r,k)]
//
// Rows that skip slot t (rate) and places k >= batch_r get x = 0 and y = -1: they contribute nothing downstream.
// Shapes   x (rows, count * d), y (rows, count), both dense; out of place.
// Result   each element depends on its own key only: same bits for any grid, any number of rows beside it, any number of shards.
// Sparse rows are spread over zeros.
// Cost     reads d bytes (uint8) and writes d * sizeof(T) per sample; one Philox block per thread row of the gather.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/rows.hpp"

namespace orrery {

template <class T>
void minibatch(const Context&, const Rows&, const SampleView&, Slot, int64_t first, int64_t count, MatrixView<T> x,
               MatrixView<int32_t> y);

// Samples first .. first+count-1 of a set, in order: x (count, d), y (count). Same promises.
template <class T>
void gather(const Context&, const SampleView&, int64_t first, int64_t count, MatrixView<T> x);

namespace detail {
template <class T, Backend B>
void minibatch_impl(const Context&, const Rows&, const SampleView&, Slot, int64_t first, int64_t count, MatrixView<T> x,
                    MatrixView<int32_t> y);
template <class T, Backend B>
void gather_impl(const Context&, const SampleView&, int64_t first, int64_t count, MatrixView<T> x);
}  // namespace detail

}  // namespace orrery
