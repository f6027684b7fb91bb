// Trace of a symmetric matrix from its products (papers/diffusion-flatness.md 4.5; Hutchinson, Commun. Stat. Simul. 18, 1989). Host, float64.
//
//   hutchinson   (1/m) sum_k v_k^T H v_k, v_k of m independent draws of +-1 in every coordinate
//                variance 2 (|H|_F^2 - sum_i H_ii^2) / m: none where H is diagonal
//   unit_trace   sum_i e_i^T H e_i: exact
//
// Draws    bit j of probe k = bit j mod 32 of draw j / 32 of (seed, Draw::hessian_probe, k, step): the same at every point and in every arm of
//          a seed, so that differences between them are not those of probes.
// Error    of hutchinson: sample deviation over the probes / sqrt(m).
// Cost     m or P products.
#pragma once

#include "runtime/curvature/symmetric_products.hpp"

namespace orrery {

struct TraceEstimate {
  double value = 0, error = 0;  // error: standard error; 0 where exact
  bool exact = false;
};

TraceEstimate hutchinson(const SymmetricProducts&, int64_t probes, ProbeKey);  // probes >= 2
TraceEstimate unit_trace(const SymmetricProducts&);
// unit_trace where P <= probes, else hutchinson
TraceEstimate trace(const SymmetricProducts&, int64_t probes, ProbeKey);

}  // namespace orrery
