// Same experiment, same bits: run to run, for any number of threads, replicas and arms beside it; and the ways to
// compute a step agree.
#include "tests/laws/run_helpers.hpp"

#ifdef ORRERY_EMULATED
#include "emulation.hpp"
#endif

namespace orrery {
namespace {

using test::difference;
using test::tiers;
using test::Trial;

// Everything that a run measured and left behind, of one arm.
struct Outcome {
  std::vector<double> models, means;
  std::vector<std::vector<std::vector<double>>> values;  // [metric][replica][record point]
  std::vector<int64_t> worker_steps;
  std::vector<std::string> partitions;
  bool operator==(const Outcome&) const = default;
};
Outcome outcome(const ArmResult& a) {
  return {test::models(a), a.mean_models, a.values, a.worker_steps, a.partition_hash};
}

void expect_same(const Outcome& got, const Outcome& want) {
  EXPECT_FALSE(want.models.empty());
  EXPECT_EQ(got.models, want.models);
  EXPECT_EQ(got.means, want.means);
  EXPECT_EQ(got.values, want.values);
  EXPECT_EQ(got.worker_steps, want.worker_steps);
  EXPECT_EQ(got.partitions, want.partitions);
}

class SameBits : public test::OnEachCase {
 protected:
  // rates, unequal weights, hubs over a graph, many metrics
  Trial busy(int64_t workers, const std::string& partition = "kind = \"dirichlet\"\nalpha = 0.5") const {
    Trial s = trial(workers).with_network("weights = [1, 3, 2]\nrates = [0.7, 1]\ngrouping = \"random\"\n" +
                                          tiers({{"hub", 2, 3}}) +
                                          "graph = { kind = \"ring\", period = 4, mixing = \"metropolis\" }\n");
    s.partition = partition;
    s.every = 5;
    s.metrics =
        "\"train_loss\", \"worker_train_loss\", \"grad_norm_sq\", \"consensus_distance\", \"dispersion_hub\", "
        "\"dispersion_graph\", "
        "\"divergence_hub\", \"steps_done\", \"bits_up\"";
    s.metrics += softmax() ? ", \"test_loss\", \"test_accuracy\", \"worker_test_accuracy\"" : ", \"optimum_distance\"";
    return s;
  }
  // On a real GPU products are padded to the launch's largest batch, and cuBLAS may choose its algorithm by the number
  // of rows: there a softmax row's neighbours may change its rounding (kernels/batched_gemm.hpp). The emulated cuBLAS
  // multiplies row by row: there the kernels of this project must give equal bits.
#ifdef ORRERY_EMULATED
  bool neighbours_may_round() const { return false; }
#else
  bool neighbours_may_round() const { return device() == "cuda" && softmax(); }
#endif
  void expect_same_among_neighbours(const Outcome& got, const Outcome& want) const {
    if (!neighbours_may_round()) {
      expect_same(got, want);
      return;
    }
    EXPECT_LE(difference(got.models, want.models), tolerance());
    EXPECT_LE(difference(got.means, want.means), tolerance());
    ASSERT_EQ(got.values.size(), want.values.size());
    for (size_t m = 0; m < want.values.size(); ++m)
      for (size_t r = 0; r < want.values[m].size(); ++r)
        EXPECT_LE(difference(got.values[m][r], want.values[m][r]), 10 * tolerance())
            << "metric " << m << ", replica " << r;
    EXPECT_EQ(got.worker_steps, want.worker_steps);
    EXPECT_EQ(got.partitions, want.partitions);
  }
};
ORRERY_ON_CASES(SameBits);

const std::vector<std::string> partitions{"kind = \"shards\"", "kind = \"dirichlet\"\nalpha = 0.3"};

TEST_P(SameBits, RunToRun) {
  const Trial s = busy(6);
  const auto first = outcome(result(s).arms[0]);
  expect_same(outcome(result(s).arms[0]), first);
  Trial other = s;
  other.seed += 1;
  EXPECT_NE(outcome(result(other).arms[0]).models, first.models);
}

TEST_P(SameBits, ForAnyNumberOfThreads) {
  const int before = threads();
  Trial s = busy(7);
  s.replicas = 2;
  set_threads(1);
  const auto one = outcome(result(s).arms[0]);
  for (int n : {2, 4}) {
    set_threads(n);
    const RunResult r = result(s);
    EXPECT_EQ(r.threads, n);
    expect_same(outcome(r.arms[0]), one);
  }
  set_threads(before);
}

TEST_P(SameBits, AReplicaIsARunWithItsSeed) {
  for (const auto& partition : partitions) {
    Trial s = busy(6, partition);
    s.replicas = 3;
    const auto together = outcome(result(s).arms[0]);
    const size_t models = together.models.size() / 3, means = together.means.size() / 3;
    for (size_t k = 0; k < 3; ++k) {
      SCOPED_TRACE(fmt::format("replica {}, {}", k, partition));
      Trial alone = s;
      alone.replicas = 1;
      alone.seed = s.seed + static_cast<int64_t>(k);
      const auto cut = [&](const auto& v, size_t n) {
        return std::vector(v.begin() + static_cast<std::ptrdiff_t>(k * n),
                           v.begin() + static_cast<std::ptrdiff_t>((k + 1) * n));
      };
      Outcome one{cut(together.models, models),
                  cut(together.means, means),
                  {},
                  cut(together.worker_steps, 6),
                  cut(together.partitions, 1)};
      for (const auto& metric : together.values) one.values.push_back({metric[k]});
      expect_same_among_neighbours(one, outcome(result(alone).arms[0]));
    }
    EXPECT_NE(std::vector(together.models.begin(), together.models.begin() + static_cast<std::ptrdiff_t>(models)),
              std::vector(together.models.begin() + static_cast<std::ptrdiff_t>(models),
                          together.models.begin() + static_cast<std::ptrdiff_t>(2 * models)));
  }
}

TEST_P(SameBits, AnArmAloneIsTheArmAmongThree) {
  for (const auto& partition : partitions) {
    Trial alone = busy(6, partition), among = alone;
    among.replicas = alone.replicas = 2;
    among.network = "weights = [1, 3, 2]\nrates = [0.7, 1]\n" + tiers({{"hub", 3, 2}});
    among.metrics = alone.metrics =
        "\"train_loss\", \"grad_norm_sq\", \"consensus_distance\", \"dispersion_hub\", \"bits_up\"";
    among.arms =
        "[[arm]]\nname = \"first\"\nalgorithm.learning_rate = 0.03\n"
        "[[arm]]\nname = \"the one\"\n"
        "network.grouping = \"random\"\nnetwork." +
        tiers({{"hub", 2, 3}}) +
        "network.graph = { kind = \"ring\", period = 4, mixing = \"metropolis\" }\n"
        "[[arm]]\nname = \"last\"\nalgorithm.batch = 9\nnetwork.rates = 1\nnetwork.weights = \"equal\"\nnetwork." +
        tiers({{"hub", 1}});
    const RunResult r = result(among);
    ASSERT_EQ(r.arms.size(), 3u);
    expect_same_among_neighbours(outcome(r.arms[1]), outcome(result(alone).arms[0]));
    EXPECT_NE(test::models(r.arms[0]), test::models(r.arms[1]));
    EXPECT_NE(test::models(r.arms[2]), test::models(r.arms[1]));
  }
}

// Equal weights over equal parts: alone every sample counts 1/n, and beside an arm with unequal weights it still must.
TEST_P(SameBits, AnEvenArmIsTheSameBesideAnUnevenOne) {
  Trial alone = trial(6).with_network(tiers({{"cloud", 3}}));
  alone.partition = "kind = \"iid\"";
  alone.metrics = "\"train_loss\", \"worker_train_loss\", \"grad_norm_sq\"";
  alone.every = 2;
  Trial among = alone;
  among.arms = "[[arm]]\nname = \"even\"\n[[arm]]\nname = \"uneven\"\nnetwork.weights = [1, 2]\n";
  for (const int64_t samples : {198, 200}) {
    const auto with_samples = [&](const Trial& s) {
      Trial t = s;
      t.samples = samples;
      return result(t);
    };
    const RunResult r = with_samples(among);
    ASSERT_EQ(r.arms.size(), 2u);
    expect_same_among_neighbours(outcome(r.arms[0]), outcome(with_samples(alone).arms[0]));
    EXPECT_NE(test::models(r.arms[1]), test::models(r.arms[0]));
  }
}

TEST_P(SameBits, StoredGradientsAgreeWithTheFusedStep) {
  for (const char* batch : {"4", "\"full\""}) {
    Trial s = busy(6);
    s.batch = batch;
    const RunResult fused = result(s);
    s.step = "gradients";
    const RunResult stored = result(s);
    EXPECT_LE(difference(test::models(stored.arms[0]), test::models(fused.arms[0])), tolerance());
    EXPECT_EQ(stored.arms[0].worker_steps, fused.arms[0].worker_steps);
    for (size_t m = 0; m < fused.arms[0].values.size(); ++m) {
      EXPECT_LE(difference(stored.arms[0].values[m][0], fused.arms[0].values[m][0]), 10 * tolerance())
          << "metric " << m;
    }
  }
}

// Graphs replay recorded stretches; record points that do not divide the round cut them elsewhere.
TEST_P(SameBits, CudaGraphsChangeNothing) {
  if (device() != "cuda") GTEST_SKIP() << "CUDA graphs are for CUDA";
  for (const auto& network :
       {std::string("weights = [1, 3, 2]\nrates = [0.7, 1]\n") + tiers({{"hub", 2, 3}}) +
            "graph = { kind = \"ring\", period = 4, mixing = \"metropolis\" }\n",
        tiers({{"edge", 2, 3}, {"cloud", 6}}), std::string("graph = { kind = \"one-peer-exponential\", period = 3 }\n"),
        std::string()}) {
    Trial s = trial(6).with_network(network).with_steps(24);
    s.metrics = "\"train_loss\", \"consensus_distance\", \"steps_done\", \"bits_up\", \"bits_down\"";
    for (int64_t every : softmax() ? std::vector<int64_t>{5, 7} : std::vector<int64_t>{1, 5, 7, 24}) {
      s.every = every;
      s.head = "cuda_graphs = false";
      const RunResult plain = result(s);
      s.head = "cuda_graphs = true";
      const RunResult graphs = result(s);
      SCOPED_TRACE(fmt::format("every {} of {}", every, network));
      EXPECT_EQ(plain.graph_launches, 0);
      EXPECT_GT(graphs.graph_launches, 0);
      expect_same(outcome(graphs.arms[0]), outcome(plain.arms[0]));
    }
  }
}

#ifdef ORRERY_EMULATED
// Round, tier, graph and verbs are named for a profiler, and every range that begins ends.
TEST_P(SameBits, RangesForTheProfilerAreBalanced) {
  if (device() != "cuda") GTEST_SKIP() << "one device is enough";
  for (const bool graphs : {false, true}) {
    Trial s = busy(6).with_steps(12);
    s.head = fmt::format("cuda_graphs = {}", graphs);
    emulation::reset_nvtx_counts();
    result(s);
    const emulation::NvtxCounts all = emulation::nvtx_counts();
    EXPECT_EQ(all.pushed, all.popped);
    EXPECT_EQ(all.unmatched_pops, 0);
    for (const char* name : {"round", "local_steps", "average hub", "mix", "metrics"})
      EXPECT_GT(emulation::nvtx_pushed(name), 0) << name << (graphs ? " recorded" : " not recorded");
  }
}
#endif

// The grid of record points cuts stretches of fused steps; the state they show does not depend on it.
TEST_P(SameBits, RecordPointsDoNotTouchTheState) {
  Trial s = busy(6);
  const auto rarely = outcome(result(s.with_steps(14)).arms[0]);
  s.every = 1;
  const RunResult often = result(s);
  EXPECT_EQ(test::models(often.arms[0]), rarely.models);
  ASSERT_EQ(often.record_steps.size(), 15u);
  for (size_t m = 0; m < rarely.values.size(); ++m) {
    ASSERT_EQ(rarely.values[m][0].size(), 4u);  // after 0, 5, 10 and 14 steps
    for (size_t k = 0; k < 4; ++k)
      EXPECT_EQ(often.arms[0].values[m][0][std::min<size_t>(5 * k, 14)], rarely.values[m][0][k])
          << "metric " << m << " point " << k;
  }
}

}  // namespace
}  // namespace orrery
