// Golden trajectories G-A and G-B of hierarchical SGD (h-sgd.md, section 7), from the files in experiments/golden.
// Tolerance: in fp64 half a unit of the last digit that the digest prints; in fp32 1e-5 of the value, or of one where it is smaller.
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

class GoldenHierarchicalSgd : public test::OnEachCase {
 protected:
  Experiment load(const std::string& file, std::vector<std::pair<std::string, std::string>> sets = {}) const {
    sets.emplace_back("precision", GetParam().precision);
    sets.emplace_back("expect", "{}");  // these tests record other metrics
    return load_experiment(ORRERY_SOURCE_DIR "/experiments/golden/" + file, sets, device());
  }
};
ORRERY_ON_CASES(GoldenHierarchicalSgd, {"quadratic"}, {"fp64", "fp32"});

const std::vector<std::pair<std::string, std::string>> only_gradients{{"record.metrics", "[\"grad_norm_sq\"]"}};

struct Row {
  const char* arm;
  double mean_model, mean_grad_norm_sq;
};
double near(const Experiment& e, double half_a_unit, double want) {
  return e.precision == Precision::fp64 ? half_a_unit : 1e-5 * std::max(1.0, std::abs(want));
}
void expect_rows(const Experiment& e, const std::vector<Row>& rows) {
  const RunResult r = run(e);
  ASSERT_EQ(r.arms.size(), rows.size());
  ASSERT_EQ(static_cast<int64_t>(r.record_steps.size()), e.steps + 1);
  ASSERT_EQ(e.record.metrics[0], "grad_norm_sq");
  for (size_t k = 0; k < rows.size(); ++k) {
    EXPECT_EQ(e.arms[k].name, rows[k].arm);
    ASSERT_EQ(r.arms[k].mean_models.size(), 1u);
    EXPECT_NEAR(r.arms[k].mean_models[0], rows[k].mean_model, near(e, 0.5e-12, rows[k].mean_model)) << rows[k].arm;
    double sum = 0;
    for (int64_t t = 0; t < e.steps; ++t) sum += r.arms[k].values[0][0][static_cast<size_t>(t)];
    EXPECT_NEAR(sum / static_cast<double>(e.steps), rows[k].mean_grad_norm_sq,
                near(e, 0.5e-9, rows[k].mean_grad_norm_sq))
        << rows[k].arm;
  }
}

TEST_P(GoldenHierarchicalSgd, FourWorkers) {  // G-A
  expect_rows(load("g-a.toml", only_gradients), {{"P=1", -0.833333192351, 0.054112554},
                                                 {"P=4", -0.679586337010, 0.115595544},
                                                 {"P=20", -0.127816829176, 0.854289446},
                                                 {"(20,4) {01}{23}", -0.494935865788, 0.269318368},
                                                 {"(20,4) {03}{12}", -0.604762443788, 0.165454617},
                                                 {"(20,4) {02}{13}", -0.341338612909, 0.456179360},
                                                 {"(20,10) {01}{23}", -0.327004695095, 0.503927742}});
}

TEST_P(GoldenHierarchicalSgd, EightWorkers) {  // G-B
  expect_rows(load("g-b.toml", only_gradients), {{"P=1", -0.247999999176, 0.004166938},
                                                 {"P=4", -0.179249913048, 0.015546442},
                                                 {"P=12", -0.022571376451, 0.096679895},
                                                 {"P=24", 0.146557110270, 0.248541986},
                                                 {"N=2 (24,4)", -0.192423936211, 0.012632402},
                                                 {"N=4 (24,4)", -0.007185252542, 0.101065328},
                                                 {"1-2-4-8 (24,12,4)", -0.103762755676, 0.045324643}});
}

TEST_P(GoldenHierarchicalSgd, DivergencesAtTheOptimum) {  // G-A
  const Experiment e =
      load("g-a.toml",
           {{"steps", "0"},
            {"model.init", "-0.8333333333333334"},
            {"record.metrics", "[\"divergence_edge\", \"divergence_cloud\", \"grad_norm_sq\", \"optimum_distance\"]"}});
  const RunResult r = run(e);
  ASSERT_EQ(r.arms.size(), 7u);
  const auto value = [&](size_t arm, size_t metric) { return r.arms[arm].values[metric][0][0]; };
  const auto half = [&](double want) { return near(e, 0.5e-8, want); };
  for (auto [arm, down, up] : {std::tuple{3, 15.27951389, 1.265625},
                               {4, 12.37673611, 4.16840278},
                               {5, 5.43402778, 11.11111111},
                               {6, 15.27951389, 1.265625}}) {
    EXPECT_NEAR(value(static_cast<size_t>(arm), 0), down, half(down)) << e.arms[static_cast<size_t>(arm)].name;
    EXPECT_NEAR(value(static_cast<size_t>(arm), 1), up, half(up)) << e.arms[static_cast<size_t>(arm)].name;
  }
  for (size_t arm : {0u, 1u, 2u}) {
    EXPECT_TRUE(std::isnan(value(arm, 0))) << "an arm without the tier \"edge\"";
    EXPECT_NEAR(value(arm, 1), 16.54513889, half(16.54513889)) << "one group: the global divergence";
  }
  for (size_t arm = 0; arm < 7; ++arm) {
    EXPECT_LE(value(arm, 2), e.precision == Precision::fp64 ? 1e-28 : 1e-12);
    EXPECT_LE(value(arm, 3), e.precision == Precision::fp64 ? 1e-15 : 1e-6);
  }
}

}  // namespace
}  // namespace orrery
