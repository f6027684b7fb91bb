#include "runtime/experiment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "models/short_term.hpp"
#include "runtime/compressed/spec.hpp"
#include "runtime/metrics.hpp"

namespace orrery {

const char* name(Precision p) {
  switch (p) {
    case Precision::fp64: return "fp64";
    case Precision::tf32: return "tf32";
    case Precision::bf16: return "bf16";
    default: return "fp32";
  }
}

namespace {

// Sections that an arm may override; everything else belongs to the whole experiment.
const std::vector<std::string> arm_sections{"data", "partition", "model", "network", "algorithm", "compressor"};

// Parts that are equal in several arms are made once.
template <class T>
using Shared = std::map<std::string, std::shared_ptr<const T>>;
struct SharedParts {
  Shared<DataSource> data;
  Shared<PartitionSpec> partition;
  Shared<ModelSpec> model;
  Shared<NetworkSpec> network;
  Shared<Algorithm> algorithm;
};

template <class T, class Make>
std::shared_ptr<const T> shared(Shared<T>& known, Params section, Make make, const std::string& more = "") {
  auto made =
      std::shared_ptr<const T>(make(section));  // always parsed, so that every arm's keys are checked and resolved
  auto& slot = known[section.to_toml() + more];
  if (!slot) slot = std::move(made);
  return slot;
}

void read_head(Params& p, Experiment& e, const std::string& device) {
  e.file = p.file();
  e.name = p.text("name", std::filesystem::path(p.file()).stem().string());
  if (e.name.empty() || e.name.find('/') != std::string::npos) p.fail("name", "must name a folder; leave out '/'");
  e.seed = static_cast<uint64_t>(p.integer("seed", 42, at_least(0)));
  e.replicas = p.integer("replicas", 1, between(1, 1e6));
  e.steps = p.integer("steps", std::nullopt, between(0, 1e12));
  if (!device.empty()) p.set("device", "\"" + device + "\"", "--device " + device);
  e.device = p.text("device", "auto");
  const bool numbered = e.device.starts_with("cuda:") && e.device.size() > 5 && e.device.size() < 9 &&
                        e.device.find_first_not_of("0123456789", 5) == std::string::npos;
  if (e.device != "auto" && e.device != "cpu" && e.device != "cuda" && !numbered)
    p.fail("device", fmt::format("unknown device \"{}\"; known: auto, cpu, cuda, cuda:<number>", e.device));
  const std::string precision = p.choice("precision", "fp32", {"fp64", "fp32", "tf32", "bf16"});
  for (Precision known : {Precision::fp32, Precision::fp64, Precision::tf32, Precision::bf16})
    if (precision == name(known)) e.precision = known;
  e.cuda_graphs = p.flag("cuda_graphs", true);
  if (p.has("theory")) e.theory = parse_theory(p.table("theory"));
}

void read_record(Params r, Experiment& e) {
  e.record.every = r.integer("every", std::max<int64_t>(1, e.steps / 20), at_least(1));
  const bool data = e.arms[0].model->needs_data();
  e.record.metrics =
      r.texts("metrics", data ? std::vector<std::string>{"train_loss", "test_accuracy", "consensus_distance"}
                              : std::vector<std::string>{"train_loss", "grad_norm_sq", "consensus_distance"});
  e.record.params = r.flag("params", false);
  e.record.partition = r.flag("partition", false);
  if (r.has("landscape")) {
    e.record.landscape = parse_landscape(r.table("landscape"));
    if (e.record.landscape->test && !data)
      r.table("landscape").fail("test", "needs a test set, and this model has no data; leave it out");
  }
  check_metrics(r, e.record.metrics, e.arms);
  if (r.has("hessian") || std::any_of(e.record.metrics.begin(), e.record.metrics.end(), is_hessian_metric))
    e.record.hessian = parse_hessian(r.table("hessian"), e.record.every, data);
  if (r.has("escape")) e.record.escape = parse_escape(r.table("escape"), e.record.every, e.arms);
  const bool recorded = std::any_of(e.record.metrics.begin(), e.record.metrics.end(), is_escape_metric);
  if (recorded && !e.record.escape)
    r.fail("metrics", "escape_time, escaped and escape_kilobits need a level to pass; add a section [record.escape]");
  if (e.record.escape && !recorded)
    r.fail("escape", "is watched and not recorded; add escape_time or escaped to record.metrics");
  const double points = static_cast<double>(e.steps) / static_cast<double>(e.record.every) + 2;
  const double values = points * static_cast<double>(e.record.metrics.size()) * static_cast<double>(e.replicas) *
                        static_cast<double>(e.arms.size());
  if (values > 2e8)
    throw DeviceError(fmt::format("{}: {:.3g} record points would keep {:.3g} values in memory; raise record.every",
                                  r.place("every"), points, values));
}

void read_expect(Params section, Experiment& e) {
  ExpectContext context{
      .arms = {}, .metrics = e.record.metrics, .has_arms = e.has_arms, .steps = e.steps, .every = e.record.every};
  for (const Arm& arm : e.arms) context.arms.push_back(arm.name);
  e.expect = parse_expect(std::move(section), context);
}

Arm read_arm(Params& p, SharedParts& parts, int64_t steps) {
  Arm arm;
  Params network = p.table("network"), model = p.table("model"), algorithm = p.table("algorithm");
  arm.network = shared<NetworkSpec>(parts.network, network,
                                    [](Params& s) { return std::make_unique<NetworkSpec>(parse_network(s)); });
  const int64_t workers = arm.network->workers;
  const std::string start = algorithm.has("start") ? algorithm.text("start", std::nullopt) : "";
  if (algorithm.has("start") && start.empty())
    algorithm.fail("start", "names no file; give a .npy file, or leave it out");
  arm.from_start = !start.empty();
  if (arm.from_start && (model.is_number("init") || model.text("init", "default") != "default"))
    algorithm.fail("start", "says where agents begin, and so does model.init; leave one of them out");
  arm.model = shared<ModelSpec>(
      parts.model, model,
      [&](Params& s) {
        auto made = make_model(s, workers);
        if (arm.from_start) made->start_from(algorithm, "start");
        if (!s.has("short_term") || !s.flag("short_term", false)) return made;
        if (!arm.from_start) s.fail("short_term", "freezes the Hessians at a point; name it with algorithm.start");
        made = short_term(std::move(made));
        made->check_workers(workers);
        return made;
      },
      start);
  arm.algorithm = shared<Algorithm>(parts.algorithm, algorithm, [&](Params& s) {
    arm.step = read_step(s, workers, steps);
    return make_algorithm(s);
  });
  if (arm.algorithm->compressed()) {
    Params compressor = p.table("compressor");
    if (!compressor.has("kind")) compressor.set_text("kind", "identity");
    arm.compressor = make_compressor(compressor);
  } else if (arm.algorithm->tiered()) {
    auto messages = std::make_shared<TierMessages>(read_tier_messages(p, algorithm, *arm.network));
    if (messages->any()) arm.tier_messages = std::move(messages);
  } else if (p.has("compressor")) {
    p.fail("compressor",
           fmt::format("the method \"{}\" sends its models as they are; remove this section", arm.algorithm->kind()));
  }
  if (!arm.algorithm->tiered()) refuse_tier_messages(p, arm.algorithm->kind());
  std::string data_text, partition_text;
  if (arm.model->needs_data()) {
    Params data = p.table("data"), partition = p.table("partition");
    arm.data = shared<DataSource>(parts.data, data, [](Params& s) { return make_data_source(s); });
    arm.partition = shared<PartitionSpec>(parts.partition, partition,
                                          [](Params& s) { return std::make_unique<PartitionSpec>(make_partition(s)); });
    data_text = data.to_toml();
    partition_text = partition.to_toml();
    arm.partition_kind = partition.text("kind", "");
    arm.data_line = fmt::format("{}, partition {}", data.text("name", ""), arm.partition_kind);
  } else {
    for (const char* section : {"data", "partition"})
      if (p.has(section))
        p.fail(section, fmt::format("the model \"{}\" uses no data; remove this section", arm.model->kind()));
    arm.data_line = "none";
  }
  const auto* mixer = arm.algorithm->strategy();
  const bool mixes = mixer && *mixer != diffusion::Strategy::centralized;
  if (!mixes && !arm.algorithm->compressed() && arm.network->graph &&
      arm.network->graph->path != GraphSpec::Path::by_cost)
    network.table("graph").fail("mixing_path",
                                fmt::format("serves methods that mix over a graph (consensus, diffusion, "
                                            "diffusion-cta), and \"{}\" does not; remove it",
                                            arm.algorithm->kind()));
  if (const auto* strategy = arm.algorithm->strategy()) check_strategy(p, *arm.network, arm.step, *strategy);
  if (const VoteSpec* vote = arm.algorithm->voting()) check_voting(p, *arm.network, arm.step, *vote);
  if (const CompressedSpec* spec = arm.algorithm->compressed())
    check_compressed(p, arm.algorithm->kind(), *arm.network, arm.step, *spec);
  arm.model_line = arm.model->kind();
  arm.algorithm_line = arm.algorithm->kind();
  // batches are padded to the largest of a launch, which would change how long sums are: arms with other batches get their own launch
  arm.shared_key =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{} {}", data_text, partition_text, model.to_toml(), start,
                  arm.algorithm->kind(), static_cast<int>(arm.step.rung), fmt::join(arm.step.batch, ","),
                  fmt::join(arm.step.repeats, ","), arm.step.shuffle, arm.step.momentum);
  p.require_all_read();
  arm.params = std::make_shared<const Params>(p);
  return arm;
}

Experiment read(const Params& file, const std::string& device) {
  Experiment e;
  SharedParts parts;
  Params root = file.clone();
  read_head(root, e, device);
  const auto arm_tables = root.tables("arm");
  e.has_arms = !arm_tables.empty();

  // every arm is the whole file with its own keys laid over it
  std::vector<Params> resolved;
  std::set<std::string> names;
  for (size_t k = 0; k < std::max<size_t>(1, arm_tables.size()); ++k) {
    Params p = file.clone();
    std::string arm_name;
    if (e.has_arms) {
      Params own = p.tables("arm")[k];
      arm_name = own.text("name", std::nullopt);
      if (!names.insert(arm_name).second)
        own.fail("name", fmt::format("two arms are called \"{}\"; give each its own name", arm_name));
      own.check_only(arm_sections, "name", "an arm overrides data, partition, model, network, algorithm or compressor");
      own.remove("name");
      p.merge(std::move(own));
      p.remove("arm");
    }
    if (p.has("expect")) p.remove("expect");  // belongs to the whole file; read from `root`
    Experiment head;  // the head is the same in every arm; reading it marks its keys and writes its defaults
    read_head(p, head, device);
    p.table("record");
    Params record = p.table("record");
    for (const char* key : {"every", "metrics", "params", "partition", "landscape", "escape"}) record.mark_read(key);
    mark_hessian_read(record);
    Arm arm = read_arm(p, parts, e.steps);
    arm.name = arm_name;
    if (!e.arms.empty() && arm.network->workers != e.workers())
      p.table("network").fail("workers", fmt::format("{} here, {} in the first arm; give all arms the same number",
                                                     arm.network->workers, e.workers()));
    e.arms.push_back(std::move(arm));
    resolved.push_back(std::move(p));
  }
  read_record(resolved[0].table("record"), e);
  resolved[0].require_all_read();
  if (root.has("expect")) read_expect(root.table("expect"), e);

  // the resolved file: what all arms share, then what each has beyond that
  for (size_t k = 1; k < resolved.size(); ++k) {
    resolved[k].remove("record");
    resolved[k].merge(Params::keep(resolved[0], "record"));
  }
  Params out = e.has_arms ? Params::common(resolved) : resolved[0];
  for (size_t k = 0; e.has_arms && k < resolved.size(); ++k) {
    Params own = Params::difference(resolved[k], out);
    own.set_text("name", e.arms[k].name);
    out.append_table("arm", own);
  }
  if (root.has("expect")) out.merge(Params::keep(root, "expect"));
  e.resolved_toml = out.to_toml();
  return e;
}

}  // namespace

