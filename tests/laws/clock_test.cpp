// Virtual time of whole runs, and the weights of federated averaging.
#include "runtime/network/clock.hpp"
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::difference;
using test::tiers;
using test::Trial;

class VirtualTime : public test::OnEachCase {
 protected:
  Trial timed(const std::string& network) const {
    Trial s = trial(6).with_network(network).with_steps(26);
    s.metrics = "\"virtual_time\", \"steps_done\"";
    s.every = 5;
    return s;
  }
};
ORRERY_ON_CASES(VirtualTime, {"quadratic"}, {"fp64"});

class FedAvg : public test::OnEachCase {};
ORRERY_ON_CASES(FedAvg, {"softmax"});

const std::string hubs = tiers({{"hub", 2, 3}}) + "graph = { kind = \"path\", period = 4, mixing = \"metropolis\" }\n";
const std::string slow = "rates = [0.6, 0.9, 1, 0.5, 0.8, 0.7]\n", wait = "clock = { kind = \"waiting\" }\n";

TEST_P(VirtualTime, OfMultiLevelSgdIsItsSlots) {  // M9: q tau slots for q tau steps
  const RunResult r = result(timed(slow + hubs));
  ASSERT_EQ(r.record_steps, (std::vector<int64_t>{0, 5, 10, 15, 20, 25, 26}));
  for (size_t k = 0; k < r.record_steps.size(); ++k)
    EXPECT_EQ(r.arms[0].values[0][0][k], static_cast<double>(r.record_steps[k]));
}

// Who is waited for takes every step: the run of rate 1, bit for bit, told at another time.
TEST_P(VirtualTime, AWaitingRunIsTheFullRateRunRetimed) {
  const RunResult full = result(timed(hubs)), waiting = result(timed(slow + wait + hubs));
  EXPECT_EQ(test::models(waiting.arms[0]), test::models(full.arms[0]));
  EXPECT_EQ(waiting.arms[0].values[1], full.arms[0].values[1]);
  EXPECT_EQ(waiting.arms[0].worker_steps, std::vector<int64_t>(6, 26));
  EXPECT_GT(waiting.arms[0].values[0][0].back(), 1.3 * full.arms[0].values[0][0].back());
  for (size_t k = 1; k < waiting.record_steps.size(); ++k)
    EXPECT_GT(waiting.arms[0].values[0][0][k], waiting.arms[0].values[0][0][k - 1]);
  const RunResult never = result(timed("rates = 1\n" + wait + hubs));
  EXPECT_EQ(never.arms[0].values, full.arms[0].values) << "p = 1: exactly q tau";
}

// The metric is the clock of tests/runtime/network/clock_test.cpp; each replica has its own draws, each arm its own clock.
TEST_P(VirtualTime, IsTheClockOfEachReplicaAndArm) {
  Trial s = timed(slow + wait + hubs);
  s.replicas = 3;
  s.arms =
      "[[arm]]\nname = \"waiting\"\n[[arm]]\nname = \"seconds\"\n"
      "network.clock = { kind = \"waiting\", step_time = 0.5 }\nnetwork.graph.latency = 2\n";
  const Experiment e = parse_experiment(s.text(), "law.toml", device());
  const RunResult r = run(e);
  for (size_t arm = 0; arm < 2; ++arm)
    for (int64_t replica = 0; replica < 3; ++replica) {
      const NetworkSpec& spec = *e.arms[arm].network;
      VirtualClock clock(std::make_shared<const Network>(spec, e.replica_seed(replica), std::vector<int64_t>{}),
                         e.replica_seed(replica), r.parameters * 64);
      const Schedule schedule(spec);
      for (size_t k = 0; k < r.record_steps.size(); ++k) {
        clock.advance(schedule, r.record_steps[k]);
        EXPECT_EQ(r.arms[arm].values[0][static_cast<size_t>(replica)][k], clock.time());
      }
    }
  EXPECT_NE(r.arms[0].values[0][0], r.arms[0].values[0][1]);
  // the same draws in seconds, and 2 s more for each of the six times that the graph has acted
  EXPECT_DOUBLE_EQ(r.arms[1].values[0][0].back(), 0.5 * r.arms[0].values[0][0].back() + 6 * 2);
  Trial second = timed(slow + wait + hubs);
  second.seed += 1;
  EXPECT_EQ(result(second).arms[0].values[0][0], r.arms[0].values[0][1]) << "a replica is a run with its seed";
}

