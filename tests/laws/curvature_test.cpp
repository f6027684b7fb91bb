// Metrics of curvature in whole runs.
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::Trial;

const std::string all_metrics =
    "\"hessian_trace\", \"hessian_trace_error\", \"hessian_top\", \"worker_hessian_trace\", \"worker_hessian_top\"";

class Curvature : public test::OnEachCase {};
ORRERY_ON_CASES(Curvature);

double at(const RunResult& r, size_t metric, size_t point, size_t arm = 0, size_t replica = 0) {
  return r.arms[arm].values[metric][replica][point];
}

// f of a quadratic has the Hessian diag(sum_i a_i a_ij) everywhere; softmax at zero that of even probabilities, whose trace is
// (1 - 1/C) (sum_s u_s |x_s|^2 + 1) + l2 C d, taken here from the estimate of 60 probes within 5 of its standard errors.
TEST_P(Curvature, IsThatOfTheObjective) {
  Trial s = trial(6).with_steps(3).with_network("weights = [1, 3, 2, 2, 1, 1]\nrates = [0.6, 0.4, 1, 0.5, 0.8, 0.7]\n");
  const std::vector<double> a{0.1, 0.3, 0.2, 0.2, 0.1, 0.1};
  s.metrics = all_metrics;
  s.every = 1;
  s.samples = 60;
  s.arms =
      softmax() ? "[record.hessian]\nprobes = 60\nlanczos_steps = 12\nevery = 3\n" : "[record.hessian]\nprobes = 2\n";
  const RunResult r = result(s);
  if (!softmax()) {
    double trace = 0, top = 0;
    for (int64_t j = 0; j < 3; ++j) {
      double h = 0;
      for (int64_t i = 0; i < 6; ++i) h += a[static_cast<size_t>(i)] * s.a(i, j);
      trace += h, top = std::max(top, h);
    }
    for (size_t point = 0; point < 4; ++point) {
      for (const size_t metric : {0, 3}) EXPECT_NEAR(at(r, metric, point), trace, 10 * tolerance() * trace);
      for (const size_t metric : {2, 4}) EXPECT_NEAR(at(r, metric, point), top, 10 * tolerance() * top);
      EXPECT_NEAR(at(r, 1, point), 0, 10 * tolerance() * trace);  // diagonal: no variance
    }
    return;
  }
  const Experiment e = parse_experiment(s.text(), "law.toml", device());
  const Partition& partition = *r.arms[0].partitions[0];
  std::string sentence;
  const Dataset data = e.arms[0].data->load(&sentence);
  double square = 0;
  for (size_t w = 0; w < 6; ++w)
    for (int64_t k = 0; k < partition.size[w]; ++k)
      for (int64_t j = 0; j < data.features; ++j) {
        const int64_t sample = partition.order[static_cast<size_t>(partition.begin[w] + k)];
        square +=
            a[w] / static_cast<double>(partition.size[w]) *
            std::pow(data.scale * data.train.bytes[static_cast<size_t>(sample * data.features + j)] + data.shift, 2);
      }
  const double C = data.classes, want = (1 - 1 / C) * (square + 1) + s.l2 * C * static_cast<double>(data.features);
  EXPECT_NEAR(at(r, 0, 0), want, 5 * at(r, 1, 0));
  EXPECT_GT(at(r, 1, 0), 0);
  EXPECT_LT(at(r, 1, 0), 0.3 * want);
  EXPECT_NEAR(at(r, 3, 0) / at(r, 0, 0), 1, 100 * tolerance());  // all workers are at the mean, with the same probes
  EXPECT_GT(at(r, 2, 0), s.l2);
  EXPECT_LT(at(r, 2, 0), want);
  EXPECT_NE(at(r, 3, 3), at(r, 0, 3));  // and no longer after three steps
  // not taken between
  for (size_t metric = 0; metric < 5; ++metric)
    for (const size_t point : {1, 2}) EXPECT_TRUE(std::isnan(at(r, metric, point)));
}

