// Eigenvalues of a mixing matrix H. Where H is in detailed balance with b (H_{ij} b_j = H_{ji} b_i) or symmetric, it is
// similar to a symmetric matrix, diag(b)^-1/2 H diag(b)^1/2, and its spectrum is real; else the general eigenvalue
// routine is used. O(D^3) in LAPACK.
#pragma once

#include <complex>
#include <vector>

#include "runtime/network/network.hpp"

namespace orrery {

struct Spectrum {
  std::vector<std::complex<double>> values;  // (D) descending modulus, but the eigenvalue nearest to 1 first
  double zeta = 0;                           // largest modulus of all others; 0 if D = 1
  double smallest = 1;                       // smallest real part
  double gap() const { return 1 - zeta; }    // spectral gap
};

// b (D) > 0. Throws std::runtime_error where LAPACK does not converge.
Spectrum spectrum(const Mixing&, const std::vector<double>& b);

// Of the product H_1 H_2 ... H_N of a cycle, the first of which acts first; O(N D links + D^3).
Spectrum cycle_spectrum(const std::vector<Mixing>&, const std::vector<double>& b);

}  // namespace orrery
