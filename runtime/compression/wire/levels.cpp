#include "runtime/compression/wire/levels.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/compress_quantise_host.hpp"

namespace orrery::wire {
namespace {

using Map = QuantiseRule::Map;
using Code = QuantiseRule::Code;

template <class T>
void pack_signs(const QuantiseRule& rule, const T* x, int64_t P, BitWriter& out) {
  const T scale = detail::row_scale(rule, x, P);
  const int64_t zeros = std::count(x, x + P, T{0});
  const bool told = zeros > 0 && zeros < P;
  out.real(told ? -scale : scale);
  if (told)
    for (int64_t j = 0; j < P; ++j) out.put(x[j] == T{0} ? 1 : 0, 1);
  for (int64_t j = 0; j < P; ++j)
    if (!told || x[j] != T{0}) out.put(x[j] < T{0} ? 1 : 0, 1);
}

template <class T>
void unpack_signs(BitReader& in, T* q, int64_t P) {
  const T word = in.real<T>(), scale = std::abs(word);
  if (!std::signbit(word)) {
    for (int64_t j = 0; j < P; ++j) q[j] = in.flag() ? -scale : scale;
    return;
  }
  for (int64_t j = 0; j < P; ++j) q[j] = in.flag() ? T{0} : T{1};
  for (int64_t j = 0; j < P; ++j)
    if (q[j] != T{0}) q[j] = in.flag() ? -scale : scale;
}

template <class T>
void pack_scaled(const QuantiseRule& rule, const Stream& draws, const T* x, int64_t P, BitWriter& out) {
  const T scale = detail::row_scale(rule, x, P), most = static_cast<T>(rule.levels),
          divisor = detail::divisor_of(scale / most);
  const int64_t width = index_bits(rule.levels + 1);
  out.real(scale);
  for (int64_t j = 0; j < P; ++j) {
    const T cut = rule.dither ? detail::dither_of<T>(draws.bits(static_cast<uint32_t>(j))) : detail::below_half<T>;
    const T level = detail::level_of(x[j], divisor, most, cut);
    const auto l = static_cast<uint64_t>(std::abs(level));
    if (rule.code == Code::fixed) {
      out.put(level < T{0} ? 1 : 0, 1);
      out.put(l, width);
    } else {
      out.code(rule.code, l + 1);
      if (l > 0) out.put(level < T{0} ? 1 : 0, 1);
    }
  }
}

template <class T>
void unpack_scaled(const QuantiseRule& rule, BitReader& in, T* q, int64_t P) {
  const T h = in.real<T>() / static_cast<T>(rule.levels);
  const int64_t width = index_bits(rule.levels + 1);
  for (int64_t j = 0; j < P; ++j) {
    const bool fixed = rule.code == Code::fixed;
    bool negative = fixed && in.flag();
    const uint64_t l = fixed ? in.get(width) : in.code(rule.code) - 1;
    if (!fixed && l > 0) negative = in.flag();
    q[j] = detail::level_value(h, negative ? -static_cast<T>(l) : static_cast<T>(l));
  }
}

}  // namespace

int64_t fixed_bits(const QuantiseRule& rule, int64_t P, int64_t real_bits) {
  switch (rule.map) {
    case Map::sign: return P + real_bits;
    case Map::levels: return real_bits + (rule.code == Code::fixed ? P * (1 + index_bits(rule.levels + 1)) : 0);
    case Map::grid: return 0;
    case Map::natural: return P * (1 + (real_bits == 64 ? 11 : 8));
  }
  return 0;
}

bool is_counted(const QuantiseRule& rule) {
  return rule.map == Map::sign || rule.map == Map::grid || (rule.map == Map::levels && rule.code != Code::fixed);
}

template <class T>
void pack_levels(const QuantiseRule& rule, const RowKey& key, const T* x, int64_t P, BitWriter& out) {
  const Stream draws = dither_draws(key.seed, key.worker, key.step.key());
  switch (rule.map) {
    case Map::sign: pack_signs(rule, x, P, out); break;
    case Map::levels: pack_scaled(rule, draws, x, P, out); break;
    case Map::grid: {
      const T h = detail::grid_step<T>(rule, key.step.slot);
      for (int64_t j = 0; j < P; ++j)
        out.code(rule.code,
                 detail::code_of_level(static_cast<int64_t>(detail::grid_level(x[j], detail::divisor_of(h)))));
      break;
    }
    case Map::natural:
      for (int64_t j = 0; j < P; ++j) {
        const uint32_t code = detail::natural_code(x[j], draws.bits(static_cast<uint32_t>(j)));
        out.put(detail::is_negative(x[j]) ? 1 : 0, 1);
        out.put(code, detail::NaturalBits<T>::exponent);
      }
      break;
  }
}

template <class T>
void unpack_levels(const QuantiseRule& rule, const RowKey& key, BitReader& in, T* q, int64_t P) {
  switch (rule.map) {
    case Map::sign: unpack_signs(in, q, P); break;
    case Map::levels: unpack_scaled(rule, in, q, P); break;
    case Map::grid: {
      const T h = detail::grid_step<T>(rule, key.step.slot);
      for (int64_t j = 0; j < P; ++j) {
        const uint64_t code = in.code(rule.code), half = code / 2;
        q[j] = detail::level_value(h, code % 2 == 1 ? static_cast<T>(half) : -static_cast<T>(half));
      }
      break;
    }
    case Map::natural:
      for (int64_t j = 0; j < P; ++j) {
        const bool negative = in.flag();
        q[j] = detail::natural_value<T>(negative, static_cast<uint32_t>(in.get(detail::NaturalBits<T>::exponent)));
      }
      break;
  }
}

template void pack_levels<float>(const QuantiseRule&, const RowKey&, const float*, int64_t, BitWriter&);
template void pack_levels<double>(const QuantiseRule&, const RowKey&, const double*, int64_t, BitWriter&);
template void unpack_levels<float>(const QuantiseRule&, const RowKey&, BitReader&, float*, int64_t);
template void unpack_levels<double>(const QuantiseRule&, const RowKey&, BitReader&, double*, int64_t);

}  // namespace orrery::wire
