#include "runtime/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/combine_banks.hpp"
#include "kernels/core/nvtx.hpp"
#include "kernels/distances.hpp"
#include "runtime/compressed/spec.hpp"
#include "runtime/parameter_metric.hpp"

namespace orrery {
namespace {

// argmin sum_i a_i F_i(x) + l1 |x|_1 of quadratics:  x_j = S_l1( sum_i a_i h_ij c_ij ) / sum_i a_i h_ij
std::optional<std::vector<double>> l1_optimum(const std::optional<QuadraticRisk>& risk, const Objective& o, double l1) {
  if (!risk) return std::nullopt;
  std::vector<double> x;
  for (int64_t j = 0; j < risk->dimension; ++j) {
    double above = 0, below = 0;
    for (size_t i = 0; i < o.worker_weights.size(); ++i) {
      const double h = o.worker_weights[i] * risk->curvature(static_cast<int64_t>(i), j);
      above += h * risk->center(static_cast<int64_t>(i), j);
      below += h;
    }
    x.push_back(detail::shrunk(above, l1) / below);
  }
  return x;
}

}  // namespace

template <class T>
Evaluator<T>::Evaluator(ClusterOf<T>& cluster, const Experiment& e)
    : cluster_(cluster),
      experiment_(e),
      population_(cluster.population()),
      ctx_(cluster.context()),
      p_(cluster.model().parameters()),
      gradient_(ctx_, population_, p_) {
  const auto lanes = static_cast<int64_t>(population_.lanes.size());
  std::vector<Groups> whole(population_.lanes.size());
  std::vector<const Groups*> pointers;
  std::vector<int64_t> first_row, lane_of_row;
  std::vector<T> optimum;
  const bool from_start =
      e.arms[static_cast<size_t>(population_.arms[0])].from_start;  // of all arms of a launch or none
  const bool wants_optimum = e.record.asks_for("optimum_distance") || (e.record.asks_for("excess_risk") && !from_start);
  for (size_t i = 0; i < whole.size(); ++i) {
    const Lane& lane = population_.lanes[i];
    whole[i].begin = {0, population_.workers};
    whole[i].weight = lane.network->weights();
    for (int64_t w = 0; w < population_.workers; ++w) whole[i].member.push_back(w);
    pointers.push_back(&whole[i]);
    first_row.push_back(lane.first_row);
    const Arm& arm = e.arms[static_cast<size_t>(population_.arms[static_cast<size_t>(lane.arm)])];
    if (!wants_optimum) continue;  // it may be dear to find
    if (const auto x = arm.algorithm->compressed() && arm.algorithm->compressed()->l1 > 0
                           ? l1_optimum(arm.model->quadratic_risk(), lane.objective, arm.algorithm->compressed()->l1)
                           : cluster.model().optimum(lane.objective))
      for (double v : *x) optimum.push_back(static_cast<T>(v));
  }
  if (cluster.shared_model()) {  // the models of a lane, by the workers below them
    const SharedModels& models = cluster.voting()->models();
    for (size_t i = 0; i < whole.size(); ++i) {
      const auto n = models.of_lane(i);
      whole[i].begin = {0, n};
      whole[i].weight.assign(models.mass.begin() + models.first[i], models.mass.begin() + models.first[i + 1]);
      if (n == 1) whole[i].weight = {1.0};
      whole[i].member.resize(static_cast<size_t>(n));
      std::iota(whole[i].member.begin(), whole[i].member.end(), int64_t{0});
      first_row[i] = models.first[i];
    }
    one_model_each_ = models.rows() == lanes;
  }
  workers_at_.assign(static_cast<size_t>(cluster.parameters().extent(0)), 0.0);
  lane_of_model_.resize(workers_at_.size());
  mass_of_model_.assign(workers_at_.size(), 0.0);
  lane_of_row.assign(workers_at_.size(), 0);
  for (int64_t r = 0; r < population_.rows(); ++r) {
    const auto model = static_cast<size_t>(cluster.model_of(r));
    const auto i = static_cast<size_t>(r / population_.workers);
    workers_at_[model] += 1;
    mass_of_model_[model] += population_.lanes[i].network->weights()[static_cast<size_t>(r % population_.workers)];
    lane_of_model_[model] = i;
    lane_of_row[model] = static_cast<int64_t>(i);
  }
  lane_groups_ = DeviceGroups(ctx_, pointers, first_row);
  means_ = Buffer<T>(ctx_, lanes * p_);
  lane_of_row_ = Buffer<int64_t>(ctx_, lane_of_row);
  optimum_ = Buffer<T>(ctx_, optimum);
  row_values_ = Buffer<double>(ctx_, population_.rows());
  votes_.resize(population_.arms.size());
  if (e.record.escape) escape_time_.assign(whole.size(), std::numeric_limits<double>::quiet_NaN());
  if (e.record.asks_for("escape_kilobits")) escape_kilobits_ = escape_time_;
  if (from_start && e.record.asks_for("excess_risk")) {
    start_ = Buffer<T>(ctx_, lanes * p_);
    for (int64_t i = 0; i < lanes; ++i)
      detail::copy(ctx_, start_.data() + i * p_, ctx_.backend,
                   cluster.parameters().row(cluster.model_of(population_.lanes[static_cast<size_t>(i)].first_row)),
                   ctx_.backend, p_ * int64_t{sizeof(T)});
  }
  divergences_ = e.record.asks_for("divergence_");
  if (divergences_ || e.record.asks_for("dispersion_")) tier_split_ = TierSplit<T>(ctx_, population_, p_);
}

template <class T>
MatrixView<const T> Evaluator<T>::means() {
  if (one_model_each_) return cluster_.parameters();
  const MatrixView<T> u = means_.view(static_cast<int64_t>(population_.lanes.size()), p_);
  if (!means_ready_) group_mean<T>(ctx_, lane_groups_.table(), cluster_.parameters(), u);
  means_ready_ = true;
  return u;
}

template <class T>
bool Evaluator<T>::records(const std::string& metric) const {
  const auto& all = experiment_.record.metrics;
  return std::find(all.begin(), all.end(), metric) != all.end();
}

template <class T>
std::vector<T> Evaluator<T>::mean_models() {
  means_ready_ = false;
  return to_host(ctx_, means());
}

template <class T>
void Evaluator<T>::require_finite() {
  const int64_t models = cluster_.parameters().extent(0);
  row_distances<T>(ctx_, cluster_.parameters(), {}, {}, row_values_.view().part(0, models));
  const auto norms = row_values_.to_host(ctx_, 0, models);
  for (size_t r = 0; r < norms.size(); ++r) {
    if (std::isfinite(norms[r])) continue;
    const auto row = to_host(ctx_, cluster_.parameters().rows(static_cast<int64_t>(r), 1));
    const auto bad = std::find_if(row.begin(), row.end(), [](T v) { return !std::isfinite(v); }) - row.begin();
    if (bad == static_cast<std::ptrdiff_t>(row.size())) continue;  // large, but finite: only its square is not
    const Lane& lane = population_.lanes[lane_of_model_[r]];
    const Arm& arm = experiment_.arms[static_cast<size_t>(population_.arms[static_cast<size_t>(lane.arm)])];
    std::string tensor;
    for (const auto& t : cluster_.layout())
      if (bad >= t.offset) tensor = t.name;
    throw NonFiniteError(
        fmt::format("{}replica {}, {}: {} became non-finite between local steps {} and {}; lower "
                    "algorithm.{} (now {:g})",
                    arm.name.empty() ? "" : fmt::format("arm \"{}\", ", arm.name), lane.replica,
                    cluster_.shared_model() ? "the shared model" : fmt::format("worker {}", population_.worker[r]),
                    tensor, checked_at_, cluster_.now(), step_key(arm.algorithm->kind()),
                    population_.learning_rate[static_cast<size_t>(lane.first_row)]));
  }
  checked_at_ = cluster_.now();
}

template <class T>
const std::vector<double>& Evaluator<T>::by_name(const std::string& metric) {
  if (const auto found = cache_.find(metric); found != cache_.end()) return found->second;
  const size_t lanes = population_.lanes.size();
  const auto workers = static_cast<size_t>(population_.workers);
  auto& out = cache_[metric];
  out.assign(lanes, std::numeric_limits<double>::quiet_NaN());

  // rows: of all models, each of so many workers
  const auto mean_over_workers = [&](const std::vector<double>& rows, std::vector<double>& to) {
    to.assign(lanes, 0.0);
    for (size_t r = 0; r < rows.size(); ++r)
      to[lane_of_model_[r]] +=  // one model: its value, whatever stands beside it in the launch
          workers_at_[r] == static_cast<double>(workers) ? rows[r]
                                                         : rows[r] * workers_at_[r] / static_cast<double>(workers);
  };
  const auto objectives_of_means = [&] {
    std::vector<const Objective*> all;
    for (const auto& lane : population_.lanes) all.push_back(&lane.objective);
    return all;
  };
  const auto objectives_of_models = [&] {
    std::vector<const Objective*> all;
    for (const size_t i : lane_of_model_) all.push_back(&population_.lanes[i].objective);
    return all;
  };
  const auto squared_distances = [&](MatrixView<const T> to) {  // of all models to the row of their lane
    const auto n = static_cast<int64_t>(lane_of_model_.size());
    row_distances<T>(ctx_, cluster_.parameters(), to, lane_of_row_.view(), row_values_.view().part(0, n));
    return row_values_.to_host(ctx_, 0, n);
  };

  if (one_model_each_ && metric.starts_with("worker_")) {  // every worker is at the shared model
    out = by_name(metric.substr(std::string("worker_").size()));
  } else if (one_model_each_ && metric == "consensus_distance") {
    out.assign(lanes, 0.0);
  } else if (cluster_.shared_model() && metric.starts_with("dispersion_")) {
    // models of voting nodes are no tiers of workers: it stays NaN
  } else if (metric.starts_with("vote_") && !records("vote_error")) {
    keep(look_at_votes());
  } else if (metric.starts_with("vote_") || metric == "grad_norm_1") {
    look_at_gradients();
  } else if (is_hessian_metric(metric)) {
    look_at_hessian(metric);
  } else if (metric == "train_loss") {
    out = cluster_.model().objective(ctx_, means(), objectives_of_means());
  } else if (metric == "worker_train_loss") {
    mean_over_workers(cluster_.model().objective(ctx_, cluster_.parameters(), objectives_of_models()), out);
  } else if (metric == "test_loss" || metric == "test_accuracy") {
    Scores s = cluster_.model().test(ctx_, means());
    cache_["test_loss"] = std::move(s.loss);
    cache_["test_accuracy"] = std::move(s.hits);
  } else if (metric == "train_accuracy") {
    out = cluster_.model().train(ctx_, means()).hits;
  } else if (metric == "worker_train_accuracy") {
    mean_over_workers(cluster_.model().train(ctx_, cluster_.parameters()).hits, out);
  } else if (metric == "worker_test_loss" || metric == "worker_test_accuracy") {
    const Scores s = cluster_.model().test(ctx_, cluster_.parameters());
    mean_over_workers(s.loss, cache_["worker_test_loss"]);
    mean_over_workers(s.hits, cache_["worker_test_accuracy"]);
  } else if (metric == "grad_norm_sq") {
    if (auto known = cluster_.model().gradient_norms(ctx_, means(), objectives_of_means()))
      out = std::move(*known);
    else
      look_at_gradients();
  } else if (metric == "consensus_distance") {
    const auto host = squared_distances(means());
    out.assign(lanes, 0.0);
    for (size_t r = 0; r < host.size(); ++r) out[lane_of_model_[r]] += mass_of_model_[r] * host[r];
  } else if (const std::string tier = tier_of(metric); !tier.empty()) {
    const bool gradients = metric.starts_with("divergence_");
    const auto split = tier_split_(ctx_, gradients ? gradients_at_means() : cluster_.parameters());
    for (const auto& name : experiment_.record.metrics) {
      if (!name.starts_with(gradients ? "divergence_" : "dispersion_")) continue;
      auto& values = cache_[name];
      values.assign(lanes, std::numeric_limits<double>::quiet_NaN());
      for (size_t i = 0; i < lanes; ++i)
        if (const auto found = split[i].find(tier_of(name)); found != split[i].end()) values[i] = found->second;
    }
  } else if (metric == "excess_risk" || metric == "excess_risk_mean") {
    const auto& loss = by_name(metric == "excess_risk" ? "worker_train_loss" : "train_loss");
    const Buffer<T>& lowest = start_.size() > 0 ? start_ : optimum_;
    if (least_.empty())
      least_ = cluster_.model().objective(ctx_, lowest.view(static_cast<int64_t>(lanes), p_), objectives_of_means());
    for (size_t i = 0; i < lanes; ++i) out[i] = loss[i] - least_[i];
  } else if (metric == "mean_parameter") {
    const auto u = to_host(ctx_, means());
    out.assign(lanes, 0.0);
    for (size_t i = 0; i < u.size(); ++i)
      out[i / static_cast<size_t>(p_)] += static_cast<double>(u[i]) / static_cast<double>(p_);
  } else if (metric == "mean_norm_sq") {
    row_distances<T>(ctx_, means(), {}, {}, row_values_.view().part(0, static_cast<int64_t>(lanes)));
    out = row_values_.to_host(ctx_, 0, static_cast<int64_t>(lanes));
  } else if (metric == "escape_time") {
    out = escape_time_;
  } else if (metric == "escape_kilobits") {
    out = escape_kilobits_;
  } else if (metric == "escaped") {
    for (size_t i = 0; i < lanes; ++i) out[i] = std::isnan(escape_time_[i]) ? 0 : 1;
  } else if (const auto one = parameter_metric(metric); one && !one->worker) {
    const auto u = to_host(ctx_, means());
    for (size_t i = 0; i < lanes; ++i)
      out[i] = static_cast<double>(u[i * static_cast<size_t>(p_) + static_cast<size_t>(one->parameter)]);
  } else if (one) {
    for (size_t i = 0; i < lanes; ++i) {
      const MatrixView<const T> row =
          cluster_.parameters().rows(cluster_.model_of(population_.lanes[i].first_row + *one->worker), 1);
      out[i] = static_cast<double>(to_host(ctx_, row)[static_cast<size_t>(one->parameter)]);
    }
  } else if (metric == "optimum_distance") {
    mean_over_workers(squared_distances(optimum_.view(static_cast<int64_t>(lanes), p_)), out);
    for (double& v : out) v = std::sqrt(v);
  } else if (metric == "steps_done") {
    for (size_t i = 0; i < lanes; ++i)
      out[i] = static_cast<double>(
          total(ctx_, cluster_.steps_taken().part(population_.lanes[i].first_row, population_.workers)));
  } else {
    for (size_t i = 0; i < lanes; ++i) {
      const Ledger& l = cluster_.ledgers()[i];
      out[i] = metric == "bits_up"     ? static_cast<double>(l.up())
               : metric == "bits_down" ? static_cast<double>(l.down())
               : metric == "bits"      ? static_cast<double>(l.up() + l.down())
                                       : cluster_.virtual_time(i);
    }
  }
  return cache_[metric];
}

template <class T>
void Evaluator<T>::forget() {
  cache_.clear();
  means_ready_ = gradients_ready_ = false;
}

template <class T>
void Evaluator<T>::note_escapes() {
  if (escape_time_.empty()) return;
  const EscapeSpec& escape = *experiment_.record.escape;
  const auto& watched = by_name(escape.metric);
  for (size_t i = 0; i < watched.size(); ++i) {
    if (!std::isnan(escape_time_[i]) || !escape.passed(watched[i])) continue;
    escape_time_[i] = static_cast<double>(cluster_.now());
    if (!escape_kilobits_.empty()) escape_kilobits_[i] = kilobits_so_far(i);
  }
}

// The ledger's bits less those of the run's numbers, and those of 32-bit numbers in their place.
template <class T>
double Evaluator<T>::kilobits_so_far(size_t lane) {
  const Lane& l = population_.lanes[lane];
  const Arm& arm = experiment_.arms[static_cast<size_t>(population_.arms[static_cast<size_t>(l.arm)])];
  const CompressedSpec& spec = *arm.algorithm->compressed();
  const auto messages =
      static_cast<double>(compressed_messages(*l.network, spec));  // of a slot, each once for each that hears it
  const BankShape shape = bank_shape(cluster_.layout(), p_);
  const auto known = [&](int64_t real_bits) {
    return static_cast<double>(known_message_bits(spec, arm.compressor.get(), shape, real_bits, cluster_.now()));
  };
  const double sent = static_cast<double>(cluster_.ledgers()[lane].up()) / messages;
  return (sent - known(8 * int64_t{sizeof(T)}) + known(32)) / 1000;
}

template <class T>
void Evaluator<T>::look() {
  const NvtxRange range("look");
  forget();
  note_escapes();
}

template <class T>
std::vector<std::vector<double>> Evaluator<T>::values() {
  const NvtxRange range("metrics");
  forget();
  note_escapes();
  std::vector<std::vector<double>> out(population_.lanes.size());
  for (const auto& metric : experiment_.record.metrics) {
    const auto& values = by_name(metric);
    for (size_t i = 0; i < out.size(); ++i) out[i].push_back(values[i]);
  }
  return out;
}

template class Evaluator<float>;
template class Evaluator<double>;

}  // namespace orrery
