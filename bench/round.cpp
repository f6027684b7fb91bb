// Whole rounds through the cluster, as a run has them: tau = 10 local steps of every worker, then one average of all.
#include <fmt/format.h>

#include <memory>

#include "bench/harness.hpp"
#include "runtime/cluster.hpp"
#include "runtime/plan.hpp"

namespace orrery::bench {
namespace {

struct Job {
  Experiment experiment;
  Dataset data;
  std::unique_ptr<DeviceData> device;
  std::unique_ptr<ClusterOf<float>> cluster;
};

void add_softmax_round(int64_t W, int64_t B, const std::string& step) {
  constexpr int64_t tau = 10;
  const std::string text = fmt::format(R"(steps = 1000000000
[data]
name = "glyphs"
train = 20000
test = 100
[model]
kind = "softmax"
[network]
workers = {}
tiers = [{{ name = "cloud", nodes = 1, period = {} }}]
[algorithm]
kind = "local-sgd"
learning_rate = 0.01
batch = {}
step = "{}"
)",
                                       W, tau, B, step);
  auto job = std::make_shared<Job>();
  job->experiment = parse_experiment(text, "round.toml", context().backend == Backend::cpu ? "cpu" : "cuda");
  job->data = job->experiment.arms[0].data->load(nullptr);
  job->device = std::make_unique<DeviceData>(context(), job->data);
  job->cluster = std::make_unique<ClusterOf<float>>(
      context(), job->experiment, Population(job->experiment, {0}, &job->data), &job->data, job->device.get());
  const double w = static_cast<double>(W), b = static_cast<double>(B), p = 7850, d = 784;
  // bytes per parameter: rung (a) 24 a step; rung (b) 12 a step on CUDA, and on the CPU, where a row stays in cache, 8 a stretch
  const bool resident = step == "fused" && context().backend == Backend::cpu;
  const double passes = resident ? 8.0 / tau : step == "fused" ? 12 : 24;
  add(fmt::format("softmax_round/W:{}/B:{}/tau:{}/{}", W, B, tau, step), w * (tau * (passes * p + b * d) + 8 * p),
      tau * 4 * w * b * d * 10,
      [job] { job->cluster->advance(*job->experiment.arms[0].algorithm, job->cluster->now() + 10); });
}

}  // namespace

void add_rounds() {
  for (int64_t W : {100, 1024})
    for (int64_t B : {8, 32})
      for (const char* step : {"fused", "gradients"}) add_softmax_round(W, B, step);
}

}  // namespace orrery::bench
