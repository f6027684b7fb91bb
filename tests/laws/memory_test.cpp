// Memory: what a run takes is what its plan says and what the formula says, and it does not grow with the run.
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::tiers;
using test::Trial;

class Memory : public test::OnEachCase {  // 256 workers are for the CPU
 protected:
  // each thread has room for a few samples of its own: two of them, whatever the machine has
  void SetUp() override { set_threads(2); }
  void TearDown() override { set_threads(before_); }
  Trial many() const {
    Trial s = trial(256).with_steps(3).with_network(tiers({{"edge", 1, 8}, {"cloud", 3}}));
    s.samples = 512;
    s.partition = "kind = \"iid\"";
    return s;
  }

 private:
  int before_ = threads();
};
INSTANTIATE_TEST_SUITE_P(Each, Memory, testing::Values(test::Case{"cpu", "fp32", "softmax"}), test::case_name);

class FlatMemory : public test::OnEachCase {};
ORRERY_ON_CASES(FlatMemory, {"quadratic"}, {"fp64"});

// rows * P * banks + data; stored gradients are a second bank.
TEST_P(Memory, IsThePlanAndTheFormula) {
  for (const bool stored : {false, true}) {
    Trial s = many();
    s.metrics = "\"train_loss\", \"test_accuracy\", \"consensus_distance\"";
    s.every = 1;
    if (stored) s.step = "gradients";
    const RunResult r = result(s);
    const double banks = stored ? 2 : 1, parameters = 7850;
    ASSERT_EQ(r.parameters, 7850);
    const double formula = 256 * parameters * 4 * banks + 562 * (784 + 4);
    EXPECT_GE(static_cast<double>(r.peak_memory), formula);
    EXPECT_LE(static_cast<double>(r.peak_memory), 1.1 * formula);
    EXPECT_NEAR(static_cast<double>(r.peak_memory), static_cast<double>(r.planned_memory),
                0.1 * static_cast<double>(r.planned_memory));
  }
}

// Momentum is one more bank; participation three small columns and the live weights of the tiers.
TEST_P(Memory, IsThePlanWithMomentumAndParticipation) {
  Trial s = trial(64).with_steps(7).with_network(
      "tiers = [{ name = \"edge\", nodes = 8, period = [1, 3] }, { name = \"cloud\", nodes = 1, period = 3 }]\n"
      "participation = 0.5\n");
  s.partition = "kind = \"iid\"";
  s.algorithm = "momentum = 0.9";
  const RunResult r = result(s);
  EXPECT_GE(r.peak_memory, 2 * 64 * 7850 * 4);
  EXPECT_NEAR(static_cast<double>(r.peak_memory), static_cast<double>(r.planned_memory),
              0.1 * static_cast<double>(r.planned_memory));
}

// Compressed tiers: an error memory and a message for every worker, and what their nodes hold.
TEST_P(Memory, IsThePlanWithCompressedTiers) {
  for (const char* more : {"", "participation = 0.5\n", "graph = { kind = \"ring\", period = 6 }\n"}) {
    Trial s = trial(64).with_steps(7).with_network(
        std::string(
            "tiers = [{ name = \"edge\", nodes = 16, period = 1 }, { name = \"region\", nodes = 4, period = 3 }]\n") +
        more);
    s.partition = "kind = \"iid\"";
    s.arms = "[compressor]\nkind = \"top-k\"\nk = 80\ndown = { kind = \"qsgd\", levels = 16 }\n";
    const RunResult r = result(s);
    EXPECT_GE(r.peak_memory, (3 * 64 + 4 * 16 + 4 * 4) * 7850 * 4);  // up: 64 and 16 senders; two banks and one a node
    EXPECT_NEAR(static_cast<double>(r.peak_memory), static_cast<double>(r.planned_memory),
                0.1 * static_cast<double>(r.planned_memory))
        << more;
  }
}

// Divergences need the second bank, the gradient's norm a share of it: planned too.
TEST_P(Memory, IsThePlanWithMetricsOfGradients) {
  for (const char* metrics :
       {"\"divergence_edge\", \"divergence_cloud\"", "\"grad_norm_sq\"", "\"grad_norm_sq\", \"divergence_cloud\"",
        "\"dispersion_edge\", \"dispersion_cloud\"", "\"worker_train_loss\", \"worker_test_loss\""}) {
    Trial s = many();
    s.metrics = metrics;
    const RunResult r = result(s);
    EXPECT_NEAR(static_cast<double>(r.peak_memory), static_cast<double>(r.planned_memory),
                0.1 * static_cast<double>(r.planned_memory))
        << metrics;
  }
}

