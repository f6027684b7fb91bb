// Laws H5 and M1: whatever is averaged or mixed, the weighted mean moves by the workers' gradients alone.
//
//   u_{t+1} = u_t - eta * sum_i a_i theta_i g_i(w_i^t)      at every step t, steps with an average included
//
// theta from the counts of steps, g from the float64 oracle at the models that the run itself reached.
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::difference;
using test::tiers;
using test::Trial;

class MeanDynamics : public test::OnEachCase {};
ORRERY_ON_CASES(MeanDynamics);

class MeanOfGraphs : public test::OnEachCase {};
ORRERY_ON_CASES(MeanOfGraphs, {"quadratic"}, {"fp64"});

struct Net {
  const char* name;
  std::string lines;
  std::vector<double> weights;  // as given; empty: equal
};
const std::string unequal = "weights = [1, 3, 2, 2, 1, 1]\n", slow = "rates = [0.6, 0.9, 1, 0.5, 0.8, 0.7]\n";
const std::vector<double> given{1, 3, 2, 2, 1, 1};

std::vector<Net> nets() {
  return {
      {"local SGD", tiers({{"cloud", 3}}), {}},
      {"two levels, unequal groups", tiers({{"edge", 2, 0, {{0}, {5, 1, 3}, {2, 4}}}, {"cloud", 4}}), {}},
      {"three levels, weights, rates", unequal + slow + tiers({{"edge", 2, 4}, {"region", 4, 2}, {"cloud", 8}}), given},
      {"groups with their own periods",
       unequal + slow +
           "tiers = [{ name = \"edge\", nodes = 3, period = [2, 3] }, { name = \"cloud\", nodes = 1, period = 6 }]\n",
       given},
      {"hubs with their own periods on a path",
       "tiers = [{ name = \"hub\", groups = [[0], [5, 1, 3], [2, 4]], period = [1, 2, 4] }]\n"
       "graph = { kind = \"path\", period = 4, mixing = \"metropolis\" }\n",
       {}},
      {"random groups", "grouping = \"random\"\n" + tiers({{"edge", 1, 3}, {"cloud", 4}}), {}},
      {"hubs on a path",
       unequal + slow + tiers({{"hub", 2, 3}}) +
           "graph = { kind = \"path\", period = 4, mixing = \"laplacian\", alpha = 0.05 }\n",
       given},
      {"hubs, Metropolis, lazy",
       unequal + slow + tiers({{"hub", 1, 3}}) +
           "graph = { kind = \"star\", period = 2, mixing = \"metropolis\", lazy = true }\n",
       given},
      {"complete hub graph",
       unequal + tiers({{"hub", 2, 2}}) + "graph = { kind = \"complete\", period = 4, mixing = \"average\" }\n", given},
      {"workers on a ring, Metropolis", unequal + "graph = { kind = \"ring\", period = 2, mixing = \"metropolis\" }\n",
       given},
      {"workers on a random graph", slow + "graph = { kind = \"erdos-renyi\", probability = 0.6, period = 2 }\n", {}},
      {"one peer at a time", "graph = { kind = \"one-peer-exponential\", period = 1 }\n", {}},
      {"hubs, one peer at a time",
       slow + tiers({{"hub", 2, 3}}) + "graph = { kind = \"one-peer-exponential\", period = 2 }\n",
       {}},
  };
}

