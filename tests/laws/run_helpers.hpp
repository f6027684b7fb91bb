// What the tests of whole runs share: experiments as TOML text, a float64 oracle of the local gradients, comparisons.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "kernels/core/npy.hpp"
#include "kernels/core/rng.hpp"
#include "kernels/core/shuffle.hpp"
#include "runtime/run.hpp"

namespace orrery::test {

// ---- devices and cases ----------------------------------------------------------------------------------------------

struct Case {
  std::string device, precision, model;  // model: quadratic (noisy) | softmax (glyphs)
};
inline std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.device << " " << c.precision << " " << c.model;
}
inline std::string case_name(const testing::TestParamInfo<Case>& info) {
  return info.param.device + "_" + info.param.precision + "_" + info.param.model;
}

inline std::vector<Case> cases(const std::vector<std::string>& models = {"quadratic", "softmax"},
                               const std::vector<std::string>& precisions = {"fp64", "fp32"}) {
  std::vector<std::string> devices{"cpu"};
#ifdef ORRERY_WITH_CUDA
  devices.push_back("cuda");
#endif
  std::vector<Case> all;
  for (const auto& d : devices)
    for (const auto& p : precisions)
      for (const auto& m : models) all.push_back({d, p, m});
  return all;
}

#define ORRERY_ON_CASES(Suite, ...) \
  INSTANTIATE_TEST_SUITE_P(Each, Suite, testing::ValuesIn(test::cases(__VA_ARGS__)), test::case_name)

// ---- an experiment as text ------------------------------------------------------------------------------------------

struct TierText {
  std::string name;
  int64_t period = 1;
  int64_t nodes = 1;
  std::vector<std::vector<int64_t>> groups = {};  // in place of nodes
};
inline std::string tiers(const std::vector<TierText>& all) {
  std::vector<std::string> items;
  for (const auto& t : all) {
    const std::string members =
        t.groups.empty() ? fmt::format("nodes = {}", t.nodes) : fmt::format("groups = {}", t.groups);
    items.push_back(fmt::format("{{ name = \"{}\", {}, period = {} }}", t.name, members, t.period));
  }
  return fmt::format("tiers = [{}]\n", fmt::join(items, ", "));
}

// A matrix as a TOML array of arrays that reads back to the same bits.
inline std::string rows_text(const std::vector<double>& values, int64_t columns) {
  std::string text = "[";
  for (size_t i = 0; i < values.size(); ++i) {
    const auto c = static_cast<int64_t>(i) % columns;
    text += fmt::format("{}{:.17e}{}", c == 0 ? "[" : "", values[i], c == columns - 1 ? "], " : ", ");
  }
  return text + "]";
}

struct Trial {
  std::string precision = "fp64", kind = "h-sgd", model = "quadratic";
  int64_t workers = 6, steps = 14, seed = 5, replicas = 1, every = 1000;
  double learning_rate = 0.1, noise = 0.5, l2 = 0.01;
  std::string batch = "4", init = "0.25", partition = "kind = \"dirichlet\"\nalpha = 0.5";
  std::string step = "fused", metrics = "\"virtual_time\"";
  std::string rate;                       // of the algorithm as TOML, in place of learning_rate
  std::string algorithm;                  // further lines of [algorithm]
  bool shuffle = false;                   // what the oracle draws; sampling = "shuffle" is written for it
  std::vector<int32_t> repeats = {1};     // batches per slot, cycled over the workers
  std::string head, network, arms;        // further lines
  int64_t parameters = 3;                 // of the quadratic
  int64_t samples = 200;                  // training images of softmax
  std::vector<double> curvature, center;  // (W,P) of the quadratic; empty: spread over the workers

  double a(int64_t i, int64_t j) const {
    return curvature.empty() ? 0.5 + 0.3 * static_cast<double>((3 * i + 2 * j) % 7)
                             : curvature[static_cast<size_t>(i * parameters + j)];
  }
  double c(int64_t i, int64_t j) const {
    return center.empty() ? static_cast<double>((5 * i + 3 * j) % 11) - 4.3
                          : center[static_cast<size_t>(i * parameters + j)];
  }

