// Edges of the quantisers; the formulas themselves are held to float64 in tests/runtime/compression.
#include "kernels/compress_quantise.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;
using Map = QuantiseRule::Map;
using Scale = QuantiseRule::Scale;
using Code = QuantiseRule::Code;

class CompressQuantise : public test::OnEachBackend {
 protected:
  template <class T>
  static std::vector<T> of(const QuantiseRule& rule, const std::vector<T>& x, std::vector<int64_t>* bits = nullptr,
                           int64_t slot = 0) {
    const test::Rows rows(GetParam(), {{.seed = 5, .worker = 3}}, slot);
    const auto P = static_cast<int64_t>(x.size());
    const Matrix<T> in(GetParam(), 1, P, x), q(GetParam(), 1, P, 1);
    const Buffer<int64_t> counted(ctx(), 1);
    compress_quantise<T>(ctx(), rows.view(), rows.slot(), rule, in.cview(), q.view(), counted.view());
    if (bits) *bits = counted.to_host(ctx());
    return q.host();
  }
};

// Golden: what codes cost.
TEST_P(CompressQuantise, CountsBits) {
  std::vector<int64_t> bits;
  const auto counted = [&](const QuantiseRule& rule, const std::vector<double>& x) {
    of<double>(rule, x, &bits);
    return bits[0];
  };
  const QuantiseRule sign{.map = Map::sign};
  EXPECT_EQ(counted(sign, {1, -2, 3}), 0);  // the fixed part says it all
  EXPECT_EQ(counted(sign, {0, 0, 0}), 0);
  EXPECT_EQ(counted(sign, {1, 0, -3, -0.0}), 2);  // a bitmap of four in place of signs, then two signs
  // levels 0, 1, 2, 4 of 4: codes of 1, 2, 3, 5 and three signs
  QuantiseRule levels{.map = Map::levels, .levels = 4, .code = Code::gamma};
  EXPECT_EQ(counted(levels, {0, -1, 2, 4}), 1 + 3 + 3 + 5 + 3);
  levels.code = Code::omega;
  EXPECT_EQ(counted(levels, {0, -1, 2, 4}), 1 + 3 + 3 + 6 + 3);
  levels.code = Code::fixed;
  EXPECT_EQ(counted(levels, {0, -1, 2, 4}), 0);
  // levels 0, 1, -1, 3: codes of 1, 3, 2, 7
  QuantiseRule grid{.map = Map::grid, .step = 0.5, .code = Code::gamma};
  EXPECT_EQ(counted(grid, {0.1, 0.5, -0.5, 1.5}), 1 + 3 + 3 + 5);
  grid.code = Code::omega;
  EXPECT_EQ(counted(grid, {0.1, 0.5, -0.5, 1.5}), 1 + 3 + 3 + 6);
  EXPECT_EQ(counted({.map = Map::natural}, {1, 2, 3}), 0);
}

// Zeros of either sign, and levels of 0, are +0; halves round away from zero in levels and up in the grid.
TEST_P(CompressQuantise, ZerosAndHalves) {
  test::for_float_and_double([&]<class T>() {
    for (const T v : of<T>({.map = Map::sign}, {T{0}, -T{0}, T{2}})) EXPECT_FALSE(std::signbit(v));
    for (const T v : of<T>({.map = Map::levels, .levels = 4}, {-T{0.4}, -T{0}, T{4}})) EXPECT_FALSE(std::signbit(v));
    for (const T v : of<T>({.map = Map::grid}, {-T{0.4}, -T{0}, T{0.4}})) EXPECT_FALSE(std::signbit(v));
    for (const T v : of<T>({.map = Map::natural}, {-T{0}, T{0}})) EXPECT_FALSE(std::signbit(v));
    EXPECT_EQ(of<T>({.map = Map::levels, .levels = 4}, {T{0.5}, -T{0.5}, T{4}}), (std::vector<T>{1, -1, 4}));
    EXPECT_EQ(of<T>({.map = Map::grid}, {T{0.5}, -T{0.5}, -T{1.5}}), (std::vector<T>{1, 0, -1}));
    // the largest number below a half stays below it
    const T below = std::nextafter(T{0.5}, T{0});
    EXPECT_EQ(of<T>({.map = Map::grid}, {below}), (std::vector<T>{0}));
    EXPECT_EQ(of<T>({.map = Map::levels, .levels = 4}, {below, T{4}}), (std::vector<T>{0, 4}));
  });
}

