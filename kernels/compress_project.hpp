// Scalarizers: a row is sent as one number, its product with a direction that sender and receivers know (digest of spatio-temporal compression 3.1).
//
//   probe_fill    psi[m,:] <- the direction of row lead[m]:
//                   trigonometric   psi_j = sqrt(2/P) cos(w (floor(j/2) + 1) t),  j even;   sqrt(2/P) cos(w (floor(j/2) + 1) t + pi/2), j odd
//                   normal          psi = g / |g|_2, g_j = normal draw j of Stream(seed of the row's replica, compression_probe; who, floor(t/dwell))
//                   cycle           psi = given[floor(t / dwell) mod M, :]
//   scalarize     y[r] <- psi[which[r],:] . x[r,:],   q[r,j] <- a psi[which[r],j] y[r]       either may be left out
//
// t is the slot; who is the worker, or 0 where all workers of a replica share a direction. |psi| = 1 for normal, and for trigonometric where P is even.
//
// Shapes   psi (directions, P) float64; lead (directions); which (rows) rows of psi; given (M, P) float64; x, q (rows, P) of any stride, not
//          overlapping; y (rows, 1): with x it is written, without x read.
// Result   the sum in float64 in the order of row_lanes.hpp, rounded to T: the same bits for any grid, number of threads and rows beside it, and
//          on both backends for equal psi. Cosines, and through them normal draws, agree between backends to rounding only.
// Cost     one launch each. scalarize reads x and, twice, psi (shared by the rows of a replica), writes q: memory bound. probe_fill: one cosine a
//          number, or a logarithm and a sine and cosine for two.
#pragma once

#include <cmath>

#include "kernels/core/context.hpp"
#include "kernels/rows.hpp"

namespace orrery {

struct ProbeRule {
  enum class Family { trigonometric, normal, cycle } family = Family::trigonometric;
  double frequency = 1;  // w, radians per slot
  int64_t dwell = 1;     // slots
  bool alike = true;     // normal: one direction for all workers of a replica
  MatrixView<const double> given = {};
};

void probe_fill(const Context&, const Rows&, Slot, const ProbeRule&, VectorView<const int32_t> lead,
                MatrixView<double> psi);
template <class T>
void scalarize(const Context&, MatrixView<const double> psi, VectorView<const int32_t> which, double factor,
               MatrixView<const T> x, MatrixView<T> y, MatrixView<T> q);

namespace detail {
template <Backend B>
void probe_fill_impl(const Context&, const Rows&, Slot, const ProbeRule&, VectorView<const int32_t> lead,
                     MatrixView<double> psi);
template <class T, Backend B>
void scalarize_impl(const Context&, MatrixView<const double> psi, VectorView<const int32_t> which, double factor,
                    MatrixView<const T> x, MatrixView<T> y, MatrixView<T> q);

// ---- on both backends, and in the packers

ORRERY_HD inline double trigonometric_probe(double frequency, int64_t slot, int64_t j, int64_t P) {
  const double angle = frequency * static_cast<double>(j / 2 + 1) * static_cast<double>(slot);
  return sqrt(2.0 / static_cast<double>(P)) * (j % 2 == 0 ? cos(angle) : -sin(angle));
}
ORRERY_HD inline Stream probe_draws(const ProbeRule& rule, uint64_t seed, int32_t worker, int64_t slot) {
  return Stream(seed, Draw::compression_probe, static_cast<uint32_t>(rule.alike ? 0 : worker),
                static_cast<uint64_t>(slot / rule.dwell));
}
template <class T>
ORRERY_HD inline T expanded(double factor, double psi, T y) {
  return static_cast<T>(factor * psi * static_cast<double>(y));
}
}  // namespace detail

}  // namespace orrery
