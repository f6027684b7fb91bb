#include "runtime/curvature/top_eigenvalue.hpp"

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "kernels/core/error.hpp"

namespace orrery {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& x, const Vector& y) {
  double sum = 0;
  for (size_t j = 0; j < x.size(); ++j) sum += x[j] * y[j];
  return sum;
}

// x <- x - sum_i <x, q_i> q_i, twice: what the first pass leaves is of the size of rounding
void orthogonalise(Vector& x, const std::vector<Vector>& Q) {
  for (int pass = 0; pass < 2; ++pass)
    for (const Vector& q : Q) {
      const double c = dot(x, q);
      for (size_t j = 0; j < x.size(); ++j) x[j] -= c * q[j];
    }
}

double normalise(Vector& x) {
  const double norm = std::sqrt(dot(x, x));
  if (norm > 0)
    for (double& v : x) v /= norm;
  return norm;
}

// Largest eigenvalue of the tridiagonal matrix and the last entry of its eigenvector.
std::pair<double, double> top_of_tridiagonal(Vector diagonal, Vector beside) {
  const auto n = static_cast<lapack_int>(diagonal.size());
  Vector z(diagonal.size() * diagonal.size());
  beside.resize(diagonal.size());
  if (LAPACKE_dstev(LAPACK_ROW_MAJOR, 'V', n, diagonal.data(), beside.data(), z.data(), n) != 0)
    throw std::runtime_error("the tridiagonal eigenvalue routine did not converge");
  return {diagonal.back(), z.back()};
}

}  // namespace

TopEigenvalue dense_top_eigenvalue(const SymmetricProducts& H) {
  const auto P = static_cast<size_t>(H.dimension);
  expects(H.dimension >= 1 && H.at_a_time >= 1, "a parameter");
  Vector a;
  for (int64_t first = 0; first < H.dimension; first += H.at_a_time) {
    const auto m = static_cast<size_t>(std::min(H.at_a_time, H.dimension - first));
    Vector v(m * P);
    for (size_t k = 0; k < m; ++k) v[k * P + static_cast<size_t>(first) + k] = 1;
    const Vector hv = H.times(v);
    a.insert(a.end(), hv.begin(), hv.end());
  }
  for (size_t i = 0; i < P; ++i)
    for (size_t j = 0; j < i; ++j) a[i * P + j] = a[j * P + i] = (a[i * P + j] + a[j * P + i]) / 2;
  Vector lambda(P);
  const auto n = static_cast<lapack_int>(P);
  if (std::any_of(a.begin(), a.end(), [](double x) { return !std::isfinite(x); }))
    return {.value = std::numeric_limits<double>::quiet_NaN(), .products = H.dimension};
  if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', n, a.data(), n, lambda.data()) != 0)
    throw std::runtime_error("the symmetric eigenvalue routine did not converge");
  return {.value = lambda.back(), .products = H.dimension, .exact = true};
}

TopEigenvalue lanczos(const SymmetricProducts& H, int64_t steps, ProbeKey key, double tolerance) {
  expects(steps >= 1 && H.dimension >= 1, "a step and a parameter");
  Vector next(static_cast<size_t>(H.dimension));
  const Stream draw(key.seed, Draw::hessian_probe, 0xFFFFFFFFu, key.step);
  for (size_t j = 0; j < next.size(); ++j) next[j] = draw.normal(static_cast<uint32_t>(j));
  normalise(next);

  std::vector<Vector> Q;
  Vector alpha, beta;
  TopEigenvalue top;
  double size = 0;  // of H, as far as it has been seen
  while (top.products < std::min(steps, H.dimension)) {
    Q.push_back(std::move(next));
    next = H.times(Q.back());
    ++top.products;
    alpha.push_back(dot(next, Q.back()));
    size = std::max(size, std::sqrt(dot(next, next)));
    orthogonalise(next, Q);
    beta.push_back(normalise(next));
    if (!std::isfinite(alpha.back()) || !std::isfinite(beta.back()))
      return {.value = std::numeric_limits<double>::quiet_NaN(), .products = top.products};
    const auto [theta, last] = top_of_tridiagonal(alpha, beta);
    top.value = theta;
    top.residual = beta.back() * std::abs(last);
    const bool exhausted = beta.back() <= 64 * std::numeric_limits<double>::epsilon() * size;
    if (exhausted || top.residual <= tolerance * std::abs(theta)) break;
  }
  return top;
}

TopEigenvalue top_eigenvalue(const SymmetricProducts& H, int64_t steps, ProbeKey key, double tolerance) {
  return H.dimension <= most_dense_parameters ? dense_top_eigenvalue(H) : lanczos(H, steps, key, tolerance);
}

}  // namespace orrery
