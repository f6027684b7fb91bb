#include "kernels/participation.hpp"

#include <map>
#include <numeric>

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class Participation : public test::OnEachBackend {};

// Groups of rows in two replicas, members not in row order, with a row in between that belongs to no group.
struct Setting {
  std::vector<int64_t> begin{0}, member, count, period;
  std::vector<int32_t> index;
  std::vector<double> weight;
  std::vector<uint64_t> seed;

  void group(uint64_t of_seed, int32_t place, int64_t n, int64_t c, int64_t every) {
    const auto first = static_cast<int64_t>(seed.size());
    double total = 0;
    for (int64_t m = 0; m < n; ++m) total += 1.0 + static_cast<double>(m % 5);
    for (int64_t m = 0; m < n; ++m) {
      member.push_back(first + (m % 2 == 0 ? m / 2 : n - 1 - m / 2));
      weight.push_back((1.0 + static_cast<double>(m % 5)) / total);
    }
    seed.insert(seed.end(), static_cast<size_t>(n + 1), of_seed);
    begin.push_back(static_cast<int64_t>(member.size()));
    count.push_back(c), period.push_back(every), index.push_back(place);
  }
  int64_t rows() const { return static_cast<int64_t>(seed.size()); }
  int64_t groups() const { return static_cast<int64_t>(count.size()); }
};

Setting several() {
  Setting s;
  for (uint64_t seed : {7u, 8u}) {
    s.group(seed, 0, 5, 2, 10);
    s.group(seed, 1, 1, 1, 10);
    s.group(seed, 2, 300, 31, 4);
    s.group(seed, 3, 129, 129, 3);
    s.group(seed, 4, 40, 39, 10);
  }
  return s;
}

struct Drawn {
  std::vector<uint8_t> present;
  std::vector<double> scale;
};
Drawn draw(const Context& ctx, const Setting& s, int64_t slot) {
  const Backend b = ctx.backend;
  const auto n = static_cast<int64_t>(s.member.size());
  Matrix<int64_t> begin(b, 1, s.groups() + 1, s.begin), member(b, 1, n, s.member), count(b, 1, s.groups(), s.count),
      period(b, 1, s.groups(), s.period), base(b, 1, 1, std::vector<int64_t>{slot - 3});
  Matrix<int32_t> index(b, 1, s.groups(), s.index);
  Matrix<double> weight(b, 1, n, s.weight), scale(b, 1, s.rows(), std::vector<double>(s.seed.size(), -1));
  Matrix<uint64_t> seed(b, 1, s.rows(), s.seed);
  Matrix<uint32_t> words(b, 1, s.rows(), 3);
  Matrix<uint8_t> present(b, 1, s.rows(), std::vector<uint8_t>(s.seed.size(), 77));
  const ParticipationTable table{{s.groups(), 0, begin.vector(), member.vector(), weight.vector()},
                                 count.vector(),
                                 period.vector(),
                                 index.vector()};
  draw_participants(ctx, table, seed.vector(), {base.data(), 3}, words.vector(), present.vector(), scale.vector());
  words.host();  // its guards
  return {present.host(), scale.host()};
}

// The places drawn, from the definition of a stream: sort all by word, then by place.
std::vector<int64_t> places(const Setting& s, int64_t k, int64_t slot) {
  const auto g = static_cast<size_t>(k);
  const Stream stream(s.seed[static_cast<size_t>(s.member[static_cast<size_t>(s.begin[g])])], Draw::participation,
                      static_cast<uint32_t>(s.index[g]), static_cast<uint64_t>(slot / s.period[g]));
  std::vector<int64_t> all(static_cast<size_t>(s.begin[g + 1] - s.begin[g]));
  std::iota(all.begin(), all.end(), 0);
  std::stable_sort(all.begin(), all.end(), [&](int64_t a, int64_t b) {
    return stream.bits(static_cast<uint32_t>(a)) < stream.bits(static_cast<uint32_t>(b));
  });
  all.resize(static_cast<size_t>(s.count[g]));
  return all;
}

