// The resolved experiment, run again, gives the same bits: with defaults, arms and --set overrides.
#include <fstream>

#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::tiers;
using test::Trial;

class Resolved : public test::OnEachCase {
 protected:
  // e's results equal those of its resolved text, and resolving that changes nothing
  void expect_same_again(const Experiment& e) {
    const Experiment again = parse_experiment(e.resolved_toml, "again.toml");
    EXPECT_EQ(again.resolved_toml, e.resolved_toml);
    EXPECT_EQ(again.name, e.name);
    EXPECT_EQ(again.device, e.device);
    ASSERT_EQ(again.arms.size(), e.arms.size());
    const RunResult want = run(e), got = run(again);
    EXPECT_EQ(got.record_steps, want.record_steps);
    for (size_t k = 0; k < want.arms.size(); ++k) {
      EXPECT_EQ(again.arms[k].name, e.arms[k].name);
      EXPECT_FALSE(test::models(want.arms[k]).empty());
      EXPECT_EQ(test::models(got.arms[k]), test::models(want.arms[k])) << k;
      EXPECT_EQ(got.arms[k].mean_models, want.arms[k].mean_models);
      EXPECT_EQ(got.arms[k].values, want.arms[k].values);
      EXPECT_EQ(got.arms[k].worker_steps, want.arms[k].worker_steps);
      EXPECT_EQ(got.arms[k].partition_hash, want.arms[k].partition_hash);
    }
  }
  Trial busy() const {
    Trial s = trial(6).with_network("weights = [0.1, 0.3, 0.7]\nrates = [0.7, 1]\n" + tiers({{"hub", 2, 3}}) +
                                    "graph = { kind = \"ring\", period = 4, mixing = \"metropolis\" }\n");
    s.replicas = 2;
    s.every = 3;
    s.learning_rate = 0.1 + 1.0 / 30;  // needs all its digits
    s.metrics = "\"train_loss\", \"consensus_distance\", \"bits_up\"";
    return s;
  }
  const std::string arms =
      "[[arm]]\nname = \"hubs\"\n[[arm]]\nname = \"local SGD, period 5\"\nnetwork." + tiers({{"hub", 5}}) +
      "network.graph = { kind = \"complete\", period = 5 }\n" +
      "[[arm]]\nname = \"slow\"\nalgorithm.learning_rate = 0.013\nalgorithm.batch = [2, 3]\nnetwork.rates = 0.3\n";
};
ORRERY_ON_CASES(Resolved);

TEST_P(Resolved, OneSetting) { expect_same_again(parse_experiment(busy().text(), "law.toml", device())); }

TEST_P(Resolved, Arms) {
  Trial s = busy();
  s.arms = arms;
  expect_same_again(parse_experiment(s.text(), "law.toml", device()));
}

// Every option of tiered SGD, and arms that take schedules, participation and clocks away or bring them.
TEST_P(Resolved, Options) {
  Trial s = trial(9).with_network(
      "rates = [0.7, 1]\nparticipation = 0.67\n"
      "tiers = [{ name = \"edge\", nodes = 3, period = [2, 3], latency = 0.1, bandwidth = 1e5 }, { name = \"cloud\", "
      "nodes "
      "= 1, period = 6 }]\nclock = { kind = \"waiting\", step_time = 0.3 }\n");
  s.rate = "{ start = 0.13, drops = [[3, 0.7], [9, 0.1]] }";
  s.algorithm = "momentum = 0.9\nmomentum_at_average = \"keep\"";
  s.repeats = {2, 1};
  s.shuffle = true;
  s.metrics = "\"train_loss\", \"virtual_time\", \"bits_up\"";
  expect_same_again(parse_experiment(s.text(), "law.toml", device()));
  s.arms =
      "[[arm]]\nname = \"as above\"\n[[arm]]\nname = \"constant\"\nalgorithm.learning_rate = 0.1\n"
      "[[arm]]\nname = \"all\"\nnetwork.participation = 1\nnetwork.clock.kind = \"slots\"\nnetwork." +
      tiers({{"edge", 2, 3}, {"cloud", 6}}) +
      "[[arm]]\nname = \"drop\"\nalgorithm.learning_rate = { start = 1, drops = [[1, 0.1]] }\n";
  const Experiment e = parse_experiment(s.text(), "law.toml", device());
  EXPECT_TRUE(e.arms[1].step.drops.empty());
  EXPECT_EQ(e.arms[3].step.drops.size(), 1u);
  EXPECT_TRUE(e.arms[2].network->participants.empty());
  expect_same_again(e);
}

TEST_P(Resolved, ArmsAndOverrides) {
  const test::Folder folder;
  Trial s = busy();
  s.arms = arms;
  std::ofstream(folder.file("law.toml")) << s.text();
  const Experiment plain = load_experiment(folder.file("law.toml"), {}, device());
  const Experiment set = load_experiment(
      folder.file("law.toml"),
      {{"seed", "11"}, {"algorithm.batch", "[4, 4, 9]"}, {"network.rates", "0.5"}, {"steps", "9"}}, device());
  EXPECT_EQ(set.seed, 11u);
  EXPECT_EQ(set.steps, 9);
  EXPECT_EQ(set.arms[0].step.batch, (std::vector<int64_t>{4, 4, 9, 4, 4, 9}));
  EXPECT_EQ(set.arms[0].network->rates, std::vector<double>(6, 0.5));
  EXPECT_EQ(set.arms[2].network->rates, std::vector<double>(6, 0.3));  // an arm's own key lies over the file's
  EXPECT_NE(test::models(run(set).arms[0]), test::models(run(plain).arms[0]));
  expect_same_again(set);
}

TEST_P(Resolved, DefaultsAreWrittenOut) {
  const std::string model = softmax()
                                ? "[model]\nkind = \"softmax\"\n[data]\nname = \"glyphs\"\ntrain = 200\ntest = 50\n"
                                : "[model]\nkind = \"quadratic\"\ndimension = 2\ncenter = 1\nnoise = 1\n";
  const Experiment e = parse_experiment(
      "steps = 3\n" + model + "[network]\nworkers = 4\n[algorithm]\nkind = \"local-sgd\"\n[record]\nparams = true\n",
      "short.toml", device());
  EXPECT_EQ(e.name, "short");
  EXPECT_EQ(e.seed, 42u);
  EXPECT_EQ(e.arms[0].step.batch, std::vector<int64_t>(4, 32));
  expect_same_again(e);
}

}  // namespace
}  // namespace orrery
