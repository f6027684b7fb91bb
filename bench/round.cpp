// Whole rounds through the cluster, as a run has them: tau = 10 local steps of every worker, then one average of all (goals S1 to S8 of
// docs/performance.md); and rounds of the other methods.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/harness.hpp"
#include "runtime/cluster.hpp"
#include "runtime/plan.hpp"

namespace orrery::bench {
namespace {

constexpr int64_t tau = 10;

struct Job {
  Experiment experiment;
  Dataset data;
  std::unique_ptr<DeviceData> device;
  std::unique_ptr<ClusterOf<float>> cluster;

  explicit Job(const std::string& text)
      : experiment(parse_experiment(text, "round.toml", context().backend == Backend::cpu ? "cpu" : "cuda")) {
    const DataSource* source = experiment.arms[0].data.get();
    if (source) data = source->load(nullptr), device = std::make_unique<DeviceData>(context(), data);
    const Dataset* host = source ? &data : nullptr;
    cluster = std::make_unique<ClusterOf<float>>(context(), experiment, Population(experiment, {0}, host), host,
                                                 device.get());
  }
  void advance(int64_t steps) {
    // on CUDA every stretch of the pattern is recorded as a graph the first time; that is no part of a round
    if (cluster->now() == 0 && context().backend == Backend::cuda)
      for (int64_t t = 0; t < 2 * cluster->round(); t += steps) go(steps);
    go(steps);
  }

