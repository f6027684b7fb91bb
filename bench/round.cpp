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

std::shared_ptr<Job> make_job(const std::string& text) {
  auto job = std::make_shared<Job>();
  job->experiment = parse_experiment(text, "round.toml", context().backend == Backend::cpu ? "cpu" : "cuda");
  job->data = job->experiment.arms[0].data->load(nullptr);
  job->device = std::make_unique<DeviceData>(context(), job->data);
  job->cluster = std::make_unique<ClusterOf<float>>(
      context(), job->experiment, Population(job->experiment, {0}, &job->data), &job->data, job->device.get());
  return job;
}

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
  const auto job = make_job(text);
  const double w = static_cast<double>(W), b = static_cast<double>(B), p = 7850, d = 784;
  // bytes per parameter: rung (a) 24 a step; rung (b) 12 a step on CUDA, and on the CPU, where a row stays in cache, 8 a stretch
  const bool resident = step == "fused" && context().backend == Backend::cpu;
  const double passes = resident ? 8.0 / tau : step == "fused" ? 12 : 24;
  add(fmt::format("softmax_round/W:{}/B:{}/tau:{}/{}", W, B, tau, step), w * (tau * (passes * p + b * d) + 8 * p),
      tau * 4 * w * b * d * 10,
      [job] { job->cluster->advance(*job->experiment.arms[0].algorithm, job->cluster->now() + 10); });
}

// MLP 784-200-200-10: what bench/peers/torch_vmap.py --model mlp200 does. `dense`: standard normal inputs, like the peer's; else images,
// whose pixels that are 0 in a whole tile of samples cost nothing on the CPU.
void add_mlp_round(int64_t W, int64_t B, bool dense) {
  constexpr int64_t tau = 10;
  const std::string data =
      dense ? "name = \"gaussian-mixture\"\ndimension = 784\nspread = 0.3\nnoise = 1\ntrain = 20000\ntest = 100"
            : "name = \"glyphs\"\ntrain = 20000\ntest = 100";
  const std::string text = fmt::format(R"(steps = 1000000000
[data]
{}
[model]
kind = "mlp"
hidden = [200, 200]
[network]
workers = {}
tiers = [{{ name = "cloud", nodes = 1, period = {} }}]
[algorithm]
kind = "local-sgd"
learning_rate = 0.01
batch = {}
)",
                                       data, W, tau, B);
  const auto job = make_job(text);
  const double w = static_cast<double>(W), b = static_cast<double>(B), p = 199210, first = 784 * 200;
  // forward and weight gradient of every layer, input gradient of all but the first
  const double flops = tau * w * b * 2 * (3 * p - first);
  // CPU: parameters cross memory once per round, and the average reads and writes them; CUDA: forward, backward, update (rung b)
  const double passes = context().backend == Backend::cpu ? 8 : tau * 16;
  add(fmt::format("mlp200_round/W:{}/B:{}/tau:{}/{}", W, B, tau, dense ? "dense" : "images"),
      w * (passes * p + tau * b * 784 * (dense ? 4 : 1) + 8 * p), flops,
      [job] { job->cluster->advance(*job->experiment.arms[0].algorithm, job->cluster->now() + 10); });
}

}  // namespace

void add_rounds() {
  for (int64_t W : {100, 1024})
    for (int64_t B : {8, 32})
      for (const char* step : {"fused", "gradients"}) add_softmax_round(W, B, step);
  for (int64_t B : {1, 8, 32})
    for (bool dense : {true, false}) add_mlp_round(64, B, dense);
}

}  // namespace orrery::bench
