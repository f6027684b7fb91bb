// Every compressor against its formula in float64 (digest of spatio-temporal compression 3.1 and A.1).
#include <numbers>
#include <numeric>

#include "tests/runtime/compression/compressions.hpp"

namespace orrery {
namespace {

using test::Matrix;

class CompressorFormulas : public test::OnEachBackend {};

// Where a number lies so near to the edge between two levels that a rounding decides, either level is right.
struct Wanted {
  double value = 0, other = 0;
};
using Row = std::vector<double>;
using Formula = std::function<std::vector<Wanted>(const Row& x, const RowKey& key, bool is_float)>;

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
double largest(const Row& x) {
  double most = 0;
  for (const double v : x) most = std::max(most, std::abs(v));
  return most;
}
double norm2(const Row& x) { return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0)); }
double norm1(const Row& x) {
  return std::accumulate(x.begin(), x.end(), 0.0, [](double a, double v) { return a + std::abs(v); });
}

// level floor(y), or one more where the fraction is above `cut`
Wanted rounded(double y, double cut, double h, double s) {
  const double whole = std::floor(y), gap = y - whole - cut, edge = 1e-5 * (1 + y);
  const auto value = [&](double level) { return level == 0 ? 0 : h * s * level; };
  const double up = value(whole + 1), down = value(whole);
  // also where y itself is on the edge of a whole number
  if (std::abs(gap) < edge) return {up, down};
  if (y - whole > 1 - edge) return {up, value(whole + (cut < edge ? 2 : 1))};
  if (y - whole < edge && whole > 0) return {down, gap > 0 ? up : value(whole - 1 + (1 - cut > edge ? 1 : 0))};
  return gap > 0 ? Wanted{up, up} : Wanted{down, down};
}
double unit_draw(const RowKey& key, size_t j, bool is_float) {
  const Stream s(key.seed, Draw::compression, static_cast<uint32_t>(key.worker), key.step.key());
  const uint32_t word = s.bits(static_cast<uint32_t>(j));
  return is_float ? (word >> 8) / 16777216.0 : word / 4294967296.0;
}

Formula each(const std::function<Wanted(const Row&, size_t, const RowKey&, bool)>& f) {
  return [=](const Row& x, const RowKey& key, bool is_float) {
    std::vector<Wanted> q;
    for (size_t j = 0; j < x.size(); ++j) q.push_back(f(x, j, key, is_float));
    return q;
  };
}
Formula exactly(const std::function<Row(const Row&, const RowKey&)>& f) {
  return [=](const Row& x, const RowKey& key, bool) {
    std::vector<Wanted> q;
    for (const double v : f(x, key)) q.push_back({v, v});
    return q;
  };
}
Formula along(double factor, const std::function<Row(size_t P, const RowKey&)>& direction) {
  return exactly([=](const Row& x, const RowKey& key) {
    const Row psi = direction(x.size(), key);
    const double y = std::inner_product(psi.begin(), psi.end(), x.begin(), 0.0);
    Row q;
    for (const double v : psi) q.push_back(factor * v * y);
    return q;
  });
}
Formula kept(const std::function<std::vector<size_t>(const Row&, const RowKey&)>& places, double factor) {
  return exactly([=](const Row& x, const RowKey& key) {
    Row q(x.size());
    for (const size_t j : places(x, key)) q[j] = factor * x[j];
    return q;
  });
}