  std::string text() const {
    std::string t = fmt::format("seed = {}\nreplicas = {}\nsteps = {}\nprecision = \"{}\"\n{}\n", seed, replicas, steps,
                                precision, head);
    t += fmt::format("[network]\nworkers = {}\n{}\n", workers, network);
    t += fmt::format("[algorithm]\nkind = \"{}\"\nlearning_rate = {}\nbatch = {}\nstep = \"{}\"\n{}\n", kind,
                     rate.empty() ? fmt::format("{:.17e}", learning_rate) : rate, batch, step, algorithm);
    if (repeats != std::vector<int32_t>{1}) t += fmt::format("batches_per_slot = {}\n", repeats);
    if (shuffle) t += "sampling = \"shuffle\"\n";
    t += fmt::format("[record]\nevery = {}\nmetrics = [{}]\nparams = true\npartition = {}\n", every, metrics,
                     model == "softmax");
    t += fmt::format("[model]\nkind = \"{}\"\ninit = {}\n", model, init);
    if (model == "quadratic") {
      std::vector<double> as, cs;
      for (int64_t i = 0; i < workers; ++i)
        for (int64_t j = 0; j < parameters; ++j) as.push_back(a(i, j)), cs.push_back(c(i, j));
      t += fmt::format("noise = {:.17e}\ncurvature = {}\ncenter = {}\n", noise, rows_text(as, parameters),
                       rows_text(cs, parameters));
    } else {
      t += fmt::format("l2 = {:.17e}\n[data]\nname = \"glyphs\"\ntrain = {}\ntest = 50\n[partition]\n{}\n", l2, samples,
                       partition);
    }
    return t + arms;
  }
  Trial with_network(const std::string& lines) const {
    Trial s = *this;
    s.network = lines;
    return s;
  }
  Trial with_steps(int64_t n) const {
    Trial s = *this;
    s.steps = n;
    return s;
  }
};

// ---- runs -----------------------------------------------------------------------------------------------------------

inline std::vector<double> models(const ArmResult& a) {  // (replicas, W, P), whatever the precision
  return a.params64.empty() ? std::vector<double>(a.params32.begin(), a.params32.end()) : a.params64;
}

class OnEachCase : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (device() == "cuda" && !cuda_available()) GTEST_SKIP() << "no GPU answers";
  }
  std::string device() const { return GetParam().device; }
  double tolerance() const { return GetParam().precision == "fp64" ? 1e-12 : 1e-5; }
  bool softmax() const { return GetParam().model == "softmax"; }

  Trial trial(int64_t workers) const {
    Trial s;
    s.workers = workers;
    s.precision = GetParam().precision;
    s.model = GetParam().model;
    if (softmax()) s.init = "\"zero\"", s.learning_rate = 0.5;
    return s;
  }
  RunResult run_text(const std::string& text) const { return run(parse_experiment(text, "law.toml", device())); }
  RunResult result(const Trial& s) const { return run_text(s.text()); }
  std::vector<double> final_models(const Trial& s) const { return models(result(s).arms[0]); }
};

// ---- comparisons ----------------------------------------------------------------------------------------------------

inline double largest(const std::vector<double>& v) {
  double m = 0;
  for (double x : v) m = std::max(m, std::abs(x));
  return m;
}
// max |got - want| relative to the largest element of `want`
inline double difference(const std::vector<double>& got, const std::vector<double>& want) {
  EXPECT_EQ(got.size(), want.size());
  EXPECT_GT(largest(want), 0) << "nothing but zeros to compare";
  double d = 0;
  for (size_t i = 0; i < std::min(got.size(), want.size()); ++i) {
    EXPECT_TRUE(std::isfinite(got[i]) && std::isfinite(want[i])) << "element " << i;
    d = std::max(d, std::abs(got[i] - want[i]));
  }
  return d / largest(want);
}

struct Moments {
  double mean = 0, error = 0;  // error: standard error of the mean
};
inline Moments moments(const std::vector<double>& x) {
  Moments m;
  const auto n = static_cast<double>(x.size());
  for (double v : x) m.mean += v / n;
  double variance = 0;
  for (double v : x) variance += (v - m.mean) * (v - m.mean) / (n - 1);
  m.error = std::sqrt(variance / n);
  return m;
}

