#include "kernels/core/rng.hpp"

#include <set>

#include "tests/support.hpp"

namespace orrery {
namespace {

// The known answers that Random123 publishes (kat_vectors, philox4x32 10).
TEST(Philox, GivesThePublishedAnswers) {
  const struct {
    uint32_t counter[4], key[2], answer[4];
  } published[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const auto& p : published) {
    const PhiloxBlock b = philox4x32_10(p.counter[0], p.counter[1], p.counter[2], p.counter[3], p.key[0], p.key[1]);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(b.word[i], p.answer[i]) << "word " << i;
  }
}

// key = (seed low, seed high XOR purpose * 0x9E3779B9), counter = (index / 4, worker, step low, step high), word index
// mod 4
TEST(Stream, PutsKeyAndCounterWhereTheHeaderSays) {
  const uint64_t seed = 0x0123456789abcdefu, step = 0xfedcba9876543210u;
  const Stream s(seed, Draw::partition, 77, step);
  for (uint32_t i : {0u, 1u, 2u, 3u, 4u, 1000003u}) {
    const uint32_t high = 0x01234567u ^ (5u * 0x9E3779B9u);
    const PhiloxBlock b = philox4x32_10(i / 4, 77, 0x76543210u, 0xfedcba98u, 0x89abcdefu, high);
    EXPECT_EQ(s.bits(i), b.word[i % 4]) << i;
  }
}

TEST(Stream, DependsOnEachPartOfTheKey) {
  std::set<std::pair<uint32_t, uint32_t>> seen;
  int64_t streams = 0;
  const auto add = [&](uint64_t seed, Draw purpose, uint32_t worker, uint64_t step, uint32_t index = 0) {
    const Stream s(seed, purpose, worker, step);
    EXPECT_EQ(s.bits(index), Stream(seed, purpose, worker, step).bits(index));  // the same again
    seen.insert({s.bits(index), s.bits(index + 1)});
    ++streams;
  };
  add(1, Draw::minibatch, 0, 0);
  add(2, Draw::minibatch, 0, 0);
  add(1 + (uint64_t{1} << 32), Draw::minibatch, 0, 0);
  add(1, Draw::minibatch, 1, 0);
  add(1, Draw::minibatch, 0, 1);
  add(1, Draw::minibatch, 0, uint64_t{1} << 32);
  add(1, Draw::minibatch, 0, 0, 1);
  add(1, Draw::minibatch, 0, 0, 4);
  for (Draw d :
       {Draw::rate, Draw::gradient_noise, Draw::initial, Draw::partition, Draw::grouping, Draw::graph, Draw::glyphs})
    add(1, d, 0, 0);
  EXPECT_EQ(static_cast<int64_t>(seen.size()), streams);
}

TEST(Stream, BernoulliAtItsEnds) {
  const Stream s(4, Draw::rate, 0, 0);
  int64_t hits = 0;
  const int64_t n = 100000;
  for (uint32_t i = 0; i < n; ++i) {
    ASSERT_FALSE(s.bernoulli(i, 0) || s.bernoulli(i, -1));
    ASSERT_TRUE(s.bernoulli(i, 1) && s.bernoulli(i, 2));
    hits += s.bernoulli(i, 0.3);
  }
  EXPECT_NEAR(static_cast<double>(hits), 0.3 * n,
              5 * std::sqrt(0.3 * 0.7 * n));  // 5 standard errors; the seed is fixed
}

// Chi-square of m equally likely values has mean m - 1 and variance 2 (m - 1): within 5 standard errors on either side.
TEST(Stream, BelowIsUniform) {
  const int64_t n = 200000;
  for (uint32_t m : {2u, 7u, 100u, 1000u}) {
    const Stream s(m, Draw::minibatch, 3, 9);
    std::vector<int64_t> count(m);
    for (uint32_t i = 0; i < n; ++i) {
      const uint32_t v = s.below(i, m);
      ASSERT_LT(v, m);
      ++count[v];
    }
    const double each = static_cast<double>(n) / m;
    double chi_square = 0;
    for (int64_t c : count) chi_square += (static_cast<double>(c) - each) * (static_cast<double>(c) - each) / each;
    EXPECT_NEAR(chi_square, m - 1, 5 * std::sqrt(2.0 * (m - 1))) << m;
  }
  EXPECT_EQ(Stream(1, Draw::minibatch, 0, 0).below(0, 1), 0u);
}

TEST(Stream, UniformAndNormalHaveTheirMoments) {
  const Stream s(12, Draw::gradient_noise, 1, 2);
  const int64_t n = 200000;
  double mean = 0, square = 0, cube = 0, fourth = 0, neighbours = 0, uniform = 0, before = 0;
  for (uint32_t i = 0; i < n; ++i) {
    const double u = s.uniform(i), x = s.normal(i);
    ASSERT_TRUE(u > 0 && u < 1);
    uniform += u;
    mean += x, square += x * x, cube += x * x * x, fourth += x * x * x * x;
    neighbours += x * before;
    before = x;
  }
  const double N = static_cast<double>(n), five = 5 / std::sqrt(N);  // standard errors from the moments of the normal
  EXPECT_NEAR(uniform / N, 0.5, five * std::sqrt(1 / 12.0));
  EXPECT_NEAR(mean / N, 0, five);
  EXPECT_NEAR(square / N, 1, five * std::sqrt(2.0));
  EXPECT_NEAR(cube / N, 0, five * std::sqrt(15.0));
  EXPECT_NEAR(fourth / N, 3, five * std::sqrt(96.0));
  EXPECT_NEAR(neighbours / N, 0, five);
}

// Box-Muller of two words: draws 2 i and 2 i + 1 are the two coordinates of one point.
TEST(Stream, NormalsComeInPairs) {
  const Stream s(12, Draw::gradient_noise, 1, 2);
  for (uint32_t i = 0; i < 40; i += 2) {
    const double radius_square = -2 * std::log((s.bits(i) + 0.5) / 4294967296.0);
    const double x = s.normal(i), y = s.normal(i + 1);
    // two squares and their sum, each normal with some 8 roundings
    EXPECT_NEAR(x * x + y * y, radius_square, 20 * test::unit<double> * radius_square);
    const double turn = (s.bits(i + 1) + 0.5) / 4294967296.0, angle = std::atan2(y, x) / (2 * 3.14159265358979323846);
    EXPECT_NEAR(angle < 0 ? angle + 1 : angle, turn, 20 * test::unit<double>);
  }
}

// Four at once are the four one by one, bit for bit.
TEST(Stream, FourNormalsAreNormals) {
  const Stream s(0x123456789abcdefull, Draw::gradient_noise, 7, int64_t{5} << 33);
  for (uint32_t b = 0; b < 5000; ++b) {
    double four[4];
    s.four_normals(b, four);
    for (uint32_t k = 0; k < 4; ++k) ASSERT_EQ(four[k], s.normal(4 * b + k)) << "draw " << 4 * b + k;
  }
}

}  // namespace
}  // namespace orrery
