// Laws of the local step's options: momentum, several batches per slot, passes without replacement, step-size drops. Every run is held
// to a float64 simulation written from the formulas, gradients and draws from test::Oracle.
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::difference;
using test::tiers;
using test::Trial;

constexpr double apart = 1e-3;

struct Options {
  double momentum = 0;
  bool keep = false;
  std::vector<double> rates = {1};  // cycled
  int64_t period = 0;               // all workers average, equal weights; 0: never
  std::vector<std::pair<int64_t, double>> drops = {};
};

class Steps : public test::OnEachCase {
 protected:
  // v <- mu v + g, w <- w - eta v in every gradient step that a worker takes; after an average v <- 0, or it is kept.
  std::vector<double> simulate(const Trial& s, const Options& o) const {
    const test::Oracle oracle(s, device());
    const auto p = static_cast<size_t>(oracle.parameters()), workers = static_cast<size_t>(s.workers);
    std::vector<double> w(workers * p, softmax() ? 0.0 : 0.25), v(w.size());
    for (int64_t t = 0; t < s.steps; ++t) {
      double eta = s.learning_rate;
      for (const auto& [at, factor] : o.drops) eta *= t >= at ? factor : 1;
      for (size_t i = 0; i < workers; ++i) {
        const auto worker = static_cast<int64_t>(i);
        if (!test::steps_in(s.seed, worker, t, o.rates[i % o.rates.size()])) continue;
        for (int64_t k = 0; k < s.repeats[i % s.repeats.size()]; ++k) {
          const auto g = oracle.gradient(worker, t, &w[i * p], k);
          for (size_t j = 0; j < p; ++j) {
            v[i * p + j] = o.momentum * v[i * p + j] + g[j];
            w[i * p + j] -= eta * v[i * p + j];
          }
        }
      }
      if (o.period == 0 || (t + 1) % o.period != 0) continue;
      const auto mean = test::weighted_mean(w, std::vector<double>(workers, 1.0 / static_cast<double>(workers)));
      for (size_t i = 0; i < w.size(); ++i) w[i] = mean[i % p];
      if (!o.keep) std::fill(v.begin(), v.end(), 0.0);
    }
    return w;
  }
  // fused and stored gradients both follow the simulation
  void expect_follows(Trial s, const Options& o) const {
    const auto want = simulate(s, o);
    for (const char* step : {"fused", "gradients"}) {
      s.step = step;
      EXPECT_LE(difference(final_models(s), want), 10 * tolerance()) << step;
    }
  }
};
ORRERY_ON_CASES(Steps);

// ---- momentum -------------------------------------------------------------------------------------------------------

TEST_P(Steps, MomentumIsHeavyBall) {
  for (const char* batch : {"4", "\"full\""}) {
    Trial s = trial(3).with_steps(9);
    s.batch = batch;
    s.algorithm = "momentum = 0.9";
    expect_follows(s, {.momentum = 0.9});
  }
}

// A slot that a worker skips leaves its velocity as it is.
TEST_P(Steps, ASkippedSlotLeavesTheVelocity) {
  Trial s = trial(4).with_network("rates = [0.4, 1, 0.7]\n").with_steps(12);
  s.algorithm = "momentum = 0.8";
  expect_follows(s, {.momentum = 0.8, .rates = {0.4, 1, 0.7}});
  // and is told apart from one that damps
  EXPECT_GT(difference(simulate(s, {.momentum = 0.8, .rates = {0.4, 1, 0.7}}), simulate(s, {.momentum = 0.8})), apart);
}

TEST_P(Steps, MomentumStartsAnewAfterAnAverageUnlessItIsKept) {
  for (const bool keep : {false, true}) {
    Trial s = trial(4).with_network("rates = [0.5, 1]\n" + tiers({{"cloud", 3}})).with_steps(10);
    s.algorithm = std::string("momentum = 0.9\nmomentum_at_average = ") + (keep ? "\"keep\"" : "\"reset\"");
    expect_follows(s, {.momentum = 0.9, .keep = keep, .rates = {0.5, 1}, .period = 3});
  }
  Trial s = trial(4).with_network(tiers({{"cloud", 3}})).with_steps(10);
  s.algorithm = "momentum = 0.9\nmomentum_at_average = \"keep\"";
  const auto kept = final_models(s);
  s.algorithm = "momentum = 0.9";
  EXPECT_GT(difference(final_models(s), kept), apart) << "reset is the default";
}

