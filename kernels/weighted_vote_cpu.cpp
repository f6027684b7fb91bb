#include "kernels/weighted_vote.hpp"

#include <omp.h>

#include <algorithm>
#include <bit>
#include <vector>

namespace orrery::detail {
namespace {

// Words of one task. Where counts are learned, those of five hundred workers (512 KB) are still in L2 after the decision; elsewhere the
// scores (16 KB) stay in L1.
template <class W>
constexpr int64_t strip = W::learns ? 16 : 64;

struct Strip {
  int64_t group, first, words;  // words first ... first + words - 1
};

// f(strip, agreed) for all (group, strip) pairs, each on one thread; agreed has an element per row, added up over all threads.
template <class W, class F>
void for_strips(const Ballots& b, VectorView<int64_t> agreed, F f) {
  const int64_t words = b.signs.words(), strips = (words + strip<W> - 1) / strip<W>, rows = agreed.size();
  std::vector<int64_t> of_threads(static_cast<size_t>(omp_get_max_threads() * rows));
#pragma omp parallel
  {
    int64_t* const mine = of_threads.data() + omp_get_thread_num() * rows;
#pragma omp for collapse(2) schedule(static)
    for (int64_t k = 0; k < b.groups.nodes; ++k)
      for (int64_t s = 0; s < strips; ++s) f(Strip{k, s * strip<W>, std::min(strip<W>, words - s * strip<W>)}, mine);
  }
  for (int64_t r = 0; r < rows; ++r) {
    agreed[r] = 0;
    for (int64_t t = 0; t < omp_get_max_threads(); ++t) agreed[r] += of_threads[static_cast<size_t>(t * rows + r)];
  }
}

// f(row) over the members of a strip's group that vote. A strip is a short piece of each row, too short for hardware to run ahead of: the
// pieces of the rows to come are asked for early.
template <class W, class F>
void for_voters(const Ballots& b, Strip s, const W& weights, F f) {
  constexpr int64_t ahead = 4;
  const int64_t end = b.groups.begin[s.group + 1], last = s.first + s.words - 1;
  for (int64_t m = b.groups.begin[s.group]; m < end; ++m) {
    if (m + ahead < end) {
      const int64_t r = b.groups.member[m + ahead];
      __builtin_prefetch(&b.signs.positive(r, s.first));
      __builtin_prefetch(&b.signs.positive(r, last));
      if constexpr (W::learns) {
        const auto* const count = weights.agreements.row(r) + s.first * bits_of_word;
        const auto* const stop = count + std::min(s.words * bits_of_word, b.signs.coordinates - s.first * bits_of_word);
        for (const auto* line = count; line < stop; line += 64 / sizeof *line) __builtin_prefetch(line, 1);
      }
    }
    if (const int64_t r = b.groups.member[m]; b.votes(r)) f(r);
  }
}

// f(bit) over the coordinates of word k; a whole word is a loop of fixed length, which vectorises
template <class F>
void for_bits(int64_t coordinates, int64_t k, F f) {
  const int64_t n = coordinates - k * bits_of_word;
  if (n >= bits_of_word)
    for (int b = 0; b < 32; ++b) f(b);
  else
    for (int b = 0; b < n; ++b) f(b);
}

// score[0 ...] += w Y of one row
template <bool Zeros, class Row>
void add_votes(const SignsIn& y, int64_t r, Strip s, const Row row, double* __restrict__ score) {
  for (int64_t i = 0; i < s.words; ++i) {
    const int64_t k = s.first + i, j = k * bits_of_word;
    const uint32_t positive = y.positive(r, k), zero = Zeros ? y.zero(r, k) : 0u;
    double* __restrict__ const at = score + i * bits_of_word;
    for_bits(y.coordinates, k, [&](int b) {
      const double w = row.weight(j + b);
      double vote = positive >> b & 1u ? w : -w;
      if (Zeros) vote = zero >> b & 1u ? 0.0 : vote;
      at[b] += vote;
    });
  }
}

template <class W>
void learn_strip(const Ballots& b, Strip s, const W& weights, const SignsIn& decoded, bool count, int64_t* agreed) {
  static const uint32_t nothing[strip<W>] = {};
  const auto zeros_of = [&](const SignsIn& signs, int64_t r) {
    return signs.has_zeros() ? signs.zero.row(r) + s.first : nothing;
  };
  const uint32_t *const u = decoded.positive.row(s.group) + s.first, *const no_step = zeros_of(decoded, s.group);
  const uint32_t last = bits_in_use(b.signs.coordinates, s.first + s.words - 1);
  for_voters(b, s, weights, [&](int64_t r) {
    const uint32_t *const y = b.signs.positive.row(r) + s.first, *const no_vote = zeros_of(b.signs, r);
    uint32_t same[strip<W>];
    int number = 0;
    for (int64_t i = 0; i < s.words; ++i) {
      same[i] = agreement({u[i], no_step[i]}, {y[i], no_vote[i]});
      number += std::popcount(same[i]);
    }
    number -= std::popcount(same[s.words - 1] & ~last);
    if (count) agreed[r] += number;
    if constexpr (W::learns) {
      const auto row = weights.of(r);
      for (int64_t i = 0; i < s.words; ++i)
        for_bits(b.signs.coordinates, s.first + i,
                 [&](int bit) { row.learn((s.first + i) * bits_of_word + bit, same[i] >> bit & 1u); });
    }
  });
}

}  // namespace

template <class W, Backend B>
void weighted_vote_impl(const Context&, const Ballots& b, const W& weights, const Decision& out,
                        const VoteRecord& record) {
  const int64_t coordinates = b.signs.coordinates;
  for_strips<W>(b, record.learn ? record.agreed : VectorView<int64_t>{}, [&](Strip s, int64_t* agreed) {
    alignas(64) double score[strip<W> * bits_of_word] = {};
    for_voters(b, s, weights, [&](int64_t r) {
      if (b.signs.has_zeros())
        add_votes<true>(b.signs, r, s, weights.of(r), score);
      else
        add_votes<false>(b.signs, r, s, weights.of(r), score);
    });

    const Stream coins = out.coins(s.group);
    const int64_t j = s.first * bits_of_word, n = std::min(s.words * bits_of_word, coordinates - j);
    for (int64_t i = 0; i < s.words; ++i)
      store(out.signs, s.group, s.first + i,
            settle(pack_signs(score + i * bits_of_word, n - i * bits_of_word), out.tie, coins, s.first + i));
    if (record.scores.size() > 0) std::copy_n(score, n, record.scores.row(s.group) + j);

    if (record.learn) learn_strip(b, s, weights, out.signs, record.agreed.size() > 0, agreed);
  });
}

template <class W, Backend B>
void learn_agreements_impl(const Context&, const Ballots& b, const SignsIn& decoded, const W& weights,
                           VectorView<int64_t> agreed) {
  for_strips<W>(b, agreed,
                [&](Strip s, int64_t* mine) { learn_strip(b, s, weights, decoded, agreed.size() > 0, mine); });
}

#define ORRERY_INSTANTIATE(W)                                                                                    \
  template void weighted_vote_impl<W, Backend::cpu>(const Context&, const Ballots&, const W&, const Decision&,   \
                                                    const VoteRecord&);                                          \
  template void learn_agreements_impl<W, Backend::cpu>(const Context&, const Ballots&, const SignsIn&, const W&, \
                                                       VectorView<int64_t>);
ORRERY_INSTANTIATE(WorkerWeights)
ORRERY_INSTANTIATE(CountedWeights)
ORRERY_INSTANTIATE(FadingWeights)

}  // namespace orrery::detail
