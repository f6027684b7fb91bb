// The test beds of decentralised SGD on whole runs, and the looks of [record.escape]: what they see, and that they change nothing.
#include "runtime/run_folder.hpp"
#include "tests/datasets/files.hpp"
#include "tests/laws/run_helpers.hpp"
#include "tests/support.hpp"

namespace orrery {
namespace {

using test::complaint;

class TestBeds : public testing::TestWithParam<test::Case> {
 protected:
  static std::string text(const std::string& kind, const std::string& graph, const std::string& model,
                          const std::string& record, const std::string& more = "") {
    return fmt::format(
        "steps = 60\nreplicas = 5\nprecision = \"{}\"\ndevice = \"{}\"\n[model]\n{}\n[network]\nworkers = 16\n"
        "graph = {{ {}, period = 1 }}\n[algorithm]\nkind = \"{}\"\nlearning_rate = 0.05\nbatch = 1\n{}\n[record]\n{}\n",
        GetParam().precision, GetParam().device, model, graph, kind, more, record);
  }
  static RunResult result(const std::string& toml) { return run(parse_experiment(toml, "exp.toml")); }
  void SetUp() override {
    if (GetParam().device == "cuda" && !cuda_available()) GTEST_SKIP() << "no CUDA device answers here";
  }
  double tolerance() const { return GetParam().precision == "fp64" ? 1e-12 : 2e-5; }
};
ORRERY_ON_CASES(TestBeds, {"quadratic"}, {"fp64", "fp32"});

const std::string two_well = "kind = \"two-well\"\ntilt_spread = 1\nnoise = 12\ninit = -0.964152";
const std::string factorization = "kind = \"factorization\"\nlabel_noise = 1\ntarget_spread = 0.3\ninit = [2.0, 0.5]";
const std::string complete = "kind = \"complete\", mixing = \"average\"", ring = "kind = \"ring\"";

TEST_P(TestBeds, CompleteAveragingIsCentralized) {
  for (const auto& model : {two_well, factorization})
    for (const char* more : {"", "momentum = 0.5"}) {
      SCOPED_TRACE(model + more);
      const auto end = [&](const char* kind) {
        return result(text(kind, complete, model, "metrics = [\"train_loss\"]\nevery = 60", more)).arms[0].mean_models;
      };
      const auto central = end("centralized"), diffusion = end("diffusion"), consensus = end("consensus");
      double most = 0, least = 1;
      for (size_t i = 0; i < central.size(); ++i) {
        most = std::max(most, std::abs(central[i] - diffusion[i]));
        least = std::min(least, std::abs(central[i] - consensus[i]));
      }
      EXPECT_LE(most,
                100 * tolerance());  // a step multiplies differences by up to 1 + eta |H|, about 1.3 in the barrier
      EXPECT_GT(least, 1e-6);
    }
}

// Equal draws: from equal starts the mean moves by the mean gradient, whatever the strategy.
TEST_P(TestBeds, TheFirstStepMovesAllMeansAlike) {
  for (const auto& model : {two_well, factorization}) {
    const auto first = [&](const char* kind, const char* seed) {
      return result(std::string(seed) + text(kind, ring, model, "metrics = [\"mean_parameter_0\"]\nevery = 1"))
          .arms[0]
          .values[0];
    };
    const auto central = first("centralized", ""), other = first("centralized", "seed = 5000\n");
    for (const char* kind : {"diffusion", "consensus", "diffusion-cta"}) {
      const auto values = first(kind, "");
      for (size_t r = 0; r < values.size(); ++r) {
        EXPECT_NEAR(values[r][1], central[r][1], tolerance()) << kind;
        EXPECT_GT(std::abs(values[r][1] - other[r][1]), 1e-4);  // it is the draws that do it
        EXPECT_GT(std::abs(values[r][1] - values[r][0]), 1e-4);
      }
    }
  }
}

// A look between records sees what a record there would have shown, and changes no bit of the run.
TEST_P(TestBeds, LooksSeeWhatRecordsWouldShow) {
  for (const auto& [metric, side, level] :
       {std::tuple{"mean_parameter_0", "above", -0.230785}, std::tuple{"worker_train_loss", "above", 0.2},
        std::tuple{"mean_norm_sq", "below", 0.2}}) {
    SCOPED_TRACE(metric);
    const auto seen = result(text("diffusion", ring, two_well, fmt::format("metrics = [\"{}\"]\nevery = 1", metric)));
    for (int64_t every : {1, 5}) {
      const auto watched = result(text("diffusion", ring, two_well,
                                       fmt::format("metrics = [\"escape_time\", \"escaped\"]\nevery = 20\n"
                                                   "[record.escape]\nmetric = \"{}\"\n{} = {}\nevery = {}",
                                                   metric, side, level, every)));
      EXPECT_EQ(watched.arms[0].mean_models, seen.arms[0].mean_models);
      int64_t escapes = 0;
      for (size_t r = 0; r < 5; ++r) {
        const auto& series = seen.arms[0].values[0][r];
        for (size_t point = 0; point < watched.record_steps.size(); ++point) {
          double first = std::nan("");
          for (size_t t = 0; t <= static_cast<size_t>(watched.record_steps[point]); t += static_cast<size_t>(every))
            if (std::string(side) == "above" ? series[t] > level : series[t] < level) {
              first = static_cast<double>(t);
              break;
            }
          const double time = watched.arms[0].values[0][r][point];
          EXPECT_TRUE(time == first || (std::isnan(time) && std::isnan(first))) << time << " for " << first;
          EXPECT_EQ(watched.arms[0].values[1][r][point], std::isnan(first) ? 0 : 1);
          escapes += std::isfinite(first);
        }
      }
      EXPECT_GT(escapes, 0);
    }
  }
}

TEST_P(TestBeds, MeanNormIsOfTheMeanModel) {
  const auto r = result(text("diffusion", ring, factorization,
                             "metrics = [\"mean_norm_sq\", \"mean_parameter_0\", \"mean_parameter_1\"]\nevery = 20"));
  for (size_t k = 0; k < 5; ++k)
    for (size_t t = 0; t < r.record_steps.size(); ++t) {
      const auto& v = r.arms[0].values;
      const double want = v[1][k][t] * v[1][k][t] + v[2][k][t] * v[2][k][t];
      EXPECT_NEAR(v[0][k][t], want, 4 * test::unit<double> * want);
    }
}

TEST(Escape, Refuses) {
  const auto refused = [](const std::string& record, const std::string& begins, const std::string& part) {
    const std::string message = complaint<ExperimentError>([&] {
      parse_experiment(
          "steps = 40\n[model]\nkind = \"two-well\"\n[network]\nworkers = 2\n[algorithm]\nkind = "
          "\"h-sgd\"\nlearning_rate = 0.1\n[record]\nevery = 20\n" +
              record,
          "exp.toml");
    });
    EXPECT_EQ(message.rfind("exp.toml:", 0), 0u) << message;
    EXPECT_NE(message.find(begins), std::string::npos) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  const std::string watch = "metrics = [\"escaped\"]\n[record.escape]\nmetric = \"mean_parameter_0\"\n";
  refused("metrics = [\"escaped\"]", "record.metrics: ", "add a section [record.escape]");
  refused("metrics = [\"escape_time\"]", "record.metrics: ", "add a section [record.escape]");
  refused("metrics = [\"train_loss\"]\n[record.escape]\nmetric = \"train_loss\"\nabove = 1",
          "record.escape: ", "add escape_time or escaped");
  refused("metrics = [\"escape_kilobits\"]\n[record.escape]\nmetric = \"mean_parameter_0\"\nabove = 1",
          "record.metrics: ", "compressed messages");
  refused(watch, "record.escape.above: ", "give a level");
  refused(watch + "above = 1\nbelow = 2", "record.escape.above: ", "one of the two");
  refused(watch + "above = 1\nevery = 3", "record.escape.every: ", "does not divide record.every, which is 20");
  refused(watch + "above = 1\nevery = 0", "record.escape.every: ", "at least 1");
  refused(watch + "above = 1\nlevl = 0", "record.escape.levl: ", "");
  refused("metrics = [\"escaped\"]\n[record.escape]\nmetric = \"mean_parameter_1\"\nabove = 1",
          "record.escape.metric: ", "beyond the 1 parameters");
  refused("metrics = [\"escaped\"]\n[record.escape]\nmetric = \"grad_norm_1\"\nabove = 1",
          "record.escape.metric: ", "cannot be watched; name one of train_loss");
  refused("metrics = [\"escaped\"]\n[record.escape]\nmetric = \"escaped\"\nabove = 1",
          "record.escape.metric: ", "cannot be watched");
  refused("metrics = [\"escaped\"]\n[record.escape]\nmetric = \"test_loss\"\nabove = 1",
          "record.escape.metric: ", "needs a test set");
  refused("metrics = [\"escaped\"]\n[record.escape]\nabove = 1", "record.escape", "metric");
}

// Tables show medians, with replicas that stay above every number, and how many left.
TEST(Escape, TablesShowMedians) {
  const Experiment e = parse_experiment(
      "steps = 400\nreplicas = 9\n[model]\nkind = \"two-well\"\nnoise = 6\ninit = -0.964152\n[network]\nworkers = 4\n"
      "[algorithm]\nkind = \"h-sgd\"\nlearning_rate = 0.05\nbatch = 1\n[record]\nevery = 400\nmetrics = "
      "[\"escape_time\"]\n"
      "[record.escape]\nmetric = \"mean_parameter_0\"\nabove = -0.230785\n",
      "exp.toml");
  RunResult r = run(e);
  std::vector<double> times{30, NAN, 10, NAN, 50, NAN, 20, 70, 60};
  for (size_t i = 0; i < 9; ++i) r.arms[0].values[0][i].back() = times[i];
  EXPECT_NE(final_table(e, r).find("median 60 (6 of 9)"), std::string::npos) << final_table(e, r);
  for (const size_t i : {0u, 2u}) r.arms[0].values[0][i].back() = NAN;
  EXPECT_NE(final_table(e, r).find("median - (4 of 9)"), std::string::npos) << final_table(e, r);
  for (const size_t i : {4u, 6u, 7u, 8u}) r.arms[0].values[0][i].back() = NAN;
  EXPECT_NE(final_table(e, r).find(" -\n"), std::string::npos) << final_table(e, r);
}

// The resolved file says the same again, arms included.
TEST(Escape, ResolvedFileRunsAgain) {
  const Experiment e = parse_experiment(
      "steps = 40\n[model]\nkind = \"factorization\"\ninit = [2.0, 0.5]\n[network]\nworkers = 2\n[algorithm]\nkind = "
      "\"h-sgd\"\nlearning_rate = 0.1\n[record]\nevery = 20\nmetrics = [\"escaped\"]\n[record.escape]\nmetric = "
      "\"mean_norm_sq\"\nbelow = 3\n[[arm]]\nname = \"a\"\n[[arm]]\nname = \"b\"\nmodel.label_noise = 1\n",
      "exp.toml");
  const Experiment again = parse_experiment(e.resolved_toml, "again.toml");
  EXPECT_EQ(again.resolved_toml, e.resolved_toml);
  EXPECT_EQ(again.record.escape->metric, "mean_norm_sq");
  EXPECT_FALSE(again.record.escape->above);
  EXPECT_EQ(again.record.escape->level, 3);
  EXPECT_EQ(again.record.escape->every, 1);
}

}  // namespace
}  // namespace orrery