void expect_drawn(const Setting& s, const Drawn& got, int64_t slot) {
  test::Near near("scale");
  std::vector<uint8_t> want(s.seed.size(), 77);
  for (int64_t k = 0; k < s.groups(); ++k) {
    const auto at = static_cast<size_t>(s.begin[static_cast<size_t>(k)]),
               end = static_cast<size_t>(s.begin[static_cast<size_t>(k) + 1]);
    for (size_t m = at; m < end; ++m) want[static_cast<size_t>(s.member[m])] = 0;
    double sum = 0;
    for (const int64_t p : places(s, k, slot)) {
      want[static_cast<size_t>(s.member[at + static_cast<size_t>(p)])] = 1;
      sum += s.weight[at + static_cast<size_t>(p)];
    }
    const bool whole = s.count[static_cast<size_t>(k)] == static_cast<int64_t>(end - at);
    for (size_t m = at; m < end; ++m) {
      const auto row = static_cast<size_t>(s.member[m]);
      const double scale = want[row] == 0 ? 0 : whole ? 1 : 1 / sum;
      // n additions, the quotient
      near(got.scale[row], scale, whole ? 0 : static_cast<double>(end - at + 1) * test::unit<double> * scale, k);
    }
  }
  EXPECT_EQ(got.present, want);
  for (size_t r = 0; r < want.size(); ++r)
    if (want[r] == 77) {
      EXPECT_EQ(got.scale[r], -1) << "a row of no group was written";
    }
}

TEST_P(Participation, DrawsTheSmallestWordsOfEveryGroup) {
  const Setting s = several();
  for (int64_t slot : {int64_t{3}, int64_t{4}, int64_t{119}, int64_t{120}, (int64_t{1} << 33) + 5})
    expect_drawn(s, draw(ctx(), s, slot), slot);
}

// Within a local period the same, in the next one not; groups and replicas do not follow each other.
TEST_P(Participation, IsDrawnAfreshForEveryPeriodOfEachGroup) {
  Setting s;
  s.group(1, 0, 64, 32, 10);
  s.group(1, 1, 64, 32, 10);
  s.group(2, 0, 64, 32, 10);
  s.group(1, 2, 64, 32, 5);
  const auto group = [&](const Drawn& d, int64_t k) {
    std::vector<uint8_t> out;
    for (int64_t m = s.begin[static_cast<size_t>(k)]; m < s.begin[static_cast<size_t>(k) + 1]; ++m)
      out.push_back(d.present[static_cast<size_t>(s.member[static_cast<size_t>(m)])]);
    return out;
  };
  const Drawn at20 = draw(ctx(), s, 20), at24 = draw(ctx(), s, 24), at25 = draw(ctx(), s, 25),
              at30 = draw(ctx(), s, 30);
  for (int64_t k : {0, 1, 2}) {
    EXPECT_EQ(group(at20, k), group(at25, k));
    EXPECT_NE(group(at20, k), group(at30, k));
  }
  EXPECT_EQ(group(at20, 3), group(at24, 3));
  EXPECT_NE(group(at20, 3), group(at25, 3));
  EXPECT_NE(group(at20, 0), group(at20, 1));
  EXPECT_NE(group(at20, 0), group(at20, 2));
}

// Of equal words the earlier member is taken. A pair is in about one of five draws of 40,000 words; the count cuts through it.
TEST_P(Participation, TellsEqualWordsApart) {
  constexpr int64_t n = 40000;
  for (uint64_t seed = 1; seed < 100; ++seed) {
    const Stream stream(seed, Draw::participation, 0, 0);
    std::vector<uint32_t> words;
    for (int64_t m = 0; m < n; ++m) words.push_back(stream.bits(static_cast<uint32_t>(m)));
    std::vector<uint32_t> sorted = words;
    std::sort(sorted.begin(), sorted.end());
    const auto pair = std::adjacent_find(sorted.begin(), sorted.end());
    if (pair == sorted.end()) continue;
    Setting s;
    s.group(seed, 0, n, pair - sorted.begin() + 1, 1);
    const Drawn got = draw(ctx(), s, 0);
    std::vector<uint8_t> twins;
    for (int64_t m = 0; m < n; ++m)
      if (words[static_cast<size_t>(m)] == *pair)
        twins.push_back(got.present[static_cast<size_t>(s.member[static_cast<size_t>(m)])]);
    EXPECT_EQ(twins, (std::vector<uint8_t>{1, 0}));
    EXPECT_EQ(std::count(got.present.begin(), got.present.end(), 1), s.count[0]);
    return;
  }
  FAIL() << "no equal words in 99 draws";
}