Formula identity() {
  return exactly([](const Row& x, const RowKey&) { return x; });
}
Formula top(size_t k) {
  return kept(
      [=](const Row& x, const RowKey&) {
        std::vector<size_t> order(x.size());
        std::iota(order.begin(), order.end(), size_t{0});
        std::stable_sort(order.begin(), order.end(),
                         [&](size_t a, size_t b) { return std::abs(x[a]) > std::abs(x[b]); });
        order.resize(k);
        return order;
      },
      1);
}
Formula drawn(size_t k, bool shared, double factor) {
  return kept(
      [=](const Row& x, const RowKey& key) {
        const Stream s(key.seed, Draw::compression_choice, static_cast<uint32_t>(shared ? 0 : key.worker),
                       key.step.key());
        std::vector<size_t> at;
        for (uint32_t i = 0; i < k; ++i) at.push_back(Permutation(s, static_cast<uint32_t>(x.size()))(i));
        return at;
      },
      factor);
}
Formula block(int64_t blocks, int64_t dwell, double factor) {  // blocks = 0: one for every coordinate
  return kept(
      [=](const Row& x, const RowKey& key) {
        const auto P = static_cast<int64_t>(x.size()), B = blocks > 0 ? blocks : P, b = key.step.slot / dwell % B;
        std::vector<size_t> at;
        for (int64_t j = 0; j < P; ++j)
          if (j >= b * P / B && j < (b + 1) * P / B) at.push_back(static_cast<size_t>(j));
        return at;
      },
      factor);
}
Formula trigonometric(double w, double factor) {
  return along(factor, [=](size_t P, const RowKey& key) {
    Row psi;
    for (size_t j = 0; j < P; ++j)
      psi.push_back(std::sqrt(2.0 / static_cast<double>(P)) *
                    std::cos(w * static_cast<double>(j / 2 + 1) * static_cast<double>(key.step.slot) +
                             static_cast<double>(j % 2) * std::numbers::pi / 2));
    return psi;
  });
}
Formula random_direction(bool shared, int64_t dwell, double factor) {
  return along(factor, [=](size_t P, const RowKey& key) {
    const Stream s(key.seed, Draw::compression_probe, static_cast<uint32_t>(shared ? 0 : key.worker),
                   static_cast<uint64_t>(key.step.slot / dwell));
    Row g;
    for (uint32_t j = 0; j < P; ++j) g.push_back(s.normal(j));
    const double length = norm2(g);
    for (double& v : g) v /= length;
    return g;
  });
}
Formula levels(const std::function<double(const Row&)>& norm, double s, bool dither) {
  return each([=](const Row& x, size_t j, const RowKey& key, bool is_float) {
    const double h = norm(x) / s;
    return h == 0 ? Wanted{} : rounded(std::abs(x[j]) / h, dither ? unit_draw(key, j, is_float) : 0.5, h, sign(x[j]));
  });
}
Formula grid(double step, double decay) {
  return each([=](const Row& x, size_t j, const RowKey& key, bool) {
    const double h = std::pow(decay, static_cast<double>(key.step.slot)) * step;
    return rounded(x[j] / h, 0.5, h, 1);
  });
}
Formula natural() {
  return each([](const Row& x, size_t j, const RowKey& key, bool is_float) {
    if (x[j] == 0) return Wanted{};
    const double p = std::exp2(std::floor(std::log2(std::abs(x[j]))));
    const Stream s(key.seed, Draw::compression, static_cast<uint32_t>(key.worker), key.step.key());
    const uint32_t word = s.bits(static_cast<uint32_t>(j));
    const double u = is_float ? (word >> 9) / 8388608.0 : word / 4294967296.0, up = std::abs(x[j]) / p - 1;
    return std::abs(u - up) < 1e-9 ? Wanted{sign(x[j]) * p, sign(x[j]) * 2 * p}
                                   : Wanted{sign(x[j]) * (u < up ? 2 : 1) * p, sign(x[j]) * (u < up ? 2 : 1) * p};
  });
}

struct Case {
  std::string text;
  Formula formula;
  double roundings;  // of one number, beside those of a sum of P
};