TEST_P(MeanDynamics, HoldsAtEveryStepOfEveryNetwork) {
  const test::Oracle oracle(trial(6), device());
  const auto p = static_cast<size_t>(oracle.parameters());
  for (const Net& net : nets()) {
    SCOPED_TRACE(net.name);
    const Trial s = trial(6).with_network(net.lines);
    const std::vector<double> a = test::normalised(net.weights.empty() ? std::vector<double>(6, 1.0) : net.weights);
    RunResult now = result(s.with_steps(0));
    double acted = 0, skipped = 0;
    for (int64_t t = 0; t < 8; ++t) {
      RunResult next = result(s.with_steps(t + 1));
      const auto w = test::models(now.arms[0]), after = test::models(next.arms[0]);
      ASSERT_EQ(w.size(), 6 * p);
      const auto u = test::weighted_mean(w, a);
      // the mean model that a run reports is this mean
      if (t > 0) {
        EXPECT_LE(difference(now.arms[0].mean_models, u), tolerance());
      }
      auto sum = test::weighted_mean(after, a);
      std::vector<double> half = w;
      for (size_t i = 0; i < 6; ++i) {
        const int64_t theta = next.arms[0].worker_steps[i] - now.arms[0].worker_steps[i];
        ASSERT_TRUE(theta == 0 || theta == 1);
        if (theta == 0) {
          ++skipped;
          continue;
        }
        const auto g = oracle.gradient(static_cast<int64_t>(i), t, &w[i * p]);
        for (size_t j = 0; j < p; ++j)
          sum[j] += s.learning_rate * a[i] * g[j], half[i * p + j] -= s.learning_rate * g[j];
      }
      // in the run's own scale: the mean may pass near zero
      double error = 0;
      for (size_t j = 0; j < p; ++j) error = std::max(error, std::abs(sum[j] - u[j]));
      EXPECT_LE(error, tolerance() * test::largest(half)) << "step " << t;
      acted = std::max(acted, difference(after, half));
      now = std::move(next);
    }
    EXPECT_GT(acted, 1e-3) << "no average or graph has acted";
    EXPECT_EQ(skipped > 0, net.lines.find("rates") != std::string::npos);
  }
}

// H5 in its first form: the mean takes part in no average at all where the workers are left alone.
TEST_P(MeanDynamics, FollowsTheLocalStepsAlone) {
  const Trial s = trial(6).with_steps(9);
  const test::Oracle oracle(s, device());
  const auto p = static_cast<size_t>(oracle.parameters());
  std::vector<double> w;
  for (int64_t i = 0; i < 6; ++i) w.insert(w.end(), p, softmax() ? 0.0 : 0.25);
  for (int64_t t = 0; t < s.steps; ++t)
    for (size_t i = 0; i < 6; ++i) {
      const auto g = oracle.gradient(static_cast<int64_t>(i), t, &w[i * p]);
      for (size_t j = 0; j < p; ++j) w[i * p + j] -= s.learning_rate * g[j];
    }
  EXPECT_LE(difference(final_models(s), w), tolerance());
}

// X <- (X - eta G) T_t with the matrices of mll-sgd.md 3.2 written out, gradients and theta as above.
TEST_P(MeanDynamics, WorkersFollowTheMatrixFormOverAHubGraphWithRates) {
  const Trial s =
      trial(6).with_network(unequal + slow + tiers({{"hub", 2, 3}}) +
                            "graph = { kind = \"path\", period = 4, mixing = \"laplacian\", alpha = 0.05 }\n");
  const double h[3][3] = {{0.875, 0.125, 0}, {0.125, 0.75, 0.25}, {0, 0.125, 0.75}};
  const double v[6] = {0.25, 0.75, 0.5, 0.5, 0.5, 0.5};
  const test::Oracle oracle(s, device());
  const auto p = static_cast<size_t>(oracle.parameters());
  std::vector<double> x;
  for (int64_t i = 0; i < 6; ++i) x.insert(x.end(), p, softmax() ? 0.0 : 0.25);
  std::vector<int64_t> taken(6);
  for (int64_t k = 1; k <= 9; ++k) {
    const RunResult r = result(s.with_steps(k));
    std::vector<double> half = x;
    for (size_t i = 0; i < 6; ++i) {
      if (r.arms[0].worker_steps[i] == taken[i]) continue;
      const auto g = oracle.gradient(static_cast<int64_t>(i), k - 1, &x[i * p]);
      for (size_t j = 0; j < p; ++j) half[i * p + j] -= s.learning_rate * g[j];
    }
    taken = r.arms[0].worker_steps;
    x = half;
    if (k % 2 == 0) {
      std::fill(x.begin(), x.end(), 0.0);
      for (size_t i = 0; i < 6; ++i)
        for (size_t from = 0; from < 6; ++from) {
          const double t = k % 4 == 0 ? h[from / 2][i / 2] * v[from] : (from / 2 == i / 2 ? v[from] : 0);
          for (size_t j = 0; j < p; ++j) x[i * p + j] += t * half[from * p + j];
        }
    }
    EXPECT_LE(difference(test::models(r.arms[0]), x), tolerance()) << "slot " << k;
  }
}

