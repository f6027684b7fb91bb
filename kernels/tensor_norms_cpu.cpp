#include "kernels/tensor_norms.hpp"

#include <cmath>

namespace orrery::detail {
namespace {

// x[0] <- the lanes' total, by halving distance: within 32 lanes, then over the eight totals
template <class F>
double combined(double* lane, F combine) {
  const auto halve = [&](int n, int stride) {
    for (int d = n / 2; d > 0; d /= 2)
      for (int l = 0; l < d; ++l) lane[l * stride] = combine(lane[l * stride], lane[(l + d) * stride]);
  };
  for (int w = 0; w < norm_lanes; w += 32, lane += 32) halve(32, 1);
  lane -= norm_lanes;
  halve(norm_lanes / 32, 32);
  return lane[0];
}

template <class T, class Add, class Combine>
double norm(const T* g, int64_t n, Add add, Combine combine) {
  double lane[norm_lanes] = {};
  int64_t i = 0;
  for (; i + norm_lanes <= n; i += norm_lanes)
    for (int l = 0; l < norm_lanes; ++l) lane[l] = add(lane[l], static_cast<double>(g[i + l]));
  for (int l = 0; i + l < n; ++l) lane[l] = add(lane[l], static_cast<double>(g[i + l]));
  return combined(lane, combine);
}

}  // namespace

template <class T, Backend B>
void tensor_norms_impl(const Context&, VectorView<const int64_t> offset, MatrixView<const T> g, Norm which,
                       MatrixView<double> out) {
  const auto plus = [](double a, double b) { return a + b; };
  const auto larger = [](double a, double b) { return a > b || b != b ? a : b; };
#pragma omp parallel for collapse(2) schedule(dynamic)
  for (int64_t r = 0; r < out.extent(0); ++r)
    for (int64_t t = 0; t < out.extent(1); ++t) {
      const T* const at = g.row(r) + offset[t];
      const int64_t n = offset[t + 1] - offset[t];
      switch (which) {
        case Norm::l1:
          out(r, t) = norm(
              at, n, [](double a, double x) { return a + std::abs(x); }, plus);
          break;
        case Norm::l2_squared:
          out(r, t) = norm(
              at, n, [](double a, double x) { return a + x * x; }, plus);
          break;
        case Norm::max:
          out(r, t) = norm(
              at, n, [larger](double a, double x) { return larger(a, std::abs(x)); }, larger);
          break;
      }
    }
}

#define ORRERY_INSTANTIATE(T)                                                                                      \
  template void tensor_norms_impl<T, Backend::cpu>(const Context&, VectorView<const int64_t>, MatrixView<const T>, \
                                                   Norm, MatrixView<double>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
