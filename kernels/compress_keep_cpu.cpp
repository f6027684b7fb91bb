#include <omp.h>

#include <algorithm>

#include "kernels/compress_keep.hpp"
#include "kernels/core/buffer.hpp"
#include "kernels/top_search.hpp"

namespace orrery::detail {
namespace {

using Which = KeepRule::Which;

// what is kept of columns 0 ... P - 1, the row still in cache from the search
template <class T>
void copy_kept(const TopCut& cut, double factor, const T* __restrict__ x, T* __restrict__ q, int64_t P) {
  using Bits = decltype(magnitude_bits(T{}));
  const auto at = static_cast<Bits>(cut.bits);
  const auto last = static_cast<int32_t>(std::min<int64_t>(cut.last, P)), n = static_cast<int32_t>(P);
  const T a = static_cast<T>(factor);
  for (int32_t j = 0; j < n; ++j) {
    const Bits bits = magnitude_bits(x[j]);
    const bool kept = (bits > at) | ((bits == at) & (j <= last));
    q[j] = kept ? a * x[j] : T{0};
  }
}

template <class T>
void list_kept(const TopCut& cut, const T* x, int64_t P, int32_t* places) {
  for (int64_t j = 0; j < P; ++j) {
    const uint64_t bits = magnitude_bits(x[j]);
    if (bits > cut.bits || (bits == cut.bits && j <= cut.last)) *places++ = static_cast<int32_t>(j);
  }
}

template <class T>
using Bits = decltype(magnitude_bits(T{}));

// a row of every thread, made before they start
template <class T>
Buffer<Bits<T>> room_of(const Context& ctx, const KeepRule& rule, int64_t P) {
  return {ctx, rule.which == Which::top ? threads() * P : 0};
}

int32_t who_draws(const KeepRule& rule, const Rows& rows, int64_t r) { return rule.alike ? 0 : rows.worker[r]; }

}  // namespace

template <class T, Backend B>
void keep_impl(const Context& ctx, const Rows& rows, Slot slot, const KeepRule& rule, MatrixView<const T> x,
               MatrixView<T> q) {
  const Step t = slot.at();
  const int64_t P = x.extent(1);
  const Buffer<Bits<T>> room = room_of<T>(ctx, rule, P);
#pragma omp parallel for schedule(static) if (x.size() >= 1 << 13)
  for (int64_t r = 0; r < rows.count; ++r) {
    const T* const from = x.row(r);
    T* const to = q.row(r);
    if (rule.which == Which::top) {
      copy_kept(cut_of_row(from, P, rule.k, room.data() + omp_get_thread_num() * P), rule.factor, from, to, P);
      continue;
    }
    std::fill_n(to, P, T{0});
    if (rule.which == Which::drawn) {
      const Permutation place = keep_draws(rows.seed[r], who_draws(rule, rows, r), t.key(), P);
      for (int64_t i = 0; i < rule.k; ++i) {
        const int64_t j = place(static_cast<uint32_t>(i));
        to[j] = kept_value(rule.factor, from[j]);
      }
    } else {
      const int64_t b = block_at(t.slot, rule.dwell, rule.blocks);
      for (int64_t j = block_begin(b, rule.blocks, P); j < block_begin(b + 1, rule.blocks, P); ++j)
        to[j] = kept_value(rule.factor, from[j]);
    }
  }
}

template <class T, Backend B>
void keep_places_impl(const Context& ctx, const Rows& rows, Slot slot, const KeepRule& rule, MatrixView<const T> x,
                      MatrixView<int32_t> places) {
  const Step t = slot.at();
  const int64_t P = x.extent(1), m = places.extent(1);
  const Buffer<Bits<T>> room = room_of<T>(ctx, rule, P);
#pragma omp parallel for schedule(static) if (x.size() >= 1 << 13)
  for (int64_t r = 0; r < rows.count; ++r) {
    int32_t* const to = places.row(r);
    if (rule.which == Which::top) {
      list_kept(cut_of_row(x.row(r), P, rule.k, room.data() + omp_get_thread_num() * P), x.row(r), P, to);
    } else if (rule.which == Which::drawn) {
      const Permutation place = keep_draws(rows.seed[r], who_draws(rule, rows, r), t.key(), P);
      for (int64_t i = 0; i < m; ++i) to[i] = static_cast<int32_t>(place(static_cast<uint32_t>(i)));
    } else {
      const int64_t b = block_at(t.slot, rule.dwell, rule.blocks), begin = block_begin(b, rule.blocks, P),
                    end = block_begin(b + 1, rule.blocks, P);
      for (int64_t i = 0; i < m; ++i) to[i] = begin + i < end ? static_cast<int32_t>(begin + i) : -1;
    }
  }
}

template <class T, Backend B>
void keep_gather_impl(const Context&, MatrixView<const int32_t> places, MatrixView<const T> x, MatrixView<T> y) {
#pragma omp parallel for schedule(static) if (y.size() >= 1 << 13)
  for (int64_t r = 0; r < y.extent(0); ++r)
    for (int64_t i = 0; i < y.extent(1); ++i) y(r, i) = places(r, i) >= 0 ? x(r, places(r, i)) : T{0};
}

template <class T, Backend B>
void keep_scatter_impl(const Context&, MatrixView<const int32_t> places, double factor, MatrixView<const T> y,
                       MatrixView<T> q) {
#pragma omp parallel for schedule(static) if (q.size() >= 1 << 13)
  for (int64_t r = 0; r < q.extent(0); ++r) {
    std::fill_n(q.row(r), q.extent(1), T{0});
    for (int64_t i = 0; i < y.extent(1); ++i)
      if (places(r, i) >= 0) q(r, places(r, i)) = kept_value(factor, y(r, i));
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                       \
  template void keep_impl<T, Backend::cpu>(const Context&, const Rows&, Slot, const KeepRule&, MatrixView<const T>, \
                                           MatrixView<T>);                                                          \
  template void keep_places_impl<T, Backend::cpu>(const Context&, const Rows&, Slot, const KeepRule&,               \
                                                  MatrixView<const T>, MatrixView<int32_t>);                        \
  template void keep_gather_impl<T, Backend::cpu>(const Context&, MatrixView<const int32_t>, MatrixView<const T>,   \
                                                  MatrixView<T>);                                                   \
  template void keep_scatter_impl<T, Backend::cpu>(const Context&, MatrixView<const int32_t>, double,               \
                                                   MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
