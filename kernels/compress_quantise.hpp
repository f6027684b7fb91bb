// Quantisers: every coordinate of a row becomes one of a few levels (QSGD: Alistarh et al., NeurIPS 2017; natural compression: Horvath et
// al., 2019; scaled signs: Karimireddy et al., ICML 2019).
//
//   per row x of P numbers, with N the row's scale: max |x|, |x|_2 or |x|_1 / P, times `factor`, rounded to T
//   sign     q_j <- N sign(x_j)                                                  sign(0) = 0
//   levels   q_j <- h sign(x_j) l_j,  h = N / s,  y = min(|x_j| / h, s)           l_j = floor(y + 1/2), or floor(y) + [u < y - floor(y)]
//   grid     q_j <- h l_j,  h = z(t) D                                            l_j = floor(x_j / h + 1/2), |l_j| <= 2^62
//   natural  q_j <- sign(x_j) 2^e or twice that, 2^e <= |x_j| < 2^(e+1)           twice with probability |x_j| / 2^e - 1
//
// u_j is word j of Stream(seed of the row's replica, compression; worker, step), in units of 2^-24 (float) or 2^-32 (double).
// z(t) = decay^t by repeated squaring, t the slot. Natural: below the smallest normal number that number or 0, unbiased too; powers above
// the largest finite one become it. A level of 0 gives +0. An infinity or a NaN makes its row (natural: its coordinate) non-finite.
//
// What a message is beyond its fixed part, written to bits[r] where it is not empty:
//   sign     the zeros among other numbers cost P - (number of zeros): a bitmap of zeros, and no sign for them (see runtime/compression/wire)
//   levels   Elias codes: the length of the code of l_j + 1, and a sign where l_j > 0
//   grid     Elias codes: the length of the code of 2 l_j + 1 or, below zero, -2 l_j
//
// Shapes   x (rows, P) of any stride, q alike and not overlapping x; bits (rows) or empty; P <= 2^32. rows: seed and worker of each.
// Result   N in the order of row_lanes.hpp; the rest has one rounding an operation: the same bits on both backends, for any grid, number of
//          threads and rows beside it.
// Cost     one launch: reads a row twice, once from memory where it fits the cache, and writes it once; dither adds one Philox block for
//          four coordinates.
#pragma once

#include <cmath>
#include <cstring>

#include "kernels/core/context.hpp"
#include "kernels/rows.hpp"

