// Inputs for the report's tests, made by hand: blocks of workers, curves by formula.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "runtime/report/report.hpp"

namespace orrery::example {

inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

inline Groups blocks(int64_t workers, int64_t nodes) {
  Groups g;
  for (int64_t k = 0; k <= nodes; ++k) g.begin.push_back(k * workers / nodes);
  for (int64_t k = 0; k < nodes; ++k)
    for (int64_t i = g.begin[k]; i < g.begin[k + 1]; ++i) {
      g.member.push_back(i), g.node_of.push_back(k);
      g.weight.push_back(1.0 / static_cast<double>(g.begin[k + 1] - g.begin[k]));
    }
  for (int64_t k = 0; k < nodes; ++k)
    g.mass.push_back(static_cast<double>(g.begin[k + 1] - g.begin[k]) / static_cast<double>(workers));
  return g;
}

struct Tier {
  std::string name;
  int64_t nodes, period;
};

inline ReportArm arm(const std::string& name, int64_t workers, const std::vector<Tier>& tiers) {
  ReportArm a;
  a.name = name;
  a.network.workers = workers;
  for (const Tier& t : tiers) {
    a.network.tiers.push_back({.name = t.name, .period = t.period, .nodes = t.nodes, .groups = {}});
    a.tiers.push_back(blocks(workers, t.nodes));
    a.links.push_back({t.name, 1'000'000'000 / t.period * t.nodes, 1'000'000'000 / t.period * t.nodes});
  }
  a.weights.assign(workers, 1.0 / static_cast<double>(workers));
  a.rates.assign(workers, 1.0);
  return a;
}

// One replica's curve of a metric: smooth, distinct per arm, with a small wobble per replica.
inline double curve(const std::string& metric, int arm, int replica, int64_t step) {
  const double t = static_cast<double>(step) / 1000.0, speed = 1.4 - 0.35 * arm;
  const double wobble = 1 + (0.04 + 0.05 * arm) * std::sin(2.1 * replica + 7 * t + arm) * (1 - std::exp(-3 * t));
  if (metric == "train_loss") return (0.25 + 2.05 * std::exp(-speed * t)) * wobble;
  if (metric.ends_with("test_accuracy"))
    return (0.1 + 0.78 * (1 - std::exp(-speed * t))) * (1 + 0.2 * (wobble - 1)) - (metric[0] == 'w' ? 0.02 * arm : 0);
  if (metric == "grad_norm_sq") return 9.0 * std::exp(-3 * speed * t) * wobble + 2e-4 * wobble;
  if (metric == "consensus_distance")
    return step == 0 ? 0 : 0.002 * (1 + 12 * arm) * std::exp(-0.6 * t) * wobble * (1 + std::sin(9 * t) * 0.5);
  if (metric.starts_with("dispersion_")) return 2e-5 * (arm + 1) * (1 - std::exp(-2 * t)) * wobble;
  if (metric == "bits_up" || metric == "bits_down")
    return 32.0 * 7850 * 100 * static_cast<double>(step) / (arm == 0 ? 1 : arm == 1 ? 10 : 50);
  if (metric == "virtual_time") return static_cast<double>(step) * (1 + 0.3 * arm) * (arm == 2 ? wobble : 1);
  return wobble;
}

inline ReportInput run(std::vector<ReportArm> arms, const std::vector<std::string>& metrics, int replicas,
                       int64_t steps = 2000, int64_t every = 40) {
  ReportInput in;
  in.name = "tiers", in.version = "0.1.0 (revision 1a2b3c4)", in.device = "NVIDIA H200", in.precision = "fp32";
  in.model = "softmax regression, 784 → 10", in.data = "MNIST, 60 000 rows, split by label (2 labels a worker)",
  in.algorithm = "h-sgd, learning rate 0.05, batch 32";
  in.seed = 7, in.replicas = replicas, in.workers = arms.empty() ? 1 : arms[0].network.workers, in.steps = steps,
  in.parameters = 7850;
  in.metrics = metrics;
  in.facts = {{"wall time", "41.3 s"}, {"worker-steps per second", "14.5 M"}};
  in.experiment_toml = "name = \"tiers\"\nseed = 7\n\n[network]\nworkers = 100  # <as given> & resolved\n";
  for (int64_t t = 0; t <= steps; t += every) in.record_steps.push_back(t);
  for (size_t a = 0; a < arms.size(); ++a)
    for (const std::string& m : metrics) {
      auto& values = arms[a].values.emplace_back(replicas);
      for (int r = 0; r < replicas; ++r)
        for (const int64_t t : in.record_steps) values[r].push_back(curve(m, static_cast<int>(a), r, t));
    }
  for (size_t a = 0; a < arms.size(); ++a)
    for (const int64_t t : in.record_steps) {
      arms[a].bits.push_back(2 * curve("bits_up", static_cast<int>(a), 0, t));
      arms[a].virtual_time.push_back(curve("virtual_time", static_cast<int>(a), 0, t));
    }
  in.arms = std::move(arms);
  return in;
}

}  // namespace orrery::example
