// The metrics against their formulas, in float64 from the models that the run left; H8: levels add up to the whole.
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::tiers;
using test::Trial;

class Metrics : public test::OnEachCase {};
ORRERY_ON_CASES(Metrics);

class QuadraticMetrics : public test::OnEachCase {};
ORRERY_ON_CASES(QuadraticMetrics, {"quadratic"});

// metrics take whole gradients, whoever steps in the slot
const std::string unequal = "weights = [1, 3, 2, 2, 1, 1]\nrates = [0.6, 0.4, 1, 0.5, 0.8, 0.7]\n";
const std::vector<double> a{0.1, 0.3, 0.2, 0.2, 0.1, 0.1};
const std::string tree =
    tiers({{"edge", 2, 0, {{0, 4}, {1, 3}, {2}, {5}}}, {"region", 4, 0, {{0, 2}, {1, 3}}}, {"cloud", 8}});
const std::vector<std::vector<int64_t>> edges{{0, 4}, {1, 3}, {2}, {5}}, regions{{0, 4, 2}, {1, 3, 5}},
    everyone{{0, 1, 2, 3, 4, 5}};

// weighted mean of x (6,P) over each group, and the group's weight
std::vector<std::pair<std::vector<double>, double>> nodes_of(const std::vector<double>& x,
                                                             const std::vector<std::vector<int64_t>>& groups) {
  const size_t p = x.size() / 6;
  std::vector<std::pair<std::vector<double>, double>> nodes;
  for (const auto& g : groups) {
    std::vector<double> mean(p);
    double mass = 0;
    for (int64_t i : g) mass += a[static_cast<size_t>(i)];
    for (int64_t i : g)
      for (size_t j = 0; j < p; ++j) mean[j] += a[static_cast<size_t>(i)] / mass * x[static_cast<size_t>(i) * p + j];
    nodes.push_back({mean, mass});
  }
  return nodes;
}
// sum over children of mass * |mean of child - mean of its parent|^2; the parent holds the child's first worker
double level(const std::vector<double>& x, const std::vector<std::vector<int64_t>>& children,
             const std::vector<std::vector<int64_t>>& parents) {
  const auto below = nodes_of(x, children), above = nodes_of(x, parents);
  double sum = 0;
  for (size_t c = 0; c < children.size(); ++c)
    for (size_t k = 0; k < parents.size(); ++k)
      if (std::find(parents[k].begin(), parents[k].end(), children[c][0]) != parents[k].end())
        sum += below[c].second *
               test::squared_distance(below[c].first.data(), above[k].first.data(), below[c].first.size());
  return sum;
}

TEST_P(Metrics, DispersionsAndDivergencesAreTheirFormulasAndAddUp) {  // H8
  const std::vector<std::vector<int64_t>> workers{{0}, {1}, {2}, {3}, {4}, {5}};
  struct Form {
    std::string network;
    std::vector<std::string> names;
    std::vector<std::vector<std::vector<int64_t>>> levels;  // workers first, everyone last
  };
  const std::string ring = "graph = { kind = \"ring\", period = 8, mixing = \"metropolis\" }\n";
  // four levels, the middle ones listed in another order than their workers
  const std::string high = tiers({{"edge", 2, 0, {{0, 4}, {1, 3}, {2}, {5}}},
                                  {"area", 2, 0, {{1, 2}, {0}, {3}}},
                                  {"region", 4, 0, {{0}, {1, 2}}},
                                  {"cloud", 8}});
  const std::vector<std::vector<int64_t>> areas{{1, 3, 2}, {0, 4}, {5}}, halves{{1, 3, 2}, {0, 4, 5}};
  for (const Form& f :
       {Form{unequal + high, {"edge", "area", "region", "cloud"}, {workers, edges, areas, halves, everyone}},
        Form{unequal + tree, {"edge", "region", "cloud"}, {workers, edges, regions, everyone}},
        Form{unequal + tiers({{"hub", 2, 0, {{0, 4}, {1, 3}, {2}, {5}}}}) + ring,
             {"hub", "graph"},
             {workers, edges, everyone}},
        Form{unequal + ring, {"graph"}, {workers, everyone}}}) {
    Trial s = trial(6).with_network(f.network).with_steps(7);
    s.metrics = "\"consensus_distance\"";
    for (const auto& n : f.names) s.metrics += fmt::format(", \"dispersion_{0}\", \"divergence_{0}\"", n);
    const test::Oracle oracle(s, device());
    const RunResult r = result(s);
    const auto w = test::models(r.arms[0]), u = test::weighted_mean(w, a);
    std::vector<double> g;
    for (int64_t i = 0; i < 6; ++i) {
      const auto one = oracle.gradient(i, -1, u.data());
      g.insert(g.end(), one.begin(), one.end());
    }
    const auto value = [&](size_t m) { return r.arms[0].values[m][0].back(); };
    const double dispersion = level(w, workers, everyone), divergence = level(g, workers, everyone);
    EXPECT_GT(dispersion, 1e-3);
    EXPECT_GT(divergence, 1e-3);
    EXPECT_NEAR(value(0), dispersion, tolerance() * dispersion);
    double dispersions = 0, divergences = 0;
    for (size_t k = 0; k < f.names.size(); ++k) {
      EXPECT_NEAR(value(1 + 2 * k), level(w, f.levels[k], f.levels[k + 1]), tolerance() * dispersion) << f.names[k];
      EXPECT_NEAR(value(2 + 2 * k), level(g, f.levels[k], f.levels[k + 1]), tolerance() * divergence) << f.names[k];
      dispersions += value(1 + 2 * k);
      divergences += value(2 + 2 * k);
    }
    EXPECT_NEAR(dispersions, value(0), tolerance() * dispersion);
    EXPECT_NEAR(divergences, divergence, tolerance() * divergence);
  }
}