namespace orrery {

struct QuantiseRule {
  enum class Map { sign, levels, grid, natural } map = Map::levels;
  enum class Scale { max, l2, mean_l1 } scale = Scale::max;
  double factor = 1;  // of the scale
  bool dither = false;
  int64_t levels = 1;                                          // s <= 2^20
  double step = 1, decay = 1;                                  // grid: D, and z(t) = decay^t
  enum class Code { fixed, gamma, omega } code = Code::fixed;  // how levels are written; grid: gamma where fixed
};

template <class T>
void compress_quantise(const Context&, const Rows&, Slot, const QuantiseRule&, MatrixView<const T> x, MatrixView<T> q,
                       VectorView<int64_t> bits = {});

// The draws of a row.
ORRERY_HD inline Stream dither_draws(uint64_t seed, int32_t worker, uint64_t step) {
  return Stream(seed, Draw::compression, static_cast<uint32_t>(worker), step);
}

namespace detail {
template <class T, Backend B>
void compress_quantise_impl(const Context&, const Rows&, Slot, const QuantiseRule&, MatrixView<const T> x,
                            MatrixView<T> q, VectorView<int64_t> bits);

// ---- on both backends, and in the packers

// bits of Elias' codes of n >= 1 (Elias, IEEE Trans. Inf. Theory 21, 1975)
ORRERY_HD inline int whole_log2(uint64_t n) {  // floor
#if defined(__CUDA_ARCH__)
  return 63 - __clzll(static_cast<long long>(n));
#else
  return 63 - __builtin_clzll(n);
#endif
}
ORRERY_HD inline int gamma_bits(uint64_t n) { return 2 * whole_log2(n) + 1; }
ORRERY_HD inline int omega_bits(uint64_t n) {
  int bits = 1;
  for (; n > 1; n = static_cast<uint64_t>(whole_log2(n))) bits += whole_log2(n) + 1;
  return bits;
}
ORRERY_HD inline int code_bits(QuantiseRule::Code code, uint64_t n) {
  return code == QuantiseRule::Code::omega ? omega_bits(n) : gamma_bits(n);
}
ORRERY_HD inline uint64_t code_of_level(
    int64_t l) {  // of the grid: 0, 1, -1, 2, ... become 1, 2, 3, 4, ... with the signs swapped
  return l >= 0 ? 2 * static_cast<uint64_t>(l) + 1 : 2 * static_cast<uint64_t>(-l);
}

// base^n, n >= 0
ORRERY_HD inline double whole_power(double base, int64_t n) {
  double power = 1;
  for (; n > 0; n >>= 1, base *= base)
    if (n & 1) power *= base;
  return power;
}

template <class T>
ORRERY_HD inline T dither_of(uint32_t word) {  // exact, in [0, 1)
  if constexpr (sizeof(T) == 4) return static_cast<T>(word >> 8) * T{1.0 / 16777216};
  return static_cast<T>(word) * T{1.0 / 4294967296.0};
}
template <class T>
inline constexpr T below_half = sizeof(T) == 4 ? T{0.49999997f} : static_cast<T>(0.49999999999999994);

// N from the row's norm: max |x|, sum x^2 or sum |x|
template <class T>
ORRERY_HD inline T scale_of(const QuantiseRule& rule, double norm, int64_t P) {
  if (rule.scale == QuantiseRule::Scale::l2) norm = sqrt(norm);
  if (rule.scale == QuantiseRule::Scale::mean_l1) norm /= static_cast<double>(P);
  return static_cast<T>(rule.factor * norm);
}
template <class T>
ORRERY_HD inline T sign_value(T scale, T x) {
  return x > T{0} ? scale : x < T{0} ? -scale : x == T{0} ? T{0} : x;
}
// what |x_j| is divided by: h, or infinity where h is 0, so that all levels are 0
template <class T>
ORRERY_HD inline T divisor_of(T h) {
  return h == T{0} ? static_cast<T>(HUGE_VAL) : h;
}
// the level, with the sign of x; rounds up where the fraction is above `cut`. No branch, so that loops vectorise.
template <class T>
ORRERY_HD inline T level_of(T x, T divisor, T most, T cut) {
  T y = std::abs(x) / divisor;
  y = y < most ? y : most;  // most also where x or the divisor is not finite
  const T whole = static_cast<T>(static_cast<int32_t>(y)), level = whole + (y - whole > cut ? T{1} : T{0});
  return std::copysign(level, x);
}
template <class T>
ORRERY_HD inline T level_value(T h, T level) {
  return h * level + T{0};  // -0 becomes +0; fused or not, the same number
}
template <class T>
ORRERY_HD inline T grid_step(const QuantiseRule& rule, int64_t slot) {
  return static_cast<T>(rule.decay == 1 ? rule.step : whole_power(rule.decay, slot) * rule.step);
}
template <class T>
ORRERY_HD inline T grid_level(T x, T divisor) {
  const T most = T{4611686018427387904.0};  // 2^62
  T y = x / divisor;
  y = y > most ? most : y;
  y = y < -most ? -most : y;
  const T whole = std::floor(y);
  return whole + (y - whole > below_half<T> ? T{1} : T{0});
}

// natural compression: the code is the exponent as IEEE 754 stores it, 0 for zero
template <class T>
struct NaturalBits;
template <>
struct NaturalBits<float> {
  using Word = uint32_t;
  static constexpr int mantissa = 23, exponent = 8;
};
template <>
struct NaturalBits<double> {
  using Word = uint64_t;
  static constexpr int mantissa = 52, exponent = 11;
};
template <class T>
ORRERY_HD inline typename NaturalBits<T>::Word bits_of(T x) {
  typename NaturalBits<T>::Word bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
template <class T>
ORRERY_HD inline uint32_t natural_code(T x, uint32_t word) {
  using N = NaturalBits<T>;
  using Word = typename N::Word;
  constexpr uint32_t special = (1u << N::exponent) - 1;
  const Word bits = bits_of(x), fraction = bits & ((Word{1} << N::mantissa) - 1);
  const auto stored = static_cast<uint32_t>(bits >> N::mantissa) & special;
  const bool up = sizeof(T) == 4 ? (word >> 9) < fraction : word < (static_cast<uint64_t>(fraction) >> 20);
  const uint32_t code = stored + (up ? 1u : 0u), finite = code < special ? code : special - 1;
  return stored == special ? special : finite;
}
template <class T>
ORRERY_HD inline T natural_value(bool negative, uint32_t code) {
  using N = NaturalBits<T>;
  using Word = typename N::Word;
  const Word sign = static_cast<Word>(negative ? 1 : 0) << (sizeof(T) * 8 - 1);
  const Word bits = code == 0 ? 0 : sign | static_cast<Word>(code) << N::mantissa;
  T x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
template <class T>
ORRERY_HD inline bool is_negative(T x) {
  return bits_of(x) >> (sizeof(T) * 8 - 1) != 0;
}
}  // namespace detail

}  // namespace orrery
