#include "runtime/population.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace orrery {
namespace {

std::vector<double> weights_of_samples(const Partition& partition, const std::vector<double>& a, int64_t samples) {
  std::vector<double> u(static_cast<size_t>(samples));
  for (size_t w = 0; w < a.size(); ++w)
    for (int64_t i = 0; i < partition.size[w]; ++i)
      u[static_cast<size_t>(partition.order[static_cast<size_t>(partition.begin[w] + i)])] +=
          a[w] / static_cast<double>(partition.size[w]);
  return u;
}

// Weights that are 1/n but for rounding become 1/n exactly: what an empty u means, so that a lane's losses do not depend on its neighbours.
bool make_even(std::vector<double>& u) {
  const double one = 1.0 / static_cast<double>(u.size());
  if (!std::all_of(u.begin(), u.end(), [&](double v) { return std::abs(v - one) <= 1e-13 * one; })) return false;
  std::fill(u.begin(), u.end(), one);
  return true;
}

}  // namespace

Population::Population(const Experiment& e, const std::vector<int>& which, const Dataset* data)
    : workers(e.workers()), arms(which) {
  std::map<uint64_t, std::shared_ptr<const Partition>>
      partitions;                             // by seed: arms and replicas with one seed share one
  std::map<const Partition*, int64_t> place;  // where a partition begins in `order`
  std::vector<std::vector<double>> distinct;  // rows of sample_weights
  bool all_even = true;

  for (int arm = 0; arm < static_cast<int>(arms.size()); ++arm) {
    const Arm& a = e.arms[static_cast<size_t>(arms[static_cast<size_t>(arm)])];
    schedules.emplace_back(*a.network);
    shuffle = a.step.shuffle;
    for (int64_t replica = 0; replica < e.replicas; ++replica) {
      Lane lane;
      lane.arm = arm;
      lane.replica = replica;
      lane.seed = e.replica_seed(replica);
      lane.first_row = rows();

      // who holds what
      if (data) {
        const uint64_t partition_seed = a.partition->seed.value_or(lane.seed);
        auto& partition = partitions[partition_seed];
        if (!partition)
          partition = std::make_shared<Partition>(located(
              a,
              [&] {
                return a.partition->partitioner->split(data->train.labels, data->classes, workers, partition_seed);
              },
              "partition.path"));
        lane.partition = partition;
        if (!place.contains(partition.get())) {
          place[partition.get()] = static_cast<int64_t>(order.size());
          order.insert(order.end(), partition->order.begin(), partition->order.end());
        }
      }
      lane.network = located(a, [&] {
        return std::make_shared<Network>(*a.network, lane.seed,
                                         lane.partition ? lane.partition->size : std::vector<int64_t>{});
      });
      lane.objective.worker_weights = lane.network->weights();

      // the rows
      for (int64_t w = 0; w < workers; ++w) {
        const auto i = static_cast<size_t>(w);
        seed.push_back(lane.seed);
        worker.push_back(static_cast<int32_t>(w));
        learning_rate.push_back(a.step.learning_rate);
        rate.push_back(a.network->clock.waiting ? 1 : a.network->rates[i]);  // who is waited for takes every step
        batch.push_back(static_cast<int32_t>(a.step.batch[i]));
        repeats.push_back(a.step.repeats[i]);
        int64_t places = std::max<int64_t>(1, a.step.batch[i]);
        if (lane.partition) {
          begin.push_back(place[lane.partition.get()] + lane.partition->begin[i]);
          size.push_back(lane.partition->size[i]);
          max_size = std::max(max_size, size.back());
          if (size.back() == 0)
            throw ExperimentError(fmt::format("{}: worker {} holds no samples; give every worker at least one",
                                              a.params->place("partition"), w));
          if (a.step.batch[i] == 0) places = size.back();
        }
        max_batch = std::max(max_batch, places);
      }

      // the objective's weights per sample
      if (data) {
        auto u = weights_of_samples(*lane.partition, lane.objective.worker_weights, data->train.count);
        if (!make_even(u)) all_even = false;
        auto found = std::find(distinct.begin(), distinct.end(), u);
        if (found == distinct.end()) found = distinct.insert(distinct.end(), u);
        lane.objective.sample_weight_row = found - distinct.begin();
      }
      lanes.push_back(std::move(lane));
    }
  }
  const Arm& first = e.arms[static_cast<size_t>(arms[0])];
  if (!all_even && first.model->needs_even_samples())
    throw ExperimentError(fmt::format(
        "{}: needs samples that all weigh the same in the objective; give all workers as many samples and one "
        "weight, or network.weights = \"samples\"",
        first.params->place("model.short_term")));
  if (!all_even) {
    sample_weight_rows = static_cast<int64_t>(distinct.size());
    for (const auto& u : distinct) sample_weights.insert(sample_weights.end(), u.begin(), u.end());
  }
}

int64_t samples_of_a_step(const Population& p) {
  int64_t all = 0;
  for (int64_t w = 0; w < p.workers; ++w) {
    const auto r = static_cast<size_t>(w);
    all += p.batch[r] > 0 ? p.batch[r] : p.size.empty() ? 1 : p.size[r];
  }
  return all;
}

}  // namespace orrery