TEST_P(Metrics, DispersionsAddUpUnderRandomGroupingInEveryReplica) {  // H8
  Trial s = trial(8).with_network("grouping = \"random\"\nweights = [1, 2, 3]\n" +
                                  tiers({{"edge", 2, 4}, {"region", 4, 2}, {"cloud", 8}}));
  s.replicas = 3;
  s.every = 1;
  s.steps = 9;
  s.metrics = "\"consensus_distance\", \"dispersion_edge\", \"dispersion_region\", \"dispersion_cloud\"";
  const RunResult r = result(s);
  const auto& v = r.arms[0].values;
  for (size_t k = 0; k < 3; ++k)
    for (size_t t = 0; t < 10; ++t) {
      // an average resets its own level and those below it
      EXPECT_NEAR(v[1][k][t] + v[2][k][t] + v[3][k][t], v[0][k][t], tolerance() * std::max(v[0][k][t], 1e-3)) << t;
      for (size_t level : {1u, 2u, 3u}) {
        if (t % (size_t{1} << level) == 0) {
          EXPECT_LE(v[level][k][t], 1e-3 * tolerance()) << t;
        } else {
          EXPECT_GT(v[level][k][t], 1e-6) << t;
        }
      }
    }
}

TEST_P(Metrics, LossesAndGradientsAreThoseOfTheGlobalObjective) {
  Trial s = trial(6).with_network(unequal + tree).with_steps(7);
  s.metrics = "\"train_loss\", \"worker_train_loss\", \"grad_norm_sq\", \"grad_norm_1\"";
  if (softmax())
    s.metrics +=
        ", \"test_loss\", \"test_accuracy\", \"worker_test_loss\", \"worker_test_accuracy\", "
        "\"train_accuracy\", \"worker_train_accuracy\"";
  const test::Oracle oracle(s, device());
  const RunResult r = result(s);
  const auto w = test::models(r.arms[0]), u = test::weighted_mean(w, a);
  const size_t p = u.size();
  const auto f = [&](const double* x) {
    double sum = 0;
    for (size_t i = 0; i < 6; ++i) sum += a[i] * oracle.loss(static_cast<int64_t>(i), x);
    return sum;
  };
  double workers = 0, norm = 0, sum = 0;
  for (size_t i = 0; i < 6; ++i) workers += f(&w[i * p]) / 6;
  std::vector<double> gradient(p);
  for (size_t i = 0; i < 6; ++i) {
    const auto g = oracle.gradient(static_cast<int64_t>(i), -1, u.data());
    for (size_t j = 0; j < p; ++j) gradient[j] += a[i] * g[j];
  }
  for (double v : gradient) norm += v * v, sum += std::abs(v);
  const auto near = [&](size_t m, double want) {
    EXPECT_NEAR(r.arms[0].values[m][0].back(), want, tolerance() * std::abs(want)) << "metric " << m;
  };
  near(0, f(u.data()));
  near(1, workers);
  near(2, norm);
  near(3, sum);
  EXPECT_GT(std::abs(workers - f(u.data())), 1e-4);
  if (!softmax()) return;
  const auto [loss, accuracy] = oracle.test(u.data());
  double worker_loss = 0, worker_accuracy = 0, worker_trained = 0;
  for (size_t i = 0; i < 6; ++i) {
    const auto [l, hit] = oracle.test(&w[i * p]);
    worker_loss += l / 6;
    worker_accuracy += hit / 6;
    worker_trained += oracle.train(&w[i * p]).second / 6;
  }
  near(4, loss);
  near(5, accuracy);
  near(6, worker_loss);
  near(7, worker_accuracy);
  near(8, oracle.train(u.data()).second);
  near(9, worker_trained);
  EXPECT_NE(worker_trained, oracle.train(u.data()).second);
}

