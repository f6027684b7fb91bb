#include "kernels/top_signs.hpp"

#include <algorithm>

#include "kernels/tensors.hpp"
#include "kernels/top_search.hpp"

namespace orrery::detail {
namespace {

// ---- what is kept

constexpr int64_t strip = 32;  // words of one task: everything about it stays in L1
constexpr int64_t strip_columns = strip * bits_of_word;

template <class F>
void for_strips(int64_t rows, int64_t columns, F f) {  // f(row, first column, columns)
  const int64_t strips = (columns + strip_columns - 1) / strip_columns;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t s = 0; s < strips; ++s) f(r, s * strip_columns, std::min(strip_columns, columns - s * strip_columns));
}

// kept[i] <- is column first + i of row r kept?
template <class T>
void mark(VectorView<const int64_t> offset, MatrixView<const TopCut> cuts, int64_t r, const T* e, int64_t first,
          int64_t n, uint8_t* kept) {
  using Bits = decltype(magnitude_bits(T{}));
  for_tensors(offset, first, first + n, [&](int64_t t, int64_t from, int64_t to) {
    const TopCut cut = cuts(r, t);
    const Bits at = static_cast<Bits>(cut.bits);  // of keep_none: above all magnitudes in either width
    const auto last = static_cast<int32_t>(std::clamp<int64_t>(cut.last - from, -1, strip_columns));
    const auto count = static_cast<int32_t>(to - from);
    const T* __restrict__ const x = e + from;
    uint8_t* __restrict__ const out = kept + (from - first);
    for (int32_t i = 0; i < count; ++i) {
      const Bits bits = magnitude_bits(x[i]);
      out[i] = static_cast<uint8_t>((bits > at) | ((bits == at) & (i <= last)));
    }
  });
}

// the signs of n <= 32 numbers, 0 where not kept; what is kept becomes 0
template <class T>
SignWord take_signs(T* __restrict__ e, const uint8_t* __restrict__ kept, int64_t n) {
  uint32_t positive = 0, zero = 0;
  const auto take = [&](uint32_t b) {
    positive |= static_cast<uint32_t>((kept[b] != 0) & (e[b] > T{0})) << b;
    zero |= static_cast<uint32_t>((kept[b] == 0) | (e[b] == T{0})) << b;
  };
  if (n == bits_of_word) {  // loops of fixed length vectorise
    for (uint32_t b = 0; b < 32; ++b) take(b);
    for (uint32_t b = 0; b < 32; ++b) e[b] = kept[b] != 0 ? T{0} : e[b];
  } else {
    for (uint32_t b = 0; b < n; ++b) take(b);
    for (uint32_t b = 0; b < n; ++b) e[b] = kept[b] != 0 ? T{0} : e[b];
  }
  return {positive, zero};
}

}  // namespace

template <class T, Backend B>
void top_cuts_impl(const Context&, VectorView<const int64_t> offset, VectorView<const int64_t> keep,
                   MatrixView<const T> e, MatrixView<TopCut> cuts, VectorView<const uint8_t> present) {
#pragma omp parallel for collapse(2) schedule(dynamic)
  for (int64_t r = 0; r < cuts.extent(0); ++r)
    for (int64_t t = 0; t < cuts.extent(1); ++t)
      if (takes_part(present, r)) cuts(r, t) = cut_of(e.row(r), offset[t], offset[t + 1], keep[t]);
}

template <class T, Backend B>
void cut_signs_impl(const Context&, VectorView<const int64_t> offset, MatrixView<const TopCut> cuts, MatrixView<T> e,
                    const SignsOut& signs, VectorView<const uint8_t> present) {
  for_strips(e.extent(0), e.extent(1), [&](int64_t r, int64_t first, int64_t n) {
    if (!takes_part(present, r)) return;
    uint8_t kept[strip_columns];
    mark<T>(offset, cuts, r, e.row(r), first, n, kept);
    for (int64_t i = 0; i < n; i += bits_of_word)
      store(signs, r, (first + i) / bits_of_word,
            take_signs(e.row(r) + first + i, kept + i, std::min(bits_of_word, n - i)));
  });
}

template <class T, Backend B>
void cut_values_impl(const Context&, VectorView<const int64_t> offset, MatrixView<const TopCut> cuts, MatrixView<T> e,
                     MatrixView<T> out, VectorView<const uint8_t> present) {
  for_strips(e.extent(0), e.extent(1), [&](int64_t r, int64_t first, int64_t n) {
    if (!takes_part(present, r)) return;
    uint8_t kept[strip_columns];
    mark<T>(offset, cuts, r, e.row(r), first, n, kept);
    T* __restrict__ const from = e.row(r) + first;
    T* __restrict__ const to = out.row(r) + first;
    for (int64_t i = 0; i < n; ++i) {
      to[i] = kept[i] != 0 ? from[i] : T{0};
      from[i] = kept[i] != 0 ? T{0} : from[i];
    }
  });
}

template <class T, Backend B>
void sparse_mean_impl(const Context&, const GroupTable& g, MatrixView<const T> sent, MatrixView<T> out,
                      VectorView<const uint8_t> present) {
  for_strips(g.nodes, out.extent(1), [&](int64_t k, int64_t first, int64_t n) {
    double total[strip_columns] = {}, part[strip_columns];
    int32_t senders[strip_columns] = {};
    for (int64_t b = g.begin[k]; b < g.begin[k + 1]; b += sum_block) {
      std::fill_n(part, n, 0.0);
      for (int64_t m = b; m < std::min(b + sum_block, g.begin[k + 1]); ++m) {
        const int64_t r = g.member[m];
        if (!takes_part(present, r)) continue;
        const T* __restrict__ const in = sent.row(r) + first;
        for (int64_t i = 0; i < n; ++i) part[i] += static_cast<double>(in[i]);
        for (int64_t i = 0; i < n; ++i) senders[i] += in[i] != T{0} ? 1 : 0;
      }
      for (int64_t i = 0; i < n; ++i) total[i] += part[i];
    }
    for (int64_t i = 0; i < n; ++i) out(k, first + i) = sparse_mean_of<T>(total[i], senders[i]);
  });
}

#define ORRERY_INSTANTIATE(T)                                                                                         \
  template void top_cuts_impl<T, Backend::cpu>(const Context&, VectorView<const int64_t>, VectorView<const int64_t>,  \
                                               MatrixView<const T>, MatrixView<TopCut>, VectorView<const uint8_t>);   \
  template void cut_signs_impl<T, Backend::cpu>(const Context&, VectorView<const int64_t>, MatrixView<const TopCut>,  \
                                                MatrixView<T>, const SignsOut&, VectorView<const uint8_t>);           \
  template void cut_values_impl<T, Backend::cpu>(const Context&, VectorView<const int64_t>, MatrixView<const TopCut>, \
                                                 MatrixView<T>, MatrixView<T>, VectorView<const uint8_t>);            \
  template void sparse_mean_impl<T, Backend::cpu>(const Context&, const GroupTable&, MatrixView<const T>,             \
                                                  MatrixView<T>, VectorView<const uint8_t>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
