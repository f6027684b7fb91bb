#include <algorithm>

#include "kernels/compress_quantise_host.hpp"

namespace orrery::detail {
namespace {

using Map = QuantiseRule::Map;

constexpr int64_t strip = 256;  // coordinates whose draws lie in L1 at a time, a multiple of four

// f(first, n, words of coordinates first ... first + n - 1)
template <class F>
void with_draws(const Stream& draws, int64_t P, F f) {
  uint32_t word[strip];
  for (int64_t first = 0; first < P; first += strip) {
    const int64_t n = std::min(strip, P - first);
    for (int64_t b = 0; 4 * b < n; ++b) {
      const PhiloxBlock block = draws.block(static_cast<uint32_t>(first / 4 + b));
      std::memcpy(word + 4 * b, block.word, sizeof block.word);
    }
    f(first, n, word);
  }
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

template <class T>
int64_t levels_row(const QuantiseRule& rule, const Stream& draws, const T* __restrict__ x, T* __restrict__ q,
                   int64_t P) {
  const auto most = static_cast<T>(rule.levels);
  const T h = row_scale(rule, x, P) / most;
  int64_t bits = 0;
  const auto count = [&](const T* level, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      const auto l = static_cast<uint64_t>(std::abs(level[i]));
      bits += code_bits(rule.code, l + 1) + (l > 0 ? 1 : 0);
    }
  };
  const bool counted = rule.code != QuantiseRule::Code::fixed;
  const auto write = [&](int64_t first, int64_t n, auto cut) {
    T level[strip];
    for (int64_t i = 0; i < n; ++i) level[i] = level_of(x[first + i], h, most, cut(i));
    if (counted) count(level, n);
    for (int64_t i = 0; i < n; ++i) q[first + i] = level_value(h, level[i]);
  };
  if (rule.dither)
    with_draws(draws, P, [&](int64_t first, int64_t n, const uint32_t* word) {
      write(first, n, [&](int64_t i) { return dither_of<T>(word[i]); });
    });
  else
    for (int64_t first = 0; first < P; first += strip)
      write(first, std::min(strip, P - first), [](int64_t) { return below_half<T>; });
  return bits;
}

template <class T>
int64_t grid_row(const QuantiseRule& rule, T h, bool counted, const T* __restrict__ x, T* __restrict__ q, int64_t P) {
  int64_t bits = 0;
  if (counted)
    for (int64_t j = 0; j < P; ++j)
      bits += code_bits(rule.code, code_of_level(static_cast<int64_t>(grid_level(x[j], h))));
  for (int64_t j = 0; j < P; ++j) q[j] = level_value(h, grid_level(x[j], h));
  return bits;
}

template <class T>
void natural_row(const Stream& draws, const T* __restrict__ x, T* __restrict__ q, int64_t P) {
  with_draws(draws, P, [&](int64_t first, int64_t n, const uint32_t* word) {
    for (int64_t i = 0; i < n; ++i)
      q[first + i] = natural_value<T>(x[first + i] < T{0}, natural_code(x[first + i], word[i]));
  });
}

}  // namespace

template <class T, Backend B>
void compress_quantise_impl(const Context&, const Rows& rows, Slot slot, const QuantiseRule& rule,
                            MatrixView<const T> x, MatrixView<T> q, VectorView<int64_t> bits) {
  const Step t = slot.at();
  const int64_t P = x.extent(1);
  const bool counted = bits.size() > 0;
#pragma omp parallel for schedule(static)
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
