#include <algorithm>

#include "kernels/compress_quantise_host.hpp"

namespace orrery::detail {
namespace {

using Map = QuantiseRule::Map;

constexpr int64_t strip = 256;  // coordinates whose draws lie in L1 at a time, a multiple of four

// words <- draws 4 first ... 4 (first + blocks) - 1: Philox of core/rng.hpp with the blocks side by side, so that it vectorises
constexpr int64_t blocks = strip / 4;
void fill_words(const Stream& draws, uint32_t first, uint32_t* __restrict__ words) {
  uint32_t c0[blocks], c1[blocks], c2[blocks], c3[blocks];
  for (uint32_t b = 0; b < blocks; ++b)
    c0[b] = first + b, c1[b] = draws.worker, c2[b] = draws.step_low, c3[b] = draws.step_high;
  uint32_t k0 = draws.k0, k1 = draws.k1;
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
    for (int64_t b = 0; b < blocks; ++b) {
      const uint64_t p0 = uint64_t{0xD2511F53u} * c0[b], p1 = uint64_t{0xCD9E8D57u} * c2[b];
      c0[b] = static_cast<uint32_t>(p1 >> 32) ^ c1[b] ^ k0;
      c1[b] = static_cast<uint32_t>(p1);
      c2[b] = static_cast<uint32_t>(p0 >> 32) ^ c3[b] ^ k1;
      c3[b] = static_cast<uint32_t>(p0);
    }
  for (int64_t b = 0; b < blocks; ++b)
    words[4 * b] = c0[b], words[4 * b + 1] = c1[b], words[4 * b + 2] = c2[b], words[4 * b + 3] = c3[b];
}

// each writes one row and returns the bits beyond the fixed part
template <class T>
int64_t sign_row(const QuantiseRule& rule, const T* __restrict__ x, T* __restrict__ q, int64_t P) {
  const T scale = row_scale(rule, x, P);
  int64_t zeros = 0;
  for (int64_t j = 0; j < P; ++j) {
    q[j] = sign_value(scale, x[j]);
    zeros += x[j] == T{0} ? 1 : 0;
  }
  return zeros > 0 && zeros < P ? P - zeros : 0;
}

// Functions of their own, with plain arguments: their loops vectorise.
template <class T>
void cuts_of(const uint32_t* __restrict__ word, int64_t n, T* __restrict__ cut) {
  for (int64_t i = 0; i < n; ++i) cut[i] = dither_of<T>(word[i]);
}
template <class T>
void levels_of(const T* __restrict__ x, const T* __restrict__ cut, int64_t n, T divisor, T most,
               T* __restrict__ level) {
  for (int64_t i = 0; i < n; ++i) level[i] = level_of(x[i], divisor, most, cut[i]);
}
template <class T>
void values_of(const T* __restrict__ level, int64_t n, T h, T* __restrict__ q) {
  for (int64_t i = 0; i < n; ++i) q[i] = level_value(h, level[i]);
}
template <class T>
int64_t bits_of_levels(QuantiseRule::Code code, const T* level, int64_t n) {
  int64_t bits = 0;
  for (int64_t i = 0; i < n; ++i) {
    const auto l = static_cast<uint64_t>(std::abs(level[i]));
    bits += code_bits(code, l + 1) + (l > 0 ? 1 : 0);
  }
  return bits;
}

template <class T>
int64_t levels_row(const QuantiseRule& rule, const Stream& draws, const T* x, T* q, int64_t P) {
  const auto most = static_cast<T>(rule.levels);
  const T h = row_scale(rule, x, P) / most, divisor = divisor_of(h);
  int64_t bits = 0;
  uint32_t word[strip];
  T cut[strip], level[strip];
  std::fill_n(cut, strip, below_half<T>);
  for (int64_t first = 0; first < P; first += strip) {
    const int64_t n = std::min(strip, P - first);
    if (rule.dither) {
      fill_words(draws, static_cast<uint32_t>(first / 4), word);
      cuts_of(word, n, cut);
    }
    levels_of(x + first, cut, n, divisor, most, level);
    values_of(level, n, h, q + first);
    if (rule.code != QuantiseRule::Code::fixed) bits += bits_of_levels(rule.code, level, n);
  }
  return bits;
}

template <class T>
int64_t grid_row(const QuantiseRule& rule, T h, bool counted, const T* __restrict__ x, T* __restrict__ q, int64_t P) {
  int64_t bits = 0;
  const T divisor = divisor_of(h);
  if (counted)
    for (int64_t j = 0; j < P; ++j)
      bits += code_bits(rule.code, code_of_level(static_cast<int64_t>(grid_level(x[j], divisor))));
  for (int64_t j = 0; j < P; ++j) q[j] = level_value(h, grid_level(x[j], divisor));
  return bits;
}

template <class T>
void natural_row(const Stream& draws, const T* __restrict__ x, T* __restrict__ q, int64_t P) {
  uint32_t word[strip];
  for (int64_t first = 0; first < P; first += strip) {
    const int64_t n = std::min(strip, P - first);
    fill_words(draws, static_cast<uint32_t>(first / 4), word);
    for (int64_t i = 0; i < n; ++i)
      q[first + i] = natural_value<T>(is_negative(x[first + i]), natural_code(x[first + i], word[i]));
  }
}

}  // namespace

template <class T, Backend B>
void compress_quantise_impl(const Context&, const Rows& rows, Slot slot, const QuantiseRule& rule,
                            MatrixView<const T> x, MatrixView<T> q, VectorView<int64_t> bits) {
  const Step t = slot.at();
  const int64_t P = x.extent(1);
  const bool counted = bits.size() > 0;
#pragma omp parallel for schedule(static) if (x.size() >= 1 << 13)
  for (int64_t r = 0; r < rows.count; ++r) {
    const Stream draws = dither_draws(rows.seed[r], rows.worker[r], t.key());
    int64_t beyond = 0;
    switch (rule.map) {
      case Map::sign: beyond = sign_row(rule, x.row(r), q.row(r), P); break;
      case Map::levels: beyond = levels_row(rule, draws, x.row(r), q.row(r), P); break;
      case Map::grid: beyond = grid_row(rule, grid_step<T>(rule, t.slot), counted, x.row(r), q.row(r), P); break;
      case Map::natural: natural_row(draws, x.row(r), q.row(r), P); break;
    }
    if (counted) bits[r] = beyond;
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                   \
  template void compress_quantise_impl<T, Backend::cpu>(const Context&, const Rows&, Slot, const QuantiseRule&, \
                                                        MatrixView<const T>, MatrixView<T>, VectorView<int64_t>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
