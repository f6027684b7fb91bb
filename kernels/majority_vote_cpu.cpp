#include "kernels/majority_vote.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace orrery::detail {
namespace {

constexpr int64_t strip = 32;  // words of one task: two cache lines of every row, counters in L1

// Counters of one strip. Plane p holds bit p of every coordinate's count. Eight rows at a time make one plane of eights; from there up,
// two carries of a plane are needed before the plane is touched (as in a binary counter), so that high planes cost next to nothing.
class Counters {
 public:
  explicit Counters(int64_t words) : words_(words) { std::memset(plane_, 0, sizeof plane_); }

  void add(const uint32_t* row) {
    waiting_[count_++ % 8] = row;
    if (count_ % 8 == 0) add_eight();
  }
  // After the last row: planes() planes hold the counts.
  void finish() {
    static const uint32_t nothing[strip] = {};
    const int64_t voters = count_;
    while (count_ % 8 != 0) add(nothing);
    count_ = voters;
    std::fill_n(carry_, strip, 0u);
    for (int p = 3; p < planes(); ++p) {
      const uint32_t* held = held_ >> p & 1u ? pending_[p] : nothing;
      for (int64_t w = 0; w < strip; ++w) carry_[w] = carry_save(plane_[p][w], held[w], carry_[w]);
    }
  }
  int64_t count() const { return count_; }
  int planes() const { return std::bit_width(static_cast<uint64_t>(count_)); }
  const uint32_t* plane(int p) const {
    static const uint32_t nothing[strip] = {};
    return p >= 0 && p < planes() ? plane_[p] : nothing;
  }

 private:
  void add_eight() {
    const uint32_t *const r0 = waiting_[0], *const r1 = waiting_[1], *const r2 = waiting_[2], *const r3 = waiting_[3],
                          *const r4 = waiting_[4], *const r5 = waiting_[5], *const r6 = waiting_[6],
                          *const r7 = waiting_[7];
    for (int64_t w = 0; w < words_; ++w) {
      uint32_t ones = plane_[0][w], twos = plane_[1][w], fours = plane_[2][w];
      const uint32_t a = carry_save(ones, r0[w], r1[w]), b = carry_save(ones, r2[w], r3[w]);
      const uint32_t c = carry_save(ones, r4[w], r5[w]), d = carry_save(ones, r6[w], r7[w]);
      const uint32_t e = carry_save(twos, a, b), f = carry_save(twos, c, d);
      carry_[w] = carry_save(fours, e, f);
      plane_[0][w] = ones, plane_[1][w] = twos, plane_[2][w] = fours;
    }
    int p = 3;
    for (; held_ >> p & 1u; ++p) {
      for (int64_t w = 0; w < strip; ++w) carry_[w] = carry_save(plane_[p][w], pending_[p][w], carry_[w]);
      held_ &= ~(1u << p);
    }
    std::copy_n(carry_, strip, pending_[p]);
    held_ |= 1u << p;
  }

  int64_t words_, count_ = 0;
  uint32_t held_ = 0;  // planes with a carry that waits
  const uint32_t* waiting_[8] = {};
  uint32_t plane_[counter_planes + 1][strip], pending_[counter_planes + 1][strip], carry_[strip] = {};
};

struct Strip {
  int64_t group, first, words;  // words first ... first + words - 1
};

template <class F>
void for_strips(int64_t nodes, int64_t words, F f) {
  const int64_t strips = (words + strip - 1) / strip;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t k = 0; k < nodes; ++k)
    for (int64_t s = 0; s < strips; ++s) f(Strip{k, s * strip, std::min(strip, words - s * strip)});
}

// The members' words of one plane.
Counters count(const Ballots& b, const MatrixView<const uint32_t>& plane, Strip s) {
  Counters counters(s.words);
  for (int64_t m = b.groups.begin[s.group]; m < b.groups.begin[s.group + 1]; ++m)
    if (const int64_t r = b.groups.member[m]; b.votes(r)) counters.add(plane.row(r) + s.first);
  counters.finish();
  return counters;
}

}  // namespace

