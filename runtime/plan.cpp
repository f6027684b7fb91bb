#include "runtime/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "runtime/compressed/compressed.hpp"
#include "runtime/compressed/notices.hpp"
#include "runtime/compressed_tiers/bits.hpp"
#include "runtime/curvature/objective_hessian.hpp"
#include "runtime/curvature/top_eigenvalue.hpp"
#include "runtime/device_mixing.hpp"
#include "runtime/network/network_error.hpp"
#include "runtime/network/schedule_text.hpp"
#include "runtime/network/spectrum.hpp"
#include "runtime/run.hpp"
#include "runtime/theory/diffusion/graph_modes.hpp"
#include "runtime/theory/diffusion_theory.hpp"
#include "runtime/theory/estimate.hpp"
#include "runtime/theory/sampled_rows.hpp"
#include "runtime/tier_split.hpp"
#include "runtime/voting/voting.hpp"
#include "runtime/voting/wire.hpp"

namespace orrery {

std::string drift_notice(const Arm& arm, const Network& network) {
  const double drift = network.drift();
  if (drift <= 1e-9) return "";
  return fmt::format(
      "{}the mixing matrix does not keep the weighted mean of the models (H b differs from b by {:.2g}): "
      "the graph itself moves the mean; mixing = \"metropolis\" or \"laplacian\" keeps it",
      arm.name.empty() ? "" : fmt::format("arm \"{}\": ", arm.name), drift);
}

std::vector<Launch> plan_launches(const Experiment& e) {
  std::vector<Launch> launches;
  std::vector<std::string> keys;
  for (size_t a = 0; a < e.arms.size(); ++a) {
    const auto found = std::find(keys.begin(), keys.end(), e.arms[a].shared_key);
    if (found == keys.end()) {
      keys.push_back(e.arms[a].shared_key);
      launches.push_back({});
      launches.back().arms.push_back(static_cast<int>(a));
    } else {
      launches[static_cast<size_t>(found - keys.begin())].arms.push_back(static_cast<int>(a));
    }
  }
  return launches;
}

namespace {

bool asks_for(const Experiment& e, const std::string& prefix) { return e.record.asks_for(prefix); }

int64_t data_bytes(const Dataset& d) {
  int64_t bytes = 0;
  for (const Samples* s : {&d.train, &d.test})
    bytes += static_cast<int64_t>(s->bytes.size() + 4 * s->values.size() + 4 * s->labels.size() +
                                  8 * s->sparse.begin.size() + 8 * s->sparse.value.size());
  return bytes;
}

// Bytes that the objective's gradient takes, a chunk of the workers at a time.
int64_t gradient_chunk(const Population& p, int64_t parameters, int64_t size) {
  return std::clamp<int64_t>((int64_t{32} << 20) / (parameters * size), 1, p.workers);
}

// What happens in every step of a method that votes, and above it.
std::string vote_text(const VoteSpec& s, const NetworkSpec& n) {
  const int tiers = voting_tiers(n);
  std::string text = fmt::format("    every step: {} up, {} at ", s.sends_signs() ? "signs" : "numbers",
                                 s.decides_signs() ? "a vote" : "a mean");
  text += tiers == 0 ? "one server"
                     : fmt::format("{} node{} of tier \"{}\"", n.tiers[static_cast<size_t>(tiers) - 1].nodes,
                                   n.tiers[static_cast<size_t>(tiers) - 1].nodes == 1 ? "" : "s",
                                   n.tiers[static_cast<size_t>(tiers) - 1].name);
  text += s.decides_signs() ? ", the decision down\n" : ", the step down\n";
  if (tiers > 1)
    text +=
        fmt::format("    tiers below pass on {}\n",
                    s.forward == VoteSpec::Forward::signs ? "the signs that they decide" : "the sums of their votes");
  if (tiers > 0 && static_cast<size_t>(tiers) == n.tiers.size() && n.tiers.back().nodes > 1)
    text += fmt::format("    the models of the {} nodes never meet: no tier averages them\n", n.tiers.back().nodes);
  for (auto k = static_cast<size_t>(tiers); k < n.tiers.size(); ++k)
    text +=
        fmt::format("    every {} steps: tier \"{}\" averages the models below\n", n.tiers[k].period, n.tiers[k].name);
  return text;
}

// How the workers' rows are multiplied by the matrix (kernels/mix_step.hpp).
std::string mixing_text(const Experiment& e, const Network& network) {
  const Mixing& m = network.mixing()[0];
  const auto links = static_cast<int64_t>(m.source.size());
  const Products products = e.precision == Precision::tf32   ? Products::tf32
                            : e.precision == Precision::bf16 ? Products::bf16
                                                             : Products::full;
  const GraphSpec::Path path = network.spec().graph->path;
  return fmt::format(
      "    mixing: {}, {:.3g} links a node{}\n",
      mixes_dense(mix_path(path), products, m.nodes(), 1, links) ? "dense, by GEMM" : "sparse, fused with the step",
      static_cast<double>(links) / static_cast<double>(m.nodes()),
      path == GraphSpec::Path::by_cost ? "; chosen by cost" : "; forced by graph.mixing_path");
}

// lambda_2, lambda_min and the gap of a symmetric matrix: what decentralised SGD is judged by. Of a cycle what it does as a whole.
std::string spectrum_text(const Network& network) {
  const auto clean = [](double v) { return std::abs(v) < 5e-7 ? 0.0 : v; };  // no minus before zeros
  if (network.mixing().size() > 1) {
    const Spectrum of_cycle = cycle_spectrum(network.mixing(), network.top().mass);
    return fmt::format("    a cycle of {} matrices: |lambda_2| of their product {:.6f}, {:.6f} a step\n",
                       network.mixing().size(), clean(of_cycle.zeta),
                       std::pow(clean(of_cycle.zeta), 1 / static_cast<double>(network.mixing().size())));
  }
  try {
    const diffusion::GraphModes modes = diffusion::graph_modes(network.mixing()[0]);
    return fmt::format("    lambda_2 {:.6f}, lambda_min {:.6f}, spectral gap {:.6f}\n", clean(modes.second()),
                       clean(modes.smallest()), modes.gap());
  } catch (const NetworkError&) {
    const double zeta = network.zeta();
    return fmt::format("    not symmetric: |lambda_2| {:.6f}, spectral gap {:.6f}, no lambda_min\n", zeta, 1 - zeta);
  }
}

bool has_genie(const Experiment& e, const Population& p) {
  return std::any_of(p.arms.begin(), p.arms.end(), [&](int a) {
    const VoteSpec* v = e.arms[static_cast<size_t>(a)].algorithm->voting();
    return v && v->vote == Vote::genie;
  });
}

// Hessian products that metrics, or the theory of decentralised arms, ask for at a time, at most; 0: none.
int64_t hessian_directions(const Experiment& e, const Population& p, int64_t parameters) {
  const bool theory = e.theory.estimate != TheorySpec::Estimate::off &&
                      e.arms[static_cast<size_t>(p.arms[0])].algorithm->strategy() != nullptr;
  if (!theory && std::none_of(e.record.metrics.begin(), e.record.metrics.end(), is_hessian_metric)) return 0;
  const int64_t dense = parameters <= most_dense_parameters ? parameters : 1;
  return std::max(
      {std::min(e.record.hessian.probes, parameters), dense,
       theory ? std::max(p.workers, most_estimate_samples) : 1});  // of workers' gradients; of single samples'
}

// Samples of every worker behind them, 0: all; of metrics and theory what takes more room.
int64_t hessian_choice(const Experiment& e, const Population& p) {
  const auto& metrics = e.record.metrics;
  return std::any_of(metrics.begin(), metrics.end(), is_hessian_metric)
             ? e.record.hessian.samples
             : estimate_hessian_samples(e.record.hessian, p.workers);
}

MetricInputs metric_inputs(const Experiment& e, const Population& p, const Dataset* data, int64_t parameters) {
  const auto lanes = static_cast<int64_t>(p.lanes.size());
  MetricInputs m;
  if ((asks_for(e, "grad_norm_sq") && !e.arms[static_cast<size_t>(p.arms[0])].model->has_gradient_norms()) ||
      asks_for(e, "grad_norm_1") || asks_for(e, "vote_error") || has_genie(e, p))
    m.rows = gradient_chunk(p, parameters, element_size(e.precision));
  if (asks_for(e, "divergence_")) m.rows = p.workers;
  if (m.rows > 0) m.batch = p.max_size;
  if (const int64_t n = hessian_directions(e, p, parameters); n > 0) {
    const HessianLaunch launch = hessian_launch(p.workers, parameters, element_size(e.precision));
    m.rows = std::max(m.rows, launch.block * std::min(launch.directions, n));
    m.batch = std::max(m.batch, hessian_samples(p, hessian_choice(e, p)));
  }
  // losses and scores: at the mean models, or at every worker's
  const auto scores = [&](const std::string& metric, int64_t samples) {
    const bool at_workers = asks_for(e, "worker_" + metric) || (metric == "train_loss" && asks_for(e, "excess_risk"));
    if (!at_workers && !asks_for(e, metric)) return;
    m.models = std::max(m.models, at_workers ? p.rows() : lanes);
    m.samples = std::max(m.samples, samples);
  };
  scores("train_loss", data ? data->train.count : 0);
  scores("train_accuracy", data ? data->train.count : 0);
  scores("test_", data ? data->test.count : 0);
  if (const auto& around = e.record.landscape) {
    m.models = std::max(m.models, around->together(parameters, element_size(e.precision)));
    if (data) m.samples = std::max({m.samples, data->train.count, around->test ? data->test.count : 0});
  }
  if (asks_for(e, "train_loss") || asks_for(e, "worker_train_loss") || asks_for(e, "grad_norm_sq")) {
    std::vector<const std::vector<double>*> distinct;
    for (const auto& lane : p.lanes)
      if (std::none_of(distinct.begin(), distinct.end(),
                       [&](const auto* w) { return *w == lane.objective.worker_weights; }))
        distinct.push_back(&lane.objective.worker_weights);
    m.objectives = static_cast<int64_t>(distinct.size());
  }
  return m;
}

}  // namespace

MemoryPlan plan_memory(const Experiment& e, const Population& p, const Dataset* data, Backend backend) {
  const Arm& arm = e.arms[static_cast<size_t>(p.arms[0])];
  const int64_t features = data ? data->features : 0, size = element_size(e.precision);
  const int classes = data ? data->classes : 0;
  const int64_t parameters = arm.model->parameters(features, classes), bank = p.rows() * parameters * size;
  const auto lanes = static_cast<int64_t>(p.lanes.size());

  MemoryPlan plan;
  plan.data = data ? data_bytes(*data) : 0;
  plan.banks_in_use = 1 + (arm.step.rung == StepSpec::Rung::gradients || asks_for(e, "divergence_") ? 1 : 0) +
                      (arm.step.momentum > 0 ? 1 : 0);
  if (const auto* s = arm.algorithm->strategy();
      s && plan.banks_in_use == 1 + (arm.step.momentum > 0 ? 1 : 0) &&
      (*s == diffusion::Strategy::consensus || *s == diffusion::Strategy::diffusion))
    ++plan.banks_in_use;  // gradients at the old models
  plan.banks = plan.banks_in_use * bank;
  const bool compresses = arm.algorithm->compressed() != nullptr;
  if (compresses) {
    const auto spec_of = [&](int a) -> const CompressedSpec& {
      return *e.arms[static_cast<size_t>(a)].algorithm->compressed();
    };
    const bool spare = std::any_of(p.arms.begin(), p.arms.end(), [&](int a) { return spec_of(a).has_spare(); });
    const BankShape shape = bank_shape(arm.model->layout(features, classes), parameters);
    if (spare && !asks_for(e, "divergence_")) ++plan.banks_in_use;
    plan.banks = plan.banks_in_use * bank + (size == 8 ? Compressed<double>::bytes(e, p, backend, shape, size)
                                                       : Compressed<float>::bytes(e, p, backend, shape, size));
    int64_t most = 0;
    for (const int a : p.arms) most = std::max(most, spec_of(a).banks());
    plan.banks_in_use += most;
  }
  std::vector<bool> compresses_tiers;
  for (const int a : p.arms) {
    const Arm& one = e.arms[static_cast<size_t>(a)];
    compresses_tiers.push_back(one.tier_messages != nullptr);
    if (!one.tier_messages) continue;
    const BankShape shape = bank_shape(arm.model->layout(features, classes), parameters);
    plan.banks += tier_bytes(*one.tier_messages, *one.network, e.replicas, backend, shape, size).total();
    plan.tables += p.rows() / static_cast<int64_t>(p.arms.size()) * static_cast<int64_t>(one.network->tiers.size()) *
                   24;  // owners, members, weights
  }
  std::vector<VoteSpec> votes;
  for (int a : p.arms)
    if (const VoteSpec* v = e.arms[static_cast<size_t>(a)].algorithm->voting()) votes.push_back(*v);
  const auto tensors = static_cast<int64_t>(arm.model->layout(features, classes).size());
  if (!votes.empty())  // a few models a replica; signs and counters in place of the workers' models
    plan.banks = SharedModels(p).rows() * parameters * size + (asks_for(e, "divergence_") ? bank : 0) +
                 (size == 8 ? Voting<double>::bytes(p, votes, parameters, tensors, size, arm.model->packs_signs())
                            : Voting<float>::bytes(p, votes, parameters, tensors, size, arm.model->packs_signs()));

  // per row: seed, worker, batch, repeats, rate, learning rate, steps, range of samples, lane, a value for metrics
  plan.tables = p.rows() * (8 + 4 + 4 + 4 + 8 + 8 + 8 + 8 + 8) + (data ? p.rows() * 16 : 0) +
                static_cast<int64_t>(p.order.size()) * 4 + static_cast<int64_t>(p.sample_weights.size()) * 8 +
                p.workers * 12;
  plan.tables += lanes * parameters * size * (arm.model->has_optimum() ? 2 : 1) + p.rows() * 16;  // mean models
  if (arm.from_start && asks_for(e, "excess_risk")) plan.tables += lanes * parameters * size;  // where it counts from
  for (const auto& lane : p.lanes) {
    const NetworkSpec& spec = lane.network->spec();
    const bool classes = !spec.tiers.empty() && !spec.tiers[0].periods.empty();
    plan.tables += static_cast<int64_t>(spec.tiers.size() + (classes ? 2 : 1)) * p.workers * (lane.partial() ? 24 : 16);
    if (lane.partial()) plan.tables += p.workers * 13;
    for (const auto& m : lane.network->mixing()) plan.tables += static_cast<int64_t>(m.source.size()) * 16;
    if (!lane.network->mixing().empty() && !compresses && !compresses_tiers[static_cast<size_t>(lane.arm)])
      plan.banks += lane.network->top().nodes() * parameters * size;
  }

  ModelInputs in;
  in.workers = p.workers;
  in.rows = p.rows();
  in.max_batch = p.max_batch;
  in.classes = classes;
  in.sparse = arm.data && arm.data->sparse();
  in.metrics = metric_inputs(e, p, data, parameters);
  if (!votes.empty()) in.sign_samples = samples_of_a_step(p);
  plan.workspace = arm.model->workspace(backend, in, features, size) + arm.model->scratch(backend, in, features, size);
  if (backend == Backend::cuda) plan.workspace += cublas_workspace_bytes;
  if (e.record.landscape) plan.workspace += e.record.landscape->together(parameters, size) * parameters * size;
  if (asks_for(e, "dispersion_") || asks_for(e, "divergence_"))
    plan.workspace += size == 8 ? TierSplit<double>::bytes(p, parameters) : TierSplit<float>::bytes(p, parameters);
  if ((asks_for(e, "grad_norm_sq") && !arm.model->has_gradient_norms()) || asks_for(e, "grad_norm_1") ||
      asks_for(e, "vote_error"))  // divergences keep the rows in a bank
    plan.workspace += ((asks_for(e, "divergence_") ? 0 : gradient_chunk(p, parameters, size)) + 1) * parameters * size;
  if (has_genie(e, p)) plan.workspace += (gradient_chunk(p, parameters, size) + 1) * parameters * size;
  if (asks_for(e, "vote_error"))
    plan.workspace += 10 * parameters + 104 * (p.workers + 1);  // look_at_errors, at most 12 classes
  if (const int64_t n = hessian_directions(e, p, parameters); n > 0)
    plan.workspace += hessian_bytes(p, parameters, size, n, hessian_choice(e, p));
  if (e.record.params) plan.results = static_cast<int64_t>(e.arms.size()) * e.replicas * p.workers * parameters * size;
  if (e.theory.estimate != TheorySpec::Estimate::off) plan.workspace += estimate_bytes(p.rows(), parameters, size);
  return plan;
}

namespace {
void require(const std::string& place, double bytes, double rows, int64_t parameters, Backend backend, int ordinal) {
  const auto free = static_cast<double>(device_info(backend, ordinal).memory_free);
  if (bytes <= free) return;
  throw DeviceError(
      fmt::format("{}: {:.0f} rows of {} parameters need {:.1f} GiB on {}, which has {:.1f} GiB free; lower "
                  "network.workers, replicas or the number of arms",
                  place, rows, parameters, bytes / (1 << 30), name(backend), free / (1 << 30)));
}
}  // namespace

void require_room(const Experiment& e, const Launch& launch, const Dataset* data, Backend backend, int ordinal) {
  const Arm& arm = e.arms[static_cast<size_t>(launch.arms[0])];
  const int64_t parameters = arm.model->parameters(data ? data->features : 0, data ? data->classes : 0);
  const double rows =
      static_cast<double>(launch.arms.size()) * static_cast<double>(e.replicas) * static_cast<double>(e.workers());
  double per_row = static_cast<double>(parameters) * static_cast<double>(element_size(e.precision));
  if (arm.algorithm->voting()) {  // signs and counters in place of models
    per_row = 0;
    for (const int a : launch.arms) {
      const VoteSpec& v = *e.arms[static_cast<size_t>(a)].algorithm->voting();
      const double counters = (v.per_coordinate() ? (v.forgetting < 1 ? 4 : 2) : 0) +
                              (v.keeps_state() ? static_cast<double>(element_size(e.precision)) : 0);
      per_row += static_cast<double>(parameters) * (1.0 / 8 + counters) / static_cast<double>(launch.arms.size());
    }
  }
  require(arm.params->place("network.workers"), rows * (per_row + 64), rows, parameters, backend, ordinal);
}

void require_memory(const Experiment& e, const MemoryPlan& plan, Backend backend, int ordinal, const Population& p,
                    int64_t parameters) {
  const std::string place = e.arms[static_cast<size_t>(p.arms[0])].params->place("network.workers");
  const auto rows = static_cast<double>(p.rows());
  const bool host = backend == Backend::cpu;
  require(place, static_cast<double>(plan.total() + (host ? plan.results : 0)), rows, parameters, backend, ordinal);
  if (!host) require(place, static_cast<double>(plan.results), rows, parameters, Backend::cpu, 0);
}

namespace {

std::string mebibytes(int64_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20)); }

