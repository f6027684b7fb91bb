#include "datasets/partition/partition.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <set>

#include "datasets/partition/cut.hpp"
#include "datasets/partition/log_gamma.hpp"
#include "kernels/core/rng.hpp"
#include "tests/datasets/files.hpp"

namespace orrery {
namespace {

using test::complaint;

Partition split(const std::string& toml, const std::vector<int32_t>& labels, int classes, int64_t workers,
                uint64_t seed = 1) {
  Params p = Params::from_text(toml, "test.toml");
  const PartitionSpec spec = make_partition(p);
  p.require_all_read();
  return spec.partitioner->split(labels, classes, workers, seed);
}

// n labels of `classes` classes in random order, the classes equally likely.
std::vector<int32_t> random_labels(int64_t n, int classes, uint64_t seed = 11) {
  const Stream s(seed, Draw::glyphs, 0, 99);
  std::vector<int32_t> labels(static_cast<size_t>(n));
  for (size_t i = 0; i < labels.size(); ++i)
    labels[i] = static_cast<int32_t>(s.below(static_cast<uint32_t>(i), static_cast<uint32_t>(classes)));
  return labels;
}

std::vector<int32_t> samples_of(const Partition& p, int64_t w) {
  return {p.order.begin() + p.begin[w], p.order.begin() + p.begin[w] + p.size[w]};
}

std::vector<int64_t> class_counts(const Partition& p, int64_t w, const std::vector<int32_t>& labels, int classes) {
  std::vector<int64_t> count(static_cast<size_t>(classes), 0);
  for (const int32_t i : samples_of(p, w)) ++count[labels[i]];
  return count;
}

// Mean over the workers of the share of their most frequent class.
double mean_top_share(const Partition& p, const std::vector<int32_t>& labels, int classes) {
  double sum = 0;
  for (int64_t w = 0; w < p.workers(); ++w) {
    const auto count = class_counts(p, w, labels, classes);
    sum += static_cast<double>(*std::max_element(count.begin(), count.end())) / static_cast<double>(p.size[w]);
  }
  return sum / static_cast<double>(p.workers());
}

void expect_disjoint_and_covering(const Partition& p, int64_t n, const std::string& what) {
  ASSERT_EQ(p.begin.size(), p.size.size()) << what;
  ASSERT_EQ(static_cast<int64_t>(p.order.size()), n) << what;
  std::vector<char> seen(static_cast<size_t>(n), 0);
  int64_t held = 0;
  for (int64_t w = 0; w < p.workers(); ++w) {
    EXPECT_GE(p.size[w], 1) << what << ", worker " << w;
    for (const int32_t i : samples_of(p, w)) {
      ASSERT_TRUE(i >= 0 && i < n) << what;
      ASSERT_FALSE(seen[i]) << what << ", sample " << i << " twice";
      seen[i] = 1;
      ++held;
    }
  }
  EXPECT_EQ(held, n) << what;
}

const std::vector<std::string> kDisjoint{
    "",
    "kind = \"iid\"\nsizes = [1, 2, 40]",
    "kind = \"contiguous\"",
    "kind = \"contiguous\"\nsizes = [0.001, 3]",
    "kind = \"shards\"",
    "kind = \"shards\"\nshards_per_worker = 5",
    "kind = \"by-label\"",
    "kind = \"by-label\"\nlabels = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]",
    "kind = \"dirichlet\"\nalpha = 0.3",
    "kind = \"dirichlet\"\nalpha = 1e-6",
    "kind = \"dirichlet\"\nalpha = 1e-300",
    "kind = \"dirichlet\"\nalpha = 1e8\nsizes = [1, 5]\nmin_size = 3",
};

TEST(Partition, EveryKindIsDisjointCoveringAndDeterministic) {
  for (const auto& toml : kDisjoint)
    for (const int64_t workers : {1, 2, 3, 7, 10, 16, 100})
      for (const int64_t n : {1000, 2503}) {
        const std::string what = toml + " W = " + std::to_string(workers) + " n = " + std::to_string(n);
        const auto labels = random_labels(n, 10);
        const Partition p = split(toml, labels, 10, workers);
        ASSERT_EQ(p.workers(), workers) << what;
        expect_disjoint_and_covering(p, n, what);
        EXPECT_EQ(p.hash(), split(toml, labels, 10, workers).hash()) << what;
      }
}

TEST(Partition, TheSeedMattersWhereThereIsADraw) {
  const auto labels = random_labels(500, 10);
  for (const char* toml :
       {"kind = \"iid\"", "kind = \"shards\"", "kind = \"by-label\"", "kind = \"dirichlet\"\nalpha = 1"})
    EXPECT_NE(split(toml, labels, 10, 5, 1).hash(), split(toml, labels, 10, 5, 2).hash()) << toml;
  for (const char* toml : {"kind = \"contiguous\"", "kind = \"shared\""})
    EXPECT_EQ(split(toml, labels, 10, 5, 1).hash(), split(toml, labels, 10, 5, 2).hash()) << toml;
}

TEST(Partition, TheSeedOfTheTableIsHandedOn) {
  Params with = Params::from_text("seed = 7", "test.toml"), without = Params::from_text("", "test.toml");
  EXPECT_EQ(make_partition(with).seed, 7u);
  EXPECT_FALSE(make_partition(without).seed.has_value());
  EXPECT_EQ(without.text("kind", std::nullopt), "iid");  // the default is written into the resolved experiment
}

TEST(Partition, SharedGivesEveryWorkerAll) {
  const Partition p = split("kind = \"shared\"", random_labels(20, 2), 2, 300);
  ASSERT_EQ(p.workers(), 300);
  for (int64_t w = 0; w < 300; ++w) {
    EXPECT_EQ(p.begin[w], 0);
    EXPECT_EQ(p.size[w], 20);
  }
  std::vector<int32_t> all(20);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(p.order, all);
}

TEST(Partition, ContiguousKeepsTheFileOrder) {
  const Partition p = split("kind = \"contiguous\"", random_labels(11, 2), 2, 3);
  EXPECT_EQ(p.size, (std::vector<int64_t>{4, 4, 3}));
  EXPECT_EQ(samples_of(p, 1), (std::vector<int32_t>{4, 5, 6, 7}));
}

TEST(Partition, IidIsAUniformShuffle) {
  // Where sample 0 of 10 goes, over 20,000 seeds: each place expects 2000, standard deviation 42.
  std::vector<int> place(10, 0);
  const std::vector<int32_t> labels(10, 0);
  Params p = Params::from_text("", "test.toml");
  const auto spec = make_partition(p);
  for (uint64_t seed = 0; seed < 20000; ++seed) {
    const auto order = spec.partitioner->split(labels, 1, 2, seed).order;
    ++place[std::find(order.begin(), order.end(), 0) - order.begin()];
  }
  for (const int count : place) EXPECT_NEAR(count, 2000, 5 * 42.5);
}

TEST(Partition, RelativeSizesAreCycledAndNobodyIsLeftOut) {
  const auto labels = random_labels(1000, 4);
  for (const std::string kind : {"iid", "contiguous", "dirichlet"}) {
    const std::string alpha = kind == "dirichlet" ? "\nalpha = 0.5" : "";
    EXPECT_EQ(split("kind = \"" + kind + "\"\nsizes = [1, 3]" + alpha, labels, 4, 4).size,
              (std::vector<int64_t>{125, 375, 125, 375}));
    EXPECT_EQ(split("kind = \"" + kind + "\"\nsizes = [1e-9, 1, 2]" + alpha, labels, 4, 3).size,
              (std::vector<int64_t>{1, 333, 666}));
    EXPECT_EQ(split("kind = \"" + kind + "\"\nsizes = [1e-300, 1e300]" + alpha, labels, 4, 4).size,
              (std::vector<int64_t>{1, 499, 1, 499}));
  }
}

TEST(Partition, ShardsHoldFewLabels) {
  std::vector<int32_t> labels = random_labels(1000, 10);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int32_t>(i * 7 % 10);  // 100 of each class
  const Partition p = split("kind = \"shards\"", labels, 10, 50);  // 100 shards of 10, ten of each class
  std::set<int32_t> first_labels;
  for (int64_t w = 0; w < 50; ++w) {
    EXPECT_EQ(p.size[w], 20);
    const auto s = samples_of(p, w);
    for (int half = 0; half < 2; ++half)  // each shard: one label, file order
      for (int k = 1; k < 10; ++k) {
        EXPECT_EQ(labels[s[half * 10 + k]], labels[s[half * 10]]);
        EXPECT_GT(s[half * 10 + k], s[half * 10 + k - 1]);
      }
    first_labels.insert(labels[s[0]]);
  }
  EXPECT_GT(first_labels.size(), 5u);
  // dealt, not handed out in order
  std::vector<int32_t> of_worker;
  for (int64_t w = 0; w < 50; ++w) of_worker.push_back(labels[samples_of(p, w)[0]]);
  EXPECT_FALSE(std::is_sorted(of_worker.begin(), of_worker.end()));
}

TEST(Partition, ByLabelGivesWholeClassesInTurn) {
  const auto labels = random_labels(1000, 10);
  const Partition few = split("kind = \"by-label\"", labels, 10, 3);
  for (int64_t w = 0; w < 3; ++w) {
    const auto count = class_counts(few, w, labels, 10);
    for (int c = 0; c < 10; ++c) EXPECT_EQ(count[c] > 0, c % 3 == w) << c;
  }
  const Partition many = split("kind = \"by-label\"", labels, 10, 25);
  std::vector<std::vector<int64_t>> shares(10);
  for (int64_t w = 0; w < 25; ++w) {
    const auto count = class_counts(many, w, labels, 10);
    EXPECT_EQ(count[w % 10], many.size[w]) << w;
    shares[w % 10].push_back(many.size[w]);
  }
  for (const auto& s : shares)
    EXPECT_LE(*std::max_element(s.begin(), s.end()) - *std::min_element(s.begin(), s.end()), 1);
}

TEST(Partition, ByLabelFollowsTheLabelsKey) {
  std::vector<int32_t> labels(90);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int32_t>(i % 3);
  const Partition p = split("kind = \"by-label\"\nlabels = [[0, 1], [2], [0]]", labels, 3, 4);  // worker 3: row 0 again
  EXPECT_EQ(class_counts(p, 0, labels, 3), (std::vector<int64_t>{10, 15, 0}));
  EXPECT_EQ(class_counts(p, 1, labels, 3), (std::vector<int64_t>{0, 0, 30}));
  EXPECT_EQ(class_counts(p, 2, labels, 3), (std::vector<int64_t>{10, 0, 0}));
  EXPECT_EQ(class_counts(p, 3, labels, 3), (std::vector<int64_t>{10, 15, 0}));
}

// alpha -> infinity: every worker has the proportions of the whole; alpha -> 0: nearly one class a worker.
TEST(Partition, DirichletLimits) {
  std::vector<int32_t> labels(20000);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int32_t>(i % 10);
  const Partition even = split("kind = \"dirichlet\"\nalpha = 1000", labels, 10, 10);
  for (int64_t w = 0; w < 10; ++w)  // 200 of each class expected; the last worker's deviation is about 40
    for (const int64_t count : class_counts(even, w, labels, 10))
      EXPECT_NEAR(static_cast<double>(count), 200, 150) << w;
  EXPECT_LT(mean_top_share(even, labels, 10), 0.15);
  EXPECT_GT(mean_top_share(split("kind = \"dirichlet\"\nalpha = 0.01", labels, 10, 10), labels, 10), 0.9);
  EXPECT_GT(mean_top_share(split("kind = \"dirichlet\"\nalpha = 0.01", labels, 10, 100), labels, 10), 0.9);
  EXPECT_GT(mean_top_share(split("kind = \"dirichlet\"\nalpha = 1e-5", labels, 10, 10), labels, 10), 0.99);
}

// Gamma(a, 1) has mean and variance a; its logarithm has mean digamma(a) and variance trigamma(a). Six standard errors.
TEST(Partition, LogGammaVariatesHaveTheRightMoments) {
  constexpr uint64_t kDraws = 200000;
  const auto mean = [&](double a, auto f) {
    double sum = 0;
    for (uint64_t i = 0; i < kDraws; ++i) sum += f(partition::log_gamma_variate(a, Stream(5, Draw::partition, 0, i)));
    return sum / kDraws;
  };
  for (const double a : {0.3, 1.0, 1.1, 3.0, 50.0}) {
    EXPECT_NEAR(mean(a, [](double x) { return std::exp(x); }), a, 6 * std::sqrt(a / kDraws)) << a;
    const double fourth = std::sqrt((2 * a * a + 6 * a) / kDraws);  // standard error of the mean square deviation
    EXPECT_NEAR(mean(a, [&](double x) { return std::pow(std::exp(x) - a, 2); }), a, 6 * fourth) << a;
  }
  // a = 0.01: digamma -100.5609, trigamma 10001.62; a = 1e-300 is finite
  EXPECT_NEAR(mean(0.01, [](double x) { return x; }), -100.5609, 6 * std::sqrt(10001.62 / kDraws));
  EXPECT_TRUE(std::isfinite(partition::log_gamma_variate(1e-300, Stream(5, Draw::partition, 0, 0))));
}

// The expected square of a proportion under the symmetric Dirichlet(a) over C classes is (a + 1) / (C (C a + 1)).
// Worker 0 holds 40 of 4000 samples; where it draws first, no class runs out and its counts are multinomial:
// c (c - 1) / (n (n - 1)) is unbiased for q^2.
TEST(Partition, DirichletProportionsHaveTheRightSecondMoment) {
  constexpr int kClasses = 10;
  std::vector<int32_t> labels(4000);
  for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int32_t>(i % kClasses);
  for (const double a : {0.1, 0.5, 3.0}) {
    const std::string toml = "kind = \"dirichlet\"\nalpha = " + std::to_string(a) + "\nsizes = [1, 99]";
    double sum = 0;
    int seeds = 0;
    for (uint64_t seed = 0; seed < 600; ++seed) {
      int32_t turn[] = {0, 1};
      partition::shuffle(turn, Stream(seed, Draw::partition, 0, partition::kWorkerOrder));
      if (turn[0] != 0) continue;
      ++seeds;
      const Partition p = split(toml, labels, kClasses, 2, seed);
      const auto n = static_cast<double>(p.size[0]);
      for (const int64_t c : class_counts(p, 0, labels, kClasses))
        sum += static_cast<double>(c * (c - 1)) / (n * (n - 1));
    }
    ASSERT_GT(seeds, 200);
    const double expected = (a + 1) / (kClasses * (kClasses * a + 1));
    EXPECT_NEAR(sum / (seeds * kClasses), expected, 0.1 * expected) << a;
  }
}

TEST(Partition, DirichletKeepsTheSmallestSize) {
  const auto labels = random_labels(1000, 10);
  const Partition p = split("kind = \"dirichlet\"\nalpha = 0.1\nsizes = [1, 1000]\nmin_size = 12", labels, 10, 20);
  expect_disjoint_and_covering(p, 1000, "min_size");
  for (int64_t w = 0; w < 20; ++w) EXPECT_EQ(p.size[w], w % 2 == 0 ? 12 : 88);
}

TEST(Partition, DirichletOfTenThousandWorkersIsFast) {
  const auto labels = random_labels(60000, 10);
  const auto start = std::chrono::steady_clock::now();
  const Partition p = split("kind = \"dirichlet\"\nalpha = 0.05", labels, 10, 10000);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  RecordProperty("milliseconds", static_cast<int>(seconds * 1000));
  expect_disjoint_and_covering(p, 60000, "10,000 workers");
  EXPECT_LT(seconds, 10);  // 0.03 s where this was written; debug builds and busy machines are slower
}

TEST(Partition, HashDiffersWhenAnythingDiffers) {
  const Partition p = split("", random_labels(40, 2), 2, 4);
  std::set<std::string> hashes{p.hash()};
  const auto add = [&](auto change) {
    Partition q = p;
    change(q);
    EXPECT_TRUE(hashes.insert(q.hash()).second);
  };
  add([](Partition& q) { std::swap(q.order[0], q.order[1]); });
  add([](Partition& q) { std::swap(q.order[38], q.order[39]); });
  add([](Partition& q) { q.size[0] += 1; });
  add([](Partition& q) { q.begin[3] -= 1; });
  add([](Partition& q) { std::swap(q.size[0], q.begin[0]); });
  add([](Partition& q) { q.order.pop_back(); });
  add([](Partition& q) { q.size.pop_back(), q.begin.pop_back(); });
  EXPECT_EQ(p.hash().size(), 16u);
  EXPECT_EQ(p.hash().find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(PartitionFile, RoundTrip) {
  test::TempDir dir;
  const auto labels = random_labels(300, 5);
  for (const char* toml : {"", "kind = \"shared\"", "kind = \"dirichlet\"\nalpha = 0.2"})
    for (const int64_t workers : {1, 7}) {
      const Partition p = split(toml, labels, 5, workers);
      p.write(dir.path("partition.txt"));
      const Partition back = Partition::read(dir.path("partition.txt"), 300);
      EXPECT_EQ(back.order, p.order);
      EXPECT_EQ(back.begin, p.begin);
      EXPECT_EQ(back.size, p.size);
      EXPECT_EQ(split("kind = \"file\"\npath = \"" + dir.path("partition.txt") + "\"", labels, 5, workers).hash(),
                p.hash());
    }
  // nothing but the file itself is left behind
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

TEST(PartitionFile, CannotBeWrittenWhereThereIsNoFolder) {
  const Partition p = split("", random_labels(4, 2), 2, 2);
  EXPECT_NE(complaint<DataError>([&] {
              p.write("/nonexistent/partition.txt");
            }).find("/nonexistent/partition.txt: cannot be written (No such"),
            std::string::npos);
}

// A good file of 6 samples and 2 workers, one thing replaced, and what is said about it.
TEST(PartitionFile, PlantedCorruptionIsNamedWithItsLine) {
  test::TempDir dir;
  const std::string path = dir.path("p.txt");
  Params params = Params::from_text("kind = \"contiguous\"", "test.toml");
  make_partition(params).partitioner->split(std::vector<int32_t>(6, 0), 1, 2, 1).write(path);
  const test::Bytes bytes = test::read_bytes(path);
  const std::string good(bytes.begin(), bytes.end());
  ASSERT_NE(good.find("\n0 1 2\n3 4 5\n"), std::string::npos) << good;
  ASSERT_EQ(Partition::read(path, 6).workers(), 2);

  const struct {
    const char *from, *to, *says;
  } cases[] = {
      {"orrery-partition 1", "orrery-partition 2", ":1: the first line is not \"orrery-partition 1\""},
      {"workers 2", "workers two", ":2: workers is \"two\", not a number from 1"},
      {"workers 2", "workers 0", ":2: workers is \"0\""},
      {"workers 2", "worker 2", ":2: \"worker 2\" where \"workers ...\" should stand"},
      {"workers 2", "workers 900000000000", ":2: workers is \"900000000000\""},
      {"workers 2", "workers 7", ":4: 7 workers cannot hold parts of 6 samples"},
      {"workers 2", "workers 3", ":8: the file ends where the samples of worker 2 should stand"},
      {"workers 2", "workers 1", ":6: sample 3 is in no line"},
      {"samples 6", "samples 7", ":3: holds a partition of 7 samples, but the training set has 6"},
      {"layout disjoint", "layout joint", ":4: layout \"joint\" is neither"},
      {"hash ", "hash 0", ":5: the hash is \"0"},
      {"3 4 5", "3 4 6", ":7: sample 6 is outside 0..5"},
      {"3 4 5", "3 4 -1", ":7: sample -1 is outside 0..5"},
      {"3 4 5", "3 4 2", ":7: sample 2 stands here for the second time"},
      {"3 4 5", "3 4", ":7: sample 5 is in no line"},
      {"3 4 5", "3 4 x", ":7: \"x\" is not a sample number"},
      {"3 4 5", "3 4 5.0", ":7: \"5.0\" is not a sample number"},
      {"3 4 5", "", ":7: no samples in this line"},
      {"3 4 5\n", "3 4 5\n5\n", ":8: text after the end"},
      {"3 4 5\n", "3 4 5", ":7: the file ends where the samples of worker 1 should stand"},
      {"0 1 2", "1 0 2", ":5: the hash is"},
      {"0 1 2\n3 4 5", "0 1\n2 3 4 5", ":5: the hash is"},
  };
  for (const auto& c : cases) {
    std::string bad = good;
    bad.replace(bad.find(c.from), std::string(c.from).size(), c.to);
    test::write_text(path, bad);
    const std::string message = complaint<DataError>([&] { Partition::read(path, 6); });
    EXPECT_EQ(message.rfind(path + c.says, 0), 0u) << c.to << ": " << message;
    EXPECT_NE(message.find("; "), std::string::npos) << "names no remedy: " << message;
  }
  EXPECT_NE(complaint<DataError>([&] { Partition::read(dir.path("absent"), 6); }).find("absent: cannot be opened"),
            std::string::npos);

  test::write_text(path, good);
  EXPECT_EQ(complaint<DataError>(
                [&] { split("kind = \"file\"\npath = \"" + path + "\"", std::vector<int32_t>(6, 0), 1, 3); }),
            path + ":2: holds a partition for 2 workers, but network.workers = 3; make them equal");
}

TEST(Partition, FewerSamplesThanWorkersNamesBothNumbers) {
  const auto labels = random_labels(5, 2);
  for (const char* toml : {"", "kind = \"contiguous\"", "kind = \"dirichlet\"\nalpha = 1"})
    EXPECT_EQ(complaint<DataError>([&] { split(toml, labels, 2, 10); }),
              "network.workers: 5 training samples are too few for 10 workers; lower network.workers or use more data");
  EXPECT_NE(complaint<DataError>([&] {
              split("kind = \"shards\"", labels, 2, 3);
            }).find("5 training samples are too few for 3 workers with 2 shards"),
            std::string::npos);
  EXPECT_NE(complaint<DataError>([&] {
              split("kind = \"dirichlet\"\nalpha = 1\nmin_size = 3", labels, 2, 2);
            }).find("2 workers with at least 3 each"),
            std::string::npos);
  EXPECT_NE(complaint<DataError>([&] {
              split("kind = \"by-label\"", {0, 0, 0, 1}, 2, 4);
            }).find("4 training samples of 2 classes leave worker 1 of 4"),
            std::string::npos);
  EXPECT_NE(complaint<DataError>([&] { split("kind = \"shared\"", {}, 2, 4); }).find("0 training samples"),
            std::string::npos);
}

TEST(Partition, BadKeysAreNamedWithTheirLine) {
  const auto labels = random_labels(100, 3);
  const struct {
    const char *toml, *says;
  } cases[] = {
      {"kind = \"idd\"", "test.toml:1: kind: unknown name \"idd\"; did you mean \"iid\"?"},
      {"kind = 3", "test.toml:1: kind: is an integer"},
      {"kind = \"dirichlet\"", "alpha: is missing"},
      {"kind = \"dirichlet\"\nalpha = 0", "test.toml:2: alpha: 0 is out of range; give a value that is above 0"},
      {"kind = \"dirichlet\"\nalpha = -1.5", "test.toml:2: alpha: -1.5 is out of range"},
      {"kind = \"dirichlet\"\nalpha = nan", "test.toml:2: alpha: is not a finite number"},
      {"kind = \"dirichlet\"\nalpha = 1\nmin_size = 0", "test.toml:3: min_size: 0 is out of range"},
      {"kind = \"shards\"\nshards_per_worker = 0", "test.toml:2: shards_per_worker: 0 is out of range"},
      {"kind = \"shards\"\nalpha = 1", "test.toml:2: alpha: unknown key"},
      {"kind = \"shards\"\nsizes = [1, 2]", "test.toml:2: sizes: works with the kinds iid, contiguous and dirichlet"},
      {"kind = \"shared\"\nsizes = \"equal\"", "test.toml:2: sizes: works with the kinds"},
      {"sizes = [1, 0]", "test.toml:1: sizes: 0 is out of range"},
      {"sizes = []", "test.toml:1: sizes: is empty"},
      {"sizes = \"eqal\"", "did you mean \"equal\"?"},
      {"seed = -1", "test.toml:1: seed: -1 is out of range"},
      {"kind = \"file\"", "path: is missing"},
      {"kind = \"file\"\npath = \"\"", "test.toml:2: path: is empty"},
      {"kind = \"by-label\"\nlabels = []", "test.toml:2: labels: is empty"},
      {"kind = \"by-label\"\nlabels = [[0], []]", "test.toml:2: labels: has an empty row"},
      {"kind = \"by-label\"\nlabels = [[0, 1, 0]]", "test.toml:2: labels: names class 0 twice"},
      {"kind = \"by-label\"\nlabels = [0, 1]", "test.toml:2: labels: is an integer"},
      {"kind = \"by-label\"\nlabels = [[0, 1], [3]]",
       "test.toml:2: labels: names class 3, but the data set has the classes 0..2"},
      {"kind = \"by-label\"\nlabels = [[0], [1]]", "test.toml:2: labels: gives class 2 ("},
  };
  for (const auto& c : cases) {
    const std::string message = complaint<ExperimentError>([&] { split(c.toml, labels, 3, 4); });
    EXPECT_NE(message.find(c.says), std::string::npos) << c.toml << "\n" << message;
  }
}

TEST(Partition, TheTableNamesEveryEntryOnce) {
  std::vector<std::string> names;
  for (const auto* e : partition_table()) names.push_back(e->name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"iid", "contiguous", "shared", "shards", "by-label", "dirichlet", "file"}));
}

}  // namespace
}  // namespace orrery
