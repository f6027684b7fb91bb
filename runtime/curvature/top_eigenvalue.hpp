// Largest (most positive) eigenvalue of a symmetric matrix from its products. Host, float64.
//
//   P <= 64   the matrix itself from P products, made symmetric, and LAPACK
//   else      Lanczos with full reorthogonalisation (Golub, Van Loan, "Matrix computations", 4th ed., 10.1 and 10.3): with orthonormal
//             q_1 ... q_k and T = Q^T H Q tridiagonal, theta = lambda_max(T) <= lambda_max(H), and an eigenvalue of H lies within
//             residual = beta_k |last entry of T's eigenvector| of theta; the error is of the order of residual^2 / gap
//
// Stops    after `steps` products, when residual <= tolerance |theta|, or when the space is exhausted.
// Start    q_1 normal in (seed, Draw::hessian_probe, 2^32 - 1, step), normalised.
// Memory   k vectors of P numbers on the host; cost k products and 4 k^2 P operations.
#pragma once

#include <cmath>

#include "runtime/curvature/symmetric_products.hpp"

namespace orrery {

inline constexpr int64_t most_dense_parameters = 64;

struct TopEigenvalue {
  double value = 0, residual = 0;  // residual 0 where exact
  int64_t products = 0;
  bool exact = false;

  double relative_residual() const { return value != 0 ? residual / std::abs(value) : residual > 0 ? INFINITY : 0; }
  bool settled() const {
    return relative_residual() <= 0.05;
  }  // then the error is of the order of 0.0025 |value|^2 / gap
};

// steps >= 1. Throws std::runtime_error where LAPACK does not converge.
TopEigenvalue top_eigenvalue(const SymmetricProducts&, int64_t steps, ProbeKey, double tolerance = 1e-4);
TopEigenvalue dense_top_eigenvalue(const SymmetricProducts&);
TopEigenvalue lanczos(const SymmetricProducts&, int64_t steps, ProbeKey, double tolerance);

}  // namespace orrery
