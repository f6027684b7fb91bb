// The estimates that are made of local gradients at the mean model: their variance over samples, their divergence over workers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/distances.hpp"
#include "runtime/theory/estimate.hpp"
#include "runtime/theory/sampled_rows.hpp"

namespace orrery {
namespace {

constexpr int64_t most_gradient_values = int64_t{1} << 27;  // that divergences bring to the host

}  // namespace

template <class T>
void Estimator<T>::sample_gradients(const Lane& lane, int64_t worker, const std::vector<int32_t>& list, int64_t m,
                                    MatrixView<const T> u, const std::function<void(int64_t, MatrixView<const T>)>& f) {
  for (int64_t first = 0; first < m; first += chunk()) {
    const int64_t n = std::min(chunk(), m - first);
    std::vector<std::vector<int32_t>> single;
    for (int64_t k = 0; k < n && !list.empty(); ++k) single.push_back({list[static_cast<size_t>(first + k)]});
    SampledRows sampled(ctx_, lane.seed, std::vector<int32_t>(static_cast<size_t>(n), static_cast<int32_t>(worker)),
                        single);
    if (list.empty()) {  // no data: every row draws with a seed of its own, from words that no run's draws are keyed by
      std::vector<uint64_t> seeds;
      for (int64_t k = 0; k < n; ++k) {
        const PhiloxBlock words =
            Stream(lane.seed, Draw::hessian_probe, 0x80000000u, 2).block(static_cast<uint32_t>(first + k));
        seeds.push_back(static_cast<uint64_t>(words.word[0]) << 32 | words.word[1]);
      }
      sampled.seed.assign(ctx_, seeds);
      sampled.batch.assign(ctx_, std::vector<int32_t>(seeds.size(), 1));
    }
    Buffer<T> g(ctx_, n * p_);
    const MatrixView<const T> shared(u.data(), n, p_, 0, ctx_.backend);
    cluster_.model().gradients(ctx_, sampled.rows, cluster_.slot(), shared, g.view(n, p_));
    f(first, g.view(n, p_));
  }
}

template <class T>
void Estimator<T>::noise(int arm, MatrixView<const T> u) {
  Estimates& e = estimates_[static_cast<size_t>(arm)];
  const size_t replicas = population_.lanes.size() / population_.arms.size();
  const Lane& lane = population_.lanes[static_cast<size_t>(arm) * replicas];
  if (!lane.partition) return;  // a model without data says itself what its noise is
  const auto& batch = experiment_.arms[static_cast<size_t>(population_.arms[static_cast<size_t>(arm)])].step.batch;
  const auto chosen = spread(population_.workers, most_estimate_workers);
  double largest = 0;
  bool all_samples = true;
  for (const int64_t w : chosen) {
    const int64_t b = batch[static_cast<size_t>(w)], held = lane.partition->size[static_cast<size_t>(w)];
    if (b == 0 || held < 2) continue;
    const auto list = samples_of(lane, w, most_estimate_samples);
    all_samples = all_samples && static_cast<int64_t>(list.size()) == held;
    double squares = 0;
    std::vector<double> sum(static_cast<size_t>(p_));
    sample_gradients(lane, w, list, static_cast<int64_t>(list.size()), u, [&](int64_t, MatrixView<const T> g) {
      Groups group;
      group.begin = {0, g.extent(0)};
      for (int64_t k = 0; k < g.extent(0); ++k) group.member.push_back(k), group.weight.push_back(1);
      Buffer<T> total(ctx_, p_);
      Buffer<double> norms(ctx_, g.extent(0));
      row_distances<T>(ctx_, g, {}, {}, norms.view());
      for (const double v : norms.to_host(ctx_)) squares += v;
      const DeviceGroups table(ctx_, {&group}, {0});
      group_mean<T>(ctx_, table.table(), g, total.view(1, p_));
      const auto host = total.to_host(ctx_);
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += static_cast<double>(host[j]);
    });
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

#define ORRERY_INSTANTIATE(T)                                                                              \
  template void Estimator<T>::sample_gradients(const Lane&, int64_t, const std::vector<int32_t>&, int64_t, \
                                               MatrixView<const T>,                                        \
                                               const std::function<void(int64_t, MatrixView<const T>)>&);  \
  template void Estimator<T>::noise(int, MatrixView<const T>);                                             \
  template void Estimator<T>::divergences(int, MatrixView<const T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
