// The three products of one dense layer on one thread, for a tile of 1, 2, 4 or 8 samples of one worker: what an MLP's local steps on the
// CPU are made of. Weights W (k,n) row-major are read where they lie (no packing), so a worker whose parameters fit in the second-level
// cache is served from there for all its steps.
//
//   dense_forward    z[b,j] <- z[b,j] + sum_i x[i,b] W[i,j]
//   dense_backward   e[i,b] <- sum_j delta[b,j] W[i,j]
//   dense_update     W[i,j] <- W[i,j] + sum_b x[i,b] delta[b,j]
//
// Shapes   x, e (k, batch): the samples are the fast index; z, delta (batch, n). i runs over `units`, ascending numbers of inputs that are
//          not 0 in the whole tile: leaving the others out adds nothing to a sum (dense_backward: over all k).
//          places_forward, places_update: the same with x (batch, k), samples `ld` numbers apart; a sum has the bits of its twin whatever
//          tiles its samples are cut into. fresh: rows of W that belong to a unit start at 0, whatever they hold.
// Result   sums in a fixed order (forward: by i; backward: by vector lane, then j; update: by b), multiply-add fused where the machine
//          does it: same bits on one machine for any number of threads, rows and neighbours.
// Cost     2 batch k n flop each; forward and backward read W once, update reads and writes it: at batch 8 bound by multiply-adds.
#pragma once

#include <cstdint>

namespace orrery::detail {

constexpr int64_t largest_tile = 8;
// the largest tile size that is not above `samples`
constexpr int64_t tile_size(int64_t samples) { return samples >= 8 ? 8 : samples >= 4 ? 4 : samples >= 2 ? 2 : 1; }

template <class T>
void dense_forward(int64_t batch, const T* x, const int32_t* units, int64_t unit_count, const T* w, int64_t n, T* z);
template <class T>
void dense_backward(int64_t batch, const T* delta, const T* w, int64_t k, int64_t n, T* e);
template <class T>
void dense_update(int64_t batch, const T* x, const int32_t* units, int64_t unit_count, const T* delta, int64_t n, T* w);
template <class T>
void places_forward(int64_t batch, const T* x, int64_t ld, const int32_t* units, int64_t unit_count, const T* w,
                    int64_t n, T* z);
template <class T>
void places_update(int64_t batch, const T* x, int64_t ld, const int32_t* units, int64_t unit_count, const T* delta,
                   int64_t n, T* w, bool fresh = false);

}  // namespace orrery::detail
