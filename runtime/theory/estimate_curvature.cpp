// The estimates of curvature, noise and heterogeneity that the theory of decentralised SGD asks for, at the start (diffusion/local_constants.hpp).
#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/distances.hpp"
#include "runtime/curvature/objective_hessian.hpp"
#include "runtime/curvature/top_eigenvalue.hpp"
#include "runtime/curvature/trace.hpp"
#include "runtime/objective_gradient.hpp"
#include "runtime/theory/estimate.hpp"
#include "runtime/theory/sampled_rows.hpp"

namespace orrery {
namespace {

constexpr int64_t most_inner_agents = 1024;
constexpr int64_t most_inner_values = int64_t{1} << 26;  // of all gradients, and of their products, on the host
constexpr int64_t most_hessian_samples = 16384;          // of all workers
constexpr int64_t combinations = 16;                     // of a worker's samples, where all of them cost too much
constexpr double most_sample_products = 2e10;            // directions x samples x parameters

// v^T H v of each direction.
std::vector<double> forms(const SymmetricProducts& H, const std::vector<std::vector<double>>& directions) {
  std::vector<double> out;
  for (size_t first = 0; first < directions.size(); first += static_cast<size_t>(H.at_a_time)) {
    const size_t n = std::min(static_cast<size_t>(H.at_a_time), directions.size() - first);
    std::vector<double> v;
    for (size_t k = 0; k < n; ++k) v.insert(v.end(), directions[first + k].begin(), directions[first + k].end());
    const auto hv = H.times(v);
    for (size_t k = 0; k < n; ++k)
      out.push_back(
          cblas_ddot(static_cast<int>(H.dimension), &v[k * directions[0].size()], 1, &hv[k * directions[0].size()], 1));
  }
  return out;
}

}  // namespace

int64_t estimate_hessian_samples(const HessianSpec& spec, int64_t workers) {
  if (spec.samples > 0) return spec.samples;
  return std::clamp<int64_t>(most_hessian_samples / workers, 1, most_estimate_samples);
}

template <class T>
void Estimator<T>::curvature(int arm, MatrixView<const T> u) {
  const size_t lane = static_cast<size_t>(arm) * (population_.lanes.size() / population_.arms.size());
  const HessianSpec& spec = experiment_.record.hessian;
  const int64_t samples = estimate_hessian_samples(spec, population_.workers);
  const ObjectiveHessian<T> hessian(ctx_, population_, p_, samples);
  const SymmetricProducts H = hessian.at(cluster_.model(), cluster_.rows(), cluster_.slot(), lane, u);
  const ProbeKey key{population_.lanes[lane].seed, 0};

  diffusion::LocalConstants c;
  c.agents = population_.workers;
  const TraceEstimate sum = trace(H, spec.probes, key);
  c.trace_H = sum.value, c.trace_H_error = sum.error;
  const TopEigenvalue top = top_eigenvalue(H, spec.lanczos_steps, key);
  c.top_H = top.value, c.top_H_residual = top.relative_residual();
  c.hessian_of = population_.size.empty()         ? "the whole risks"
                 : samples < population_.max_size ? fmt::format("at most {} samples of every worker", samples)
                                                  : "all samples";
  heterogeneity(lane, u, H, c);
  sample_noise(arm, u, H, c);
  estimates_[static_cast<size_t>(arm)].local = std::move(c);
}

// d_k of every worker from its whole data, and d_k^T H d_l of every pair.
template <class T>
void Estimator<T>::heterogeneity(size_t lane, MatrixView<const T> u, const SymmetricProducts& H,
                                 diffusion::LocalConstants& c) {
  const int64_t K = population_.workers;
  const bool keep = K <= most_inner_agents && K * p_ <= most_inner_values;
  if (!keep) c.no_inner = "too many agents and parameters for the products of all pairs of gradients";
  const ObjectiveGradient<T> objective(ctx_, population_, p_);
  const Rows rows = objective.whole_data(cluster_.rows(), lane);
  const int64_t most = std::min(chunk(), K);
  Buffer<T> g(ctx_, most * p_);
  std::vector<double> D, mean(static_cast<size_t>(p_));
  for (int64_t first = 0; first < K; first += most) {
    const int64_t n = std::min(most, K - first);
    const MatrixView<const T> shared(u.data(), n, p_, 0, ctx_.backend);
    cluster_.model().gradients(ctx_, rows.part(first, n), cluster_.slot(), shared, g.view(n, p_));
    const auto host = g.to_host(ctx_, 0, n * p_);
    for (size_t i = 0; i < host.size(); ++i) {
      const auto d = static_cast<double>(host[i]);
      c.heterogeneity += d * d / static_cast<double>(K);
      const size_t k = static_cast<size_t>(first) + i / mean.size();
      mean[i % mean.size()] += population_.lanes[lane].objective.worker_weights[k] * d;
      if (keep) D.push_back(d);
    }
  }
  for (const double v : mean) c.gradient_sq += v * v;
  if (!keep) return;

  std::vector<double> HD;
  for (int64_t first = 0; first < K; first += H.at_a_time) {
    const int64_t n = std::min(H.at_a_time, K - first);
    const auto from = D.begin() + first * p_;
    const auto part = H.times({from, from + n * p_});
    HD.insert(HD.end(), part.begin(), part.end());
  }
  c.inner.assign(static_cast<size_t>(K * K), 0.0);
  const auto k = static_cast<int>(K), P = static_cast<int>(p_);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, k, k, P, 1.0, D.data(), P, HD.data(), P, 0.0, c.inner.data(), k);
}

