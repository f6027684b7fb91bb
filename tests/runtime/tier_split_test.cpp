// The split by tiers against its formula, written from the rows alone.
#include "runtime/tier_split.hpp"

#include <cmath>

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class TierSplits : public test::OnEachBackend {};

// Three arms side by side: one tier; three tiers, one of single children; hubs under a graph. Two replicas with groups of their own.
const std::string text = R"(seed = 3
replicas = 2
steps = 1
[model]
kind = "quadratic"
dimension = 5
curvature = 1
center = 0
[network]
workers = 40
weights = [1, 3, 2]
grouping = "random"
[algorithm]
kind = "h-sgd"
learning_rate = 0.1
batch = 1
[record]
metrics = ["virtual_time"]
[[arm]]
name = "flat"
network.tiers = [{ name = "cloud", nodes = 1, period = 4 }]
[[arm]]
name = "tree"
network.tiers = [{ name = "edge", nodes = 8, period = 1 }, { name = "area", nodes = 8, period = 2 }, { name = "cloud", nodes = 2, period = 4 }]
[[arm]]
name = "hubs"
network.tiers = [{ name = "hub", nodes = 4, period = 2 }]
network.graph = { kind = "ring", period = 4, mixing = "metropolis" }
)";

struct Bench {
  Experiment experiment = parse_experiment(text, "exp.toml");
  Population population;
  explicit Bench(std::vector<int> arms) : population(experiment, arms, nullptr) {}
};

// (nodes) of a tier's levels with all workers alone in front: which node each worker is below
std::vector<std::vector<int64_t>> levels_of(const Network& network) {
  std::vector<std::vector<int64_t>> levels(1);
  for (int64_t w = 0; w < network.spec().workers; ++w) levels[0].push_back(w);
  for (const auto& tier : network.tiers()) levels.push_back(tier.node_of);
  if (network.spec().top_nodes() > 1) levels.emplace_back(levels[0].size(), 0);
  return levels;
}

// sum over workers i of a_i |mean below i's child - mean below i's node|^2: every child counted with its mass
template <class T>
double level(const Lane& lane, const Matrix<T>& x, const std::vector<int64_t>& child,
             const std::vector<int64_t>& node) {
  const auto& a = lane.network->weights();
  const auto mean = [&](const std::vector<int64_t>& of, size_t i, int64_t j) {
    double sum = 0, mass = 0;
    for (size_t k = 0; k < a.size(); ++k)
      if (of[k] == of[i]) sum += a[k] * x.initial(lane.first_row + static_cast<int64_t>(k), j), mass += a[k];
    return sum / mass;
  };
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    for (int64_t j = 0; j < 5; ++j) sum += a[i] * std::pow(mean(child, i, j) - mean(node, i, j), 2);
  return sum;
}

// Tolerance: a mean of at most 40 values below 1 is off by fewer than 40 + 3 * 3 roundings, so a squared difference (below 4 * 5 in sum)
// by twice that times 2 * 2 * 5, plus the float64 sums.
TEST_P(TierSplits, IsItsFormulaAndAddsUpToTheWhole) {
  test::for_float_and_double([&]<class T>() {
    const Bench bench({0, 1, 2});
    const Population& p = bench.population;
    ASSERT_EQ(p.lanes.size(), 6u);
    const Matrix<T> x(GetParam(), p.rows(), 5, 1);
    double largest = 0;
    for (int64_t r = 0; r < p.rows(); ++r)
      for (int64_t j = 0; j < 5; ++j) largest = std::max(largest, std::abs(x.initial(r, j)));
    const double tolerance = 2 * 49 * 2 * 2 * 5 * largest * largest * test::unit<T>;
    const auto got = TierSplit<T>(ctx(), p, 5)(ctx(), x.cview());
    const std::vector<std::vector<std::string>> names{{"cloud"}, {"edge", "area", "cloud", "graph"}, {"hub", "graph"}};
    test::Near near("level"), near_sum("sum over levels");
    for (size_t i = 0; i < 6; ++i) {
      const auto& own = names[static_cast<size_t>(p.lanes[i].arm)];
      ASSERT_EQ(got[i].size(), own.size());
      const auto levels = levels_of(*p.lanes[i].network);
      double sum = 0;
      for (size_t l = 0; l < own.size(); ++l) {
        near(got[i].at(own[l]), level(p.lanes[i], x, levels[l], levels[l + 1]), tolerance, static_cast<int64_t>(i));
        sum += got[i].at(own[l]);
      }
      near_sum(sum, level(p.lanes[i], x, levels.front(), levels.back()), 3 * tolerance, static_cast<int64_t>(i));
      EXPECT_GT(sum, 1e-2);
    }
    EXPECT_EQ(got[2].at("area"), 0);  // every area holds one edge: its mean is the edge's, bit for bit
  });
}

