// The end of the CPU's kernels that write signs: numbers in a row, packed with their zeros settled.
#pragma once

#include <algorithm>

#include "kernels/signs.hpp"

namespace orrery::detail {

// The signs of n numbers into words k, k + 1, ... of one row; zero is null where the rule leaves none. Zeros are settled after a strip has
// been packed, so that the loop over words has no branch.
template <class T>
inline void pack_words(const T* g, int64_t n, SignZero rule, const Stream& coins, int64_t k, uint32_t* positive,
                       uint32_t* zero) {
  constexpr int64_t strip = 128;
  uint32_t none[strip];
  for (int64_t words = sign_words(n), done = 0; done < words; done += strip) {
    const int64_t count = std::min(strip, words - done), whole = std::min(count, n / bits_of_word - done);
    const T* from = g + done * bits_of_word;
    uint32_t *to = positive + k + done, *to_zero = zero ? zero + k + done : nullptr;
    for (int64_t i = 0; i < whole; ++i) {
      const SignWord w = pack_word(from + i * bits_of_word);
      to[i] = w.positive, none[i] = w.zero;
    }
    if (whole < count) {
      const SignWord w = pack_signs(from + whole * bits_of_word, n % bits_of_word);
      to[whole] = w.positive, none[whole] = w.zero;
    }
    // zeros
    if (rule == SignZero::plus)
      for (int64_t i = 0; i < count; ++i) to[i] |= none[i];
    if (rule == SignZero::random)
      for (int64_t i = 0; i < count; ++i)
        if (none[i] != 0) to[i] |= none[i] & coins.bits(static_cast<uint32_t>(k + done + i));
    if (to_zero && rule == SignZero::zero) std::copy_n(none, count, to_zero);
    if (to_zero && rule != SignZero::zero) std::fill_n(to_zero, count, 0u);
  }
}

}  // namespace orrery::detail
