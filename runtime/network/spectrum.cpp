#include "runtime/network/spectrum.hpp"

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace orrery {
namespace {

using Dense = std::vector<std::vector<double>>;
using Values = std::vector<std::complex<double>>;

bool in_balance(const Dense& h, const std::vector<double>& b) {
  for (size_t i = 0; i < h.size(); ++i)
    for (size_t j = i + 1; j < h.size(); ++j) {
      const double there = h[i][j] * b[j], back = h[j][i] * b[i];
      if (std::abs(there - back) > 1e-13 * std::max(there, back)) return false;
    }
  return true;
}

Values symmetric(const Dense& h, const std::vector<double>& b) {
  const auto n = static_cast<lapack_int>(h.size());
  std::vector<double> s(h.size() * h.size()), lambda(h.size());
  for (size_t i = 0; i < h.size(); ++i)
    for (size_t j = 0; j < h.size(); ++j) s[i * h.size() + j] = h[i][j] * std::sqrt(b[j] / b[i]);
  if (LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', n, s.data(), n, lambda.data()) != 0)
    throw std::runtime_error("the symmetric eigenvalue routine did not converge");
  return {lambda.begin(), lambda.end()};
}

Values general(const Dense& h) {
  const auto n = static_cast<lapack_int>(h.size());
  std::vector<double> m, re(h.size()), im(h.size());
  for (const auto& row : h) m.insert(m.end(), row.begin(), row.end());
  if (LAPACKE_dgeev(LAPACK_ROW_MAJOR, 'N', 'N', n, m.data(), n, re.data(), im.data(), nullptr, n, nullptr, n) != 0)
    throw std::runtime_error("the eigenvalue routine did not converge");
  Values values(h.size());
  for (size_t i = 0; i < h.size(); ++i) values[i] = {re[i], im[i]};
  return values;
}

Spectrum of_matrix(const Dense& h, const std::vector<double>& b) {
  const std::vector<double> equal(h.size(), 1.0);
  Spectrum s;
  s.values = in_balance(h, b) ? symmetric(h, b) : in_balance(h, equal) ? symmetric(h, equal) : general(h);

  // The eigenvalue of consensus first, the others by modulus.
  const auto one = std::min_element(s.values.begin(), s.values.end(),
                                    [](auto x, auto y) { return std::abs(x - 1.0) < std::abs(y - 1.0); });
  std::iter_swap(s.values.begin(), one);
  std::sort(s.values.begin() + 1, s.values.end(), [](auto x, auto y) { return std::abs(x) > std::abs(y); });
  if (s.values.size() > 1) s.zeta = std::abs(s.values[1]);
  for (const auto value : s.values) s.smallest = std::min(s.smallest, value.real());
  return s;
}

}  // namespace

Spectrum spectrum(const Mixing& mixing, const std::vector<double>& b) { return of_matrix(mixing.dense(), b); }

Spectrum cycle_spectrum(const std::vector<Mixing>& cycle, const std::vector<double>& b) {
  Dense product = cycle[0].dense();
  std::vector<double> row(b.size());
  for (size_t t = 1; t < cycle.size(); ++t)
    for (auto& p : product) {
      for (size_t d = 0; d < row.size(); ++d) {
        row[d] = 0;
        for (auto k = static_cast<size_t>(cycle[t].begin[d]); k < static_cast<size_t>(cycle[t].begin[d + 1]); ++k)
          row[d] += p[static_cast<size_t>(cycle[t].source[k])] * cycle[t].weight[k];
      }
      p.swap(row);
    }
  return of_matrix(product, b);
}

}  // namespace orrery