// A lane's numbers alone, among others and beside rows that are not finite; a second call; any number of threads.
TEST_P(TierSplits, SameBitsForAnyThreadsAndNeighbours) {
  test::for_float_and_double([&]<class T>() {
    const Bench all({0, 1, 2}), alone({1});
    Matrix<T> x(GetParam(), all.population.rows(), 5, 1);
    const int64_t first = all.population.lanes[2].first_row, n = alone.population.rows();
    const auto flat = [](const std::vector<std::map<std::string, double>>& split, size_t from, size_t lanes) {
      std::vector<double> values;
      for (size_t i = from; i < from + lanes; ++i)
        for (const auto& [name, value] : split[i]) values.push_back(value);
      return values;
    };
    TierSplit<T> split(ctx(), all.population, 5), own(ctx(), alone.population, 5);
    test::expect_same_bits_for_any_threads([&] { return flat(split(ctx(), x.cview()), 0, 6); });
    const auto want = flat(own(ctx(), x.cview().rows(first, n)), 0, 2);
    test::expect_same_bits(flat(split(ctx(), x.cview()), 2, 2), want, "alone and among others");

    auto values = x.dense();
    for (int64_t i = 0; i < first * 5; ++i) values[static_cast<size_t>(i)] = std::numeric_limits<T>::quiet_NaN();
    const Matrix<T> broken(GetParam(), all.population.rows(), 5, values);
    const auto beside = split(ctx(), broken.cview());
    test::expect_same_bits(flat(beside, 2, 2), want, "beside rows that are not finite");
    EXPECT_TRUE(std::isnan(beside[0].at("cloud")));
    test::expect_same_bits(flat(split(ctx(), x.cview()), 2, 2), want, "after them");
  });
}

TEST_P(TierSplits, TakesTheBytesThatItSaysAndNoneLater) {
  test::for_float_and_double([&]<class T>() {
    const Bench bench({0, 1, 2});
    const Matrix<T> x(GetParam(), bench.population.rows(), 5, 1);
    const int64_t before = memory_use(GetParam()).now;
    TierSplit<T> split(ctx(), bench.population, 5);
    const int64_t taken = memory_use(GetParam()).now - before;
    // what is left out: one begin per level
    EXPECT_EQ(taken, TierSplit<T>::bytes(bench.population, 5) + 4 * 8);
    reset_memory_peak(GetParam());
    split(ctx(), x.cview());
    EXPECT_EQ(memory_use(GetParam()).peak, before + taken);
  });
}

TEST_P(TierSplits, RefusesWrongShapes) {
  const Bench bench({0});
  TierSplit<float> split(ctx(), bench.population, 5);
  const Matrix<float> few(GetParam(), bench.population.rows() - 1, 5, 1),
      narrow(GetParam(), bench.population.rows(), 4, 1);
  EXPECT_THROW(split(ctx(), few.cview()), std::logic_error);
  EXPECT_THROW(split(ctx(), narrow.cview()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(TierSplits);

}  // namespace
}  // namespace orrery