// Divergences and the norm share the workers' gradients: neither changes the other.
TEST_P(Metrics, TheNormIsTheSameBesideDivergences) {
  Trial s = trial(6).with_network(unequal + tree).with_steps(7);
  s.replicas = 2;
  const auto last = [&](const std::string& metrics) {
    s.metrics = metrics;
    const auto v = result(s).arms[0].values;
    std::vector<double> values;
    for (const auto& metric : v)
      for (size_t k : {0u, 1u}) values.push_back(metric[k].back());
    return values;
  };
  const std::string norm = "\"grad_norm_sq\"", divergence = "\"divergence_edge\"";
  const auto norms = last(norm), divergences = last(divergence), both = last(norm + ", " + divergence);
  for (size_t k : {0u, 1u}) {
    EXPECT_GT(norms[k], 0);
    EXPECT_NEAR(both[k], norms[k], device() == "cpu" ? 0 : tolerance() * norms[k]);
    EXPECT_EQ(both[2 + k], divergences[k]);
  }
}

// The objective at the start, known without a run of ours: ln 10 for ten classes at zero.
TEST_P(Metrics, TheFirstPointIsTheStart) {
  Trial s = trial(6).with_network(tree).with_steps(0);
  s.metrics = "\"train_loss\", \"consensus_distance\", \"steps_done\", \"bits_up\", \"virtual_time\"";
  const RunResult r = result(s);
  ASSERT_EQ(r.record_steps, std::vector<int64_t>{0});
  double want = std::log(10.0);
  if (!softmax()) {
    want = 0;
    for (int64_t i = 0; i < 6; ++i)
      for (int64_t j = 0; j < 3; ++j) want += s.a(i, j) * (0.25 - s.c(i, j)) * (0.25 - s.c(i, j)) / 12;
  }
  EXPECT_NEAR(r.arms[0].values[0][0][0], want, tolerance() * want);
  EXPECT_LE(r.arms[0].values[1][0][0], tolerance() * tolerance());
  for (size_t m = 2; m < 5; ++m) EXPECT_EQ(r.arms[0].values[m][0][0], 0) << m;
}

TEST_P(QuadraticMetrics, OptimumDistanceIsTheRootMeanSquareOverWorkers) {
  Trial s = trial(6).with_network(unequal + tree).with_steps(7);
  s.metrics = "\"optimum_distance\", \"grad_norm_sq\"";
  std::vector<double> best(3);
  for (int64_t j = 0; j < 3; ++j) {
    double above = 0, below = 0;
    for (int64_t i = 0; i < 6; ++i)
      above += a[static_cast<size_t>(i)] * s.a(i, j) * s.c(i, j), below += a[static_cast<size_t>(i)] * s.a(i, j);
    best[static_cast<size_t>(j)] = above / below;
  }
  const RunResult r = result(s);
  const auto w = test::models(r.arms[0]);
  double sum = 0;
  for (size_t i = 0; i < 6; ++i) sum += test::squared_distance(&w[i * 3], best.data(), 3) / 6;
  EXPECT_NEAR(r.arms[0].values[0][0].back(), std::sqrt(sum), tolerance() * std::sqrt(sum));

  // started there, the distance and the gradient are zero to rounding
  const test::Folder folder;
  write_npy(folder.file("best.npy"), {3}, best);
  s.init = "\"" + folder.file("best.npy") + "\"";
  const RunResult at = result(s.with_steps(0));
  EXPECT_LE(at.arms[0].values[0][0][0], tolerance());
  EXPECT_LE(at.arms[0].values[1][0][0], tolerance() * tolerance());
}

