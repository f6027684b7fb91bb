#include "runtime/theory/estimate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/core/nvtx.hpp"
#include "runtime/theory/sampled_rows.hpp"
#include "runtime/theory/smoothness.hpp"

namespace orrery {
namespace {

constexpr int64_t hessian_workers = 4, hessian_iterations = 12;
constexpr int64_t most_bytes = int64_t{32} << 20;        // of gradients at a time
constexpr int64_t most_operations = int64_t{400} << 20;  // of an iteration over all samples

int64_t rows_at_a_time(int64_t rows, int64_t parameters, int64_t element_size) {
  return std::clamp<int64_t>(most_bytes / (parameters * element_size), 1, rows);
}

}  // namespace

int64_t estimate_bytes(int64_t rows, int64_t parameters, int64_t element_size) {
  return (rows_at_a_time(rows, parameters, element_size) + 2) * parameters * element_size;
}

template <class T>
Estimator<T>::Estimator(ClusterOf<T>& cluster, const Experiment& e, const DeviceData* data)
    : cluster_(cluster),
      experiment_(e),
      data_(data),
      population_(cluster.population()),
      ctx_(cluster.context()),
      p_(cluster.model().parameters()),
      estimates_(population_.arms.size()) {}

template <class T>
int64_t Estimator<T>::chunk() const {
  return rows_at_a_time(population_.rows(), p_, sizeof(T));
}

template <class T>
std::vector<int32_t> Estimator<T>::samples_of(const Lane& lane, int64_t worker, int64_t most) const {
  std::vector<int32_t> list;
  const auto w = static_cast<size_t>(worker);
  for (const int64_t k : spread(lane.partition->size[w], most))
    list.push_back(lane.partition->order[static_cast<size_t>(lane.partition->begin[w] + k)]);
  return list;
}

template <class T>
void Estimator<T>::visit() {
  const NvtxRange range("theory estimates");
  for (int arm = 0; arm < cluster_.arms(); ++arm) visit(arm);
}

template <class T>
void Estimator<T>::visit(int arm) {
  Estimates& e = estimates_[static_cast<size_t>(arm)];
  const size_t replicas = population_.lanes.size() / population_.arms.size();
  const Lane& lane = population_.lanes[static_cast<size_t>(arm) * replicas];
  const ModelSpec& model = *experiment_.arms[static_cast<size_t>(population_.arms[static_cast<size_t>(arm)])].model;

  // the mean model
  Groups whole;
  int64_t first_row = lane.first_row;
  whole.begin = {0, population_.workers};
  whole.weight = lane.network->weights();
  if (cluster_.shared_model()) {
    const SharedModels& models = cluster_.voting()->models();
    const size_t i = static_cast<size_t>(arm) * replicas;
    whole.begin = {0, models.of_lane(i)};
    whole.weight.assign(models.mass.begin() + models.first[i], models.mass.begin() + models.first[i + 1]);
    first_row = models.first[i];
  }
  for (int64_t w = 0; w < whole.begin[1]; ++w) whole.member.push_back(w);
  const DeviceGroups groups(ctx_, {&whole}, {first_row});
  Buffer<T> mean(ctx_, p_);
  group_mean<T>(ctx_, groups.table(), cluster_.parameters(), mean.view(1, p_));
  const MatrixView<const T> u = mean.view(1, p_);

  const bool first = e.points++ == 0;
  if (first) e.start_value = cluster_.model().objective(ctx_, u, {&lane.objective})[0];
  const bool quadratic = model.quadratic_risk().has_value();
  if (!quadratic && !experiment_.theory.sigma_sq) noise(arm, u);
  if (!quadratic && !experiment_.theory.smoothness) {
    if (const auto linear = model.linear_curvature()) {
      if (first) smoothness_of_data(arm, *linear);
    } else {
      smoothness_along(arm, u);
    }
  }
  divergences(arm, u);
  const Algorithm& algorithm =
      *experiment_.arms[static_cast<size_t>(population_.arms[static_cast<size_t>(arm)])].algorithm;
  if (first && algorithm.strategy()) curvature(arm, u);
}

template <class T>
void Estimator<T>::smoothness_of_data(int arm, const LinearCurvature& linear) {
  // arms of a launch share data and partitions
  Estimates& e = estimates_[static_cast<size_t>(arm)];
  const size_t replicas = population_.lanes.size() / population_.arms.size();
  const auto partition_of = [&](int a) { return population_.lanes[static_cast<size_t>(a) * replicas].partition.get(); };
  for (int other = 0; other < arm; ++other)
    if (partition_of(other) == partition_of(arm)) {
      e.smoothness = estimates_[static_cast<size_t>(other)].smoothness;
      return;
    }

  // the samples on the host
  SampleView x = data_->train();
  std::vector<uint8_t> bytes;
  std::vector<float> values;
  SparseRows sparse;
  if (ctx_.backend != Backend::cpu) {
    if (x.sparse()) {
      sparse = {to_host(ctx_, x.rows.begin), to_host(ctx_, x.rows.column), to_host(ctx_, x.rows.value)};
      x.rows = {{sparse.begin.data(), static_cast<int64_t>(sparse.begin.size()), Backend::cpu},
                {sparse.column.data(), static_cast<int64_t>(sparse.column.size()), Backend::cpu},
                {sparse.value.data(), static_cast<int64_t>(sparse.value.size()), Backend::cpu},
                x.rows.columns};
    } else if (x.bytes.size() > 0) {
      bytes = to_host(ctx_, x.bytes);
      x.bytes = {bytes.data(), x.bytes.extent(0), x.bytes.extent(1), Backend::cpu};
    } else {
      values = to_host(ctx_, x.values);
      x.values = {values.data(), x.values.extent(0), x.values.extent(1), Backend::cpu};
    }
  }

  const Partition& partition = *partition_of(arm);
  SecondMoments moments(x);
  int64_t samples = 0;
  for (const int64_t n : partition.size) samples += n;
  const bool shared = std::all_of(partition.begin.begin(), partition.begin.end(), [](int64_t b) { return b == 0; });
  const int64_t workers = population_.workers;
  if (shared) samples = partition.size[0];
  const bool all = moments.cost(samples) <= most_operations;
  const auto chosen = spread(workers, shared ? 1 : all ? workers : most_estimate_workers);
  double largest = 0;
  for (const int64_t w : chosen) {
    const auto i = static_cast<size_t>(w);
    largest = std::max(largest, moments.largest_eigenvalue(&partition.order[static_cast<size_t>(partition.begin[i])],
                                                           partition.size[i]));
  }
  e.smoothness.value = linear.factor * largest + linear.l2;
  e.smoothness.how = fmt::format("{} max of lambda_max(Z^T Z/m) + l2 over {}", linear.factor,
                                 shared || all ? "all workers: an upper bound"
                                               : fmt::format("{} of {} workers: indicative", chosen.size(), workers));
}

// |H v| / |v| of a few workers, v by power iteration
template <class T>
void Estimator<T>::smoothness_along(int arm, MatrixView<const T> u) {
  Estimates& e = estimates_[static_cast<size_t>(arm)];
  const size_t replicas = population_.lanes.size() / population_.arms.size();
  const Lane& lane = population_.lanes[static_cast<size_t>(arm) * replicas];
  std::vector<int32_t> workers;
  std::vector<std::vector<int32_t>> samples;
  for (const int64_t w : spread(population_.workers, std::min(hessian_workers, chunk()))) {
    workers.push_back(static_cast<int32_t>(w));
    if (lane.partition) samples.push_back(samples_of(lane, w, most_estimate_samples));
  }
  const SampledRows sampled(ctx_, lane.seed, workers, samples);
  const int64_t n = sampled.rows.count;
  std::vector<T> v(static_cast<size_t>(n * p_));
  for (int64_t r = 0; r < n; ++r) {
    const Stream draw(0, Draw::probe, static_cast<uint32_t>(r), 0);
    for (int64_t j = 0; j < p_; ++j)
      v[static_cast<size_t>(r * p_ + j)] = static_cast<T>(draw.normal(static_cast<uint32_t>(j)));
  }
  Buffer<T> hv(ctx_, n * p_);
  double largest = 0;
  for (int64_t iteration = 0; iteration <= hessian_iterations; ++iteration) {
    bool vanished = true;
    for (int64_t r = 0; r < n; ++r) {
      double norm = 0;
      for (int64_t j = 0; j < p_; ++j) norm += std::pow(static_cast<double>(v[static_cast<size_t>(r * p_ + j)]), 2);
      norm = std::sqrt(norm);
      if (iteration == hessian_iterations) largest = std::max(largest, norm);
      if (!(norm > 0)) continue;
      vanished = false;
      for (int64_t j = 0; j < p_; ++j) v[static_cast<size_t>(r * p_ + j)] /= static_cast<T>(norm);
    }
    if (vanished || iteration == hessian_iterations) break;
    const Buffer<T> device(ctx_, v);
    const MatrixView<const T> shared(u.data(), n, p_, 0, ctx_.backend);
    cluster_.model().hessian_vector(ctx_, sampled.rows, cluster_.slot(), shared, device.view(n, p_), hv.view(n, p_));
    v = hv.to_host(ctx_);
  }
  e.smoothness.value = std::max(e.smoothness.value.value_or(0), largest);
  e.smoothness.how =
      fmt::format("power iteration on the Hessian of {} of {} workers at {} point{}: indicative, a lower estimate", n,
                  population_.workers, e.points, e.points == 1 ? "" : "s");
}

template class Estimator<float>;
template class Estimator<double>;

}  // namespace orrery
