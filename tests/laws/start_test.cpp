// Runs from a start file with other methods and sections: what the excess risk counts from wherever it is asked for.
#include "runtime/theory/theory.hpp"
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::Trial;

class FromStart : public test::OnEachCase {
 protected:
  Trial from_start(const std::string& kind) const {
    Trial s = trial(4).with_steps(6);
    s.kind = kind;
    s.every = 2;
    s.partition = "kind = \"iid\"";
    s.init = "\"default\"";
    s.algorithm = fmt::format("start = \"{}\"", folder_.file("start.npy"));
    s.metrics = "\"excess_risk\", \"train_loss\"";
    Trial none = s.with_steps(0);
    none.kind = "h-sgd";
    none.algorithm.clear();
    none.metrics = "\"train_loss\"";
    const auto size = final_models(none).size() / 4;
    std::vector<double> point;
    for (size_t j = 0; j < size; ++j) point.push_back(0.01 * static_cast<double>(j % 5) + 0.01);
    write_npy(folder_.file("start.npy"), {1, static_cast<int64_t>(size)}, point);
    return s;
  }

 private:
  test::Folder folder_;
};
ORRERY_ON_CASES(FromStart, {"quadratic", "softmax"}, {"fp64", "fp32"});

// Replicas and arms whose workers share one model: every lane counts from its own start.
TEST_P(FromStart, SharedModelsCountFromTheStartToo) {
  Trial s = from_start("sign-vote");
  s.replicas = 3;
  s.arms = "[[arm]]\nname = \"a\"\n[[arm]]\nname = \"b\"\nalgorithm.learning_rate = 0.01\n";
  const RunResult r = result(s);
  for (const ArmResult& arm : r.arms)
    for (size_t replica = 0; replica < 3; ++replica) {
      const double here = arm.values[1][replica][0];
      for (size_t record = 0; record < r.record_steps.size(); ++record)
        EXPECT_NEAR(arm.values[0][replica][record], arm.values[1][replica][record] - here,
                    50 * tolerance() * (1 + here));
    }
}

// Arms that count from different places in one chart are named; equal ones are not.
TEST_P(FromStart, MixedArmsAreSaid) {
  Trial s = from_start("h-sgd");
  const auto said = [&] {
    const auto notices = result(s).notices;
    return std::any_of(notices.begin(), notices.end(),
                       [](const auto& n) { return n.starts_with("excess_risk counts"); });
  };
  if (softmax()) return;  // without a start it has no minimum in closed form
  EXPECT_FALSE(said());
  s.arms = "[[arm]]\nname = \"a\"\n[[arm]]\nname = \"b\"\nalgorithm." + s.algorithm + "\n";
  s.algorithm.clear();
  EXPECT_TRUE(said());
}

// The watched metric need not be recorded; theory without a run does not watch.
TEST_P(FromStart, AWatchedExcessRiskNeedsNoRecord) {
  Trial s = from_start("h-sgd");
  s.learning_rate = 0.05;
  s.metrics = "\"escaped\", \"escape_time\"";
  s.arms = "[record.escape]\nmetric = \"excess_risk\"\nbelow = -1e-9\n";
  const RunResult r = result(s);
  EXPECT_EQ(r.arms[0].values[0][0][0], 0);  // at the start the excess risk is 0
  EXPECT_EQ(r.arms[0].values[0][0].back(), 1);
  s.arms += "[record.landscape]\npoints = 5\n";
  const Experiment e = parse_experiment(s.text(), "law.toml", device());
  EXPECT_FALSE(theory_without_a_run(e).json.empty());
}

}  // namespace
}  // namespace orrery