// h-sgd.md 3.1: per global period n G/I models up the local links and N up the global ones, as many down; local SGD n.
TEST_P(Metrics, BitsAreThoseOfTheSchedule) {
  const int64_t model = (softmax() ? 7850 : 3) * (GetParam().precision == "fp64" ? 64 : 32);
  Trial s = trial(6).with_network(tiers({{"edge", 3, 2}, {"cloud", 12}})).with_steps(24);
  s.metrics = "\"bits_up\", \"bits_down\", \"bits\", \"virtual_time\", \"steps_done\"";
  s.every = 1;
  const RunResult r = result(s);
  const auto& v = r.arms[0].values;
  for (int64_t t = 0; t <= 24; ++t) {
    const double models = static_cast<double>(6 * (t / 3) + 2 * (t / 12));
    const auto k = static_cast<size_t>(t);
    EXPECT_EQ(v[0][0][k], models * static_cast<double>(model)) << t;
    EXPECT_EQ(v[1][0][k], models * static_cast<double>(model)) << t;
    EXPECT_EQ(v[2][0][k], 2 * models * static_cast<double>(model)) << t;
    EXPECT_EQ(v[3][0][k], static_cast<double>(t));
    EXPECT_EQ(v[4][0][k], static_cast<double>(6 * t));
  }
  ASSERT_EQ(r.arms[0].links[0].size(), 2u);
  EXPECT_EQ(r.arms[0].links[0][0].up, 6 * 8 * model);  // two global periods of G/I = 4 local ones
  EXPECT_EQ(r.arms[0].links[0][1].up, 2 * 2 * model);
  const RunResult local = result(s.with_network(tiers({{"cloud", 4}})));
  EXPECT_EQ(local.arms[0].values[0][0].back(), static_cast<double>(6 * 6 * model));
  EXPECT_EQ(local.arms[0].values[1][0].back(), static_cast<double>(6 * 6 * model));
}

// A path of three hubs: four directed links; every hub mixing moves the workers' models up and down too.
TEST_P(Metrics, BitsOfAHubGraph) {
  const int64_t model = (softmax() ? 7850 : 3) * (GetParam().precision == "fp64" ? 64 : 32);
  Trial s = trial(6)
                .with_network(unequal + tiers({{"hub", 2, 3}}) +
                              "graph = { kind = \"path\", period = 4, mixing = \"metropolis\" }\n")
                .with_steps(8);
  s.metrics = "\"bits_up\", \"bits_down\"";
  const RunResult r = result(s);
  for (size_t m : {0u, 1u}) EXPECT_EQ(r.arms[0].values[m][0].back(), static_cast<double>((6 * 4 + 4 * 2) * model)) << m;
}

TEST_P(Metrics, StepsDoneCountsWhatWorkersTook) {
  Trial s = trial(6).with_network("rates = [0.3, 0.9, 1, 0.5]\n" + tree);
  s.metrics = "\"steps_done\", \"virtual_time\"";
  s.replicas = 2;
  s.every = 4;
  const RunResult r = result(s);
  EXPECT_EQ(r.record_steps, (std::vector<int64_t>{0, 4, 8, 12, 14}));
  int64_t all = 0;
  for (size_t k = 0; k < 2; ++k) {
    int64_t sum = 0;
    for (size_t i = 0; i < 6; ++i) sum += r.arms[0].worker_steps[k * 6 + i];
    all += sum;
    EXPECT_EQ(r.arms[0].values[0][k].back(), static_cast<double>(sum));
    EXPECT_LT(sum, 6 * 14);
    EXPECT_EQ(r.arms[0].worker_steps[k * 6 + 2], 14);
    for (size_t p = 0; p < 5; ++p) EXPECT_EQ(r.arms[0].values[1][k][p], static_cast<double>(r.record_steps[p]));
  }
  EXPECT_EQ(r.worker_steps, all);
}

}  // namespace
}  // namespace orrery
