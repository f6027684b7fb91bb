// Principal axes of a symmetric matrix, for sums over curvature directions (papers/diffusion-flatness.md 4.3): H v_h = h v_h.
// Of a diagonal matrix, the coordinates themselves. Host only, float64; O(M^3) in LAPACK where H is dense.
#pragma once

#include <cstdint>
#include <vector>

namespace orrery::diffusion {

struct Axes {
  std::vector<double> h;  // (M) ascending where H is dense, in the order of the coordinates where it is diagonal
  std::vector<double> v;  // (M,M), column = v_h; empty where H is diagonal

  std::vector<double> project(const double* x) const;   // <x, v_h> (M) of x (M)
  std::vector<double> variance(const double* R) const;  // v_h^T R v_h (M) of R (M), diagonal, or (M,M), like H
  double largest() const;
};

// H (M) or (M,M). Throws std::logic_error for a wrong size, std::runtime_error where LAPACK does not converge.
Axes axes(const std::vector<double>& H, int64_t M, bool diagonal);

}  // namespace orrery::diffusion
