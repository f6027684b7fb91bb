#include "kernels/weighted_vote.hpp"

#include <omp.h>

#include <algorithm>
#include <bit>
#include <vector>

namespace orrery::detail {
namespace {

constexpr int64_t strip =
    8;  // words of one task: the counts of a thousand workers (512 KB) are still in L2 when they learn

struct Strip {
  int64_t group, first, words;  // words first ... first + words - 1
};

// f(strip, agreed) for all (group, strip) pairs, each on one thread; agreed has an element per row, added up over all threads.
template <class F>
void for_strips(const Ballots& b, VectorView<int64_t> agreed, F f) {
  const int64_t words = b.signs.words(), strips = (words + strip - 1) / strip, rows = agreed.size();
  std::vector<int64_t> of_threads(static_cast<size_t>(omp_get_max_threads() * rows));
#pragma omp parallel
  {
    int64_t* const mine = of_threads.data() + omp_get_thread_num() * rows;
#pragma omp for collapse(2) schedule(static)
    for (int64_t k = 0; k < b.groups.nodes; ++k)
      for (int64_t s = 0; s < strips; ++s) f(Strip{k, s * strip, std::min(strip, words - s * strip)}, mine);
  }
  for (int64_t r = 0; r < rows; ++r) {
    agreed[r] = 0;
    for (int64_t t = 0; t < omp_get_max_threads(); ++t) agreed[r] += of_threads[static_cast<size_t>(t * rows + r)];
  }
}

template <class F>
void for_voters(const Ballots& b, int64_t group, F f) {
  for (int64_t m = b.groups.begin[group]; m < b.groups.begin[group + 1]; ++m)
    if (const int64_t r = b.groups.member[m]; b.votes(r)) f(r);
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
  for_voters(b, s.group, [&](int64_t r) {
    int64_t number = 0;
    for (int64_t i = 0; i < s.words; ++i) {
      const int64_t k = s.first + i, j = k * bits_of_word;
      const uint32_t same =
          agreement(sign_word(decoded, s.group, k), sign_word(b.signs, r, k)) & bits_in_use(b.signs.coordinates, k);
      number += std::popcount(same);
      if constexpr (W::learns) {
        const auto row = weights.of(r);
        for_bits(b.signs.coordinates, k, [&](int bit) { row.learn(j + bit, same >> bit & 1u); });
      }
    }
    if (count) agreed[r] += number;
  });
}

}  // namespace

template <class W, Backend B>
void weighted_vote_impl(const Context&, const Ballots& b, const W& weights, const Decision& out,
                        const VoteRecord& record) {
  const int64_t coordinates = b.signs.coordinates;
  for_strips(b, record.learn ? record.agreed : VectorView<int64_t>{}, [&](Strip s, int64_t* agreed) {
    alignas(64) double score[strip * bits_of_word] = {};
    for_voters(b, s.group, [&](int64_t r) {
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
  for_strips(b, agreed, [&](Strip s, int64_t* mine) { learn_strip(b, s, weights, decoded, agreed.size() > 0, mine); });
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
