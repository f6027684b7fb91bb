#include "datasets/gaussian_mixture.hpp"

#include <fmt/format.h>

#include "kernels/core/rng.hpp"

namespace orrery {
namespace {

constexpr int64_t kMostSamples = 100'000'000, kMostValues = int64_t{1} << 31;  // 8 GiB of floats

class MixtureSource final : public DataSource {
 public:
  explicit MixtureSource(Params& p) {
    mixture_.classes = p.integer("classes", 10, between(2, 1'000'000));
    mixture_.clusters = p.integer("clusters", mixture_.classes, between(1, 1'000'000));
    mixture_.dimension = p.integer("dimension", 20, between(1, 1'000'000));
    mixture_.spread = p.number("spread", 1.5, between(0, 1e9));
    mixture_.noise = p.number("noise", 2.0, between(0, 1e9));
    mixture_.scale = p.number("scale", 1.0, {.min = 0, .max = 1e9, .min_open = true});
    mixture_.constant = p.flag("constant", false);
    train_ = p.integer("train", 1000, between(1, kMostSamples));
    test_ = p.integer("test", 1000, between(1, kMostSamples));
    mixture_.seed = static_cast<uint64_t>(p.integer("seed", 1, at_least(0)));
    if (mixture_.clusters < mixture_.classes)
      p.fail("clusters", fmt::format("{} clusters leave some of the {} classes without a sample; give at least {}",
                                     mixture_.clusters, mixture_.classes, mixture_.classes));
    const int64_t values = (train_ + test_ + mixture_.clusters) * mixture_.features();
    if (values > kMostValues)
      p.fail("dimension", fmt::format("{} samples of {} features take more than {} GiB; lower dimension, train or test",
                                      train_ + test_, mixture_.features(), 4 * kMostValues >> 30));
    if (p.has("path"))
      p.fail("path", "is not used by gaussian-mixture, which is drawn, not read; remove it or name another data set");
  }

  Dataset load(std::string*) const override {
    Dataset d;
    d.name = "gaussian-mixture";
    d.origin = fmt::format("drawn, seed {}", mixture_.seed);
    d.features = mixture_.features();
    d.classes = static_cast<int>(mixture_.classes);
    d.train = make_mixture(mixture_, train_, MixtureSplit::train);
    d.test = make_mixture(mixture_, test_, MixtureSplit::test);
    return d;
  }

 private:
  GaussianMixture mixture_;
  int64_t train_, test_;
};

}  // namespace

std::vector<double> mixture_centres(const GaussianMixture& m) {
  std::vector<double> centres(static_cast<size_t>(m.clusters * m.dimension));
  for (int64_t c = 0; c < m.clusters; ++c) {
    const Stream draws(m.seed, Draw::mixture, static_cast<uint32_t>(c), 0);
    for (int64_t j = 0; j < m.dimension; ++j)
      centres[static_cast<size_t>(c * m.dimension + j)] = m.spread * draws.normal(static_cast<uint32_t>(j));
  }
  return centres;
}

Samples make_mixture(const GaussianMixture& m, int64_t count, MixtureSplit split) {
  expects(count >= 0 && count <= int64_t{1} << 31, "a number of samples below 2^31");
  const std::vector<double> centres = mixture_centres(m);
  Samples s;
  s.count = count;
  s.features = m.features();
  s.values.resize(static_cast<size_t>(count * s.features));
  s.labels.resize(static_cast<size_t>(count));
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; ++i) {
    const int64_t cluster = i % m.clusters;
    const double* centre = centres.data() + cluster * m.dimension;
    float* x = s.values.data() + i * s.features;
    const Stream draws(m.seed, Draw::mixture, static_cast<uint32_t>(i), static_cast<uint64_t>(split));
    for (int64_t j = 0; j < m.dimension; ++j)
      x[j] = static_cast<float>(m.scale * (centre[j] + m.noise * draws.normal(static_cast<uint32_t>(j))));
    if (m.constant) x[m.dimension] = static_cast<float>(m.scale);
    s.labels[static_cast<size_t>(i)] = static_cast<int32_t>(cluster % m.classes);
  }
  return s;
}

namespace data {

extern const Entry<DataSource> gaussian_mixture{
    "gaussian-mixture", "Gaussian clusters drawn from a seed, any dimension and number of classes; needs no files",
    [](Params& p) -> std::unique_ptr<DataSource> { return std::make_unique<MixtureSource>(p); }};

}  // namespace data
}  // namespace orrery