 private:
  void go(int64_t steps) { cluster->advance(*experiment.arms[0].algorithm, cluster->now() + steps); }
};

std::string data_text(bool dense) {  // `dense`: standard normal inputs, like the peers'; else images, most pixels 0
  const int64_t train = sized(20000, 128);
  return dense ? fmt::format(
                     "[data]\nname = \"gaussian-mixture\"\ndimension = 784\nspread = 0.3\nnoise = 1\ntrain = {}\ntest "
                     "= 100\n",
                     train)
               : fmt::format("[data]\nname = \"glyphs\"\ntrain = {}\ntest = 100\n", train);
}

std::string network_text(int64_t W) {
  return fmt::format("[network]\nworkers = {}\ntiers = [{{ name = \"cloud\", nodes = 1, period = {} }}]\n", W, tau);
}

std::string steps_text(int64_t B, const std::string& step) {
  return fmt::format("[algorithm]\nkind = \"local-sgd\"\nlearning_rate = 0.01\nbatch = {}\n{}", B,
                     step.empty() ? "" : "step = \"" + step + "\"\n");
}

const std::string endless = "steps = 1000000000\n";

void add_softmax_round(const char* goal, int64_t W, int64_t B, const std::string& step) {
  const Made<Job> job(endless + data_text(false) + "[model]\nkind = \"softmax\"\n" + network_text(W) +
                      steps_text(B, step));
  const double w = static_cast<double>(W), b = static_cast<double>(B), p = 7850, d = 784;
  // bytes per parameter: rung (a) 24 a step; rung (b) 12 a step on CUDA, and on the CPU, where a row stays in cache, 8 a stretch
  const bool resident = step == "fused" && context().backend == Backend::cpu;
  const double passes = resident ? 8.0 / tau : step == "fused" ? 12 : 24;
  add(fmt::format("{}softmax_round/W:{}/B:{}/tau:{}/{}", goal, W, B, tau, step),
      w * (tau * (passes * p + b * d) + 8 * p), tau * 4 * w * b * d * 10, [job] { job->advance(tau); });
}

// MLP 784-hidden-10: what bench/peers/ do as --model mlp128 and mlp200.
void add_mlp_round(const char* goal, const std::vector<int64_t>& hidden, int64_t W, int64_t B, bool dense) {
  const Made<Job> job(endless + data_text(dense) +
                      fmt::format("[model]\nkind = \"mlp\"\nhidden = [{}]\n", fmt::join(hidden, ", ")) +
                      network_text(W) + steps_text(B, ""));
  double below = 784, p = 0, units = 0;
  for (int64_t h : hidden)
    p += (below + 1) * static_cast<double>(h), units += static_cast<double>(h), below = static_cast<double>(h);
  p += (below + 1) * 10;
  const double w = static_cast<double>(W), b = static_cast<double>(B), first = 784 * static_cast<double>(hidden[0]);
  // forward and weight gradient of every layer, input gradient of all but the first
  const double flops = tau * w * b * 2 * (3 * p - first);
  // CPU: parameters cross memory once per round; CUDA (rung b): forward, update, backward above the first layer, and per sample the gathered
  // input, written and read three times, and seven passes over the hidden units. The average reads and writes all.
  const double step = context().backend == Backend::cpu ? 8 * p / tau + b * 784 * (dense ? 4 : 1)
                                                        : 12 * p + 4 * (p - first) + b * 4 * (4 * 784 + 7 * units);
  add(fmt::format("{}mlp{}_round/W:{}/B:{}/tau:{}/{}", goal, hidden[0], W, B, tau, dense ? "dense" : "images"),
      w * (tau * step + 8 * p), flops, [job] { job->advance(tau); });
}

// Quadratics whose noise is drawn where it is used: a row crosses memory twice for all steps, and twice for the average.
void add_quadratic_round(const char* goal, int64_t W, int64_t P) {
  const Made<Job> job(
      endless +
      fmt::format("[model]\nkind = \"quadratic\"\ndimension = {}\ncurvature = 1\ncenter = 0\nnoise = 1\n", P) +
      network_text(W) + steps_text(1, ""));
  const double n = static_cast<double>(W * P), normal = philox / 4 + 2 * transcendental + 5;
  add(fmt::format("{}quadratic_round/W:{}/P:{}/tau:{}/noise:1", goal, W, P, tau), 16 * n,
      tau * (6 + normal) * n + 2 * n, [job] { job->advance(tau); });
}

// Sixteen rounds of a method (as many as CUDA keeps in one graph) on MLP 784-200-200-10, W workers, batches of 8: `banks` (W, P) matrices that it must at least read and write, the
// gradients' among them, and `extra` bytes per worker and parameter.
void add_method_round(const std::string& name, const std::string& network, const std::string& algorithm, double banks,
                      double extra) {
  constexpr int64_t rounds = 16;
  constexpr double p = 199210, first = 784 * 200;
  const int64_t W = sized(256, 4), B = 8;
  const Made<Job> job(endless + data_text(false) + "[model]\nkind = \"mlp\"\nhidden = [200, 200]\n" +
                      fmt::format("[network]\nworkers = {}\n", W) + network +
                      "[algorithm]\nlearning_rate = 0.001\nbatch = 8\n" + algorithm);
  const double w = static_cast<double>(W), b = static_cast<double>(B);
  add(fmt::format("rounds_{}_{}/W:{}/B:{}/P:199210", rounds, name, W, B),
      rounds * w * ((8 * banks + extra) * p + b * 784), rounds * w * b * 2 * (3 * p - first),
      [job] { job->advance(rounds); });
}

void add_methods() {
  const std::string ring = "[network.graph]\nkind = \"ring\"\nmixing = \"metropolis\"\nperiod = 1\n";
  const auto method = [](const char* kind) { return fmt::format("kind = \"{}\"\n", kind); };
  const auto vote = [&](const char* rule) {
    return method("sign-vote") + fmt::format("vote = \"{}\"\nwarmup = 1\n", rule);
  };
  // votes: a bit written and read per worker and parameter, FV a count of two bytes read and written besides; models are shared
  add_method_round("vote_majority", "", vote("majority"), 0, 0.25);
  add_method_round("vote_fv", "", vote("fv"), 0, 0.25 + 4);
  // own models and gradients
  add_method_round("centralized", "", method("centralized"), 1, 0);  // gradients written, and read by their mean
  for (const char* strategy : {"consensus", "diffusion", "diffusion-cta"})
    add_method_round(strategy, ring, method(strategy), 2, 0);
  // what is remembered of neighbours besides, and the message
  const std::string top = "[compressor]\nkind = \"top-k\"\nk = 1992\n";
  add_method_round("choco_sgd_top_1_percent", ring, method("choco-sgd") + "gamma = 0.1\n" + top, 5, 0);
  add_method_round("lead_2_bits", ring,
                   method("lead") + "gamma = 0.5\na = 0.5\n[compressor]\nkind = \"dithered\"\nbits = 2\n", 6, 0);
  add_method_round("ef_sgd_top_1_percent", "", method("ef-sgd") + top, 3, 0);
}

}  // namespace

void add_rounds() {
  if (small()) {
    for (const char* step : {"fused", "gradients"}) add_softmax_round("S1/", 5, 3, step);
    add_mlp_round("S2/", {128}, 5, 3, true), add_mlp_round("S4/", {200, 200}, 5, 3, true);
    add_quadratic_round("S8/", 5, 100);
    return add_methods();
  }
  add_softmax_round("S1/", 1024, 8, "fused");
  add_mlp_round("S2/", {128}, 64, 32, true);
  add_mlp_round("S3/", {128}, 1024, 32, true);
  add_mlp_round(context().products == Products::full ? "S6/" : "S4/", {200, 200}, 1024, 32, true);
  add_mlp_round("S5/", {200, 200}, 1024, 1, true);
  add_quadratic_round("S8/", 4096, 10000);
  for (int64_t W : {100, 1024})
    for (int64_t B : {8, 32})
      for (const char* step : {"fused", "gradients"})
        if (W != 1024 || B != 8 || step != std::string("fused")) add_softmax_round("", W, B, step);
  for (int64_t B : {1, 8, 32})
    for (bool dense : {true, false}) add_mlp_round("", {200, 200}, 64, B, dense);
  add_methods();
}

}  // namespace orrery::bench