// Pearson's statistic of `counts` against Binomial(n, p), cells merged until 5 are expected, as a normal deviate
// (Wilson and Hilferty): above 4 about once in 30,000 times.
inline double binomial_deviate(const std::vector<int64_t>& counts, int64_t n, double p) {
  std::vector<double> seen(static_cast<size_t>(n) + 1), expected(seen.size());
  for (int64_t c : counts) {
    EXPECT_TRUE(c >= 0 && c <= n) << c;
    if (c >= 0 && c <= n) ++seen[static_cast<size_t>(c)];
  }
  for (int64_t k = 0; k <= n; ++k)
    expected[static_cast<size_t>(k)] = static_cast<double>(counts.size()) *
                                       std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) +
                                                k * std::log(p) + (n - k) * std::log1p(-p));
  std::vector<std::pair<double, double>> cells;
  double s = 0, e = 0;
  for (size_t k = 0; k < seen.size(); ++k) {
    s += seen[k], e += expected[k];
    if (e >= 5) cells.push_back({s, e}), s = e = 0;
  }
  EXPECT_GE(cells.size(), 2u) << "too few samples for a test";
  cells.back().first += s, cells.back().second += e;
  double statistic = 0;
  for (auto [o, x] : cells) statistic += (o - x) * (o - x) / x;
  const double degrees = static_cast<double>(cells.size()) - 1;
  return (std::cbrt(statistic / degrees) - (1 - 2 / (9 * degrees))) / std::sqrt(2 / (9 * degrees));
}

// ---- the oracle -----------------------------------------------------------------------------------------------------

// Local losses and gradients of one replica in float64, from the formulas of kernels/quadratic.hpp and
// kernels/softmax_steps.hpp and the keys of kernels/core/rng.hpp; one worker and one number after the other.
class Oracle {
 public:
  Oracle(const Trial& s, const std::string& device) : s_(s) {
    if (s.model == "quadratic") {
      parameters_ = s.parameters;
      return;
    }
    Trial start = s.with_steps(0);
    start.rate.clear();  // no schedule reaches into no steps
    const Experiment e = parse_experiment(start.text(), "oracle.toml", device);
    partition_ = *run(e).arms[0].partitions[0];
    std::string notice;
    data_ = e.arms[0].data->load(&notice);
    parameters_ = data_.classes * (data_.features + 1);
  }
  int64_t parameters() const { return parameters_; }

  // g_i of the repeat-th batch that worker i draws in the slot; slot < 0: of all its samples, without noise
  std::vector<double> gradient(int64_t worker, int64_t slot, const double* w, int64_t repeat = 0) const {
    return s_.model == "quadratic" ? quadratic(worker, slot, repeat, w) : softmax(worker, slot, repeat, w, nullptr);
  }
  double loss(int64_t worker, const double* w) const {  // F_i
    double sum = 0;
    if (s_.model == "softmax") {
      softmax(worker, -1, 0, w, &sum);
      return sum;
    }
    for (int64_t j = 0; j < parameters_; ++j)
      sum += 0.5 * s_.a(worker, j) * (w[j] - s_.c(worker, j)) * (w[j] - s_.c(worker, j));
    return sum;
  }
  // mean loss and accuracy on the test set, on the training set
  std::pair<double, double> test(const double* w) const { return scores(data_.test, w); }
  std::pair<double, double> train(const double* w) const { return scores(data_.train, w); }

 private:
  int64_t batch() const { return s_.batch == "\"full\"" ? 0 : std::stoll(s_.batch); }

  std::pair<double, double> scores(const Samples& set, const double* w) const {
    double loss = 0, hits = 0;
    for (int64_t k = 0; k < set.count; ++k) {
      const auto z = logits(set, k, w);
      const auto label = static_cast<size_t>(set.labels[static_cast<size_t>(k)]);
      loss += log_sum(z) - z[label];
      hits += std::max_element(z.begin(), z.end()) - z.begin() == static_cast<std::ptrdiff_t>(label) ? 1 : 0;
    }
    const auto n = static_cast<double>(set.count);
    return {loss / n, hits / n};
  }

  static uint64_t key(int64_t slot, int64_t repeat) { return static_cast<uint64_t>(slot + (repeat << 40)); }

  std::vector<double> quadratic(int64_t worker, int64_t slot, int64_t repeat, const double* w) const {
    std::vector<double> g(static_cast<size_t>(parameters_));
    for (int64_t j = 0; j < parameters_; ++j) {
      g[static_cast<size_t>(j)] = s_.a(worker, j) * (w[j] - s_.c(worker, j));
      if (slot < 0 || batch() == 0) continue;
      const Stream normal(static_cast<uint64_t>(s_.seed), Draw::gradient_noise, static_cast<uint32_t>(worker),
                          key(slot, repeat));
      g[static_cast<size_t>(j)] +=
          s_.noise / std::sqrt(static_cast<double>(batch())) * normal.normal(static_cast<uint32_t>(j));
    }
    return g;
  }