// Each of the 20 ways to draw 3 of 6 is as likely: Pearson's statistic over 4000 periods, 19 degrees of freedom.
TEST_P(Participation, EverySubsetIsAsLikely) {
  Setting s;
  for (int32_t g = 0; g < 40; ++g) s.group(3, g, 6, 3, 1);
  std::map<int, int> seen;
  for (int64_t slot = 0; slot < 100; ++slot) {
    const Drawn d = draw(ctx(), s, slot + 3);
    for (int64_t k = 0; k < s.groups(); ++k) {
      int subset = 0;
      for (int m = 0; m < 6; ++m)
        subset |= d.present[static_cast<size_t>(s.member[static_cast<size_t>(6 * k + m)])] << m;
      ++seen[subset];
    }
  }
  ASSERT_EQ(seen.size(), 20u);
  double statistic = 0;
  for (const auto& [subset, n] : seen) statistic += (n - 200.0) * (n - 200.0) / 200.0;
  EXPECT_LT(statistic, 43.8);  // exceeded once in 1000 times
  EXPECT_GT(statistic, 4.9);   // fallen short of once in 2000 times
}

TEST_P(Participation, ScalesTheWeightsOfAnyTable) {
  const Backend b = GetParam();
  const std::vector<int64_t> rows{4, 0, 2, 5, 1};
  for (int64_t n : {int64_t{5}, int64_t{700}}) {
    std::vector<int64_t> member;
    for (int64_t m = 0; m < n; ++m) member.push_back(rows[static_cast<size_t>(m) % 5]);
    Matrix<int64_t> who(b, 1, n, member);
    Matrix<double> weight(b, 1, n, 1), scale(b, 1, 6, 2), live(b, 1, n, 3);
    scale_weights(ctx(), who.vector(), weight.vector(), scale.vector(), live.vector());
    const auto got = live.host();
    for (int64_t m = 0; m < n; ++m)
      ASSERT_EQ(got[static_cast<size_t>(m)], weight.initial(0, m) * scale.initial(0, member[static_cast<size_t>(m)]));
  }
}

TEST_P(Participation, SameBitsForAnyThreadsAndNeighbours) {
  const Setting s = several();
  test::expect_same_bits_for_any_threads([&] { return draw(ctx(), s, 50).scale; });
  Setting alone;
  alone.group(7, 2, 300, 31, 4);
  const auto all = draw(ctx(), s, 50).scale, one = draw(ctx(), alone, 50).scale;
  const auto first = static_cast<std::ptrdiff_t>(6 + 2);  // rows of the groups before, one between each
  test::expect_same_bits(one, std::vector<double>(all.begin() + first, all.begin() + first + 301),
                         "alone and among others");
}

TEST_P(Participation, NothingToDoAndWrongShapes) {
  const Backend b = GetParam();
  Matrix<int64_t> two(b, 1, 2, std::vector<int64_t>{0, 1}), one(b, 1, 1, std::vector<int64_t>{0});
  Matrix<double> w(b, 1, 1, 1), s(b, 1, 2, 1);
  EXPECT_THROW(scale_weights(ctx(), two.vector(), w.vector(), s.vector(), w.vector()), std::logic_error);
  EXPECT_THROW(scale_weights(ctx(), one.vector(), w.vector(), s.vector(), s.vector()), std::logic_error);
  scale_weights(ctx(), {}, {}, s.vector(), {});
  draw_participants(ctx(), {}, {}, {one.data(), 0}, {}, {}, {});
}

ORRERY_ON_EACH_BACKEND(Participation);

}  // namespace
}  // namespace orrery
