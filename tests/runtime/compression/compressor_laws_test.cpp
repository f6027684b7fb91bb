// What classes of compressors promise, and the digest's numbers for compressors alone (S13, A.1).
#include <cmath>

#include "tests/runtime/compression/compressions.hpp"

namespace orrery {
namespace {

using test::Matrix;

class CompressorLaws : public test::OnEachBackend {};

double squares(const double* x, int64_t P) {
  double sum = 0;
  for (int64_t j = 0; j < P; ++j) sum += x[j] * x[j];
  return sum;
}

// rows of very different shapes: normal, one coordinate, all equal, a few large ones, one small among equals
std::vector<double> shapes_of_rows(int64_t n, int64_t P) {
  const Stream s(5, Draw::initial, 0, 0);
  std::vector<double> x(static_cast<size_t>(n * P));
  for (int64_t r = 0; r < n; ++r)
    for (int64_t j = 0; j < P; ++j) {
      const double normal = s.normal(static_cast<uint32_t>(r * P + j));
      x[static_cast<size_t>(r * P + j)] = r % 5 == 0   ? normal
                                          : r % 5 == 1 ? (j == r % P ? normal : 0)
                                          : r % 5 == 2 ? 1 + r
                                          : r % 5 == 3 ? normal * (j % 9 == 0 ? 100 : 1)
                                                       : (j == 0 ? 1e-6 : -3);
    }
  return x;
}

// Deterministic maps, row by row: |C(x) - x|^2 <= (1 - delta) |x|^2, x^T C(x) >= rate |x|^2, |C(x)| <= L_c |x|.
TEST_P(CompressorLaws, ConstantsOfDeterministicMaps) {
  const Backend b = GetParam();
  const int64_t n = 40;
  int judged = 0;
  for (const int64_t P : {4, 10, 64})
    for (const test::Compressed& config : test::every_compressor(P)) {
      if (!config.alone) continue;  // the mean of others may be larger than a row
      const auto spec = test::compressor_of(config.text);
      const CompressorClass c = spec->traits({.parameters = P});
      const test::Rows rows(b, test::two_replicas(n), 3);
      const Matrix<double> x(b, n, P, shapes_of_rows(n, P)), q(b, n, P, 2);
      spec->bind(ctx(), rows.view(), {.parameters = P}, double{})
          ->apply(ctx(), rows.view(), rows.slot(), x.cview(), q.view());
      const auto got = q.host();
      for (int64_t r = 0; r < n; ++r) {
        const double *xr = x.dense().data() + r * P, *qr = got.data() + r * P, size = squares(xr, P);
        double error = 0, product = 0;
        for (int64_t j = 0; j < P; ++j) error += (qr[j] - xr[j]) * (qr[j] - xr[j]), product += qr[j] * xr[j];
        EXPECT_LE(std::sqrt(squares(qr, P)), c.bound * std::sqrt(size) * (1 + 1e-12)) << config.text << ", row " << r;
        if (c.random || c.time_varying) continue;
        if (c.delta) {
          EXPECT_LE(error, (1 - *c.delta) * size + 1e-12 * size) << config.text << ", row " << r;
        }
        if (c.rate) {
          EXPECT_GE(product, *c.rate * size - 1e-12 * size) << config.text << ", row " << r;
        }
        ++judged;
      }
    }
  EXPECT_GT(judged, 1000);
}

// Random maps in the mean over many workers that send the same x: E C(x) = x where unbiased, E|C(x) - x|^2 within the constants. Five standard
// errors of what was drawn.
TEST_P(CompressorLaws, ConstantsOfRandomMaps) {
  const Backend b = GetParam();
  const int64_t n = on_cpu() ? 40000 : 2000, P = 12;
  int judged = 0;
  for (const std::string text :
       {"kind = 'rand-k'\nk = 3\nshared = false", "kind = 'rand-k'\nk = 3\nshared = false\nscaled = true",
        "kind = 'random-scalarizer'\nshared = false", "kind = 'random-scalarizer'\nshared = false\nscaled = true",
        "kind = 'qsgd'\nlevels = 1", "kind = 'qsgd'\nlevels = 4", "kind = 'dithered'\nbits = 1",
        "kind = 'dithered'\nbits = 2", "kind = 'dithered'\nbits = 5", "kind = 'natural'",
        "kind = 'rand-k'\nk = 3\nshared = false\nscaled = true\nthen = { kind = 'natural' }",
        "kind = 'rand-k'\nk = 4\nshared = false\nthen = { kind = 'rand-k', k = 2, shared = false }",
        "kind = 'top-k'\nk = 5\nthen = { kind = 'dithered', bits = 4 }"}) {
    const auto spec = test::compressor_of(text);
    const CompressorClass c = spec->traits({.parameters = P});
    std::vector<test::RowSpec> specs;
    for (int64_t r = 0; r < n; ++r) specs.push_back({.seed = 11, .worker = static_cast<int32_t>(r)});
    const test::Rows rows(b, specs, 17);
    const std::vector<double> one = Matrix<double>(Backend::cpu, 1, P, 8).dense();
    const Buffer<double> x(ctx(), one), q(ctx(), n * P);
    spec->bind(ctx(), rows.view(), {.parameters = P}, double{})
        ->apply(ctx(), rows.view(), rows.slot(), MatrixView<const double>(x.data(), n, P, 0, b), q.view(n, P));
    const auto got = q.to_host(ctx());

    std::vector<double> mean(static_cast<size_t>(P)), square(static_cast<size_t>(P));
    double error = 0, error_square = 0;
    for (int64_t r = 0; r < n; ++r) {
      double of_row = 0;
      for (int64_t j = 0; j < P; ++j) {
        const double v = got[static_cast<size_t>(r * P + j)], off = v - one[static_cast<size_t>(j)];
        mean[static_cast<size_t>(j)] += off, square[static_cast<size_t>(j)] += off * off;
        of_row += off * off;
      }
      error += of_row, error_square += of_row * of_row;
    }
    const auto N = static_cast<double>(n);
    const double size = squares(one.data(), P);
    error /= N, error_square /= N;
    const double noise = 5 * std::sqrt(std::max(0.0, error_square - error * error) / N);
    if (c.omega) {
      EXPECT_LE(error, *c.omega * size + noise) << text;
      for (size_t j = 0; j < one.size(); ++j)
        EXPECT_NEAR(mean[j] / N, 0, 5 * std::sqrt(square[j] / N / N) + 1e-12) << text << ", coordinate " << j;
      ++judged;
    }
    if (c.delta) {
      EXPECT_LE(error, (1 - *c.delta) * size + noise) << text;
      ++judged;
    }
    // where the constant is no bound but the value
    const bool exact = text.find("then") == std::string::npos && (text.find("rand-k") != std::string::npos ||
                                                                  text.find("random-scalarizer") != std::string::npos);
    if (exact) {
      EXPECT_NEAR(error, (c.omega ? *c.omega : 1 - *c.delta) * size, noise) << text;
    }
  }
  EXPECT_GE(judged, 13);
}

// A.1's variances for d = 64: of normal x, in the mean over many.
TEST_P(CompressorLaws, VariancesOfTheDigest) {
  const Backend b = GetParam();
  const int64_t n = 4000, P = 64;
  std::vector<test::RowSpec> specs;
  for (int64_t r = 0; r < n; ++r) specs.push_back({.seed = 3, .worker = static_cast<int32_t>(r)});
  const test::Rows rows(b, specs, 2);
  const Matrix<double> x(b, n, P, 6), q(b, n, P, 7);
  for (auto [text, want, share] : {std::tuple<std::string, double, double>{"kind = 'qsgd'\nlevels = 4", 0.675, 0.05},
                                   {"kind = 'qsgd'\nlevels = 16", 0.042, 0.05},
                                   {"kind = 'natural'", 0.091, 0.1},
                                   {"kind = 'rand-k'\nk = 8\nshared = false\nscaled = true", 6.97, 0.05}}) {
    test::compressor_of(text)
        ->bind(ctx(), rows.view(), {.parameters = P}, double{})
        ->apply(ctx(), rows.view(), rows.slot(), x.cview(), q.view());
    const auto got = q.host();
    double ratio = 0;
    for (int64_t r = 0; r < n; ++r) {
      double error = 0;
      for (int64_t j = 0; j < P; ++j) {
        const double off = got[static_cast<size_t>(r * P + j)] - x.initial(r, j);
        error += off * off;
      }
      ratio += error / squares(x.dense().data() + r * P, P) / static_cast<double>(n);
    }
    EXPECT_NEAR(ratio, want, share * want) << text;
  }
}

// (x - y)(C(x) - C(y)) >= m |x - y|^2 and |C(x) - C(y)|^2 <= L_c (x - y)(C(x) - C(y)) for every pair of rows, where a class says so.
TEST_P(CompressorLaws, MonotoneMaps) {
  const int64_t n = 40, P = 10;
  for (const std::string text : {"kind = 'identity'", "kind = 'top-k'\nk = 10", "kind = 'block'\nblocks = 1",
                                 "kind = 'sine-map'", "kind = 'sine-map'\namplitude = 0.95"}) {
    const auto spec = test::compressor_of(text);
    const CompressorClass c = spec->traits({.parameters = P});
    ASSERT_TRUE(c.monotone && c.strong) << text;
    const test::Rows rows(GetParam(), test::two_replicas(n), 3);
    const Matrix<double> x(GetParam(), n, P, shapes_of_rows(n, P)), q(GetParam(), n, P, 2);
    spec->bind(ctx(), rows.view(), {.parameters = P}, double{})
        ->apply(ctx(), rows.view(), rows.slot(), x.cview(), q.view());
    const auto got = q.host();
    for (int64_t r = 0; r < n; ++r)
      for (int64_t s = 0; s < r; ++s) {
        double distance = 0, product = 0, image = 0;
        for (int64_t j = 0; j < P; ++j) {
          const auto a = static_cast<size_t>(r * P + j), b = static_cast<size_t>(s * P + j);
          const double dx = x.dense()[a] - x.dense()[b], dq = got[a] - got[b];
          distance += dx * dx, product += dx * dq, image += dq * dq;
        }
        ASSERT_GE(product, *c.monotone * distance * (1 - 1e-9)) << text;
        ASSERT_LE(image, c.bound * product * (1 + 1e-9)) << text;
      }
  }
}

// S13: x <- x - s C(x, k), d = 10, s = 0.1, 2,000 steps, 50 starts: the smallest decay rate per unit of time.
TEST_P(CompressorLaws, DecayRatesOfTheDigest) {
  const Backend b = GetParam();
  const int64_t n = on_cpu() ? 50 : 2, P = 10, steps = on_cpu() ? 2000 : 60;
  struct Rate {
    std::string text;
    double want, share;
  };
  // random maps: their draws are others than the digest's
  for (const Rate& rate : {Rate{"kind = 'identity'", 1.0536, 0.02},
                           {"kind = 'top-k'\nk = 1", 0.1060, 0.02},
                           {"kind = 'top-k'\nk = 2", 0.2115, 0.02},
                           {"kind = 'one-bit'", 0.5138, 0.02},
                           {"kind = 'quantizer'\nbits = 3", 1.0532, 0.02},
                           {"kind = 'cyclic'", 0.1054, 0.02},
                           {"kind = 'trigonometric'\nfrequency = 0.37", 0.1050, 0.02},
                           {"kind = 'random-scalarizer'", 0.0942, 0.08},
                           {"kind = 'rand-k'\nk = 2", 0.2007, 0.08},
                           {"kind = 'fixed-step'\nstep = 0.1", 0.0120, 0.25}}) {
    const auto spec = test::compressor_of(rate.text);
    std::vector<test::RowSpec> specs;
    for (int64_t r = 0; r < n; ++r) specs.push_back({.seed = 4, .worker = static_cast<int32_t>(r)});
    Matrix<double> x(b, n, P, 9);
    const Matrix<double> q(b, n, P, 1);
    std::vector<double> now = x.dense();
    for (int64_t k = 0; k < steps; ++k) {
      const test::Rows rows(b, specs, k);
      const Buffer<double> at(ctx(), now);
      spec->bind(ctx(), rows.view(), {.parameters = P}, double{})
          ->apply(ctx(), rows.view(), rows.slot(), at.view(n, P), q.view());
      const auto sent = q.host();
      for (size_t i = 0; i < now.size(); ++i) now[i] -= 0.1 * sent[i];
    }
    double slowest = HUGE_VAL;
    for (int64_t r = 0; r < n; ++r) {
      const double ratio = squares(now.data() + r * P, P) / squares(x.dense().data() + r * P, P);
      slowest = std::min(slowest, -std::log(ratio) / 2 / (0.1 * static_cast<double>(steps)));
    }
    if (on_cpu())
      EXPECT_NEAR(slowest, rate.want, rate.share * rate.want) << rate.text;
    else
      EXPECT_GT(slowest, 0) << rate.text;
  }
}

// The classes that theory reads.
TEST(CompressorClasses, AreThoseOfTheDigest) {
  const auto traits = [](const std::string& text, int64_t P = 10) {
    return test::compressor_of(text)->traits({.parameters = P});
  };
  for (const std::string text :
       {"kind = 'identity'", "kind = 'rand-k'\nk = 2", "kind = 'cyclic'", "kind = 'trigonometric'",
        "kind = 'random-scalarizer'", "kind = 'block'\nblocks = 2", "kind = 'scalarizer'\npsi = [[1, 1], [1, 0]]"})
    EXPECT_TRUE(traits(text, text.find("psi") == std::string::npos ? 10 : 2).strong) << text;
  for (const std::string text : {"kind = 'top-k'\nk = 2", "kind = 'one-bit'", "kind = 'sign'",
                                 "kind = 'quantizer'\nbits = 3", "kind = 'qsgd'\nlevels = 4", "kind = 'natural'"}) {
    EXPECT_TRUE(traits(text).spatio_temporal) << text;
    EXPECT_FALSE(traits(text).strong) << text;
    EXPECT_NE(traits(text).reason, "") << text;
  }
  for (const std::string text : {"kind = 'fixed-step'\nstep = 0.1", "kind = 'zoom-quantizer'\nstep = 1\ndecay = 0.9"})
    EXPECT_FALSE(traits(text).spatio_temporal) << text;
  const CompressorClass flat = traits("kind = 'scalarizer'\npsi = [[1, 2, 0], [0, 1, 0], [1, 3, 0]]", 3);
  EXPECT_FALSE(flat.spatio_temporal);
  EXPECT_EQ(flat.reason, "the directions span 2 of 3 dimensions");
  EXPECT_FALSE(traits("kind = 'rand-k'\nk = 2\nshared = false").strong);
  EXPECT_DOUBLE_EQ(*traits("kind = 'qsgd'\nlevels = 4", 64).omega, 2);
  EXPECT_DOUBLE_EQ(*traits("kind = 'qsgd'\nlevels = 16", 64).omega, 0.25);
  EXPECT_DOUBLE_EQ(*traits("kind = 'rand-k'\nk = 8\nscaled = true", 64).omega, 7);
  EXPECT_DOUBLE_EQ(*traits("kind = 'quantizer'\nbits = 3").delta, 1 - 10.0 / 64);
  EXPECT_FALSE(traits("kind = 'quantizer'\nbits = 1").delta);
  EXPECT_DOUBLE_EQ(*traits("kind = 'top-k'\nk = 5\nthen = { kind = 'top-k', k = 2 }").delta, 0.2);
}

ORRERY_ON_EACH_BACKEND(CompressorLaws);

}  // namespace
}  // namespace orrery
