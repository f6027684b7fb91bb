#include "kernels/error_feedback.hpp"

#include <algorithm>

#include "kernels/tensors.hpp"

namespace orrery::detail {
namespace {

constexpr int64_t strip = 32;  // words of one task: sums and scales stay in L1

// f(row, first word, end) for all strips of all rows, each on one thread
template <class F>
void for_strips(int64_t rows, int64_t words, F f) {
  const int64_t strips = (words + strip - 1) / strip;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t s = 0; s < strips; ++s) f(r, s * strip, std::min((s + 1) * strip, words));
}

// e <- e - scale Y in n coordinates of one word; returns Y
template <class T>
uint32_t subtract_signs(T* __restrict__ e, const T* __restrict__ scale, int64_t n) {
  uint32_t positive = 0;
  if (n == bits_of_word) {  // a loop of fixed length vectorises
    for (uint32_t b = 0; b < 32; ++b) positive |= (e[b] >= T{0} ? 1u : 0u) << b;
    for (uint32_t b = 0; b < 32; ++b) e[b] -= e[b] >= T{0} ? scale[b] : -scale[b];
  } else {
    for (uint32_t b = 0; b < n; ++b) positive |= (e[b] >= T{0} ? 1u : 0u) << b;
    for (uint32_t b = 0; b < n; ++b) e[b] -= e[b] >= T{0} ? scale[b] : -scale[b];
  }
  return positive;
}

// total += scale Y in one word
template <bool Zeros>
void add_signs(SignWord y, const double* __restrict__ scale, int64_t n, double* __restrict__ total) {
  const auto add = [&](uint32_t b) {
    double c = y.positive >> b & 1u ? scale[b] : -scale[b];
    if (Zeros) c = y.zero >> b & 1u ? 0.0 : c;
    total[b] += c;
  };
  if (n == bits_of_word)
    for (uint32_t b = 0; b < 32; ++b) add(b);
  else
    for (uint32_t b = 0; b < n; ++b) add(b);
}

// total += scale Y of row r in words first ... end - 1
template <bool Zeros>
void add_row(const ScaledSigns& sent, int64_t r, int64_t first, int64_t end, const double* scale, double* total) {
  for (int64_t k = first; k < end; ++k) {
    const int64_t j = k * bits_of_word, at = j - first * bits_of_word;
    add_signs<Zeros>(sign_word(sent.signs, r, k), scale + at, std::min(bits_of_word, sent.signs.coordinates - j),
                     total + at);
  }
}

}  // namespace

template <class T, Backend B>
void scaled_signs_impl(const Context&, VectorView<const int64_t> offset, MatrixView<const double> norms,
                       MatrixView<T> e, const SignsOut& signs, MatrixView<double> scales,
                       VectorView<const uint8_t> present) {
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < scales.extent(0); ++r)
    if (takes_part(present, r))
      for (int64_t t = 0; t < scales.extent(1); ++t)
        scales(r, t) = static_cast<double>(scale_of<T>(norms(r, t), offset[t + 1] - offset[t]));

  for_strips(e.extent(0), signs.words(), [&](int64_t r, int64_t first, int64_t end) {
    if (!takes_part(present, r)) return;
    T scale[strip * bits_of_word];
    const int64_t begin = first * bits_of_word, last = std::min(end * bits_of_word, e.extent(1));
    for_tensors(offset, begin, last, [&](int64_t t, int64_t from, int64_t to) {
      std::fill(scale + (from - begin), scale + (to - begin), static_cast<T>(scales(r, t)));
    });
    for (int64_t k = first; k < end; ++k) {
      const int64_t j = k * bits_of_word;
      signs.positive(r, k) = subtract_signs(e.row(r) + j, scale + (j - begin), std::min(bits_of_word, e.extent(1) - j));
    }
  });
}

template <class T, Backend B>
void scaled_mean_impl(const Context&, const GroupTable& g, const ScaledSigns& sent, MatrixView<T> out,
                      VectorView<const uint8_t> present) {
  for_strips(g.nodes, sent.signs.words(), [&](int64_t k, int64_t first, int64_t end) {
    double scale[strip * bits_of_word], part[strip * bits_of_word], total[strip * bits_of_word];
    const int64_t begin = first * bits_of_word, last = std::min(end * bits_of_word, out.extent(1)), n = last - begin;
    int64_t members = 0;
    std::fill_n(total, n, 0.0);

    // blocks of members, their sums in order
    for (int64_t b = g.begin[k]; b < g.begin[k + 1]; b += sum_block) {
      std::fill_n(part, n, 0.0);
      for (int64_t m = b; m < std::min(b + sum_block, g.begin[k + 1]); ++m) {
        const int64_t r = g.member[m];
        if (!takes_part(present, r)) continue;
        ++members;
        for_tensors(sent.offset, begin, last, [&](int64_t t, int64_t from, int64_t to) {
          std::fill(scale + (from - begin), scale + (to - begin), sent.scales(r, t));
        });
        if (sent.signs.has_zeros())
          add_row<true>(sent, r, first, end, scale, part);
        else
          add_row<false>(sent, r, first, end, scale, part);
      }
      for (int64_t j = 0; j < n; ++j) total[j] += part[j];
    }
    for (int64_t j = 0; j < n; ++j) out(k, begin + j) = mean_of<T>(total[j], members);
  });
}

#define ORRERY_INSTANTIATE(T)                                                                                \
  template void scaled_signs_impl<T, Backend::cpu>(const Context&, VectorView<const int64_t>,                \
                                                   MatrixView<const double>, MatrixView<T>, const SignsOut&, \
                                                   MatrixView<double>, VectorView<const uint8_t>);           \
  template void scaled_mean_impl<T, Backend::cpu>(const Context&, const GroupTable&, const ScaledSigns&,     \
                                                  MatrixView<T>, VectorView<const uint8_t>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
