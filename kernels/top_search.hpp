// The CPU's search for the place where a row is cut, so that its k largest stay (top_signs.hpp says in which order).
#pragma once

#include <algorithm>
#include <functional>

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

// The same of a whole row that keeps few of many, reading it once: a sample says above which magnitude the k largest are all but sure to lie, one
// pass collects what lies above, and the cut is looked for there. room: n numbers.
template <class T>
TopCut cut_of_row(const T* x, int64_t n, int64_t keep, decltype(magnitude_bits(T{}))* __restrict__ room) {
  using Bits = decltype(magnitude_bits(T{}));
  constexpr int64_t sample = 2048;
  if (n < 8 * sample || keep <= 0 || keep > n / 4) return cut_of(x, 0, n, keep);

  // four deviations beyond the share of the sample that is kept
  Bits some[sample];
  for (int64_t i = 0; i < sample; ++i) some[i] = magnitude_bits(x[i * (n / sample)]);
  const double share = static_cast<double>(keep) / static_cast<double>(n) * sample;
  const auto rank = static_cast<int64_t>(share + 4 * std::sqrt(share)) + 8;
  std::nth_element(some, some + rank, some + sample, std::greater<>());
  const Bits least = some[rank];

  int64_t found = 0;
  for (int64_t j = 0; j < n; ++j) {
    const Bits bits = magnitude_bits(x[j]);
    room[found] = bits;
    found += bits >= least ? 1 : 0;
  }
  if (found < keep) return cut_of(x, 0, n, keep);
  std::nth_element(room, room + (keep - 1), room + found, std::greater<>());
  const Bits at = room[keep - 1];

  // of equal magnitudes those that come first
  int64_t left = keep - std::count_if(room, room + keep, [&](Bits bits) { return bits > at; });
  if (std::count(room, room + found, at) == left) return keep_from(at);
  for (int64_t j = 0;; ++j)
    if (magnitude_bits(x[j]) == at && --left == 0) return {at, j};
}

}  // namespace orrery::detail