TEST_P(VirtualTime, DoesNotDependOnRecordPointsThreadsOrGraphs) {
  const int before = threads();
  Trial s = timed(slow + wait + hubs);
  const double want = result(s).arms[0].values[0][0].back();
  for (int64_t every : {1, 7, 26}) {
    s.every = every;
    set_threads(static_cast<int>(every % 4) + 1);
    EXPECT_EQ(result(s).arms[0].values[0][0].back(), want);
    s.head = s.head.empty() ? "cuda_graphs = false" : "";
  }
  set_threads(before);
}

// ---- federated averaging ----------------------------------------------------------------------------------------------

// a_i = n_i / n with an unequal partition: the mean model is the samples' mean, it moves by sum a_i g_i (M1), and the objective is that
// of all samples together.
TEST_P(FedAvg, WeightsBySamples) {
  Trial s = trial(5).with_network("weights = \"samples\"\n" + tiers({{"cloud", 3}})).with_steps(8);
  s.kind = "fedavg";
  s.partition = "kind = \"iid\"\nsizes = [1, 2, 3, 4]";
  s.batch = "3";
  s.metrics = "\"train_loss\"";
  s.every = 8;
  const test::Oracle oracle(s, device());
  const auto p = static_cast<size_t>(oracle.parameters());
  const RunResult last = result(s);
  const Partition& partition = *last.arms[0].partitions[0];
  std::vector<double> a;
  for (const int64_t n : partition.size) a.push_back(static_cast<double>(n) / 200);
  EXPECT_LT(*std::min_element(a.begin(), a.end()), 0.4 * *std::max_element(a.begin(), a.end())) << "unequal parts";

  std::vector<double> w(5 * p);
  for (int64_t t = 0; t < s.steps; ++t) {
    const auto before = test::weighted_mean(w, a);
    std::vector<double> moved = before;
    for (size_t i = 0; i < 5; ++i) {
      const auto g = oracle.gradient(static_cast<int64_t>(i), t, &w[i * p]);
      for (size_t j = 0; j < p; ++j) {
        w[i * p + j] -= s.learning_rate * g[j];
        moved[j] -= s.learning_rate * a[i] * g[j];
      }
    }
    if ((t + 1) % 3 == 0)
      for (size_t i = 0; i < w.size(); ++i) w[i] = moved[i % p];
    if (t == 2 || t == 3 || t == 7) {
      const RunResult r = result(s.with_steps(t + 1));
      EXPECT_LE(difference(test::models(r.arms[0]), w), tolerance()) << t;
      EXPECT_LE(difference(r.arms[0].mean_models, moved), tolerance()) << t;
    }
  }
  double loss = 0;
  const auto u = test::weighted_mean(w, a);
  for (size_t i = 0; i < 5; ++i) loss += a[i] * oracle.loss(static_cast<int64_t>(i), u.data());
  EXPECT_LE(std::abs(last.arms[0].values[0][0].back() - loss), 10 * tolerance() * loss);
  EXPECT_GT(difference(test::models(last.arms[0]), final_models(s.with_network(tiers({{"cloud", 3}})))), 1e-3)
      << "equal weights are something else";
}

// Every worker has its own batch size; equal sizes given one by one are the single size.
TEST_P(FedAvg, BatchesOfEachWorker) {
  Trial s = trial(4).with_network(tiers({{"cloud", 2}})).with_steps(4), list = s;
  list.batch = "[4, 4, 4]";
  EXPECT_EQ(final_models(list), final_models(s));
  Trial mixed = s.with_steps(1).with_network("");
  mixed.batch = "[2, 9]";
  const auto got = final_models(mixed);
  const size_t p = got.size() / 4;
  for (size_t i = 0; i < 4; ++i) {
    Trial one = mixed;
    one.batch = i % 2 == 0 ? "2" : "9";
    const auto g = test::Oracle(one, device()).gradient(static_cast<int64_t>(i), 0, std::vector<double>(p).data());
    std::vector<double> want;
    for (const double x : g) want.push_back(-s.learning_rate * x);
    EXPECT_LE(difference({got.begin() + static_cast<std::ptrdiff_t>(i * p),
                          got.begin() + static_cast<std::ptrdiff_t>((i + 1) * p)},
                         want),
              tolerance())
        << i;
  }
}

}  // namespace
}  // namespace orrery
