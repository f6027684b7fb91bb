#include "runtime/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "runtime/cluster.hpp"
#include "runtime/compressed/compressed.hpp"
#include "runtime/compressed/notices.hpp"
#include "runtime/compressed/spec.hpp"
#include "runtime/compressed_tiers/bits.hpp"
#include "runtime/expect/evaluate.hpp"
#include "runtime/metrics.hpp"
#include "runtime/plan.hpp"
#include "runtime/theory/diffusion_theory.hpp"
#include "runtime/theory/estimate.hpp"
#include "runtime/voting/spec.hpp"

namespace orrery {
namespace {

using Time = std::chrono::steady_clock;
using Notice = std::function<void(const std::string&)>;
double seconds_since(Time::time_point start) { return std::chrono::duration<double>(Time::now() - start).count(); }

// What the launch leaves behind: final models, bits, steps taken.
template <class T>
void collect(const Experiment& e, ClusterOf<T>& cluster, Evaluator<T>& evaluator, RunResult& result) {
  const Population& p = cluster.population();
  const auto means = evaluator.mean_models();
  const auto parameters = static_cast<size_t>(cluster.model().parameters());
  const auto steps = to_host(cluster.context(), cluster.steps_taken());
  result.graph_launches += cluster.graph_launches();
  for (size_t i = 0; i < p.lanes.size(); ++i) {
    const Lane& lane = p.lanes[i];
    ArmResult& arm = result.arms[static_cast<size_t>(p.arms[static_cast<size_t>(lane.arm)])];
    arm.mean_models.insert(arm.mean_models.end(), means.begin() + static_cast<std::ptrdiff_t>(i * parameters),
                           means.begin() + static_cast<std::ptrdiff_t>((i + 1) * parameters));
    if (e.record.landscape) {
      const std::vector<double> u(means.begin() + static_cast<std::ptrdiff_t>(i * parameters),
                                  means.begin() + static_cast<std::ptrdiff_t>((i + 1) * parameters));
      const auto points = landscape<T>(cluster.context(), cluster.model(), *e.record.landscape, cluster.layout(), u,
                                       lane.objective, lane.replica, lane.seed);
      arm.landscape.insert(arm.landscape.end(), points.begin(), points.end());
    }
    arm.partition_hash.push_back(lane.partition ? lane.partition->hash() : "");
    if (e.record.partition && lane.partition) arm.partitions.push_back(lane.partition);
    arm.links.push_back(cluster.ledgers()[i].links);
    if (!arm.network) arm.network = lane.network;
    if (arm.samples.empty() && lane.partition) arm.samples = lane.partition->size;
    for (int64_t w = 0; w < p.workers; ++w) {
      arm.worker_steps.push_back(steps[static_cast<size_t>(lane.first_row + w)]);
      result.worker_steps += arm.worker_steps.back();
    }
    if (e.record.params) {  // straight to where they stay: at most one copy of the bank
      std::vector<T>* to;
      if constexpr (std::is_same_v<T, float>)
        to = &arm.params32;
      else
        to = &arm.params64;
      const size_t before = to->size(), own = static_cast<size_t>(p.workers) * parameters;
      if (before == 0) to->reserve(static_cast<size_t>(e.replicas) * own);
      to->resize(before + own);
      const auto fetch = [&](int64_t row, int64_t rows, T* at) {
        detail::copy(cluster.context(), at, Backend::cpu, cluster.parameters().row(row), cluster.context().backend,
                     rows * static_cast<int64_t>(parameters * sizeof(T)));
      };
      if (!cluster.shared_model()) {
        fetch(lane.first_row, p.workers, to->data() + before);
      } else {  // every worker holds the model that it shares
        for (int64_t w = 0; w < p.workers; ++w)
          fetch(cluster.model_of(lane.first_row + w), 1, to->data() + before + static_cast<size_t>(w) * parameters);
      }
    }
  }
}

// A metric that became infinite, or no number where its arm has it, ends the run.
void require_finite(const Experiment& e, const Population& p, const std::vector<std::vector<double>>& values,
                    int64_t step) {
  for (size_t i = 0; i < values.size(); ++i)
    for (size_t m = 0; m < values[i].size(); ++m) {
      const std::string& metric = e.record.metrics[m];
      const bool by_tier = metric.starts_with("dispersion_") || metric.starts_with("divergence_");
      const bool untaken = is_hessian_metric(metric) && !e.record.hessian.taken(step, e.steps);
      const bool may_lack = by_tier || untaken || metric == "vote_agreement" || metric == "escape_time" ||
                            metric == "escape_kilobits";  // arms without that tier, or without signs; not escaped
      if (std::isfinite(values[i][m]) || (may_lack && std::isnan(values[i][m]))) continue;
      const Lane& lane = p.lanes[i];
      const Arm& arm = e.arms[static_cast<size_t>(p.arms[static_cast<size_t>(lane.arm)])];
      throw NonFiniteError(
          fmt::format("{}replica {}: {} became non-finite at local step {}; lower algorithm.{} (now {:g})",
                      arm.name.empty() ? "" : fmt::format("arm \"{}\", ", arm.name), lane.replica, metric, step,
                      step_key(arm.algorithm->kind()), p.learning_rate[static_cast<size_t>(lane.first_row)]));
    }
}

// What a reader of the charts should know beforehand, and of a landscape afterwards; "" where there is nothing to say.
std::string start_notice(const Experiment& e) {
  const auto from_start = std::count_if(e.arms.begin(), e.arms.end(), [](const Arm& a) { return a.from_start; });
  if (!e.record.asks_for("excess_risk") || from_start == 0 || from_start == std::ssize(e.arms)) return "";
  return "excess_risk counts from the objective at algorithm.start in arms that have one, and from the minimum in the "
         "others: their "
         "values do not compare";
}
std::string flat_landscape_notice(const std::string& arm, const std::vector<LandscapePoint>& points) {
  const auto [least, most] = std::minmax_element(
      points.begin(), points.end(), [](const auto& a, const auto& b) { return a.train_loss < b.train_loss; });
  if (points.empty() || least->train_loss != most->train_loss) return "";
  return fmt::format(
      "{}the landscape is flat: directions are scaled by the lengths of the model's filters, and those of a model of "
      "zeros have "
      "none; look around a trained one",
      arm.empty() ? "" : fmt::format("arm \"{}\": ", arm));
}

// What only the data show is said before anything runs: the first launch finds it itself, and later ones are looked at here.
void require_even_samples(const Experiment& e, const std::vector<Launch>& launches) {
  std::shared_ptr<const DataSource> loaded;
  Dataset set;
  for (size_t i = 1; i < launches.size(); ++i) {
    const Arm& first = e.arms[static_cast<size_t>(launches[i].arms[0])];
    if (!first.model->needs_even_samples()) continue;
    std::string ignored;
    if (first.data != loaded) set = load_data(first, &ignored);
    loaded = first.data;
    const Population shape(e, launches[i].arms, &set);
  }
}

// One launch: all its arms and replicas from step 0 to the last.
template <class T>
void run_launch(const Context& ctx, const Experiment& e, Population population, const Dataset* host,
                const DeviceData* data, const RunOptions& options, const Notice& notice, Progress& progress,
                RunResult& result) {
  const auto setup = Time::now();
  ClusterOf<T> cluster(ctx, e, std::move(population), host, data);
  Evaluator<T> evaluator(cluster, e);
  Estimator<T> estimator(cluster, e, data);
  const Population& p = cluster.population();
  const Algorithm& algorithm = *e.arms[static_cast<size_t>(p.arms[0])].algorithm;
  result.parameters = cluster.model().parameters();
  ctx.synchronize();
  result.setup_seconds += seconds_since(setup);

  const double before = result.run_seconds;
  double per_slot = 0;  // steps to be expected of all rows in a slot
  for (double rate : p.rate) per_slot += rate;
  int64_t piece = cluster.round();
  const auto check_interrupt = [&](int64_t done) {
    if (options.interrupt && *options.interrupt)
      throw Interrupted(fmt::format("interrupted after {} of {} steps; nothing was written", done, e.steps));
  };
  const int64_t looks = e.record.escape ? e.record.escape->every : 0;
  for (const int64_t& t : result.record_steps) {
    while (cluster.now() < t) {
      const auto start = Time::now();
      const int64_t from = cluster.now();
      const int64_t next_look = looks > 0 ? (from / looks + 1) * looks : t;
      cluster.advance(algorithm, std::min({t, from + piece, next_look}));
      ctx.synchronize();
      const double took = seconds_since(start);
      result.run_seconds += took;
      check_interrupt(cluster.now());
      // so long that an interrupt is answered within about half a second, in whole rounds
      if (took < 0.2) piece = std::min<int64_t>(piece * 2, int64_t{1} << 40);
      if (took > 0.5 && piece > cluster.round())
        piece = std::max(cluster.round(), piece / 2 / cluster.round() * cluster.round());
      if (looks > 0 && cluster.now() < t && cluster.now() % looks == 0) {
        const auto looking = Time::now();
        evaluator.look();
        result.evaluation_seconds += seconds_since(looking);
      }
    }

    const auto evaluation = Time::now();
    evaluator.require_finite();
    const auto values = evaluator.values();
    require_finite(e, p, values, t);
    using Estimate = TheorySpec::Estimate;
    if (e.theory.estimate == Estimate::record || (e.theory.estimate == Estimate::start && t == 0)) estimator.visit();
    for (size_t i = 0; i < p.lanes.size(); ++i) {
      auto& arm = result.arms[static_cast<size_t>(p.arms[static_cast<size_t>(p.lanes[i].arm)])];
      for (size_t m = 0; m < values[i].size(); ++m)
        arm.values[m][static_cast<size_t>(p.lanes[i].replica)].push_back(values[i][m]);
      const auto point = static_cast<size_t>(&t - result.record_steps.data());
      const double share = 1 / static_cast<double>(e.replicas);
      arm.virtual_time.resize(result.record_steps.size());
      arm.bits.resize(result.record_steps.size());
      arm.virtual_time[point] += share * cluster.virtual_time(i);
      arm.bits[point] += share * static_cast<double>(cluster.ledgers()[i].up() + cluster.ledgers()[i].down());
    }
    result.evaluation_seconds += seconds_since(evaluation);

    if (options.progress) {
      progress.step = t;
      progress.seconds = result.run_seconds + result.evaluation_seconds;
      const double elapsed = result.run_seconds - before;
      progress.worker_steps_per_second = elapsed > 0 ? static_cast<double>(t) * per_slot / elapsed : 0;
      progress.first_value = 0;
      for (const auto& v : values) progress.first_value += v.empty() ? 0 : v[0] / static_cast<double>(values.size());
      options.progress(progress);
    }
    check_interrupt(t);
  }
  collect(e, cluster, evaluator, result);
  for (const auto& sentence : evaluator.notices()) notice(sentence);
  for (int arm = 0; arm < cluster.arms(); ++arm) {
    ArmResult& of_arm = result.arms[static_cast<size_t>(p.arms[static_cast<size_t>(arm)])];
    of_arm.estimates = estimator.of(arm);
    of_arm.votes = evaluator.votes(arm);
  }
}

}  // namespace

std::vector<int64_t> record_points(const Experiment& e) {
  std::vector<int64_t> points;
  for (int64_t t = 0; t < e.steps; t += e.record.every) points.push_back(t);
  points.push_back(e.steps);
  return points;
}

ChosenDevice choose_device(const Experiment& e) {
  if (e.device == "cpu") return {Backend::cpu, 0, "cpu", ""};
  if (e.device == "auto") {
    if (cuda_available()) return {Backend::cuda, 0, "cuda:0", ""};
#ifdef ORRERY_WITH_CUDA
    return {Backend::cpu, 0, "cpu", "no GPU answers: running on the CPU"};
#else
    return {Backend::cpu, 0, "cpu", ""};
#endif
  }
  const int ordinal = e.device == "cuda" ? 0 : std::stoi(e.device.substr(5, 6));
  try {
    device_info(Backend::cuda, ordinal);  // throws where there is none
  } catch (const DeviceError& error) {
    throw DeviceError(fmt::format("{}: {}", e.arms[0].params->place("device"), error.what()));
  }
  return {Backend::cuda, ordinal, fmt::format("cuda:{}", ordinal), ""};
}

RunResult run(const Experiment& e, const RunOptions& options) {
  const auto setup = Time::now();
  RunResult result;
  const Notice notice = [&](const std::string& sentence) {
    if (sentence.empty() || std::find(result.notices.begin(), result.notices.end(), sentence) != result.notices.end())
      return;
    result.notices.push_back(sentence);
    if (options.notice) options.notice(sentence);
  };
  const ChosenDevice device = choose_device(e);
  notice(device.notice);
  const bool reduced = e.precision == Precision::tf32 || e.precision == Precision::bf16;
  if (reduced && device.backend == Backend::cpu)
    notice(fmt::format("precision {}: the CPU computes products in full fp32", name(e.precision)));
  const Context ctx(device.backend, device.ordinal,
                    !reduced                         ? Products::full
                    : e.precision == Precision::tf32 ? Products::tf32
                                                     : Products::bf16);
  result.device = device.name;
  result.device_name = device_info(device.backend, device.ordinal).name;
  result.threads = threads();
  result.record_steps = record_points(e);
  result.arms.resize(e.arms.size());
  for (auto& arm : result.arms)
    arm.values.assign(e.record.metrics.size(), std::vector<std::vector<double>>(static_cast<size_t>(e.replicas)));
  reset_memory_peak(ctx.backend);

  // arms whose rows fit run side by side, the others one launch after the other; data are loaded and uploaded once
  Progress progress;
  progress.steps = e.steps;
  progress.first_metric = e.record.metrics[0];
  for (const Arm& arm : e.arms)
    if (const VoteSpec* v = arm.algorithm->voting())
      if (const std::string s = warmup_notice(*v, e.steps); !s.empty() && e.steps > 0)
        notice((arm.name.empty() ? "" : fmt::format("arm \"{}\": ", arm.name)) + s);
  const auto launches = plan_launches(e);
  progress.launches = static_cast<int64_t>(launches.size());
  std::shared_ptr<const DataSource> loaded;
  Dataset host;
  std::unique_ptr<DeviceData> data;
  int64_t uploaded = 0;  // bytes of `data`
  auto arms_left = static_cast<int64_t>(e.arms.size());
  require_even_samples(e, launches);
  notice(start_notice(e));
  for (const auto& launch : launches) {
    const Arm& first = e.arms[static_cast<size_t>(launch.arms[0])];
    if (first.data && first.data != loaded) {
      std::string sentence;
      data.reset();
      host = load_data(first, &sentence);
      notice(sentence);
      loaded = first.data;
      result.data_origin = fmt::format("{} ({})", host.name, host.origin);
      result.train_samples = host.train.count;
      result.test_samples = host.test.count;
      result.features = host.features;
      result.classes = host.classes;
    }
    const Dataset* set = first.data ? &host : nullptr;
    require_room(e, launch, set, device.backend, device.ordinal);
    Population population(e, launch.arms, set);
    MemoryPlan plan = plan_memory(e, population, set, device.backend);
    if (set && !data) uploaded = plan.data;
    plan.data = set ? uploaded : 0;
    plan.results =
        plan.results / static_cast<int64_t>(e.arms.size()) * arms_left;  // of earlier launches: already there
    arms_left -= static_cast<int64_t>(launch.arms.size());
    require_memory(e, plan, device.backend, device.ordinal, population,
                   first.model->parameters(host.features, host.classes));
    result.planned_memory = std::max(result.planned_memory, plan.total());
    if (set && !data) {
      data = std::make_unique<DeviceData>(ctx, host);
      for (Samples* s : {&host.train, &host.test})
        s->bytes = {}, s->values = {}, s->sparse = {};  // from here on only the labels serve
    }
    for (size_t i = 0; i < population.lanes.size(); i += static_cast<size_t>(e.replicas)) {
      const Lane& lane = population.lanes[i];
      const Arm& arm = e.arms[static_cast<size_t>(population.arms[static_cast<size_t>(lane.arm)])];
      notice(drift_notice(arm, *lane.network));
      if (const auto beyond = step_notice(arm, *lane.network); beyond && e.steps > 0)
        notice((e.has_arms ? fmt::format("arm \"{}\": ", arm.name) : "") + *beyond);
      if (!arm.algorithm->compressed() && !arm.tier_messages) continue;
      const BankShape shape = bank_shape(arm.model->layout(host.features, host.classes),
                                         arm.model->parameters(host.features, host.classes));
      if (arm.tier_messages) {
        check_tier_messages(*arm.tier_messages, *arm.network, shape);
        for (const auto& sentence : tier_notices(arm, shape)) notice(sentence);
        continue;
      }
      check_compressed_parts(arm, *lane.network, shape);
      for (const auto& sentence : compressed_notices(arm, *lane.network, shape)) notice(sentence);
    }
    if (progress.launch == 0) result.setup_seconds += seconds_since(setup);
    if (e.precision == Precision::fp64)
      run_launch<double>(ctx, e, std::move(population), set, data.get(), options, notice, progress, result);
    else
      run_launch<float>(ctx, e, std::move(population), set, data.get(), options, notice, progress, result);
    ++progress.launch;
  }
  for (size_t a = 0; a < e.arms.size(); ++a) notice(flat_landscape_notice(e.arms[a].name, result.arms[a].landscape));
  result.peak_memory = memory_use(ctx.backend).peak;
  result.theory = make_theory(e, result, true);
  for (const auto& warning : result.theory.warnings) notice(warning);
  return result;
}

ExpectTable judge(const Experiment& e, const RunResult& r) {
  std::vector<std::string> arms;
  for (const Arm& arm : e.arms) arms.push_back(arm.name);
  const TheoryValues theory(r.theory.json);
  Measured measured{arms, e.record.metrics, r.record_steps, {}, theory};
  for (const ArmResult& arm : r.arms) measured.values.push_back(&arm.values);
  return evaluate(e.expect, measured);
}

ExpectTable judge_theory(const Experiment& e, const TheoryResult& theory) {
  std::vector<std::string> arms;
  for (const Arm& arm : e.arms) arms.push_back(arm.name);
  return evaluate_theory(e.expect, arms, TheoryValues(theory.json));
}

ReportInput make_report(const Experiment& e, const RunResult& r) {
  ReportInput in;
  in.name = e.name;
  in.version = ORRERY_VERSION;
  in.device = fmt::format("{} ({})", r.device, r.device_name);
  in.precision = name(e.precision);
  in.model = fmt::format("{}, {} parameters", e.arms[0].model_line, r.parameters);
  in.data = r.data_origin.empty() ? e.arms[0].data_line
                                  : fmt::format("{}, {} training and {} test samples; {}", r.data_origin,
                                                r.train_samples, r.test_samples, e.arms[0].data_line);
  in.algorithm = e.arms[0].algorithm_line;
  in.seed = e.seed;
  in.replicas = e.replicas;
  in.workers = e.workers();
  in.steps = e.steps;
  in.parameters = r.parameters;
  in.metrics = e.record.metrics;
  in.record_steps = r.record_steps;
  in.notices = r.notices;
  in.theory = r.theory.tables;
  in.experiment_toml = e.resolved_toml;
  in.expectations = judge(e, r);
  for (size_t a = 0; a < e.arms.size(); ++a) {
    const ArmResult& arm = r.arms[a];
    in.arms.push_back({e.arms[a].name, *e.arms[a].network, arm.network->tiers(), arm.network->edges(),
                       arm.network->weights(), e.arms[a].network->rates, arm.links[0], arm.values, arm.virtual_time,
                       arm.bits});
    for (const LandscapePoint& p : arm.landscape) in.arms.back().landscape.emplace_back(p.alpha, p.train_loss);
  }
  in.facts = {{"wall time", fmt::format("{:.1f} s run, {:.1f} s evaluation, {:.1f} s setup", r.run_seconds,
                                        r.evaluation_seconds, r.setup_seconds)},
              {"worker-steps per second",
               fmt::format("{:.3g}", r.run_seconds > 0 ? static_cast<double>(r.worker_steps) / r.run_seconds : 0.0)},
              {"peak memory", fmt::format("{:.1f} MiB", static_cast<double>(r.peak_memory) / (1 << 20))}};
  return in;
}

}  // namespace orrery