// On CUDA also what cuBLAS and the metrics take: gathered samples, whole gradients in a space of their own.
class DeviceMemory : public test::OnEachCase {};
ORRERY_ON_CASES(DeviceMemory, {"softmax"}, {"fp32"});

TEST_P(DeviceMemory, IsThePlan) {
  for (const char* metrics : {"\"steps_done\"", "\"grad_norm_sq\"", "\"divergence_cloud\"", "\"worker_train_loss\"",
                              "\"test_loss\", \"train_loss\""}) {
    Trial s = trial(16).with_steps(2).with_network(tiers({{"cloud", 2}}));
    s.metrics = metrics;
    const RunResult r = result(s);
    const int64_t cublas = device() == "cuda" ? cublas_workspace_bytes : 0;
    EXPECT_NEAR(static_cast<double>(r.peak_memory - cublas), static_cast<double>(r.planned_memory - cublas),
                0.1 * static_cast<double>(r.planned_memory - cublas))
        << metrics;
  }
}

// Losses of a quadratic, at the mean models and at every worker's.
TEST_P(FlatMemory, IsThePlan) {
  for (const char* metrics : {"\"train_loss\"", "\"worker_train_loss\"", "\"grad_norm_sq\""}) {
    Trial s = trial(4).with_steps(2).with_network(tiers({{"cloud", 2}}));
    s.parameters = 1000;
    s.metrics = metrics;
    const RunResult r = result(s);
    const int64_t cublas = device() == "cuda" ? cublas_workspace_bytes : 0;
    EXPECT_NEAR(static_cast<double>(r.peak_memory - cublas), static_cast<double>(r.planned_memory - cublas),
                0.1 * static_cast<double>(r.planned_memory - cublas))
        << metrics;
  }
}

// Votes beside the gradient: a chunk of gradients and a few numbers per coordinate and worker, planned; nothing grows with rows times parameters.
TEST_P(FlatMemory, VotesHeldAgainstTheGradientTakeLittle) {
  const int64_t W = 40, P = 4000;
  Trial s = trial(W).with_steps(3);
  s.kind = "sign-vote";
  s.algorithm = "vote = \"fv\"";
  s.parameters = P;
  s.replicas = 3;
  const auto peak = [&](const std::string& metrics) {
    s.metrics = metrics;
    const RunResult r = result(s);
    const int64_t cublas = device() == "cuda" ? cublas_workspace_bytes : 0;
    EXPECT_NEAR(static_cast<double>(r.peak_memory - cublas), static_cast<double>(r.planned_memory - cublas),
                0.1 * static_cast<double>(r.planned_memory - cublas))
        << metrics;
    return r.peak_memory;
  };
  // of one replica, whose workers fit into one chunk: 40 gradients and their sum; the reference; what is read per worker
  const int64_t chunk = (W + 1) * P * 8, reference = 10 * P + 200 * W;
  EXPECT_LE(peak("\"vote_error\", \"vote_agreement\", \"grad_norm_1\"") - peak("\"bits_up\""), chunk + reference);
}

TEST_P(FlatMemory, TenThousandRoundsTakeWhatTenTake) {
  if (device() != "cpu") GTEST_SKIP() << "10000 rounds are for the CPU";
  Trial s = trial(8).with_network(tiers({{"cloud", 1}}));
  s.parameters = 8;
  s.metrics = "\"train_loss\", \"grad_norm_sq\", \"consensus_distance\", \"divergence_cloud\", \"optimum_distance\"";
  s.every = 10;
  const int64_t ten = result(s.with_steps(10)).peak_memory;
  EXPECT_GE(ten, 8 * 8 * 8);
  EXPECT_EQ(result(s.with_steps(10000)).peak_memory, ten);
}

TEST_P(FlatMemory, RoundsTakeNoMemory) {
  const Trial s = trial(4).with_network(tiers({{"cloud", 2}}));
  EXPECT_EQ(result(s.with_steps(64)).peak_memory, result(s.with_steps(16)).peak_memory);
}

}  // namespace
}  // namespace orrery