// Where only some groups average, only their workers' velocities start anew.
TEST_P(Steps, AnAverageResetsTheVelocitiesOfItsOwnGroupsAlone) {
  Trial s = trial(4).with_network("tiers = [{ name = \"edge\", nodes = 2, period = [3, 100] }]\n").with_steps(8);
  s.algorithm = "momentum = 0.9";
  Trial alone = s.with_network("");
  const auto got = final_models(s), free = final_models(alone);
  const auto half = static_cast<std::ptrdiff_t>(got.size() / 2);
  EXPECT_EQ(std::vector(got.begin() + half, got.end()), std::vector(free.begin() + half, free.end()));
  EXPECT_GT(difference({got.begin(), got.begin() + half}, {free.begin(), free.begin() + half}), apart);
}

TEST_P(Steps, MomentumZeroIsNoMomentum) {
  Trial s = trial(4).with_network(tiers({{"cloud", 3}}));
  const auto plain = final_models(s);
  s.algorithm = "momentum = 0.0";
  EXPECT_EQ(final_models(s), plain);
  s.algorithm = "momentum = 0\nmomentum_at_average = \"keep\"";
  EXPECT_EQ(final_models(s), plain);
}

// ---- batches per slot -----------------------------------------------------------------------------------------------

TEST_P(Steps, SeveralBatchesPerSlot) {
  for (const std::vector<int32_t>& repeats : {std::vector<int32_t>{3}, {2, 1, 4}}) {
    Trial s = trial(4).with_network("rates = [0.6, 1]\n" + tiers({{"cloud", 2}})).with_steps(5);
    s.repeats = repeats;
    expect_follows(s, {.rates = {0.6, 1}, .period = 2});
    s.algorithm = "momentum = 0.7";
    expect_follows(s, {.momentum = 0.7, .rates = {0.6, 1}, .period = 2});
  }
}

// Without draws k batches per slot and tau slots are k tau slots of one batch; steps are counted alike.
TEST_P(Steps, RepeatedWholeBatchesAreMoreSlots) {
  Trial few = trial(4).with_network(tiers({{"cloud", 2}})).with_steps(6), many = few;
  few.batch = many.batch = "\"full\"";
  few.repeats = {3};
  many.network = tiers({{"cloud", 6}});
  many.steps = 18;
  const RunResult a = result(few), b = result(many);
  EXPECT_EQ(test::models(a.arms[0]), test::models(b.arms[0]));
  EXPECT_EQ(a.arms[0].worker_steps, b.arms[0].worker_steps);
  EXPECT_EQ(a.arms[0].worker_steps, std::vector<int64_t>(4, 18));
}

// The batches of one slot are drawn apart from each other.
TEST_P(Steps, TheBatchesOfASlotDiffer) {
  Trial s = trial(2).with_steps(1), twice = s;
  twice.repeats = {2};
  const test::Oracle oracle(s, device());
  const auto p = static_cast<size_t>(oracle.parameters());
  const std::vector<double> start(p, softmax() ? 0.0 : 0.25);
  EXPECT_GT(difference(oracle.gradient(0, 0, start.data(), 1), oracle.gradient(0, 0, start.data(), 0)), apart);
  EXPECT_GT(difference(oracle.gradient(0, 1, start.data(), 0), oracle.gradient(0, 0, start.data(), 1)), apart);
}

// ---- passes without replacement -------------------------------------------------------------------------------------

TEST_P(Steps, ShuffledPasses) {
  for (const char* partition : {"kind = \"iid\"", "kind = \"dirichlet\"\nalpha = 0.5"})
    for (const std::vector<int32_t>& repeats : {std::vector<int32_t>{1}, {2, 1}}) {
      Trial s = trial(5).with_network("rates = [0.6, 1]\n" + tiers({{"cloud", 3}})).with_steps(7);
      s.partition = partition;
      s.batch = "7";  // 40 samples each in the even case: batches go across the ends of passes
      s.repeats = repeats;
      s.shuffle = true;
      expect_follows(s, {.rates = {0.6, 1}, .period = 3});
    }
}

// One pass of n / B small steps from one point sees every sample once: with a learning rate so small that the models stay, it is one
// step with the whole data.
TEST_P(Steps, APassIsTheWholeDataToFirstOrder) {
  if (!softmax() || GetParam().precision != "fp64") GTEST_SKIP() << "needs samples and fine digits";
  Trial s = trial(5);
  s.partition = "kind = \"iid\"";  // 40 samples each
  s.shuffle = true;
  s.learning_rate = 1e-7;
  Trial whole = s.with_steps(1);
  whole.shuffle = false;
  whole.batch = "\"full\"";
  for (int64_t batch : {1, 5, 8, 20}) {
    s.batch = std::to_string(batch);
    whole.learning_rate = 1e-7 * static_cast<double>(40 / batch);
    EXPECT_LE(difference(final_models(s.with_steps(40 / batch)), final_models(whole)), 1e-4) << batch;
  }
  s.shuffle = false;
  s.batch = "5";
  whole.learning_rate = 8e-7;
  EXPECT_GT(difference(final_models(s.with_steps(8)), final_models(whole)), 1e-2) << "with replacement it is not";
}

