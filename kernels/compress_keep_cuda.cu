#include "kernels/compress_keep.hpp"
#include "kernels/top_search.cuh"

namespace orrery::detail {
namespace {

using Which = KeepRule::Which;

constexpr unsigned block_threads = top_threads;

__device__ Permutation drawn_of(const KeepRule& rule, const Rows& rows, int64_t r, uint64_t step, int64_t P) {
  return keep_draws(rows.seed[r], rule.alike ? 0 : rows.worker[r], step, P);
}

// q <- the kept of a row that is on the chip, or, `row` being in memory, read twice
template <class T>
__device__ void write_kept(const KeepRule& rule, const TopCut& cut, const T* row, int64_t P, T* to) {
  for (int64_t j = threadIdx.x; j < P; j += block_threads)
    to[j] = is_kept(cut, row[j], j) ? kept_value(rule.factor, row[j]) : T{0};
}

// Every stride-th of n numbers.
template <class T>
__device__ void copy_to_chip(const T* from, int64_t stride, int64_t n, T* on_chip) {
#pragma unroll 4
  for (int64_t j = threadIdx.x; j < n; j += block_threads) on_chip[j] = from[j * stride];
  __syncthreads();
}

// Candidates above the sample's magnitude, everything else to 0. False where they are too few or too many, or equal ones are at the cut.
template <class T>
__device__ bool keep_candidates(const KeepRule& rule, const TopRoom& room, const T* from, int64_t P, T* to, T* value) {
  ORRERY_SHARED(unsigned, found, 1);
  copy_to_chip(from, P / TopRoom::sample, TopRoom::sample, value);
  const uint64_t least = block_cut(value, 0, TopRoom::sample, room.rank).bits;
  if (threadIdx.x == 0) found[0] = 0;
  __syncthreads();

  int32_t* const place = reinterpret_cast<int32_t*>(value + room.candidates);
#pragma unroll 4
  for (int64_t j = threadIdx.x; j < P; j += block_threads) {
    const T v = from[j];
    to[j] = T{0};
    if (magnitude_bits(v) < least) continue;
    const unsigned at = atomicAdd(&found[0], 1u);
    if (at < room.candidates) value[at] = v, place[at] = static_cast<int32_t>(j);
  }
  __syncthreads();
  const int64_t n = found[0];
  __syncthreads();  // it may be written again
  if (n < rule.k || n > room.candidates) return false;
  const TopCut cut = block_cut(value, 0, n, rule.k);
  if (cut.last != keep_from(0).last)
    return false;  // which of equal ones come first, the order of candidates does not say
  for (int64_t i = threadIdx.x; i < n; i += block_threads)
    if (is_kept(cut, value[i], 0)) to[place[i]] = kept_value(rule.factor, value[i]);
  __syncthreads();
  return true;
}

// All kernels here. Grid: one block per row (strided).
template <class T>
__global__ void keep_top_kernel(KeepRule rule, TopRoom room, MatrixView<const T> x, MatrixView<T> q) {
  ORRERY_DYNAMIC_SHARED(T, on_chip);
  const int64_t P = x.extent(1);
  for (int64_t r = blockIdx.x; r < x.extent(0); r += gridDim.x) {
    const T* const from = x.row(r);
    T* const to = q.row(r);
    if (room.whole) {
      copy_to_chip(from, 1, P, on_chip);
      write_kept(rule, block_cut(on_chip, 0, P, rule.k), on_chip, P, to);
      __syncthreads();  // the row may be written again
    } else if (room.candidates == 0 || !keep_candidates(rule, room, from, P, to, on_chip)) {
      write_kept(rule, block_cut(from, 0, P, rule.k), from, P, to);
    }
  }
}

template <class T>
__global__ void keep_kernel(Rows rows, Slot slot, KeepRule rule, MatrixView<const T> x, MatrixView<T> q) {
  const Step t = slot.at();
  const int64_t P = x.extent(1);
  for (int64_t r = blockIdx.x; r < rows.count; r += gridDim.x) {
    const T* const from = x.row(r);
    T* const to = q.row(r);
    if (rule.which == Which::drawn) {
      for (int64_t j = threadIdx.x; j < P; j += block_threads) to[j] = T{0};
      __syncthreads();
      const Permutation place = drawn_of(rule, rows, r, t.key(), P);
      for (int64_t i = threadIdx.x; i < rule.k; i += block_threads) {
        const int64_t j = place(static_cast<uint32_t>(i));
        to[j] = kept_value(rule.factor, from[j]);
      }
    } else {
      const int64_t b = block_at(t.slot, rule.dwell, rule.blocks), begin = block_begin(b, rule.blocks, P),
                    end = block_begin(b + 1, rule.blocks, P);
      for (int64_t j = threadIdx.x; j < P; j += block_threads)
        to[j] = j >= begin && j < end ? kept_value(rule.factor, from[j]) : T{0};
    }
  }
}

template <class T>
__global__ void keep_places_kernel(Rows rows, Slot slot, KeepRule rule, TopRoom room, MatrixView<const T> x,
                                   MatrixView<int32_t> places) {
  ORRERY_SHARED(unsigned, of_warp, top_warps);
  ORRERY_DYNAMIC_SHARED(T, on_chip);
  const Step t = slot.at();
  const int64_t P = x.extent(1), m = places.extent(1);
  for (int64_t r = blockIdx.x; r < rows.count; r += gridDim.x) {
    int32_t* const to = places.row(r);
    if (rule.which == Which::top) {
      if (room.whole) copy_to_chip(x.row(r), 1, P, on_chip);
      const T* const row = room.whole ? on_chip : x.row(r);
      const TopCut cut = block_cut(row, 0, P, rule.k);
      int64_t found = 0;
      for (int64_t j = 0; j < P; j += block_threads) {
        const int64_t mine = j + threadIdx.x;
        const bool kept = mine < P && is_kept(cut, row[mine], mine);
        const Scan scan = block_scan(kept ? 1u : 0u, of_warp);
        if (kept) to[found + scan.before] = static_cast<int32_t>(mine);
        found += scan.all;
      }
      __syncthreads();  // the row may be written again
    } else if (rule.which == Which::drawn) {
      const Permutation place = drawn_of(rule, rows, r, t.key(), P);
      for (int64_t i = threadIdx.x; i < m; i += block_threads)
        to[i] = static_cast<int32_t>(place(static_cast<uint32_t>(i)));
    } else {
      const int64_t b = block_at(t.slot, rule.dwell, rule.blocks), begin = block_begin(b, rule.blocks, P),
                    end = block_begin(b + 1, rule.blocks, P);
      for (int64_t i = threadIdx.x; i < m; i += block_threads)
        to[i] = begin + i < end ? static_cast<int32_t>(begin + i) : -1;
    }
  }
}

template <class T>
__global__ void keep_gather_kernel(MatrixView<const int32_t> places, MatrixView<const T> x, MatrixView<T> y) {
  for (int64_t r = blockIdx.x; r < y.extent(0); r += gridDim.x)
    for (int64_t i = threadIdx.x; i < y.extent(1); i += block_threads)
      y(r, i) = places(r, i) >= 0 ? x(r, places(r, i)) : T{0};
}

template <class T>
__global__ void keep_scatter_kernel(MatrixView<const int32_t> places, double factor, MatrixView<const T> y,
                                    MatrixView<T> q) {
  for (int64_t r = blockIdx.x; r < q.extent(0); r += gridDim.x) {
    for (int64_t j = threadIdx.x; j < q.extent(1); j += block_threads) q(r, j) = T{0};
    __syncthreads();
    for (int64_t i = threadIdx.x; i < y.extent(1); i += block_threads)
      if (places(r, i) >= 0) q(r, places(r, i)) = kept_value(factor, y(r, i));
  }
}

dim3 grid_for(int64_t rows) { return dim3(static_cast<unsigned>(rows < (1 << 20) ? rows : (1 << 20))); }

}  // namespace

template <class T, Backend B>
void keep_impl(const Context& ctx, const Rows& rows, Slot slot, const KeepRule& rule, MatrixView<const T> x,
               MatrixView<T> q) {
  if (rule.which != Which::top) {
    launch(keep_kernel<T>, grid_for(rows.count), dim3(block_threads), 0, ctx.stream(), rows, slot, rule, x, q);
    return;
  }
  const TopRoom room = TopRoom::of(x.extent(1), rule.k, sizeof(T));
  const auto bytes = static_cast<size_t>(room.bytes);
  if (bytes > 0) allow_shared(keep_top_kernel<T>, bytes);
  launch(keep_top_kernel<T>, grid_for(rows.count), dim3(block_threads), bytes, ctx.stream(), rule, room, x, q);
}
template <class T, Backend B>
void keep_places_impl(const Context& ctx, const Rows& rows, Slot slot, const KeepRule& rule, MatrixView<const T> x,
                      MatrixView<int32_t> places) {
  TopRoom room;
  if (rule.which == Which::top) room = TopRoom::of(x.extent(1), rule.k, sizeof(T));
  const size_t bytes = room.whole ? static_cast<size_t>(room.bytes) : 0;
  if (bytes > 0) allow_shared(keep_places_kernel<T>, bytes);
  launch(keep_places_kernel<T>, grid_for(rows.count), dim3(block_threads), bytes, ctx.stream(), rows, slot, rule, room,
         x, places);
}
template <class T, Backend B>
void keep_gather_impl(const Context& ctx, MatrixView<const int32_t> places, MatrixView<const T> x, MatrixView<T> y) {
  launch(keep_gather_kernel<T>, grid_for(y.extent(0)), dim3(block_threads), 0, ctx.stream(), places, x, y);
}
template <class T, Backend B>
void keep_scatter_impl(const Context& ctx, MatrixView<const int32_t> places, double factor, MatrixView<const T> y,
                       MatrixView<T> q) {
  launch(keep_scatter_kernel<T>, grid_for(q.extent(0)), dim3(block_threads), 0, ctx.stream(), places, factor, y, q);
}

#define ORRERY_INSTANTIATE(T)                                                                                        \
  template void keep_impl<T, Backend::cuda>(const Context&, const Rows&, Slot, const KeepRule&, MatrixView<const T>, \
                                            MatrixView<T>);                                                          \
  template void keep_places_impl<T, Backend::cuda>(const Context&, const Rows&, Slot, const KeepRule&,               \
                                                   MatrixView<const T>, MatrixView<int32_t>);                        \
  template void keep_gather_impl<T, Backend::cuda>(const Context&, MatrixView<const int32_t>, MatrixView<const T>,   \
                                                   MatrixView<T>);                                                   \
  template void keep_scatter_impl<T, Backend::cuda>(const Context&, MatrixView<const int32_t>, double,               \
                                                    MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
