#include "runtime/theory/compressed/fixed_point.hpp"

#include <lapacke.h>

#include <cmath>
#include <stdexcept>

#include "kernels/core/error.hpp"

namespace orrery::compressed_theory {

double choco_sgd_floor(double eta, double gamma, const Mixing& laplacian, const std::vector<double>& curvature,
                       const std::vector<double>& center, const std::vector<double>& optimum) {
  const auto n = static_cast<size_t>(laplacian.nodes()), P = optimum.size();
  expects(curvature.size() == n * P && center.size() == n * P, "curvatures and centers of shape (n, P)");
  auto mixing = laplacian.dense();  // I - gamma L
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 0; k < n; ++k) mixing[i][k] = (i == k ? 1.0 : 0.0) - gamma * mixing[i][k];

  double sum = 0;
  for (size_t j = 0; j < P; ++j) {
    // (I - M (I - eta A)) (x - x*) = eta M A (c - x*): x* is kept by M, whose rows sum to one
    std::vector<double> equations(n * n), d(n);
    for (size_t i = 0; i < n; ++i)
      for (size_t k = 0; k < n; ++k) {
        const double a = curvature[k * P + j];
        equations[i * n + k] = (i == k ? 1.0 : 0.0) - mixing[i][k] * (1 - eta * a);
        d[i] += eta * mixing[i][k] * a * (center[k * P + j] - optimum[j]);
      }
    std::vector<lapack_int> pivots(n);
    const auto order = static_cast<lapack_int>(n);
    if (LAPACKE_dgesv(LAPACK_ROW_MAJOR, order, 1, equations.data(), order, pivots.data(), d.data(), 1) != 0)
      throw std::runtime_error("the equations of CHOCO-SGD's fixed point are singular");
    for (const double x : d) sum += x * x / static_cast<double>(n);
  }
  return std::sqrt(sum);
}

}  // namespace orrery::compressed_theory
