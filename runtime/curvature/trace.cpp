#include "runtime/curvature/trace.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/core/error.hpp"

namespace orrery {
namespace {

// v_k^T H v_k of n directions, as many at a time as the products take; fill(k, v) writes direction k into P zeros.
template <class F>
std::vector<double> forms(const SymmetricProducts& H, int64_t n, F fill) {
  const auto P = static_cast<size_t>(H.dimension);
  std::vector<double> out;
  for (int64_t first = 0; first < n; first += H.at_a_time) {
    const auto m = static_cast<size_t>(std::min(H.at_a_time, n - first));
    std::vector<double> v(m * P);
    for (size_t k = 0; k < m; ++k) fill(first + static_cast<int64_t>(k), &v[k * P]);
    const auto hv = H.times(v);
    for (size_t k = 0; k < m; ++k) {
      double sum = 0;
      for (size_t j = k * P; j < (k + 1) * P; ++j) sum += v[j] * hv[j];
      out.push_back(sum);
    }
  }
  return out;
}

}  // namespace

TraceEstimate hutchinson(const SymmetricProducts& H, int64_t probes, ProbeKey key) {
  expects(probes >= 2 && H.dimension >= 1 && H.at_a_time >= 1, "two probes and a parameter");
  const auto values = forms(H, probes, [&](int64_t k, double* v) {
    const Stream draw(key.seed, Draw::hessian_probe, static_cast<uint32_t>(k), key.step);
    for (int64_t j = 0; j < H.dimension; j += 128) {  // four words of signs from one block
      const PhiloxBlock words = draw.block(static_cast<uint32_t>(j / 128));
      for (int64_t i = j; i < std::min(j + 128, H.dimension); ++i)
        v[i] = (words.word[(i - j) / 32] >> (i % 32) & 1u) != 0 ? 1 : -1;
    }
  });

  // mean and its standard error
  const auto m = static_cast<double>(probes);
  TraceEstimate t;
  for (const double value : values) t.value += value / m;
  double squares = 0;
  for (const double value : values) squares += (value - t.value) * (value - t.value);
  t.error = std::sqrt(squares / (m - 1) / m);
  return t;
}

TraceEstimate unit_trace(const SymmetricProducts& H) {
  expects(H.dimension >= 1 && H.at_a_time >= 1, "a parameter");
  TraceEstimate t{.exact = true};
  for (const double value : forms(H, H.dimension, [](int64_t k, double*v) { v[k] = 1; })) t.value += value;
  return t;
}

TraceEstimate trace(const SymmetricProducts& H, int64_t probes, ProbeKey key) {
  return H.dimension <= probes ? unit_trace(H) : hutchinson(H, probes, key);
}

}  // namespace orrery