// Metrics look and do not touch: models and the other metrics are the same bits without them.
TEST_P(Curvature, ChangesNothingInTheRun) {
  Trial s = trial(6).with_steps(4);
  s.samples = 60;
  s.every = 2;
  s.metrics = "\"train_loss\"";
  const RunResult plain = result(s);
  s.metrics = "\"train_loss\", " + all_metrics;
  s.arms = "[record.hessian]\nprobes = 3\nlanczos_steps = 2\n" + std::string(softmax() ? "samples = 5\n" : "");
  const RunResult looked = result(s);
  EXPECT_EQ(test::models(plain.arms[0]), test::models(looked.arms[0]));
  EXPECT_EQ(plain.arms[0].values[0], looked.arms[0].values[0]);
}

// A replica has the same values alone and beside others, and so has an arm.
TEST_P(Curvature, DependsOnTheLaneAlone) {
  Trial s = trial(4).with_steps(2);
  s.samples = 40;
  s.metrics = "\"hessian_trace\", \"hessian_top\"";
  s.arms = "[record.hessian]\nprobes = 4\nlanczos_steps = 3\n";
  s.replicas = 3;
  const RunResult together = result(s);
  s.replicas = 1;
  s.seed += 2;
  const RunResult alone = result(s);
  for (size_t metric = 0; metric < 2; ++metric)
    EXPECT_NEAR(at(together, metric, 1, 0, 2), at(alone, metric, 1),
                device() == "cpu" ? 0 : 1000 * tolerance() * std::abs(at(alone, metric, 1)));
}

// Methods that share models: of one server, all workers are at its model; of voting hubs, each at its hub's.
TEST_P(Curvature, OfSharedModels) {
  for (const bool hubs : {false, true}) {
    Trial s = trial(6).with_steps(2);
    s.kind = "sign-vote";
    s.samples = 60;
    s.metrics = all_metrics;
    s.learning_rate = 0.01;
    s.init = softmax() ? "\"zero\"" : "0.25";
    if (hubs)
      s.network = "tiers = [{ name = \"hub\", nodes = 2, period = 1 }, { name = \"cloud\", nodes = 1, period = 4 }]\n";
    s.arms = "[record.hessian]\nprobes = 3\nlanczos_steps = 4\n";
    const RunResult r = result(s);
    for (size_t metric = 0; metric < 5; ++metric) EXPECT_TRUE(std::isfinite(at(r, metric, 1))) << metric;
    if (!hubs) {
      EXPECT_EQ(at(r, 3, 1), at(r, 0, 1));
      EXPECT_EQ(at(r, 4, 1), at(r, 2, 1));
    } else if (softmax()) {
      EXPECT_NE(at(r, 3, 1), at(r, 0, 1));
    }
  }
}

// Eigenvalues that the steps were too few for are named with their metric; enough steps say nothing. Up to 64 parameters are exact.
TEST_P(Curvature, UnsettledEigenvaluesAreSaid) {
  Trial s = trial(4).with_steps(1);
  s.samples = 40;
  s.metrics = "\"hessian_top\"";
  const auto notices = [&](int64_t steps) {
    s.arms = fmt::format("[record.hessian]\nprobes = 2\nlanczos_steps = {}\n", steps);
    return result(s).notices;
  };
  const auto few = notices(1);
  ASSERT_EQ(few.size(), softmax() ? 1u : 0u);
  if (softmax()) {
    EXPECT_TRUE(few[0].starts_with("hessian_top: 2 of 2 Lanczos")) << few[0];
  }
  EXPECT_TRUE(notices(60).empty());
}

// Planned: the rows of the products, twice over for a model that takes differences.
TEST_P(Curvature, MemoryIsWithinThePlan) {
  Trial s = trial(8).with_steps(1);
  s.samples = 80;
  s.metrics = all_metrics;
  s.arms = "[record.hessian]\nprobes = 20\nlanczos_steps = 3\n";
  const RunResult r = result(s);
  EXPECT_LE(r.peak_memory, r.planned_memory + (int64_t{1} << 20));
  EXPECT_GE(static_cast<double>(r.peak_memory), 0.3 * static_cast<double>(r.planned_memory));
}

}  // namespace
}  // namespace orrery