// In expectation theta is the rate: over replicas the mean of u_{k+1} - u_k + eta sum_i a_i p_i g_i is zero.
TEST_P(MeanOfGraphs, WithRatesTheMeanMovesByTheRatesOnAverage) {
  Trial s = trial(6).with_network(unequal + slow + tiers({{"hub", 2, 3}}) +
                                  "graph = { kind = \"path\", period = 4, mixing = \"laplacian\", alpha = 0.05 }\n");
  s.replicas = device() == "cpu" ? 4000 : 400;
  const auto a = test::normalised(given);
  const double rate[6] = {0.6, 0.9, 1, 0.5, 0.8, 0.7};
  for (int64_t k : {2, 3, 7}) {  // the graph acts after slots 3 and 7
    const auto now = test::models(result(s.with_steps(k)).arms[0]),
               next = test::models(result(s.with_steps(k + 1)).arms[0]);
    for (size_t j = 0; j < 3; ++j) {
      std::vector<double> rest;
      for (size_t r = 0; r < static_cast<size_t>(s.replicas); ++r) {
        double sum = 0;
        for (size_t i = 0; i < 6; ++i) {
          const size_t at = (r * 6 + i) * 3 + j;
          const auto worker = static_cast<int64_t>(i), coordinate = static_cast<int64_t>(j);
          sum += a[i] * (next[at] - now[at] +
                         s.learning_rate * rate[i] * s.a(worker, coordinate) * (now[at] - s.c(worker, coordinate)));
        }
        rest.push_back(sum);
      }
      const auto m = test::moments(rest);
      EXPECT_GT(m.error, 0);
      EXPECT_LE(std::abs(m.mean), 4.5 * m.error) << "slot " << k << " coordinate " << j;
    }
  }
}

// Models that only mix: the mean of eight stays, and one-peer exponential reaches it in log2(8) steps.
TEST_P(MeanOfGraphs, OnePeerExponentialKeepsTheMeanAndReachesIt) {
  const test::Folder folder;
  for (int64_t n : {8, 6}) {
    std::vector<double> start;
    for (int64_t i = 0; i < n * 3; ++i) start.push_back(std::sin(1.0 + 7.0 * static_cast<double>(i)));
    write_npy(folder.file("start.npy"), {n, 3}, start);
    Trial s = trial(n).with_network("graph = { kind = \"one-peer-exponential\", period = 1 }\nrates = 0\n");
    s.init = "\"" + folder.file("start.npy") + "\"";
    EXPECT_EQ(final_models(s.with_steps(0)), start);
    const auto mean =
        test::weighted_mean(start, std::vector<double>(static_cast<size_t>(n), 1.0 / static_cast<double>(n)));
    std::vector<double> everywhere;
    for (int64_t i = 0; i < n; ++i) everywhere.insert(everywhere.end(), mean.begin(), mean.end());
    for (int64_t t = 1; t <= 6; ++t) {
      const RunResult r = result(s.with_steps(t));
      EXPECT_LE(difference(r.arms[0].mean_models, mean), 1e-14) << n << " workers, step " << t;
      const double off = difference(test::models(r.arms[0]), everywhere);
      if (n == 8 && t >= 3)
        EXPECT_LE(off, 1e-14) << t;
      else
        EXPECT_GT(off, 1e-3) << t;  // six is no power of two: never exactly the mean
    }
  }
}

}  // namespace
}  // namespace orrery
