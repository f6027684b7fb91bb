#include "kernels/compress_low_rank.hpp"
#include "kernels/core/block.cuh"
#include "kernels/core/launch.cuh"
#include "kernels/core/rounding.cuh"
#include "kernels/row_lanes.hpp"

namespace orrery::detail {
namespace {

constexpr unsigned block_threads = 256;

// Grid: one block per row (strided).
template <class T>
__global__ void low_rank_start_kernel(Rows rows, Slot slot, MatrixRank m, bool alike, MatrixView<T> right) {
  const uint64_t step = slot.at().key();
  for (int64_t r = blockIdx.x; r < rows.count; r += gridDim.x) {
    const Stream draws = start_draws(rows.seed[r], rows.worker[r], alike, step);
    for (int64_t a = 0; a < m.rank; ++a) {
      T* const at = right.row(r) + a * m.n2;
      int any = 0;
      for (int64_t j = threadIdx.x; j < m.n2; j += block_threads) any |= at[j] != T{0} ? 1 : 0;
      if (block_max(any) != 0) continue;  // the whole block
      for (int64_t j = threadIdx.x; j < m.n2; j += block_threads)
        at[j] = static_cast<T>(draws.normal(static_cast<uint32_t>(a * m.n2 + j)));
    }
  }
}

// u . v over the block's lanes, in every thread
template <class T>
__device__ double block_product(const T* u, const T* v, int64_t n) {
  double sum = 0;
  for (int64_t j = threadIdx.x; j < n; j += blockDim.x)
    sum += rounded_product(static_cast<double>(u[j]), static_cast<double>(v[j]));
  return block_sum(sum);
}

// Grid: one block per row (strided), of row_lanes(n1) threads. A thread has the same elements of all vectors: it needs no barrier between them.
template <class T>
__global__ void orthonormalise_kernel(int64_t rank, MatrixView<T> left) {
  const int64_t n = left.extent(1) / rank;
  for (int64_t r = blockIdx.x; r < left.extent(0); r += gridDim.x)
    for (int64_t a = 0; a < rank; ++a) {
      T* const v = left.row(r) + a * n;
      const double before = sqrt(block_product(v, v, n));
      for (int pass = 0; pass < 2; ++pass)
        for (int64_t b = 0; b < a; ++b) {
          const T* const u = left.row(r) + b * n;
          const T share = static_cast<T>(block_product(u, v, n));
          for (int64_t j = threadIdx.x; j < n; j += blockDim.x) v[j] -= rounded_product(share, u[j]);
        }
      const double length = sqrt(block_product(v, v, n));
      const bool gone = !(length > nothing_left<T> * before);
      for (int64_t j = threadIdx.x; j < n; j += blockDim.x)
        v[j] = gone ? T{0} : static_cast<T>(static_cast<double>(v[j]) / length);
    }
}

// Grid: x = strips of 256 elements of the matrix, y = rows (strided).
template <class T>
__global__ void low_rank_expand_kernel(MatrixRank m, MatrixView<const T> left, MatrixView<const T> right,
                                       MatrixView<T> q) {
  const int64_t e = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (e >= q.extent(1)) return;
  const int64_t i = e / m.n2, j = e % m.n2;
  for (int64_t r = blockIdx.y; r < q.extent(0); r += gridDim.y) {
    const T *const l = left.row(r) + i, *const s = right.row(r) + j;
    double sum = 0;
    for (int64_t a = 0; a < m.rank; ++a)
      sum += rounded_product(static_cast<double>(l[a * m.n1]), static_cast<double>(s[a * m.n2]));
    q(r, e) = static_cast<T>(sum);
  }
}

dim3 grid_for(int64_t rows) { return dim3(static_cast<unsigned>(rows < (1 << 20) ? rows : (1 << 20))); }

}  // namespace

template <class T, Backend B>
void low_rank_start_impl(const Context& ctx, const Rows& rows, Slot slot, MatrixRank m, bool alike,
                         MatrixView<T> right) {
  launch(low_rank_start_kernel<T>, grid_for(rows.count), dim3(block_threads), 0, ctx.stream(), rows, slot, m, alike,
         right);
}
template <class T, Backend B>
void orthonormalise_impl(const Context& ctx, int64_t rank, MatrixView<T> left) {
  launch(orthonormalise_kernel<T>, grid_for(left.extent(0)),
         dim3(static_cast<unsigned>(row_lanes(left.extent(1) / rank))), 0, ctx.stream(), rank, left);
}
template <class T, Backend B>
void low_rank_expand_impl(const Context& ctx, MatrixRank m, MatrixView<const T> left, MatrixView<const T> right,
                          MatrixView<T> q) {
  const int64_t rows = q.extent(0);
  launch(low_rank_expand_kernel<T>,
         dim3(static_cast<unsigned>((q.extent(1) + block_threads - 1) / block_threads),
              static_cast<unsigned>(rows < 65535 ? rows : 65535)),
         dim3(block_threads), 0, ctx.stream(), m, left, right, q);
}

#define ORRERY_INSTANTIATE(T)                                                                              \
  template void low_rank_start_impl<T, Backend::cuda>(const Context&, const Rows&, Slot, MatrixRank, bool, \
                                                      MatrixView<T>);                                      \
  template void orthonormalise_impl<T, Backend::cuda>(const Context&, int64_t, MatrixView<T>);             \
  template void low_rank_expand_impl<T, Backend::cuda>(const Context&, MatrixRank, MatrixView<const T>,    \
                                                       MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
