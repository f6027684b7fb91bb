#include "runtime/theory/estimate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/core/nvtx.hpp"
#include "kernels/distances.hpp"
#include "runtime/theory/smoothness.hpp"

namespace orrery {
namespace {

constexpr int64_t most_workers = 16, most_samples = 256, most_bytes = int64_t{32} << 20;
constexpr int64_t hessian_workers = 4, hessian_iterations = 12;
constexpr int64_t most_gradient_values = int64_t{1} << 27;  // that divergences bring to the host
constexpr int64_t most_operations = int64_t{400} << 20;     // of an iteration over all samples

// k evenly spaced of n
std::vector<int64_t> spread(int64_t n, int64_t k) {
  std::vector<int64_t> out;
  k = std::min(n, k);
  for (int64_t i = 0; i < k; ++i) out.push_back(i * n / k);
  return out;
}

int64_t rows_at_a_time(int64_t rows, int64_t parameters, int64_t element_size) {
  return std::clamp<int64_t>(most_bytes / (parameters * element_size), 1, rows);
}

}  // namespace

int64_t estimate_bytes(int64_t rows, int64_t parameters, int64_t element_size) {
  return (rows_at_a_time(rows, parameters, element_size) + 2) * parameters * element_size;
}

// Rows over chosen samples: row r belongs to worker[r] and takes the exact gradient over its own list.
template <class T>
struct Estimator<T>::Sampled {
  Buffer<uint64_t> seed;
  Buffer<int32_t> worker, batch, order;
  Buffer<double> one;
  Buffer<int64_t> begin, size;
  Rows rows;

  Sampled(const Context& ctx, uint64_t replica_seed, const std::vector<int32_t>& workers,
          const std::vector<std::vector<int32_t>>& samples) {
    std::vector<int32_t> all;
    std::vector<int64_t> first, count;
    for (const auto& list : samples) {
      first.push_back(static_cast<int64_t>(all.size()));
      count.push_back(static_cast<int64_t>(list.size()));
      all.insert(all.end(), list.begin(), list.end());
    }
    seed = Buffer<uint64_t>(ctx, std::vector<uint64_t>(workers.size(), replica_seed));
    worker = Buffer<int32_t>(ctx, workers);
    batch = Buffer<int32_t>(ctx, static_cast<int64_t>(workers.size()));  // 0: all of the list
    one = Buffer<double>(ctx, std::vector<double>(workers.size(), 1.0));
    rows.count = static_cast<int64_t>(workers.size());
    rows.seed = seed.view();
    rows.worker = worker.view();
    rows.learning_rate = rows.rate = one.view();
    rows.batch = batch.view();
    rows.max_batch = 1;
    if (samples.empty()) return;  // a model without data
    order = Buffer<int32_t>(ctx, all);
    begin = Buffer<int64_t>(ctx, first);
    size = Buffer<int64_t>(ctx, count);
    rows.begin = begin.view();
    rows.size = size.view();
    rows.order = order.view();
    rows.max_batch = *std::max_element(count.begin(), count.end());
  }
};

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
  whole.begin = {0, population_.workers};
  whole.weight = lane.network->weights();
  for (int64_t w = 0; w < population_.workers; ++w) whole.member.push_back(w);
  const DeviceGroups groups(ctx_, {&whole}, {lane.first_row});
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
  const auto chosen = spread(workers, shared ? 1 : all ? workers : most_workers);
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
    if (lane.partition) samples.push_back(samples_of(lane, w, most_samples));
  }
  const Sampled sampled(ctx_, lane.seed, workers, samples);
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

template <class T>
void Estimator<T>::noise(int arm, MatrixView<const T> u) {
  Estimates& e = estimates_[static_cast<size_t>(arm)];
  const size_t replicas = population_.lanes.size() / population_.arms.size();
  const Lane& lane = population_.lanes[static_cast<size_t>(arm) * replicas];
  const auto& batch = experiment_.arms[static_cast<size_t>(population_.arms[static_cast<size_t>(arm)])].step.batch;
  const auto chosen = spread(population_.workers, most_workers);
  double largest = 0;
  bool all_samples = true;
  for (const int64_t w : chosen) {
    const int64_t b = batch[static_cast<size_t>(w)], held = lane.partition->size[static_cast<size_t>(w)];
    if (b == 0 || held < 2) continue;
    const auto list = samples_of(lane, w, most_samples);
    all_samples = all_samples && static_cast<int64_t>(list.size()) == held;
    // gradients of single samples, a chunk of rows at a time
    double squares = 0;
    std::vector<double> sum(static_cast<size_t>(p_));
    for (size_t at = 0; at < list.size();) {
      const auto n = std::min<int64_t>(chunk(), static_cast<int64_t>(list.size() - at));
      std::vector<std::vector<int32_t>> single;
      Groups group;
      group.begin = {0, n};
      for (int64_t k = 0; k < n; ++k) {
        single.push_back({list[at + static_cast<size_t>(k)]});
        group.member.push_back(k);
        group.weight.push_back(1);
      }
      const Sampled sampled(ctx_, lane.seed, std::vector<int32_t>(static_cast<size_t>(n), static_cast<int32_t>(w)),
                            single);
      Buffer<T> g(ctx_, n * p_), total(ctx_, p_);
      Buffer<double> norms(ctx_, n);
      const MatrixView<const T> shared(u.data(), n, p_, 0, ctx_.backend);
      cluster_.model().gradients(ctx_, sampled.rows, cluster_.slot(), shared, g.view(n, p_));
      row_distances<T>(ctx_, g.view(n, p_), {}, {}, norms.view());
      for (const double v : norms.to_host(ctx_)) squares += v;
      const DeviceGroups table(ctx_, {&group}, {0});
      group_mean<T>(ctx_, table.table(), g.view(n, p_), total.view(1, p_));
      const auto host = total.to_host(ctx_);
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += static_cast<double>(host[j]);
      at += static_cast<size_t>(n);
    }
    const auto m = static_cast<double>(list.size()), n = static_cast<double>(held);
    double mean_squared = 0;
    for (const double v : sum) mean_squared += (v / m) * (v / m);
    const double variance = std::max(0.0, squares / m - mean_squared) * (m < n ? m / (m - 1) * (n - 1) / n : 1);
    largest = std::max(largest, variance / static_cast<double>(b));
  }
  e.sigma_sq.value = std::max(e.sigma_sq.value.value_or(0), largest);
  e.sigma_sq.how = fmt::format(
      "largest variance of a mini-batch gradient over {} of {} workers ({}) at {} point{}", chosen.size(),
      population_.workers, all_samples ? "all their samples" : "256 samples each", e.points, e.points == 1 ? "" : "s");
}

