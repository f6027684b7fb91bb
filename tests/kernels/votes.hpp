// Shared by the tests of votes: signs as small integers, packed and unpacked by definition, groups of rows, and the oracle of a decision.
#pragma once

#include <numeric>

#include "kernels/majority_vote.hpp"
#include "kernels/sign_pack.hpp"
#include "tests/support.hpp"

namespace orrery::test {

inline constexpr SignZero kRules[] = {SignZero::zero, SignZero::plus, SignZero::random};
inline const char* name_of(SignZero rule) {
  return rule == SignZero::zero ? "zero" : rule == SignZero::plus ? "plus" : "random";
}

// y(r,j) in {-1, 0, +1}
struct Trits {
  int64_t rows = 0, P = 0;
  std::vector<int> y;
  int operator()(int64_t r, int64_t j) const { return y[static_cast<size_t>(r * P + j)]; }
  int& operator()(int64_t r, int64_t j) { return y[static_cast<size_t>(r * P + j)]; }
  friend bool operator==(const Trits&, const Trits&) = default;
};
inline Trits trits(int64_t rows, int64_t P, uint32_t key, bool zeros) {
  Trits t{rows, P, std::vector<int>(static_cast<size_t>(rows * P))};
  const Stream s(77, Draw::initial, key, 5);
  for (size_t i = 0; i < t.y.size(); ++i) {
    const uint32_t u = s.bits(static_cast<uint32_t>(i)) % 8;
    t.y[i] = zeros && u >= 6 ? 0 : u % 2 == 0 ? 1 : -1;
  }
  return t;
}
// Coordinate j's sum over the members is what they chance upon; in the first ones, everybody says the same, or nothing at all.
inline void add_unanimous(Trits& t, bool zeros) {
  for (int64_t r = 0; r < t.rows; ++r)
    for (int64_t j = 0; j < std::min<int64_t>(t.P, 3); ++j) t(r, j) = j == 0 ? 1 : j == 1 ? -1 : zeros ? 0 : 1;
}

// The planes of kernels/signs.hpp in guarded memory, rows one word further apart than they must be.
class Signs {
 public:
  Signs(Backend where, const Trits& t, bool second_plane)
      : P_(t.P),
        second_(second_plane),
        positive_(where, t.rows, sign_words(t.P), words(t, 1), sign_words(t.P) + 1),
        zero_(where, second_plane ? t.rows : 0, sign_words(t.P), second_plane ? words(t, 0) : std::vector<uint32_t>{},
              sign_words(t.P) + 1) {}
  SignsOut view() const { return {P_, positive_.view(), second_ ? zero_.view() : MatrixView<uint32_t>{}}; }
  SignsIn cview() const { return view(); }
  std::vector<uint32_t> bits() const {
    auto all = positive_.host();
    if (second_) {
      const auto z = zero_.host();
      all.insert(all.end(), z.begin(), z.end());
    }
    return all;
  }
  // What the planes say; fails where a bit past the end is set or a sign is both.
  Trits host() const {
    const auto p = positive_.host();
    const auto z = second_ ? zero_.host() : std::vector<uint32_t>(p.size());
    const int64_t n = sign_words(P_), rows = n > 0 ? static_cast<int64_t>(p.size()) / n : 0;
    Trits t{rows, P_, std::vector<int>(static_cast<size_t>(rows * P_))};
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t j = 0; j < n * 32; ++j) {
        const bool one = p[static_cast<size_t>(r * n + j / 32)] >> (j % 32) & 1u;
        const bool none = z[static_cast<size_t>(r * n + j / 32)] >> (j % 32) & 1u;
        EXPECT_FALSE(one && none) << "row " << r << " coordinate " << j;
        if (j < P_)
          t(r, j) = one ? 1 : none ? 0 : -1;
        else
          EXPECT_FALSE(one || none) << "a bit past the end of row " << r;
      }
    return t;
  }

 private:
  static std::vector<uint32_t> words(const Trits& t, int value) {
    const int64_t n = sign_words(t.P);
    std::vector<uint32_t> out(static_cast<size_t>(t.rows * n));
    for (int64_t r = 0; r < t.rows; ++r)
      for (int64_t j = 0; j < t.P; ++j)
        if (t(r, j) == value) out[static_cast<size_t>(r * n + j / 32)] |= uint32_t{1} << (j % 32);
    return out;
  }
  int64_t P_;
  bool second_;
  Matrix<uint32_t> positive_, zero_;
};

// Groups of M rows each, members in a shuffled order; the last row is in no group.
class VoteGroups {
 public:
  VoteGroups(Backend where, int64_t groups, int64_t M)
      : rows_(groups * M + 1),
        begin_(where, 1, groups + 1, begins(groups, M)),
        member_(where, 1, groups * M, shuffled_rows(groups * M)),
        seed_(where, 1, groups, seeds(groups)),
        index_(where, 1, groups, indices(groups)),
        weight_(where, 1, groups * M, std::vector<double>(static_cast<size_t>(groups * M), 1.0)),
        base_(where, 1, 1, std::vector<int64_t>{41}) {
    table_ = {groups, M, begin_.vector(), member_.vector(), weight_.vector()};
  }
  const GroupTable& table() const { return table_; }
  int64_t rows() const { return rows_; }
  std::vector<int64_t> members(int64_t k) const {
    const auto& m = member_.dense();
    const int64_t M = table_.largest;
    return {m.begin() + k * M, m.begin() + (k + 1) * M};
  }
  Decision decision(const Signs& out, SignZero tie) const {
    return {out.view(), tie, seed_.vector(), index_.vector(), {base_.data(), 2}};
  }
  // what group k decides where its sum is `sum`
  template <class S>
  int decide(S sum, SignZero tie, int64_t k, int64_t j) const {
    if (sum != 0) return sum > 0 ? 1 : -1;
    if (tie != SignZero::random) return tie == SignZero::plus ? 1 : 0;
    const Stream coins(static_cast<uint64_t>(100 + k), Draw::vote_tie, static_cast<uint32_t>(3 * k), 43);
    return coins.bits(static_cast<uint32_t>(j / 32)) >> (j % 32) & 1u ? 1 : -1;
  }

 private:
  static std::vector<int64_t> begins(int64_t groups, int64_t M) {
    std::vector<int64_t> v;
    for (int64_t k = 0; k <= groups; ++k) v.push_back(k * M);
    return v;
  }
  static std::vector<int64_t> shuffled_rows(int64_t n) {
    std::vector<int64_t> v(static_cast<size_t>(n));
    std::iota(v.begin(), v.end(), 0);
    const Stream s(3, Draw::grouping, 0, 0);
    for (int64_t i = n - 1; i > 0; --i)
      std::swap(v[static_cast<size_t>(i)], v[s.below(static_cast<uint32_t>(i), static_cast<uint32_t>(i + 1))]);
    return v;
  }
  static std::vector<uint64_t> seeds(int64_t groups) {
    std::vector<uint64_t> v(static_cast<size_t>(groups));
    std::iota(v.begin(), v.end(), 100);
    return v;
  }
  static std::vector<int32_t> indices(int64_t groups) {
    std::vector<int32_t> v;
    for (int64_t k = 0; k < groups; ++k) v.push_back(static_cast<int32_t>(3 * k));
    return v;
  }
  int64_t rows_;
  Matrix<int64_t> begin_, member_;
  Matrix<uint64_t> seed_;
  Matrix<int32_t> index_;
  Matrix<double> weight_;
  Matrix<int64_t> base_;
  GroupTable table_;
};

}  // namespace orrery::test
