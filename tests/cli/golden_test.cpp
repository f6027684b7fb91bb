// The golden runs of experiments/golden through the command line, against the numbers of the digests (h-sgd.md section
// 7, mll-sgd.md M11), to all digits printed there, on each device of ORRERY_TEST_DEVICES.
#include <fmt/format.h>

#include <cmath>

#include "tests/cli/support.hpp"

namespace orrery::test {
namespace {

class Golden : public testing::TestWithParam<std::string> {
 protected:
  std::string run(const std::string& name, const std::string& out, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--device", GetParam()});
    run_well(folder_.path(), ORRERY_SOURCE_DIR "/experiments/golden/" + name + ".toml", out, more);
    return folder_.path(out);
  }
  TempDir folder_;
};

struct Line {
  std::string arm, mean, gradients;
};

// mean-<k>.npy and the mean of grad_norm_sq over steps 0..T-1 of every arm.
void expect_lines(const std::string& out, int64_t steps, const std::vector<Line>& table) {
  const Csv csv = load_csv(out + "/metrics.csv");
  const size_t column = csv.column("grad_norm_sq");
  ASSERT_EQ(csv.rows.size(), table.size() * static_cast<size_t>(steps + 1));
  for (size_t k = 0; k < table.size(); ++k) {
    SCOPED_TRACE(table[k].arm);
    double sum = 0;
    for (int64_t t = 0; t < steps; ++t) {
      const auto& row = csv.rows[k * static_cast<size_t>(steps + 1) + static_cast<size_t>(t)];
      ASSERT_EQ(row[0], table[k].arm);
      ASSERT_EQ(row[2], std::to_string(t));
      sum += std::stod(row[column]);
    }
    const Npy mean = load_npy(fmt::format("{}/mean-{}.npy", out, k));
    ASSERT_EQ(mean.shape, (std::vector<int64_t>{1, 1}));
    EXPECT_EQ(fmt::format("{:.12f}", mean.values[0]), table[k].mean);
    EXPECT_EQ(fmt::format("{:.9f}", sum / static_cast<double>(steps)), table[k].gradients);
  }
}

TEST_P(Golden, GA) {
  expect_lines(run("g-a", "out"), 200,
               {{"P=1", "-0.833333192351", "0.054112554"},
                {"P=4", "-0.679586337010", "0.115595544"},
                {"P=20", "-0.127816829176", "0.854289446"},
                {"(20,4) {01}{23}", "-0.494935865788", "0.269318368"},
                {"(20,4) {03}{12}", "-0.604762443788", "0.165454617"},
                {"(20,4) {02}{13}", "-0.341338612909", "0.456179360"},
                {"(20,10) {01}{23}", "-0.327004695095", "0.503927742"}});
}

TEST_P(Golden, GB) {
  expect_lines(run("g-b", "out"), 240,
               {{"P=1", "-0.247999999176", "0.004166938"},
                {"P=4", "-0.179249913048", "0.015546442"},
                {"P=12", "-0.022571376451", "0.096679895"},
                {"P=24", "0.146557110270", "0.248541986"},
                {"N=2 (24,4)", "-0.192423936211", "0.012632402"},
                {"N=4 (24,4)", "-0.007185252542", "0.101065328"},
                {"1-2-4-8 (24,12,4)", "-0.103762755676", "0.045324643"}});
}

// The divergences of the table below G-A, at w* (init): up, down and their sum, whatever the grouping.
TEST_P(Golden, GADivergencesAtTheOptimum) {
  const std::string out = run("g-a", "out",
                              {"--set", "expect={}", "--set", "steps=0", "--set", "model.init=-0.83333333333333337",
                               "--set", "record.metrics=['divergence_edge', 'divergence_cloud', 'optimum_distance']"});
  const Csv csv = load_csv(out + "/metrics.csv");
  ASSERT_EQ(csv.rows.size(), 7u);
  const std::string up[] = {"1.26562500", "4.16840278", "11.11111111"},
                    down[] = {"15.27951389", "12.37673611", "5.43402778"};
  for (size_t k = 0; k < 3; ++k) {
    EXPECT_EQ(fmt::format("{:.8f}", std::stod(csv.rows[3 + k][csv.column("divergence_cloud")])), up[k]);
    EXPECT_EQ(fmt::format("{:.8f}", std::stod(csv.rows[3 + k][csv.column("divergence_edge")])), down[k]);
    EXPECT_EQ(fmt::format("{:.8f}", std::stod(csv.rows[k][csv.column("divergence_cloud")])), "16.54513889");
    EXPECT_LT(std::stod(csv.rows[k][csv.column("optimum_distance")]), 1e-15);
  }
}

// u and the workers' models after k steps. The table has exact decimals for k < 12 and twelve of them for k = 12.
TEST_P(Golden, M11) {
  struct Point {
    int steps;
    double worker[6], u;
  };
  const Point table[] = {
      {1, {0.05, -0.10, 0.30, -0.40, 0.75, -0.90}, -0.06},
      {2, {-0.118125, -0.118125, -0.0825, -0.0825, -0.10875, -0.10875}, -0.102},
      {4,
       {-0.206808544922, -0.206808544922, -0.151842041016, -0.151842041016, -0.159160546875, -0.159160546875},
       -0.175292343750},
      {12,
       {-0.427278518633, -0.427278518633, -0.268123673456, -0.268123673456, -0.229215375064, -0.229215375064},
       -0.324003951848}};
  for (const Point& point : table) {
    SCOPED_TRACE(point.steps);
    const std::string out =
        run("m11", fmt::format("out{}", point.steps), {"--set", fmt::format("steps={}", point.steps)});
    const Npy mean = load_npy(out + "/mean.npy"), all = load_npy(out + "/final.npy");
    ASSERT_EQ(mean.shape, (std::vector<int64_t>{1, 1}));
    ASSERT_EQ(all.shape, (std::vector<int64_t>{1, 6, 1}));
    constexpr double last_digit = 0.5e-12 + 1e-15;
    EXPECT_NEAR(mean.values[0], point.u, last_digit);
    for (size_t w = 0; w < 6; ++w) EXPECT_NEAR(all.values[w], point.worker[w], last_digit) << "worker " << w;
  }
}

// With random rates the *expected* models are known: means over many replicas, within five standard errors.
TEST_P(Golden, M11WithRates) {
  struct Point {
    int steps;
    double hub[3], u;
  };
  const Point table[] = {{2, {-0.11415, 0.0875, -0.02385}, -0.01543},
                         {4, {-0.166091205, 0.084557526563, 0.009443424375}, -0.0307247865},
                         {12, {-0.329186736278, 0.108504521899, 0.032551302350}, -0.081762625282}};
  constexpr int replicas = 4000;
  for (const Point& point : table) {
    SCOPED_TRACE(point.steps);
    const std::string out = run("m11", fmt::format("out{}", point.steps),
                                {"--set", fmt::format("steps={}", point.steps), "--set", "record.every=12", "--set",
                                 fmt::format("replicas={}", replicas), "--set", "network.rates=[0.6,0.9,1,0.5,0.8,0.7]",
                                 "--set", "record.metrics=['steps_done']", "--set", "expect={}"});
    const Npy mean = load_npy(out + "/mean.npy"), all = load_npy(out + "/final.npy");
    ASSERT_EQ(all.shape, (std::vector<int64_t>{replicas, 6, 1}));
    const auto expect_mean = [&](const std::vector<double>& values, size_t first, size_t stride, double expected) {
      double sum = 0, squares = 0;
      for (size_t r = 0; r < replicas; ++r) sum += values[first + r * stride];
      for (size_t r = 0; r < replicas; ++r) squares += std::pow(values[first + r * stride] - sum / replicas, 2);
      const double error = std::sqrt(squares / (replicas - 1) / replicas);
      EXPECT_NEAR(sum / replicas, expected, 5 * error);
      EXPECT_GT(error, 0);
    };
    expect_mean(mean.values, 0, 1, point.u);
    for (size_t hub = 0; hub < 3; ++hub) expect_mean(all.values, 2 * hub, 6, point.hub[hub]);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, Golden, testing::ValuesIn(test_devices()), [](const auto& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

}  // namespace
}  // namespace orrery::test
