#include "runtime/theory/diffusion/axes.hpp"

#include <lapacke.h>

#include <algorithm>
#include <stdexcept>

#include "kernels/core/error.hpp"

namespace orrery::diffusion {

std::vector<double> Axes::project(const double* x) const {
  const size_t n = h.size();
  if (v.empty()) return {x, x + n};
  std::vector<double> out(n);
  for (size_t i = 0; i < n; ++i)
    for (size_t a = 0; a < n; ++a) out[a] += x[i] * v[i * n + a];
  return out;
}

std::vector<double> Axes::variance(const double* R) const {
  const size_t n = h.size();
  if (v.empty()) return {R, R + n};
  std::vector<double> out(n);
  for (size_t i = 0; i < n; ++i) {
    const std::vector<double> row = project(R + i * n);
    for (size_t a = 0; a < n; ++a) out[a] += v[i * n + a] * row[a];
  }
  return out;
}

double Axes::largest() const { return *std::max_element(h.begin(), h.end()); }

Axes axes(const std::vector<double>& H, int64_t M, bool diagonal) {
  const auto m = static_cast<size_t>(M);
  expects(M >= 1 && H.size() == (diagonal ? m : m * m), "a matrix of the problem's dimension");
  if (diagonal) return {H, {}};
  Axes out{std::vector<double>(m), H};
  const auto n = static_cast<lapack_int>(M);
  if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', n, out.v.data(), n, out.h.data()) != 0)
    throw std::runtime_error("the symmetric eigenvalue routine did not converge");
  return out;
}

}  // namespace orrery::diffusion
