// Packed signs: one bit per coordinate, and a second plane only where a sign may be zero.
//
//   bit b of word k of row r   speaks of coordinate j = 32 k + b of worker r:   positive: Y[r,j] = +1;  zero: Y[r,j] = 0
//   neither bit                Y[r,j] = -1.      Both bits are never set; the bits past the last coordinate are 0 in both planes.
//
// Worker-major, words along the coordinates: a gradient kernel writes a row's words as it goes along the row (a warp's ballot is one
// word), and a vote reads the same few words of all rows. ceil(P/32) words of 4 bytes per row and plane.
//
// What a zero becomes (digest of signSGD: sign0), for signs and for tied votes alike:
//   zero     it stays zero: no vote, no step
//   plus     +1, as a plain one-bit code has it
//   random   +1 or -1 by bit b of draw k of a stream keyed by the replica's seed, who decides and the step
#pragma once

#if defined(__AVX512F__) && !defined(__CUDACC__)
#include <immintrin.h>
#endif

#include "kernels/core/rng.hpp"
#include "kernels/core/view.hpp"
#include "kernels/rows.hpp"

namespace orrery {

inline constexpr int64_t bits_of_word = 32;
ORRERY_HD constexpr int64_t sign_words(int64_t coordinates) { return (coordinates + bits_of_word - 1) / bits_of_word; }
// the bits of word k that stand for a coordinate
ORRERY_HD inline uint32_t bits_in_use(int64_t coordinates, int64_t k) {
  const int64_t n = coordinates - k * bits_of_word;
  return n >= bits_of_word ? 0xffffffffu : (uint32_t{1} << n) - 1;
}

enum class SignZero { zero, plus, random };

template <class Word>
struct PackedSigns {
  int64_t coordinates = 0;         // P
  MatrixView<Word> positive = {};  // (rows, words)
  MatrixView<Word> zero = {};      // (rows, words), or empty: no sign is zero

  template <class U>
  requires std::same_as<U, const Word>
  operator PackedSigns<U>() const { return {coordinates, positive, zero}; }
  ORRERY_HD bool has_zeros() const { return zero.size() > 0; }
  ORRERY_HD int64_t rows() const { return positive.extent(0); }
  ORRERY_HD int64_t words() const { return sign_words(coordinates); }
  PackedSigns part(int64_t first, int64_t n) const {  // rows first ... first + n - 1
    return {coordinates, positive.rows(first, n), has_zeros() ? zero.rows(first, n) : MatrixView<Word>{}};
  }
};
using SignsOut = PackedSigns<uint32_t>;
using SignsIn = PackedSigns<const uint32_t>;

// The signs of 32 coordinates.
struct SignWord {
  uint32_t positive, zero;
};

template <class Word>
ORRERY_HD inline SignWord sign_word(const PackedSigns<Word>& s, int64_t row, int64_t k) {
  return {s.positive(row, k), s.has_zeros() ? s.zero(row, k) : 0u};
}
ORRERY_HD inline void store(const SignsOut& s, int64_t row, int64_t k, SignWord w) {
  s.positive(row, k) = w.positive;
  if (s.has_zeros()) s.zero(row, k) = w.zero;
}
ORRERY_HD inline int sign_at(SignWord w, int bit) {
  return (w.positive >> bit & 1u) ? 1 : (w.zero >> bit & 1u) ? 0 : -1;
}
// where two rows say the same, both zero included
ORRERY_HD inline uint32_t agreement(SignWord a, SignWord b) { return ~(a.positive ^ b.positive) & ~(a.zero ^ b.zero); }
// The zeros of word k as the rule says; a stream's block is drawn only where the word has a zero.
ORRERY_HD inline SignWord settle(SignWord w, SignZero rule, const Stream& coins, int64_t k) {
  if (rule == SignZero::zero || w.zero == 0) return w;
  const uint32_t up = rule == SignZero::plus ? 0xffffffffu : coins.bits(static_cast<uint32_t>(k));
  return {w.positive | (w.zero & up), 0u};
}

namespace detail {
// The signs of 32 numbers: a loop of compares, shifts and ors that compilers vectorise; where vector compares write masks, those.
template <class T>
inline SignWord pack_word(const T* g) {
  SignWord w{0, 0};
  for (uint32_t b = 0; b < 32; ++b) {
    w.positive |= (g[b] > T{0} ? 1u : 0u) << b;
    w.zero |= (g[b] == T{0} ? 1u : 0u) << b;
  }
  return w;
}
#if defined(__AVX512F__) && !defined(__CUDACC__)
template <>
inline SignWord pack_word<float>(const float* g) {
  const __m512 a = _mm512_loadu_ps(g), b = _mm512_loadu_ps(g + 16), none = _mm512_setzero_ps();
  return {
      static_cast<uint32_t>(_mm512_cmp_ps_mask(b, none, _CMP_GT_OQ)) << 16 | _mm512_cmp_ps_mask(a, none, _CMP_GT_OQ),
      static_cast<uint32_t>(_mm512_cmp_ps_mask(b, none, _CMP_EQ_OQ)) << 16 | _mm512_cmp_ps_mask(a, none, _CMP_EQ_OQ)};
}
template <>
inline SignWord pack_word<double>(const double* g) {
  SignWord w{0, 0};
  for (int k = 0; k < 4; ++k) {
    const __m512d v = _mm512_loadu_pd(g + 8 * k), none = _mm512_setzero_pd();
    w.positive |= static_cast<uint32_t>(_mm512_cmp_pd_mask(v, none, _CMP_GT_OQ)) << 8 * k;
    w.zero |= static_cast<uint32_t>(_mm512_cmp_pd_mask(v, none, _CMP_EQ_OQ)) << 8 * k;
  }
  return w;
}
#endif
}  // namespace detail

// The signs of n numbers, of the first 32 where there are more, before any rule for zeros: -0 is zero, a NaN is negative. Gradient kernels
// of the CPU call it at their end, those of CUDA ballot_signs of signs.cuh.
template <class T>
inline SignWord pack_signs(const T* g, int64_t n) {
  if (n >= bits_of_word) return detail::pack_word(g);
  SignWord w{0, 0};
  for (uint32_t b = 0; b < n; ++b) {
    w.positive |= (g[b] > T{0} ? 1u : 0u) << b;
    w.zero |= (g[b] == T{0} ? 1u : 0u) << b;
  }
  return w;
}

}  // namespace orrery
