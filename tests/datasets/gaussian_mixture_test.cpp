#include "datasets/gaussian_mixture.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "kernels/core/rng.hpp"
#include "tests/datasets/files.hpp"

namespace orrery {
namespace {

Dataset load(const std::string& toml) {
  Params p = Params::from_text("name = \"gaussian-mixture\"\n" + toml, "test.toml");
  const auto source = make_data_source(p);
  p.require_all_read();
  return source->load(nullptr);
}

double value(const Samples& s, int64_t i, int64_t j) { return s.values[static_cast<size_t>(i * s.features + j)]; }

// The formula of the header, sample by sample, in float64.
TEST(GaussianMixture, IsTheFormula) {
  const GaussianMixture m{.clusters = 6,
                          .classes = 3,
                          .dimension = 5,
                          .spread = 0.7,
                          .noise = 1.9,
                          .scale = 0.25,
                          .constant = true,
                          .seed = 0x1234567890};
  for (const MixtureSplit split : {MixtureSplit::train, MixtureSplit::test}) {
    const Samples s = make_mixture(m, 40, split);
    ASSERT_EQ(s.count, 40);
    ASSERT_EQ(s.features, 6);
    for (int64_t i = 0; i < s.count; ++i) {
      EXPECT_EQ(s.labels[i], i % 6 % 3);
      const Stream centre(m.seed, Draw::mixture, static_cast<uint32_t>(i % 6), 0);
      const Stream around(m.seed, Draw::mixture, static_cast<uint32_t>(i), split == MixtureSplit::train ? 1 : 2);
      for (uint32_t j = 0; j < 5; ++j) {
        const double a = 0.7 * centre.normal(j), b = 1.9 * around.normal(j);
        // one rounding to float; float64's own are far below it
        EXPECT_NEAR(value(s, i, j), 0.25 * (a + b), 0.25 * (std::abs(a) + std::abs(b)) * 1.01 * 0x1p-24);
      }
      EXPECT_EQ(value(s, i, 5), 0.25);
    }
  }
}

// Statistical bounds: 6 standard deviations of each estimate, so that a right generator fails once in 5e8.
TEST(GaussianMixture, HasTheMomentsOfItsDistribution) {
  const GaussianMixture m{.clusters = 10, .classes = 10, .dimension = 400, .spread = 1.5, .noise = 2.0, .seed = 3};
  const std::vector<double> centres = mixture_centres(m);
  double sum = 0, squares = 0;
  const double n = static_cast<double>(centres.size());
  for (const double c : centres) sum += c, squares += c * c;
  EXPECT_NEAR(sum / n, 0, 6 * 1.5 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 2.25, 6 * 2.25 * std::sqrt(2 / n));  // variance of z^2 is 2

  // Around its centre: mean 0, variance 4, no correlation with the next coordinate, nor of train with test.
  const Samples train = make_mixture(m, 1000, MixtureSplit::train), test = make_mixture(m, 1000, MixtureSplit::test);
  double mean = 0, variance = 0, lag = 0, cross = 0, fourth = 0;
  for (int64_t i = 0; i < 1000; ++i)
    for (int64_t j = 0; j < 400; ++j) {
      const auto centre = [&](int64_t k) { return centres[static_cast<size_t>(i % 10 * 400 + k)]; };
      const double z = (value(train, i, j) - centre(j)) / 2;
      mean += z;
      variance += z * z;
      fourth += z * z * z * z;
      lag += z * (value(train, i, (j + 1) % 400) - centre((j + 1) % 400)) / 2;
      cross += z * (value(test, i, j) - centre(j)) / 2;
    }
  const double k = 400000;
  EXPECT_NEAR(mean / k, 0, 6 / std::sqrt(k));
  EXPECT_NEAR(variance / k, 1, 6 * std::sqrt(2 / k));
  EXPECT_NEAR(fourth / k, 3, 6 * std::sqrt(96 / k));  // Var z^4 = 105 - 9
  EXPECT_NEAR(lag / k, 0, 6 / std::sqrt(k));
  EXPECT_NEAR(cross / k, 0, 6 / std::sqrt(k));
}

TEST(GaussianMixture, IsBalancedAndSharesItsCentres) {
  const Dataset d = load("classes = 4\nclusters = 8\ndimension = 3\nnoise = 0\ntrain = 80\ntest = 40\nseed = 5");
  std::vector<int64_t> count(4);
  for (const int32_t l : d.train.labels) ++count[l];
  EXPECT_EQ(count, std::vector<int64_t>(4, 20));
  // Without noise every sample is its centre, in both sets; clusters of one class differ.
  const std::vector<double> centres =
      mixture_centres({.clusters = 8, .classes = 4, .dimension = 3, .spread = 1.5, .noise = 0, .seed = 5});
  for (const Samples* s : {&d.train, &d.test})
    for (int64_t i = 0; i < s->count; ++i)
      for (int64_t j = 0; j < 3; ++j)
        EXPECT_EQ(value(*s, i, j), static_cast<float>(centres[static_cast<size_t>(i % 8 * 3 + j)]));
  std::set<float> distinct(d.train.values.begin(), d.train.values.end());
  EXPECT_EQ(distinct.size(), 24u);
}

TEST(GaussianMixture, SameSeedSameBitsAndLongerSetsBeginAlike) {
  const GaussianMixture m{.seed = 11};
  const Samples a = make_mixture(m, 500, MixtureSplit::train), b = make_mixture(m, 700, MixtureSplit::train);
  EXPECT_EQ(std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(float)), 0);
  EXPECT_NE(make_mixture({.seed = 12}, 500, MixtureSplit::train).values, a.values);
  EXPECT_NE(make_mixture(m, 500, MixtureSplit::test).values, a.values);
}

// The small sets of the two papers' tests.
TEST(GaussianMixture, SetsOfThePapers) {
  const Dataset s = load("constant = true\nscale = 0.22360679774997896");
  EXPECT_EQ(s.features, 21);
  EXPECT_EQ(s.classes, 10);
  EXPECT_EQ(s.train.count, 1000);
  EXPECT_EQ(s.scale, 1);
  for (int64_t i = 0; i < 1000; ++i) EXPECT_EQ(value(s.train, i, 20), 0.22360679774997896f);  // 1 / sqrt(20)
  const Dataset m = load("clusters = 20\nspread = 1.2\nnoise = 1.3\ntrain = 2000\nscale = 0.4472135954999579");
  EXPECT_EQ(m.features, 20);
  EXPECT_EQ(m.train.count, 2000);
}

TEST(GaussianMixture, BadKeysAreNamedWithTheirLine) {
  const struct {
    const char *toml, *says;
  } cases[] = {
      {"classes = 1", "test.toml:2: classes: 1 is out of range"},
      {"clusters = 5",
       "test.toml:2: clusters: 5 clusters leave some of the 10 classes without a sample; give at least 10"},
      {"dimension = 0", "test.toml:2: dimension: 0 is out of range"},
      {"noise = -1.0", "test.toml:2: noise: -1"},
      {"scale = 0.0", "test.toml:2: scale: 0"},
      {"dimension = 1000000\ntrain = 1000000", "test.toml:2: dimension: 1001000 samples of 1000000 features take more"},
      {"path = \"x\"", "test.toml:2: path: is not used by gaussian-mixture"},
  };
  for (const auto& c : cases) {
    const std::string message = test::complaint<ExperimentError>([&] { load(c.toml); });
    EXPECT_NE(message.find(c.says), std::string::npos) << c.toml << "\n" << message;
  }
}

}  // namespace
}  // namespace orrery