constexpr int64_t most_nodes_for_zeta = 2000;  // a dense eigenvalue problem, O(nodes^3)

}  // namespace

std::string describe_plan(const Experiment& e) {
  const ChosenDevice device = choose_device(e);
  std::string text = fmt::format("{}: {} workers, {} replica{}, {} steps, {} on {}\n", e.name, e.workers(), e.replicas,
                                 e.replicas == 1 ? "" : "s", e.steps, name(e.precision), device.name);
  if (!device.notice.empty()) text += device.notice + "\n";
  for (const auto& launch : plan_launches(e)) {
    const Arm& first = e.arms[static_cast<size_t>(launch.arms[0])];
    std::string notice;
    Dataset data;
    const bool needs = first.model->needs_data();
    if (needs) data = load_data(first, &notice);
    if (!notice.empty()) text += notice + "\n";
    require_room(e, launch, needs ? &data : nullptr, device.backend, device.ordinal);
    const Population population(e, launch.arms, needs ? &data : nullptr);
    const MemoryPlan memory = plan_memory(e, population, needs ? &data : nullptr, device.backend);
    const int64_t parameters = first.model->parameters(data.features, data.classes);
    int64_t start_rows = 0;
    first.model->start(population.workers, data.features, data.classes, e.seed, &start_rows);  // its shape is checked
    if (first.algorithm->voting()) check_shared_start(*first.params, start_rows);
    for (const int a : launch.arms)
      if (const Arm& arm = e.arms[static_cast<size_t>(a)]; arm.tier_messages)
        check_common_start(*arm.params, arm.from_start, start_rows);
    require_memory(e, memory, device.backend, device.ordinal, population, parameters);
    if (needs) {
      const auto& sizes = population.lanes[0].partition->size;
      const auto [least, most] = std::minmax_element(sizes.begin(), sizes.end());
      text += fmt::format("data: {} ({}), {} training and {} test samples; {} to {} samples per worker, partition {}\n",
                          data.name, data.origin, data.train.count, data.test.count, *least, *most,
                          population.lanes[0].partition->hash());
    }
    text += fmt::format("launch: {} arm{} side by side, {} rows of {} parameters\n", launch.arms.size(),
                        launch.arms.size() == 1 ? "" : "s", population.rows(), parameters);
    const bool sends_messages = std::any_of(launch.arms.begin(), launch.arms.end(), [&](int a) {
      return e.arms[static_cast<size_t>(a)].tier_messages != nullptr;
    });
    const std::string banks = first.algorithm->voting() ? "models of the replicas, signs, counters"
                                                        : fmt::format("{} of rows x P{}", memory.banks_in_use,
                                                                      sends_messages ? ", messages of tiers" : "");
    text += fmt::format("memory: {} = banks {} ({}) + data {} + tables {} + workspace {}\n", mebibytes(memory.total()),
                        mebibytes(memory.banks), banks, mebibytes(memory.data), mebibytes(memory.tables),
                        mebibytes(memory.workspace));
    if (memory.results > 0) text += fmt::format("memory of the host for final models: {}\n", mebibytes(memory.results));
    for (int a : launch.arms) {
      const Arm& arm = e.arms[static_cast<size_t>(a)];
      text += fmt::format("  arm {}\n", arm.name.empty() ? "(the whole file)" : "\"" + arm.name + "\"");
      if (const auto* s = arm.algorithm->strategy(); s && *s == diffusion::Strategy::centralized)
        text += "    every step: gradients up, the mean model down\n";
      else if (arm.algorithm->compressed())
        text += compressed_text(arm);
      else if (const VoteSpec* v = arm.algorithm->voting())
        text += vote_text(*v, *arm.network);
      else
        text += schedule_text(*arm.network);
      const auto lane = std::find_if(population.lanes.begin(), population.lanes.end(),
                                     [&](const Lane& l) { return population.arms[static_cast<size_t>(l.arm)] == a; });
      const CompressedSpec* compressed = arm.algorithm->compressed();
      const BankShape shape = bank_shape(first.model->layout(data.features, data.classes), parameters);
      if (compressed) check_compressed_parts(arm, *lane->network, shape);
      const TierMessages* tiers = arm.tier_messages.get();
      const int64_t real_bits = 8 * element_size(e.precision);
      if (tiers) {
        check_tier_messages(*tiers, *arm.network, shape);
        text += tier_messages_text(
            *tiers, *arm.network,
            tier_bytes(*tiers, *arm.network, e.replicas, device.backend, shape, element_size(e.precision)));
      }
      const int64_t model_bits = parameters * 8 * element_size(e.precision);
      const int64_t message_bits = compressed && compressed->compresses()
                                       ? arm.compressor->bits(shape, 8 * element_size(e.precision), 0)
                                       : model_bits;
      text += round_time_text(
          lane->network, lane->seed, message_bits,
          tiers ? tier_message_bits(*tiers, shape, real_bits) : std::vector<std::pair<int64_t, int64_t>>{});
      const VoteSpec* vote = arm.algorithm->voting();
      const auto* strategy = arm.algorithm->strategy();
      const bool central = strategy && *strategy == diffusion::Strategy::centralized;
      const auto one_server = [&](int64_t bits) {
        Ledger all(*arm.network);
        all.links = {{"server", bits, bits}};
        return all;
      };
      const Ledger ledger =
          vote
              ? ledger_after(*vote, *lane->network,
                             {first.model->layout(data.features, data.classes), 8 * element_size(e.precision)}, e.steps)
          : compressed ? compressed_ledger_after(*lane->network, *compressed, *arm.compressor, shape,
                                                 8 * element_size(e.precision), e.steps)
          : tiers      ? tier_ledger_after(*lane->network, *tiers, shape, real_bits, e.steps)
          : central    ? one_server(e.steps * e.workers() * model_bits)
                       : final_ledger(*lane->network, e.steps, model_bits);
      for (const auto& link : ledger.links)
        text += fmt::format("    bits on {:<11} up {:>16}  down {:>16}\n", link.name, link.up, link.down);
      if (compressed)
        for (const auto& sentence : compressed_notices(arm, *lane->network, shape)) text += "    " + sentence + "\n";
      if (tiers)
        for (const auto& sentence : tier_notices(arm, shape)) text += "    " + sentence + "\n";
      if (const auto beyond = step_notice(arm, *lane->network)) text += "    " + *beyond + "\n";
      if (lane->network->mixing().empty() || central) continue;
      const int64_t nodes = lane->network->top().nodes();
      if (strategy) text += mixing_text(e, *lane->network);
      text += nodes <= most_nodes_for_zeta
                  ? fmt::format("    zeta of the {}mixing matrix {:.6f}\n",
                                lane->network->mixing().size() > 1 ? "first " : "", lane->network->zeta())
                  : fmt::format("    zeta of the mixing matrix not computed ({} nodes)\n", nodes);
      if (nodes <= most_nodes_for_zeta) text += spectrum_text(*lane->network);
      if (const std::string drift = drift_notice(arm, *lane->network); !drift.empty()) text += "    " + drift + "\n";
    }
  }
  if (!e.expect.empty())
    text += fmt::format("expectations: {} rows{}\n", e.expect.rows.size(),
                        e.expect.source.empty() ? "" : ", " + e.expect.source);
  return text;
}

}  // namespace orrery