void rethrow_located(const Params& params, const UserError& e, const std::string& blame) {
  const std::string message = e.what();
  const auto end = message.find(": ");
  const std::string key = message.substr(0, end == std::string::npos ? 0 : end);
  const std::string section = key.substr(0, key.find('.'));
  for (const char* known : {"data", "partition", "model", "network", "algorithm", "compressor", "record"})
    if (section == known && key.find(' ') == std::string::npos)
      throw UserError(e.code(), params.place(key) + message.substr(end));
  const bool placed = message.starts_with(params.file() + ":") || message.starts_with("--set ");
  if (!blame.empty() && e.code() == ExitCode::data && !placed)
    throw UserError(e.code(), fmt::format("{}: {}", params.place(blame), message));
  throw;  // NOLINT: the exception that is being handled
}

Dataset load_data(const Arm& arm, std::string* sentence) {
  const bool by_path = arm.params->is_table("data") && Params(*arm.params).table("data").has("path");
  return located(
      arm, [&] { return arm.data->load(sentence); }, by_path ? "data.path" : "data.name");
}

Experiment load_experiment(const std::string& path, const std::vector<std::pair<std::string, std::string>>& sets,
                           const std::string& device) {
  Params file = Params::from_file(path);
  for (const auto& [key, value] : sets) file.set(key, value);
  return read(file, device);
}

Experiment parse_experiment(const std::string& toml, const std::string& name, const std::string& device) {
  return read(Params::from_text(toml, name), device);
}

}  // namespace orrery