  static double log_sum(const std::vector<double>& z) {
    const double top = *std::max_element(z.begin(), z.end());
    double sum = 0;
    for (double v : z) sum += std::exp(v - top);
    return top + std::log(sum);
  }
  double pixel(const Samples& set, int64_t sample, int64_t j) const {
    return data_.scale * set.bytes[static_cast<size_t>(sample * data_.features + j)] + data_.shift;
  }
  std::vector<double> logits(const Samples& set, int64_t sample, const double* w) const {
    std::vector<double> z;
    for (int64_t k = 0; k < data_.classes; ++k) {
      double sum = w[data_.classes * data_.features + k];
      for (int64_t j = 0; j < data_.features; ++j) sum += w[k * data_.features + j] * pixel(set, sample, j);
      z.push_back(sum);
    }
    return z;
  }
  // The place of sample k of the batch among the worker's `size`.
  int64_t place(int64_t worker, int64_t slot, int64_t repeat, int64_t k, int64_t size) const {
    const auto seed = static_cast<uint64_t>(s_.seed);
    const auto who = static_cast<uint32_t>(worker);
    if (!s_.shuffle)
      return Stream(seed, Draw::minibatch, who, key(slot, repeat))
          .below(static_cast<uint32_t>(k), static_cast<uint32_t>(size));
    const int64_t each = s_.repeats[static_cast<size_t>(worker) % s_.repeats.size()];
    const int64_t taken = (slot * each + repeat) * batch() + k;  // samples that came before, skipped ones included
    return shuffled(seed, who, static_cast<uint64_t>(taken / size), static_cast<uint32_t>(taken % size),
                    static_cast<uint32_t>(size));
  }
  std::vector<double> softmax(int64_t worker, int64_t slot, int64_t repeat, const double* w, double* loss) const {
    const int64_t size = partition_.size[static_cast<size_t>(worker)], d = data_.features;
    const bool whole = slot < 0 || batch() == 0;
    const int64_t count = whole ? size : batch();
    std::vector<double> g(static_cast<size_t>(parameters_));
    for (int64_t k = 0; k < count; ++k) {
      const int64_t at = whole ? k : place(worker, slot, repeat, k, size);
      const int64_t sample = partition_.order[static_cast<size_t>(partition_.begin[static_cast<size_t>(worker)] + at)];
      const int label = data_.train.labels[static_cast<size_t>(sample)];
      const auto z = logits(data_.train, sample, w);
      const double normaliser = log_sum(z);
      if (loss) *loss += (normaliser - z[static_cast<size_t>(label)]) / static_cast<double>(count);
      for (int64_t c = 0; c < data_.classes; ++c) {
        const double delta =
            (std::exp(z[static_cast<size_t>(c)] - normaliser) - (c == label ? 1 : 0)) / static_cast<double>(count);
        for (int64_t j = 0; j < d; ++j) g[static_cast<size_t>(c * d + j)] += delta * pixel(data_.train, sample, j);
        g[static_cast<size_t>(data_.classes * d + c)] += delta;
      }
    }
    for (int64_t j = 0; j < data_.classes * d; ++j) {
      g[static_cast<size_t>(j)] += s_.l2 * w[j];
      if (loss) *loss += 0.5 * s_.l2 * w[j] * w[j];
    }
    return g;
  }

  Trial s_;
  int64_t parameters_ = 0;
  Partition partition_;
  Dataset data_;
};

// Does worker i of rate p step in this slot? From the definition of the draw.
inline bool steps_in(int64_t seed, int64_t worker, int64_t slot, double p) {
  const Stream theta(static_cast<uint64_t>(seed), Draw::rate, static_cast<uint32_t>(worker),
                     static_cast<uint64_t>(slot));
  return theta.bits(0) / 4294967296.0 < p;
}

// sum_i a_i x_i of x (W,P)
inline std::vector<double> weighted_mean(const std::vector<double>& x, const std::vector<double>& a) {
  const size_t p = x.size() / a.size();
  std::vector<double> mean(p);
  for (size_t i = 0; i < x.size(); ++i) mean[i % p] += a[i / p] * x[i];
  return mean;
}
inline std::vector<double> normalised(std::vector<double> w) {
  double sum = 0;
  for (double v : w) sum += v;
  for (double& v : w) v /= sum;
  return w;
}
inline double squared_distance(const double* x, const double* y, size_t n) {
  double sum = 0;
  for (size_t j = 0; j < n; ++j) sum += (x[j] - y[j]) * (x[j] - y[j]);
  return sum;
}

// A folder of this process, removed with the object.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / fmt::format("orrery-laws-{}-{}", ::getpid(), count_++)) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  static inline int count_ = 0;
  std::filesystem::path path_;
};

}  // namespace orrery::test