TEST_P(Steps, OptionsGiveTheSameBitsForAnyNumberOfThreads) {
  const int before = threads();
  Trial s = trial(7).with_network("rates = [0.6, 1]\n" + tiers({{"cloud", 3}}));
  s.shuffle = true;
  s.repeats = {2, 3};
  s.algorithm = "momentum = 0.9";
  s.rate = "{ start = 0.2, drops = [[4, 0.5], [9, 0.1]] }";
  set_threads(1);
  const auto one = final_models(s);
  for (int n : {2, 4}) {
    set_threads(n);
    EXPECT_EQ(final_models(s), one) << n;
  }
  set_threads(before);
}

// ---- step-size drops ------------------------------------------------------------------------------------------------

TEST_P(Steps, LearningRatesDrop) {
  Trial s = trial(4).with_network(tiers({{"cloud", 4}})).with_steps(11);
  s.rate = fmt::format("{{ start = {:.17e}, drops = [[3, 0.5], [4, 0.5], [10, 4.0]] }}", s.learning_rate);
  expect_follows(s, {.period = 4, .drops = {{3, 0.5}, {4, 0.5}, {10, 4.0}}});
  for (const char* step : {"fused", "gradients"}) {
    s.step = step;
    s.algorithm = "momentum = 0.9";
    EXPECT_LE(difference(final_models(s),
                         simulate(s, {.momentum = 0.9, .period = 4, .drops = {{3, 0.5}, {4, 0.5}, {10, 4.0}}})),
              10 * tolerance());
  }
}

// A drop by 1 changes nothing; so a schedule costs no bit, wherever the record points and averages fall.
TEST_P(Steps, ADropByOneChangesNoBit) {
  Trial s = trial(4).with_network(tiers({{"cloud", 4}}));
  const auto plain = final_models(s);
  s.rate = fmt::format("{{ start = {:.17e}, drops = [[1, 1.0], [4, 1], [7, 1.0], [13, 1]] }}", s.learning_rate);
  EXPECT_EQ(final_models(s), plain);
  s.every = 3;
  EXPECT_EQ(final_models(s), plain);
}

TEST_P(Steps, EveryArmHasItsOwnSchedule) {
  Trial s = trial(4).with_network(tiers({{"cloud", 4}}));
  std::vector<std::vector<double>> alone;
  const std::string schedules[] = {"0.2", "{ start = 0.2, drops = [[5, 0.1]] }",
                                   "{ start = 0.2, drops = [[3, 0.5], [9, 2]] }"};
  Trial together = s;
  for (const auto& rate : schedules) {
    s.rate = rate;
    alone.push_back(final_models(s));
    together.arms += fmt::format("[[arm]]\nname = \"{}\"\nalgorithm.learning_rate = {}\n", alone.size(), rate);
  }
  const RunResult r = result(together);
  ASSERT_EQ(r.arms.size(), 3u);
  for (size_t k = 0; k < 3; ++k)  // beside others cuBLAS may round differently
    EXPECT_LE(difference(test::models(r.arms[k]), alone[k]), device() == "cpu" ? 0 : tolerance()) << k;
  EXPECT_GT(difference(alone[1], alone[0]), apart);
}

// Recorded graphs read the present rates: the same bits with graphs and without, drops inside, at and outside a round.
TEST_P(Steps, CudaGraphsReplayWithTheNewRates) {
  if (device() != "cuda") GTEST_SKIP() << "CUDA graphs are for CUDA";
  Trial s = trial(4).with_network(tiers({{"cloud", 4}})).with_steps(70);
  s.algorithm = "momentum = 0.5";
  for (const char* drops : {"[[16, 0.5], [32, 0.5], [48, 0.1]]", "[[5, 0.5], [33, 2.0]]"}) {
    s.rate = fmt::format("{{ start = 0.2, drops = {} }}", drops);
    s.head = "cuda_graphs = false";
    const auto plain = final_models(s);
    s.head = "cuda_graphs = true";
    EXPECT_EQ(final_models(s), plain) << drops;
  }
}

}  // namespace
}  // namespace orrery