template <>
void majority_vote_impl<Backend::cpu>(const Context&, const Ballots& b, const Decision& out) {
  for_strips(b.groups.nodes, b.signs.words(), [&](Strip s) {
    const Counters p = count(b, b.signs.positive, s);
    const Counters z = b.signs.has_zeros() ? count(b, b.signs.zero, s) : Counters(0);
    Comparison compared[strip];
    for (int bit = 0; bit < p.planes() + 2; ++bit) {
      const uint32_t *below = p.plane(bit - 1), *here = z.plane(bit), voters = all_bits(p.count(), bit);
      for (int64_t w = 0; w < strip; ++w) compared[w].bit(below[w], here[w], voters);
    }
    const Stream coins = out.coins(s.group);
    for (int64_t w = 0; w < s.words; ++w) {
      const int64_t k = s.first + w;
      const uint32_t used = bits_in_use(b.signs.coordinates, k);
      store(out.signs, s.group, k, settle({compared[w].greater & used, compared[w].equal & used}, out.tie, coins, k));
    }
  });
}

template <>
void vote_counts_impl<Backend::cpu>(const Context&, const Ballots& b, MatrixView<int32_t> counts) {
  for_strips(b.groups.nodes, b.signs.words(), [&](Strip s) {
    const Counters p = count(b, b.signs.positive, s);
    const Counters z = b.signs.has_zeros() ? count(b, b.signs.zero, s) : Counters(0);
    for (int64_t w = 0; w < s.words; ++w) {
      const int64_t j = (s.first + w) * bits_of_word, n = std::min(bits_of_word, counts.extent(1) - j);
      uint32_t sum[bits_of_word] = {};  // 2 #(+1) + #(0)
      for (int bit = 0; bit < p.planes(); ++bit)
        for (uint32_t i = 0; i < 32; ++i)
          sum[i] += ((p.plane(bit)[w] >> i & 1u) << (bit + 1)) + ((z.plane(bit)[w] >> i & 1u) << bit);
      for (int64_t i = 0; i < n; ++i)
        counts(s.group, j + i) = static_cast<int32_t>(sum[i]) - static_cast<int32_t>(p.count());
    }
  });
}

namespace {
// total[0 ...] <- the sum over the members of the strip's group; returns how many coordinates the strip has
template <class S>
int64_t add_members(const GroupTable& g, MatrixView<const S> sums, Strip s, S* __restrict__ total) {
  const int64_t first = s.first * bits_of_word, n = std::min(s.words * bits_of_word, sums.extent(1) - first);
  std::fill_n(total, n, S{0});
  for (int64_t m = g.begin[s.group]; m < g.begin[s.group + 1]; ++m) {
    const S* __restrict__ const in = sums.row(g.member[m]) + first;
    for (int64_t j = 0; j < n; ++j) total[j] += in[j];
  }
  return n;
}
}  // namespace

template <class S, Backend B>
void forward_sums_impl(const Context&, const GroupTable& g, MatrixView<const S> sums, MatrixView<S> out) {
  for_strips(g.nodes, sign_words(sums.extent(1)),
             [&](Strip s) { add_members(g, sums, s, out.row(s.group) + s.first * bits_of_word); });
}

template <class S, Backend B>
void sum_vote_impl(const Context&, const GroupTable& g, MatrixView<const S> sums, const Decision& out) {
  for_strips(g.nodes, sign_words(sums.extent(1)), [&](Strip s) {
    S total[strip * bits_of_word];
    const int64_t n = add_members(g, sums, s, total);
    const Stream coins = out.coins(s.group);
    for (int64_t w = 0; w < s.words; ++w)
      store(out.signs, s.group, s.first + w,
            settle(pack_signs(total + w * bits_of_word, n - w * bits_of_word), out.tie, coins, s.first + w));
  });
}

#define ORRERY_INSTANTIATE(S)                                                                              \
  template void forward_sums_impl<S, Backend::cpu>(const Context&, const GroupTable&, MatrixView<const S>, \
                                                   MatrixView<S>);                                         \
  template void sum_vote_impl<S, Backend::cpu>(const Context&, const GroupTable&, MatrixView<const S>, const Decision&);
ORRERY_INSTANTIATE(int32_t)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