std::vector<Case> cases(size_t P) {
  const auto d = static_cast<double>(P);
  const size_t k = std::max<size_t>(1, P / 4);
  const std::string some_k = "\nk = " + std::to_string(k);
  const auto signs = [](const std::function<double(const Row&)>& scale) {
    return each([=](const Row& x, size_t j, const RowKey&, bool) {
      return Wanted{scale(x) * sign(x[j]), scale(x) * sign(x[j])};
    });
  };
  std::string psi = "kind = 'scalarizer'\npsi = [[";
  for (size_t j = 0; j < P; ++j) psi += std::to_string(j % 7) + ", ";
  psi += "], [";
  for (size_t j = 0; j < P; ++j) psi += j % 2 == 0 ? "1, " : "-0.5, ";
  psi += "]]";
  const Formula given = along(1, [](size_t n, const RowKey& key) {
    Row row;
    for (size_t j = 0; j < n; ++j)
      row.push_back(key.step.slot % 2 == 0 ? static_cast<double>(j % 7) : j % 2 == 0 ? 1 : -0.5);
    return row;
  });
  return {
      {"kind = 'identity'", identity(), 0},
      {"kind = 'top-k'" + some_k, top(k), 0},
      {"kind = 'rand-k'" + some_k, drawn(k, true, 1), 0},
      {"kind = 'rand-k'\nshared = false\nscaled = true" + some_k, drawn(k, false, d / static_cast<double>(k)), 2},
      {"kind = 'cyclic'\ndwell = 2", block(0, 2, 1), 0},
      {"kind = 'cyclic'\nscaled = true", block(0, 1, d), 1},
      {"kind = 'block'\nblocks = 3", block(3, 1, 1), 0},
      {psi, given, 3},
      {"kind = 'trigonometric'", trigonometric(0.37, 1), 3},
      {"kind = 'trigonometric'\nfrequency = 2\nscaled = true", trigonometric(2, d), 3},
      {"kind = 'random-scalarizer'", random_direction(true, 1, 1), 3},
      {"kind = 'random-scalarizer'\nshared = false\ndwell = 4\nscaled = true", random_direction(false, 4, d), 3},
      {"kind = 'one-bit'", signs([](const Row& x) { return largest(x) / 2; }), 1},
      {"kind = 'sign'", signs([=](const Row& x) { return norm1(x) / d; }), 3},
      {"kind = 'quantizer'\nbits = 1", levels(largest, 1, false), 3},
      {"kind = 'quantizer'\nbits = 5", levels(largest, 16, false), 3},
      {"kind = 'fixed-step'\nstep = 0.3", grid(0.3, 1), 3},
      {"kind = 'zoom-quantizer'\nstep = 2\ndecay = 0.97", grid(2, 0.97), 3},
      {"kind = 'qsgd'\nlevels = 1", levels(norm2, 1, true), 4},
      {"kind = 'qsgd'\nlevels = 7", levels(norm2, 7, true), 4},
      {"kind = 'dithered'\nbits = 3", levels(largest, 4, true), 3},
      {"kind = 'natural'", natural(), 0},
  };
}

// Tolerance: the roundings of the case in T, and those of a sum of P float64 terms, of the row's largest result.
TEST_P(CompressorFormulas, MatchFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (auto [n, P, slot] : {std::tuple<int64_t, int64_t, int64_t>{1, 3, 0}, {4, 10, 13}, {3, 200, 5}, {2, 1100, 90}})
      for (const Case& c : cases(static_cast<size_t>(P))) {
        const auto spec = test::compressor_of(c.text);
        const test::Rows rows(b, test::two_replicas(n), slot);
        const Matrix<T> x(b, n, P, 3, P + 5), q(b, n, P, 4, P + 2);
        spec->bind(ctx(), rows.view(), {.parameters = P}, T{})
            ->apply(ctx(), rows.view(), rows.slot(), x.cview(), q.view());
        const auto got = q.host();
        test::Near near(c.text + ", P = " + std::to_string(P));
        for (int64_t r = 0; r < n; ++r) {
          const Row row(x.initial().begin() + r * P, x.initial().begin() + (r + 1) * P);
          const auto want = c.formula(row, test::key_of(rows, r, slot), sizeof(T) == 4);
          double size = 0;
          for (const Wanted& w : want) size = std::max(size, std::abs(w.value));
          const double sum = static_cast<double>(P) * test::unit<double> * norm1(row) * largest(row);
          for (int64_t j = 0; j < P; ++j) {
            const Wanted w = want[static_cast<size_t>(j)];
            const double value = got[static_cast<size_t>(r * P + j)];
            const double nearer = std::abs(value - w.value) <= std::abs(value - w.other) ? w.value : w.other;
            const bool is_sum = c.roundings >= 3;
            near(value, nearer, c.roundings * test::unit<T> * size + (is_sum ? (1 + size) * sum : 0), r, j);
          }
        }
      }
  });
}