// The largest and smallest numbers stay finite and within a level; a number that is not finite shows.
TEST_P(CompressQuantise, ExtremeNumbers) {
  test::for_float_and_double([&]<class T>() {
    using Limits = std::numeric_limits<T>;
    // seven times a seventh may round up: half of the largest number leaves room
    const T most = Limits::max() / 2, least = Limits::denorm_min(), normal = Limits::min();
    for (const bool dither : {false, true}) {
      const auto q = of<T>({.map = Map::levels, .dither = dither, .levels = 7}, {most, -most, most / 2, T{0}});
      EXPECT_NEAR(q[0] / most, 1, 1e-6);
      EXPECT_EQ(q[1], -q[0]);
      EXPECT_EQ(q[3], 0);
      for (const T v : q) EXPECT_TRUE(std::isfinite(v));
    }
    EXPECT_EQ(of<T>({.map = Map::levels, .levels = 1 << 20}, {least, T{0}}), (std::vector<T>{0, 0}));  // no such level
    EXPECT_TRUE(std::isfinite(of<T>({.map = Map::grid, .step = 1}, {most})[0]));
    EXPECT_EQ(of<T>({.map = Map::natural}, {Limits::max()})[0], std::ldexp(T{1}, Limits::max_exponent - 1));
    EXPECT_EQ(of<T>({.map = Map::natural}, {normal, -normal}), (std::vector<T>{normal, -normal}));
    for (const QuantiseRule rule : {QuantiseRule{.map = Map::sign},
                                    {.map = Map::sign, .scale = Scale::mean_l1},
                                    {.map = Map::levels},
                                    {.map = Map::levels, .scale = Scale::l2, .dither = true}})
      for (const T bad : {Limits::infinity(), Limits::quiet_NaN()}) {
        bool finite = true;
        for (const T v : of<T>(rule, {T{1}, bad, T{2}})) finite = finite && std::isfinite(v);
        EXPECT_FALSE(finite) << bad;
      }
    EXPECT_FALSE(std::isfinite(of<T>({.map = Map::natural}, {Limits::infinity()})[0]));
  });
}

// Natural compression below the smallest normal number: that number or 0, in the mean the number.
TEST_P(CompressQuantise, NaturalBelowNormalIsUnbiased) {
  const int64_t n = 20000;
  const auto normal = std::numeric_limits<float>::min();
  const auto q = of<float>({.map = Map::natural}, std::vector<float>(static_cast<size_t>(n), 0.3f * normal));
  int64_t up = 0;
  for (const float v : q) {
    ASSERT_TRUE(v == 0 || v == normal) << v;
    up += v != 0 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(up) / n, 0.3, 5 * std::sqrt(0.21 / n));
}

// The dither is uniform: a number a share f above a level goes up with probability f, wherever it stands, and draws differ between slots.
TEST_P(CompressQuantise, DitherIsUniform) {
  const int64_t n = 20000;
  for (const double f : {0.01, 0.25, 0.5, 0.9}) {
    std::vector<double> x(static_cast<size_t>(n), 2 + f);
    x[0] = 4;
    const QuantiseRule rule{.map = Map::levels, .dither = true, .levels = 4};
    const auto q = of<double>(rule, x), later = of<double>(rule, x, nullptr, 1);
    int64_t up = 0;
    for (size_t j = 1; j < x.size(); ++j) up += q[j] == 3 ? 1 : 0;
    EXPECT_NEAR(static_cast<double>(up) / n, f, 5 * std::sqrt(f * (1 - f) / n)) << f;
    EXPECT_NE(q, later);
  }
}

TEST_P(CompressQuantise, RefusesWrongShapes) {
  const Backend b = GetParam();
  const test::Rows rows(b, std::vector<test::RowSpec>(2));
  const Matrix<float> x(b, 2, 8, 1), q(b, 2, 8, 2), narrow(b, 2, 7, 3), few(b, 1, 8, 4);
  const Buffer<int64_t> counts(ctx(), 3);
  const auto run = [&](const Matrix<float>& from, const Matrix<float>& to, const QuantiseRule& rule, int64_t counted) {
    compress_quantise<float>(ctx(), rows.view(), rows.slot(), rule, from.cview(), to.view(),
                             counts.view().part(0, counted));
  };
  EXPECT_NO_THROW(run(x, q, {}, 2));
  EXPECT_THROW(run(x, narrow, {}, 2), std::logic_error);
  EXPECT_THROW(run(few, q, {}, 2), std::logic_error);
  EXPECT_THROW(run(x, x, {}, 2), std::logic_error);
  EXPECT_THROW(run(x, q, {}, 3), std::logic_error);
  EXPECT_THROW(run(x, q, {.levels = 0}, 2), std::logic_error);
  EXPECT_THROW(run(x, q, {.step = 0}, 2), std::logic_error);
  EXPECT_THROW(run(x, q, {.decay = 2}, 2), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(CompressQuantise);

}  // namespace
}  // namespace orrery
