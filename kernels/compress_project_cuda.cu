#include "kernels/compress_project.hpp"
#include "kernels/core/block.cuh"
#include "kernels/core/launch.cuh"
#include "kernels/core/rounding.cuh"
#include "kernels/row_lanes.hpp"

namespace orrery::detail {
namespace {

// Grid: one block per direction (strided), of row_lanes(P) threads.
__global__ void probe_fill_kernel(Rows rows, Slot slot, ProbeRule rule, VectorView<const int32_t> lead,
                                  MatrixView<double> psi) {
  using Family = ProbeRule::Family;
  const int64_t t = slot.at().slot, P = psi.extent(1);
  for (int64_t m = blockIdx.x; m < psi.extent(0); m += gridDim.x) {
    double* const to = psi.row(m);
    if (rule.family == Family::trigonometric) {
      for (int64_t j = threadIdx.x; j < P; j += blockDim.x) to[j] = trigonometric_probe(rule.frequency, t, j, P);
    } else if (rule.family == Family::cycle) {
      const double* const from = rule.given.row(t / rule.dwell % rule.given.extent(0));
      for (int64_t j = threadIdx.x; j < P; j += blockDim.x) to[j] = from[j];
    } else {
      const int64_t r = lead[m];
      const Stream draws = probe_draws(rule, rows.seed[r], rows.worker[r], t);
      for (int64_t b = threadIdx.x; 4 * b < P; b += blockDim.x) {
        double g[4];
        draws.four_normals(static_cast<uint32_t>(b), g);
        for (int i = 0; i < 4 && 4 * b + i < P; ++i) to[4 * b + i] = g[i];
      }
      __syncthreads();
      double sum = 0;
      for (int64_t j = threadIdx.x; j < P; j += blockDim.x) sum += rounded_product(to[j], to[j]);
      const double length = sqrt(block_sum(sum));
      for (int64_t j = threadIdx.x; j < P; j += blockDim.x) to[j] /= length;
    }
  }
}

// Grid: one block per row (strided), of row_lanes(P) threads.
template <class T>
__global__ void scalarize_kernel(MatrixView<const double> psi, VectorView<const int32_t> which, double factor,
                                 MatrixView<const T> x, MatrixView<T> y, MatrixView<T> q) {
  const int64_t P = psi.extent(1);
  for (int64_t r = blockIdx.x; r < which.size(); r += gridDim.x) {
    const double* const direction = psi.row(which[r]);
    T sent = T{0};
    if (x.size() > 0) {
      double sum = 0;
      for (int64_t j = threadIdx.x; j < P; j += blockDim.x)
        sum += rounded_product(direction[j], static_cast<double>(x(r, j)));
      sent = static_cast<T>(block_sum(sum));
      if (threadIdx.x == 0) y(r, 0) = sent;
    } else {
      sent = y(r, 0);
    }
    if (q.size() > 0)
      for (int64_t j = threadIdx.x; j < P; j += blockDim.x) q(r, j) = expanded(factor, direction[j], sent);
  }
}

dim3 grid_for(int64_t rows) { return dim3(static_cast<unsigned>(rows < (1 << 20) ? rows : (1 << 20))); }

}  // namespace

template <Backend B>
void probe_fill_impl(const Context& ctx, const Rows& rows, Slot slot, const ProbeRule& rule,
                     VectorView<const int32_t> lead, MatrixView<double> psi) {
  launch(probe_fill_kernel, grid_for(psi.extent(0)), dim3(static_cast<unsigned>(row_lanes(psi.extent(1)))), 0,
         ctx.stream(), rows, slot, rule, lead, psi);
}
template <class T, Backend B>
void scalarize_impl(const Context& ctx, MatrixView<const double> psi, VectorView<const int32_t> which, double factor,
                    MatrixView<const T> x, MatrixView<T> y, MatrixView<T> q) {
  launch(scalarize_kernel<T>, grid_for(which.size()), dim3(static_cast<unsigned>(row_lanes(psi.extent(1)))), 0,
         ctx.stream(), psi, which, factor, x, y, q);
}

template void probe_fill_impl<Backend::cuda>(const Context&, const Rows&, Slot, const ProbeRule&,
                                             VectorView<const int32_t>, MatrixView<double>);
#define ORRERY_INSTANTIATE(T)                                                                                         \
  template void scalarize_impl<T, Backend::cuda>(const Context&, MatrixView<const double>, VectorView<const int32_t>, \
                                                 double, MatrixView<const T>, MatrixView<T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
