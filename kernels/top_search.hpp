// The CPU's search for the place where a row is cut, so that its k largest stay (top_signs.hpp says in which order).
#pragma once

#include <algorithm>

#include "kernels/top_signs.hpp"

namespace orrery::detail {

inline constexpr int64_t few = 1024;  // so many that share their highest digits are put in order at once

struct Candidate {
  uint64_t bits;
  int64_t j;
};

// The cut of columns begin ... end - 1 of a row. Known so far: `among` columns share the bits of `prefix` from `shift` up, and `left` of
// those are kept.
template <class T>
TopCut cut_of(const T* e, int64_t begin, int64_t end, int64_t keep) {
  if (keep <= 0) return keep_none();
  if (keep >= end - begin) return keep_from(0);
  uint64_t prefix = 0;
  int64_t left = keep, among = end - begin;
  int shift = magnitude_width<T>;
  const auto shares = [&](uint64_t bits) { return bits >> shift == prefix >> shift; };

  while (among > few && shift > 0) {
    // count the next digit of those that share the ones before
    uint32_t count[digits] = {};
    const int width = std::min(digit_bits, shift), next = shift - width;
    const uint64_t mask = (uint64_t{1} << width) - 1;
    for (int64_t j = begin; j < end; ++j)
      if (const uint64_t bits = magnitude_bits(e[j]); shares(bits)) ++count[bits >> next & mask];

    // from the largest down: the digit of the last one that is kept
    int64_t digit = static_cast<int64_t>(mask);
    for (; count[digit] < left; --digit) left -= count[digit];
    among = count[digit];
    prefix |= static_cast<uint64_t>(digit) << next;
    shift = next;
    if (among == left) return keep_from(prefix);
  }

  // equal magnitudes: those that come first
  if (among > few)
    for (int64_t j = begin;; ++j)
      if (magnitude_bits(e[j]) == prefix && --left == 0) return {prefix, j};

  Candidate candidate[few];
  int64_t n = 0;
  for (int64_t j = begin; j < end; ++j)
    if (const uint64_t bits = magnitude_bits(e[j]); shares(bits)) candidate[n++] = {bits, j};
  std::nth_element(candidate, candidate + (left - 1), candidate + n, [](const Candidate& a, const Candidate& b) {
    return a.bits != b.bits ? a.bits > b.bits : a.j < b.j;
  });
  return {candidate[left - 1].bits, candidate[left - 1].j};
}

}  // namespace orrery::detail