// Tr(R_k) and Tr(H R_k) of chosen workers: z = gradient of one sample minus their mean. Of samples that are few, or cheap, every z^T H z; else
// of random sums m^(-1/2) sum_s +-z_s, whose form has the same expectation. Samples of a worker that holds more count as drawn from them.
template <class T>
void Estimator<T>::sample_noise(int arm, MatrixView<const T> u, const SymmetricProducts& H,
                                diffusion::LocalConstants& c) {
  const size_t index = static_cast<size_t>(arm) * (population_.lanes.size() / population_.arms.size());
  const Lane& lane = population_.lanes[index];
  const auto P = static_cast<size_t>(p_);
  const ModelSpec& model = *experiment_.arms[static_cast<size_t>(population_.arms[static_cast<size_t>(arm)])].model;
  c.noise.assign(static_cast<size_t>(c.agents), 0.0);
  if (const auto risk = model.quadratic_risk()) {  // diagonal and the same everywhere
    std::vector<double> z;
    for (int64_t j = 0; j < p_; ++j) z.push_back(risk->noise(j));
    c.trace_R = risk->noise_sq;
    c.trace_HR = forms(H, {z})[0];
    c.noise.assign(c.noise.size(), c.trace_HR);
    c.noise_of = "the model's own noise, exact";
    return;
  }

  const auto chosen = spread(population_.workers, most_estimate_workers);
  double products = 0;  // what every sample of every chosen worker would cost
  for (int64_t w = 0; w < population_.workers && lane.partition; ++w)
    products +=
        static_cast<double>(std::min(lane.partition->size[static_cast<size_t>(w)],
                                     estimate_hessian_samples(experiment_.record.hessian, population_.workers)));
  products *= static_cast<double>(chosen.size()) * most_estimate_samples * static_cast<double>(p_);
  const bool every_sample = products <= most_sample_products;

  double variance_of_mean = 0;
  for (const int64_t w : chosen) {
    const auto list = lane.partition ? samples_of(lane, w, most_estimate_samples) : std::vector<int32_t>{};
    const int64_t m = lane.partition ? static_cast<int64_t>(list.size()) : most_estimate_samples;
    if (m < 2) continue;
    const auto held = lane.partition ? static_cast<double>(lane.partition->size[static_cast<size_t>(w)]) : INFINITY;
    const auto taken = static_cast<double>(m);
    const double correction = taken < held ? taken / (taken - 1) * (1 - (held < INFINITY ? 1 / held : 0)) : 1;
    const bool each = every_sample || m <= combinations;
    const int64_t n_forms = each ? m : combinations;
    std::vector<std::vector<double>> y(static_cast<size_t>(n_forms), std::vector<double>(P));
    std::vector<double> mean(P), signs(y.size());
    double squares = 0;
    sample_gradients(lane, w, list, m, u, [&](int64_t first, MatrixView<const T> g) {
      Buffer<double> norms(ctx_, g.extent(0));
      row_distances<T>(ctx_, g, {}, {}, norms.view());
      for (const double v : norms.to_host(ctx_)) squares += v;
      const auto host = to_host(ctx_, g);
      for (int64_t s = 0; s < g.extent(0); ++s) {
        const T* row = &host[static_cast<size_t>(s) * P];
        for (size_t j = 0; j < P; ++j) mean[j] += static_cast<double>(row[j]) / taken;
        const PhiloxBlock words = Stream(lane.seed, Draw::hessian_probe, 0x80000000u + static_cast<uint32_t>(w), 1)
                                      .block(static_cast<uint32_t>(first + s));
        for (size_t k = 0; k < y.size(); ++k) {
          if (each && k != static_cast<size_t>(first + s)) continue;
          const double sign = each || (words.word[0] >> k & 1u) != 0 ? 1 : -1;
          signs[k] += sign;
          for (size_t j = 0; j < P; ++j) y[k][j] += sign * static_cast<double>(row[j]);
        }
      }
    });

    // around the mean, and the forms
    double mean_squared = 0;
    for (const double v : mean) mean_squared += v * v;
    for (size_t k = 0; k < y.size(); ++k)
      for (size_t j = 0; j < P; ++j) y[k][j] = (y[k][j] - signs[k] * mean[j]) / (each ? 1 : std::sqrt(taken));
    const auto values = forms(H, y);
    double form = 0, deviation = 0;
    for (const double v : values) form += v / static_cast<double>(n_forms);
    for (const double v : values) deviation += (v - form) * (v - form);
    const double share = 1 / static_cast<double>(chosen.size());
    c.noise[static_cast<size_t>(w)] = correction * form;
    c.trace_HR += share * correction * form;
    c.trace_R += share * correction * std::max(0.0, squares / taken - mean_squared);
    if (!each)
      variance_of_mean +=
          share * share * correction * correction * deviation / static_cast<double>(n_forms * (n_forms - 1));
  }
  c.trace_HR_error = std::sqrt(variance_of_mean);
  if (static_cast<int64_t>(chosen.size()) < c.agents) {  // the others as the mean of these
    std::vector<double> all(c.noise.size(), c.trace_HR);
    for (const int64_t w : chosen) all[static_cast<size_t>(w)] = c.noise[static_cast<size_t>(w)];
    c.noise = std::move(all);
  }
  c.noise_of = fmt::format("{} of {} workers, {}", chosen.size(), c.agents,
                           lane.partition ? fmt::format("at most {} samples each", most_estimate_samples)
                                          : fmt::format("{} draws each", most_estimate_samples));
  if (!every_sample) c.sums_of = fmt::format("{} random sums of more samples", combinations);
}

#define ORRERY_INSTANTIATE(T)                                                                      \
  template void Estimator<T>::curvature(int, MatrixView<const T>);                                 \
  template void Estimator<T>::heterogeneity(size_t, MatrixView<const T>, const SymmetricProducts&, \
                                            diffusion::LocalConstants&);                           \
  template void Estimator<T>::sample_noise(int, MatrixView<const T>, const SymmetricProducts&,     \
                                           diffusion::LocalConstants&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