// Golden: small rows by hand.
TEST_P(CompressorFormulas, GoldenRows) {
  const Backend b = GetParam();
  const test::Rows rows(b, test::two_replicas(1), 0);
  const auto of = [&](const std::string& text, const std::vector<double>& x) {
    const auto P = static_cast<int64_t>(x.size());
    const Matrix<double> in(b, 1, P, x), q(b, 1, P, 2);
    test::compressor_of(text)
        ->bind(ctx(), rows.view(), {.parameters = P}, double{})
        ->apply(ctx(), rows.view(), rows.slot(), in.cview(), q.view());
    return q.host();
  };
  const std::vector<double> x{1, -4, 0, 2, -2, 3};
  EXPECT_EQ(of("kind = 'one-bit'", x), (std::vector<double>{2, -2, 0, 2, -2, 2}));
  EXPECT_EQ(of("kind = 'sign'", x), (std::vector<double>{2, -2, 0, 2, -2, 2}));
  EXPECT_EQ(of("kind = 'quantizer'\nbits = 2", x), (std::vector<double>{2, -4, 0, 2, -2, 4}));  // r = 2, halves go up
  EXPECT_EQ(of("kind = 'fixed-step'\nstep = 2", x), (std::vector<double>{2, -4, 0, 2, -2, 4}));
  EXPECT_EQ(of("kind = 'fixed-step'\nstep = 2", {-1, -3, 0.99}),
            (std::vector<double>{0, -2, 0}));                                           // floor, not by magnitude
  EXPECT_EQ(of("kind = 'top-k'\nk = 3", x), (std::vector<double>{0, -4, 0, 2, 0, 3}));  // of -2 and 2 the first
  EXPECT_EQ(of("kind = 'cyclic'", x), (std::vector<double>{1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(of("kind = 'block'\nblocks = 3", x), (std::vector<double>{1, -4, 0, 0, 0, 0}));
  EXPECT_EQ(of("kind = 'block'\nblocks = 3\nscaled = true", x), (std::vector<double>{3, -12, 0, 0, 0, 0}));
  EXPECT_EQ(of("kind = 'natural'", {1, -2, 0, 0.25}), (std::vector<double>{1, -2, 0, 0.25}));  // powers of two stay
  EXPECT_EQ(of("kind = 'top-k'\nk = 2\nthen = { kind = 'sign' }", x), (std::vector<double>{0, -3.5, 0, 0, 0, 3.5}));
  EXPECT_EQ(of("kind = 'scalarizer'\npsi = [[1, 0, 0, 2, 0, 0]]\nthen = { kind = 'one-bit' }", x),
            (std::vector<double>{2.5, 0, 0, 5, 0, 0}));
}

TEST_P(CompressorFormulas, SameBitsForAnyThreadsAndNeighbours) {
  const Backend b = GetParam();
  const int64_t n = 6, P = 1030;
  for (const test::Compressed& c : test::every_compressor(P)) {
    const auto spec = test::compressor_of(c.text);
    const Matrix<float> x(b, n, P, 3);
    const auto run = [&](int64_t first, int64_t count) {
      const auto all = test::two_replicas(n);
      const test::Rows rows(b, {all.begin() + first, all.begin() + first + count}, 9);
      const Matrix<float> q(b, count, P, 4);
      spec->bind(ctx(), rows.view(), {.parameters = P}, float{})
          ->apply(ctx(), rows.view(), rows.slot(), x.cview().rows(first, count), q.view());
      return q.host();
    };
    test::expect_same_bits_for_any_threads([&] { return run(0, n); });
    const auto all = run(0, n);
    for (int64_t r = 0; c.alone && r < n; ++r)
      test::expect_same_bits(run(r, 1), {all.begin() + r * P, all.begin() + (r + 1) * P}, c.text + " alone");
  }
}

ORRERY_ON_EACH_BACKEND(CompressorFormulas);

}  // namespace
}  // namespace orrery
