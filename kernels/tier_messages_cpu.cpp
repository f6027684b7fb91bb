#include <algorithm>

#include "kernels/tier_messages.hpp"

namespace orrery::detail {
namespace {

// body(row, first column, columns) for strips of all rows that act
template <class F>
void for_strips(const TierRows& rows, int64_t count, int64_t columns, F&& body) {
  constexpr int64_t strip = 4096;
  const int64_t strips = (columns + strip - 1) / strip;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t r = 0; r < count; ++r)
    for (int64_t s = 0; s < strips; ++s)
      if (rows.act(r)) body(r, s * strip, std::min(strip, columns - s * strip));
}

template <class T>
void add_difference(T* __restrict__ e, const T* __restrict__ x, const T* __restrict__ ref, bool keep, int64_t n) {
  if (keep)
    for (int64_t j = 0; j < n; ++j) e[j] += x[j] - ref[j];
  else
    for (int64_t j = 0; j < n; ++j) e[j] = x[j] - ref[j];
}
template <class T>
void subtract(T* __restrict__ e, const T* __restrict__ q, int64_t n) {
  for (int64_t j = 0; j < n; ++j) e[j] -= q[j];
}
template <class T>
void add(T* __restrict__ ref, const T* __restrict__ q, int64_t n) {
  for (int64_t j = 0; j < n; ++j) ref[j] += q[j];
}

}  // namespace

template <>
void tier_numbers_impl<Backend::cpu>(const Context&, Slot slot, VectorView<const int64_t> unit,
                                     VectorView<int64_t> number) {
  for (int64_t l = 0; l < number.size(); ++l) number[l] = slot.at().slot / unit[l] - 1;
}

template <>
void tier_senders_impl<Backend::cpu>(const Context&, Slot slot, VectorView<const int64_t> period,
                                     VectorView<const uint8_t> present, VectorView<uint8_t> acts) {
  const int64_t t = slot.at().slot;
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < acts.size(); ++r) acts[r] = sends(t, period[r], present, r);
}

template <class T, Backend B>
void tier_offer_impl(const Context&, const TierRows& rows, MatrixView<const T> x, MatrixView<const T> ref, bool keep,
                     MatrixView<T> e) {
  for_strips(rows, e.extent(0), e.extent(1), [&](int64_t r, int64_t first, int64_t n) {
    add_difference(e.row(r) + first, x.row(r) + first, ref.row(rows.owner(r)) + first, keep, n);
  });
}

template <class T, Backend B>
void tier_settle_impl(const Context&, const TierRows& rows, MatrixView<const T> q, MatrixView<T> e, MatrixView<T> ref) {
  for_strips(rows, e.extent(0), e.extent(1), [&](int64_t r, int64_t first, int64_t n) {
    subtract(e.row(r) + first, q.row(r) + first, n);
    if (ref.size() > 0) add(ref.row(r) + first, q.row(r) + first, n);
  });
}

template <class T, Backend B>
void tier_take_impl(const Context&, const TierRows& rows, MatrixView<const T> m, MatrixView<T> x) {
  for_strips(rows, x.extent(0), x.extent(1), [&](int64_t r, int64_t first, int64_t n) {
    std::copy_n(m.row(rows.owner(r)) + first, n, x.row(r) + first);
  });
}

#define ORRERY_INSTANTIATE(T)                                                                                          \
  template void tier_offer_impl<T, Backend::cpu>(const Context&, const TierRows&, MatrixView<const T>,                 \
                                                 MatrixView<const T>, bool, MatrixView<T>);                            \
  template void tier_settle_impl<T, Backend::cpu>(const Context&, const TierRows&, MatrixView<const T>, MatrixView<T>, \
                                                  MatrixView<T>);                                                      \
  template void tier_take_impl<T, Backend::cpu>(const Context&, const TierRows&, MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
