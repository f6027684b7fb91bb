// Golden run M11 of multi-level local SGD (papers: mll-sgd.md, section 7), from the file in experiments/golden.
// Tolerance: in fp64 half a unit of the last digit that the digest prints; in fp32 1e-5, the models are below 1.
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

class GoldenMultiLevelSgd : public test::OnEachCase {
 protected:
  Experiment load(std::vector<std::pair<std::string, std::string>> sets) const {
    sets.emplace_back("precision", GetParam().precision);
    sets.emplace_back("expect", "{}");  // these tests record other metrics
    return load_experiment(ORRERY_SOURCE_DIR "/experiments/golden/m11.toml", sets, device());
  }
};
ORRERY_ON_CASES(GoldenMultiLevelSgd, {"quadratic"}, {"fp64", "fp32"});

struct Row {
  int64_t k;
  std::vector<double> workers;  // one value a worker, or one a hub
  double u;
};

TEST_P(GoldenMultiLevelSgd, AllWorkersAtFullRate) {
  const std::vector<Row> rows{{1, {0.05, -0.10, 0.30, -0.40, 0.75, -0.90}, -0.06},
                              {2, {-0.118125, -0.0825, -0.10875}, -0.102},
                              {4, {-0.206808544922, -0.151842041016, -0.159160546875}, -0.175292343750},
                              {12, {-0.427278518633, -0.268123673456, -0.229215375064}, -0.324003951848}};
  for (const Row& row : rows) {
    const RunResult r = run(load({{"steps", std::to_string(row.k)}, {"record.every", "1000"}}));
    const auto w = test::models(r.arms[0]);
    const double near = GetParam().precision == "fp64" ? 0.5e-12 : 1e-5;
    ASSERT_EQ(w.size(), 6u);
    for (size_t i = 0; i < 6; ++i)
      EXPECT_NEAR(w[i], row.workers[row.workers.size() == 6 ? i : i / 2], near) << "k = " << row.k << ", worker " << i;
    EXPECT_NEAR(r.arms[0].mean_models[0], row.u, near) << "k = " << row.k;
  }
}

// Expected models over many replicas, within 4.5 standard errors, and binomial counts of steps.
TEST_P(GoldenMultiLevelSgd, SlowWorkersOnAverage) {
  const std::vector<Row> rows{{2, {-0.11415, 0.0875, -0.02385}, -0.01543},
                              {4, {-0.166091205, 0.084557526563, 0.009443424375}, -0.0307247865},
                              {12, {-0.329186736278, 0.108504521899, 0.032551302350}, -0.081762625282}};
  const double rate[6] = {0.6, 0.9, 1, 0.5, 0.8, 0.7};
  const int64_t replicas = device() == "cpu" ? 20000 : 600;
  for (const Row& row : rows) {
    const RunResult r = run(load({{"steps", std::to_string(row.k)},
                                  {"network.rates", "[0.6, 0.9, 1, 0.5, 0.8, 0.7]"},
                                  {"record.every", "1000"},
                                  {"replicas", std::to_string(replicas)},
                                  {"record.metrics", "[\"virtual_time\"]"}}));
    const auto w = test::models(r.arms[0]);
    ASSERT_EQ(w.size(), static_cast<size_t>(6 * replicas));
    for (size_t i = 0; i < 6; ++i) {
      std::vector<double> model;
      std::vector<int64_t> steps;
      for (size_t k = 0; k < static_cast<size_t>(replicas); ++k)
        model.push_back(w[6 * k + i]), steps.push_back(r.arms[0].worker_steps[6 * k + i]);
      const auto m = test::moments(model);
      EXPECT_GT(m.error, 0);
      EXPECT_LT(m.error, device() == "cpu" ? 0.003 : 0.02);
      EXPECT_LE(std::abs(m.mean - row.workers[i / 2]), 4.5 * m.error) << "k = " << row.k << ", worker " << i;
      if (rate[i] == 1)
        EXPECT_EQ(steps, std::vector<int64_t>(steps.size(), row.k));
      else
        EXPECT_LE(test::binomial_deviate(steps, row.k, rate[i]), 4) << "k = " << row.k << ", worker " << i;
    }
    const auto u = test::moments(r.arms[0].mean_models);
    EXPECT_LE(std::abs(u.mean - row.u), 4.5 * u.error) << "k = " << row.k;
  }
}

}  // namespace
}  // namespace orrery