// Means of the exact local gradients over the nodes of every tier; divergence of a tier = sum over children of mass |mean|^2 minus the same of
// the parents.
template <class T>
void Estimator<T>::divergences(int arm, MatrixView<const T> u) {
  Estimates& e = estimates_[static_cast<size_t>(arm)];
  const size_t replicas = population_.lanes.size() / population_.arms.size();
  const Lane& lane = population_.lanes[static_cast<size_t>(arm) * replicas];
  const Network& network = *lane.network;
  int64_t nodes = 1;
  for (const Groups& tier : network.tiers()) nodes += tier.nodes();
  const int64_t workers = population_.workers;
  if (workers * p_ > most_gradient_values || nodes * p_ > most_gradient_values / 2) {
    e.why_no_divergence =
        fmt::format("{} workers x {} parameters are many to bring together; record divergence_<tier>", workers, p_);
    return;
  }
  std::vector<std::vector<double>> mean;  // per tier (nodes, P), then u's
  for (const Groups& tier : network.tiers()) mean.emplace_back(static_cast<size_t>(tier.nodes() * p_));
  mean.emplace_back(static_cast<size_t>(p_));

  const auto& a = network.weights();
  double below = 0;  // sum_i a_i |g_i|^2
  const int64_t rows_per_chunk = std::min(chunk(), workers);
  const Buffer<int32_t> no_batch(ctx_, workers);
  const Buffer<double> always(ctx_, std::vector<double>(static_cast<size_t>(workers), 1.0));
  Rows rows = cluster_.rows().part(lane.first_row, workers);
  rows.batch = no_batch.view();
  rows.rate = always.view();
  rows.repeats = {};
  rows.max_repeats = 1;
  rows.present = {};
  rows.shuffle = false;
  rows.max_batch = population_.max_size;
  Buffer<T> g(ctx_, rows_per_chunk * p_);
  for (int64_t first = 0; first < workers; first += rows_per_chunk) {
    const int64_t n = std::min(rows_per_chunk, workers - first);
    const MatrixView<const T> shared(u.data(), n, p_, 0, ctx_.backend);
    cluster_.model().gradients(ctx_, rows.part(first, n), cluster_.slot(), shared, g.view(n, p_));
    const auto host = g.to_host(ctx_, 0, n * p_);
    for (int64_t r = 0; r < n; ++r) {
      const auto i = static_cast<size_t>(first + r);
      const T* row = &host[static_cast<size_t>(r * p_)];
      double square = 0;
      for (int64_t j = 0; j < p_; ++j) square += static_cast<double>(row[j]) * static_cast<double>(row[j]);
      below += a[i] * square;
      for (size_t k = 0; k < mean.size(); ++k) {
        const bool tier = k < network.tiers().size();
        const int64_t node = tier ? network.tiers()[k].node_of[i] : 0;
        const double mass = tier ? network.tiers()[k].mass[static_cast<size_t>(node)] : 1;
        const double weight = mass > 0 ? a[i] / mass : 0;
        double* to = &mean[k][static_cast<size_t>(node * p_)];
        for (int64_t j = 0; j < p_; ++j) to[j] += weight * static_cast<double>(row[j]);
      }
    }
  }

  // what is below the rounding of a gradient counts as none
  const double rounding = 16 * std::pow(static_cast<double>(std::numeric_limits<T>::epsilon()), 2) * below;
  std::vector<double> split;
  const auto add = [&](double here) {
    const double part = std::max(0.0, below - here);
    split.push_back(part > std::max(rounding, 1e-14 * below) ? part : 0);
    below = here;
  };
  const auto square_of = [&](size_t k, auto mass_of) {
    double sum = 0;
    for (size_t node = 0; node < mean[k].size() / static_cast<size_t>(p_); ++node) {
      double square = 0;
      for (int64_t j = 0; j < p_; ++j)
        square += std::pow(mean[k][node * static_cast<size_t>(p_) + static_cast<size_t>(j)], 2);
      sum += mass_of(node) * square;
    }
    return sum;
  };
  for (size_t k = 0; k < network.tiers().size(); ++k)
    add(square_of(k, [&](size_t node) { return network.tiers()[k].mass[node]; }));
  if (network.top().nodes() > 1) add(square_of(mean.size() - 1, [](size_t) { return 1.0; }));

  if (e.divergence.empty()) e.divergence.resize(split.size());
  double all = 0;
  for (size_t k = 0; k < split.size(); ++k) e.divergence[k] = std::max(e.divergence[k], split[k]), all += split[k];
  e.global_divergence = std::max(e.global_divergence, all);
}

template class Estimator<float>;
template class Estimator<double>;

}  // namespace orrery
