#include "runtime/run_folder.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/core/npy.hpp"
#include "runtime/csv.hpp"
#include "runtime/median.hpp"
#include "runtime/report/report.hpp"

namespace orrery {
namespace fs = std::filesystem;
namespace {

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out)
    throw DataError(
        fmt::format("{}: cannot be written; free some space or choose another folder with --out", path.string()));
}

struct Spread {
  double mean = 0, deviation = 0;
};
Spread final_spread(const std::vector<std::vector<double>>& replicas) {
  Spread s;
  const double n = static_cast<double>(replicas.size());
  for (const auto& r : replicas) s.mean += r.back();
  s.mean /= n;
  for (const auto& r : replicas) s.deviation += (r.back() - s.mean) * (r.back() - s.mean);
  s.deviation = n > 1 ? std::sqrt(s.deviation / (n - 1)) : 0;
  return s;
}

// Over the replicas at the end; one that stays lies above every time, and their median may be infinite.
struct EscapeTimes {
  double median = 0;
  int64_t escaped = 0;
};
EscapeTimes escape_times(const std::vector<std::vector<double>>& replicas) {
  std::vector<double> times;
  for (const auto& r : replicas) times.push_back(r.back());
  const auto escaped = std::count_if(times.begin(), times.end(), [](double t) { return std::isfinite(t); });
  return {median(std::move(times)), escaped};
}

nlohmann::json number(double v) { return std::isfinite(v) ? nlohmann::json(v) : nlohmann::json(nullptr); }

nlohmann::ordered_json expectations_json(const ExpectTable& table) {
  nlohmann::ordered_json j;
  j["source"] = table.source;
  j["hold"] = table.count(Verdict::yes);
  j["fail"] = table.count(Verdict::no);
  j["rows"] = nlohmann::json::array();
  for (const ExpectLine& line : table.lines) {
    nlohmann::ordered_json row{{"kind", line.kind}, {"metric", line.metric},     {"at", line.at},
                               {"arms", line.arms}, {"expected", line.expected}, {"measured", line.measured},
                               {"note", line.note}};
    row["values"] = nlohmann::json::array();
    for (double v : line.values) row["values"].push_back(nlohmann::ordered_json(number(v)));
    row["holds"] =
        line.verdict == Verdict::open ? nlohmann::json(nullptr) : nlohmann::json(line.verdict == Verdict::yes);
    j["rows"].push_back(row);
  }
  return j;
}

}  // namespace

RunFolder::RunFolder(const Experiment& e, const std::string& out) {
  if (out.empty()) {
    stem_ = fmt::format("runs/{}-", e.name);
    for (int n = 1; path_.empty() || fs::exists(path_); ++n) path_ = fmt::format("{}{}", stem_, n);
  } else {
    path_ = out;
    while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
    if (fs::exists(path_))
      throw ExperimentError(fmt::format("--out {}: exists already; choose another folder or remove it", path_));
  }
  std::error_code error;
  for (fs::path parent = fs::path(path_).parent_path(); !parent.empty() && !fs::exists(parent, error);
       parent = parent.parent_path())
    made_.push_back(parent.string());
  for (auto parent = made_.rbegin(); parent != made_.rend(); ++parent) {
    fs::create_directory(*parent, error);
    if (error) break;
  }
  const std::string base = fmt::format("{}.partial-{}", path_, getpid());
  for (int n = 0; !error && partial_.empty(); ++n) {
    const std::string candidate = n == 0 ? base : fmt::format("{}-{}", base, n);
    if (fs::create_directory(candidate, error)) partial_ = candidate;  // false where it exists: it is somebody else's
  }
  if (error) {
    remove_made();
    throw DataError(fmt::format("{}: cannot be made ({}); choose another folder with --out", path_, error.message()));
  }
}

RunFolder::~RunFolder() {
  if (partial_.empty()) return;  // committed
  std::error_code ignored;
  fs::remove_all(partial_, ignored);
  remove_made();
}

void RunFolder::remove_made() {
  std::error_code ignored;
  for (const auto& parent : made_) fs::remove(parent, ignored);  // only where it is empty
}

std::string metrics_csv(const Experiment& e, const RunResult& r) {
  const int digits = e.precision == Precision::fp64 ? 17 : 9;
  std::string csv = e.has_arms ? "arm,replica,step" : "replica,step";
  for (const auto& m : e.record.metrics) csv += "," + m;
  csv += "\n";
  for (size_t a = 0; a < r.arms.size(); ++a) {
    const std::string arm_name = csv_field(e.arms[a].name);
    for (size_t replica = 0; replica < static_cast<size_t>(e.replicas); ++replica)
      for (size_t t = 0; t < r.record_steps.size(); ++t) {
        if (e.has_arms) csv += arm_name + ",";
        csv += fmt::format("{},{}", replica, r.record_steps[t]);
        for (size_t m = 0; m < e.record.metrics.size(); ++m)
          csv += fmt::format(",{:.{}g}", r.arms[a].values[m][replica][t], digits);
        csv += "\n";
      }
  }
  return csv;
}

std::string summary_json(const Experiment& e, const RunResult& r) {
  nlohmann::ordered_json j;
  j["name"] = e.name;
  j["version"] = ORRERY_VERSION;
  j["revision"] = ORRERY_REVISION;
  j["device"] = r.device;
  j["device_name"] = r.device_name;
  j["threads"] = r.threads;
  j["precision"] = name(e.precision);
  j["seeds"] = nlohmann::json::array();
  for (int64_t k = 0; k < e.replicas; ++k) j["seeds"].push_back(e.replica_seed(k));
  j["workers"] = e.workers();
  j["replicas"] = e.replicas;
  j["steps"] = e.steps;
  j["parameters"] = r.parameters;
  if (!r.data_origin.empty())
    j["data"] = {{"origin", r.data_origin}, {"train_samples", r.train_samples}, {"test_samples", r.test_samples}};
  j["wall_seconds"] = {{"setup", r.setup_seconds}, {"run", r.run_seconds}, {"evaluation", r.evaluation_seconds}};
  j["worker_steps"] = r.worker_steps;
  j["worker_steps_per_second"] = r.run_seconds > 0 ? static_cast<double>(r.worker_steps) / r.run_seconds : 0.0;
  j["cuda_graph_launches"] = r.graph_launches;
  j["peak_memory_bytes"] = r.peak_memory;
  j["planned_memory_bytes"] = r.planned_memory;
  j["notices"] = r.notices;
  j["arms"] = nlohmann::json::array();
  for (size_t a = 0; a < r.arms.size(); ++a) {
    nlohmann::ordered_json arm;
    if (e.has_arms) arm["name"] = e.arms[a].name;
    int64_t up = 0, down = 0;
    for (const auto& link : r.arms[a].links[0]) {
      arm["bits"]["links"][link.name] = {{"up", link.up}, {"down", link.down}};
      up += link.up;
      down += link.down;
    }
    arm["bits"]["up"] = up;
    arm["bits"]["down"] = down;
    if (!r.arms[a].partition_hash.empty() && !r.arms[a].partition_hash[0].empty())
      arm["partition_hash"] = r.arms[a].partition_hash;
    for (size_t m = 0; m < e.record.metrics.size(); ++m) {
      const Spread s = final_spread(r.arms[a].values[m]);
      auto& last = arm["final"][e.record.metrics[m]];
      last = {{"mean", number(s.mean)}, {"deviation", number(s.deviation)}};
      if (e.record.metrics[m] != "escape_time") continue;
      const EscapeTimes times = escape_times(r.arms[a].values[m]);
      last["median"] = number(times.median);
      last["escaped"] = times.escaped;
    }
    j["arms"].push_back(arm);
  }
  if (const ExpectTable table = judge(e, r); !table.lines.empty()) j["expectations"] = expectations_json(table);
  return j.dump(2) + "\n";
}

std::string final_table(const Experiment& e, const RunResult& r) {
  const auto cell = [&](const ArmResult& arm, size_t m) {
    if (e.record.metrics[m] == "escape_time" && e.replicas > 1) {
      const EscapeTimes times = escape_times(arm.values[m]);
      if (times.escaped == 0) return std::string("-");
      return fmt::format("median {} ({} of {})", std::isfinite(times.median) ? fmt::format("{:g}", times.median) : "-",
                         times.escaped, e.replicas);
    }
    const Spread s = final_spread(arm.values[m]);
    if (std::isnan(s.mean)) return std::string("-");
    return e.replicas > 1 ? fmt::format("{:.5g} +- {:.2g}", s.mean, s.deviation) : fmt::format("{:.6g}", s.mean);
  };
  size_t name_width = 4;
  for (const auto& arm : e.arms) name_width = std::max(name_width, arm.name.size());
  std::vector<size_t> width;
  for (size_t m = 0; m < e.record.metrics.size(); ++m) {
    size_t w = e.record.metrics[m].size();
    for (const auto& arm : r.arms) w = std::max(w, cell(arm, m).size());
    width.push_back(w);
  }
  std::string table = fmt::format("{:<{}}", e.has_arms ? "arm" : "", name_width);
  for (size_t m = 0; m < width.size(); ++m) table += fmt::format("  {:>{}}", e.record.metrics[m], width[m]);
  table += "\n";
  for (size_t a = 0; a < r.arms.size(); ++a) {
    table += fmt::format("{:<{}}", e.arms[a].name, name_width);
    for (size_t m = 0; m < width.size(); ++m) table += fmt::format("  {:>{}}", cell(r.arms[a], m), width[m]);
    table += "\n";
  }
  return table;
}

void RunFolder::commit(const Experiment& e, const RunResult& r) {
  const fs::path folder = partial_;
  std::string toml = e.resolved_toml;
  write_text(folder / "experiment.toml", toml);
  write_text(folder / "metrics.csv", metrics_csv(e, r));
  if (e.record.landscape) write_text(folder / "landscape.csv", landscape_csv(e, r));
  write_text(folder / "summary.json", summary_json(e, r));
  write_text(folder / "theory.json", r.theory.json);
  write_text(folder / "report.html", report_html(make_report(e, r)));
  for (size_t a = 0; a < r.arms.size(); ++a) {
    const auto& arm = r.arms[a];
    const std::string suffix = e.has_arms ? fmt::format("-{}", a) : "";
    const std::vector<int64_t> means{e.replicas, r.parameters}, all{e.replicas, e.workers(), r.parameters};
    if (e.precision == Precision::fp64) {
      write_npy(folder / ("mean" + suffix + ".npy"), means, arm.mean_models);
      if (e.record.params) write_npy(folder / ("final" + suffix + ".npy"), all, arm.params64);
    } else {
      write_npy(folder / ("mean" + suffix + ".npy"), means,
                std::vector<float>(arm.mean_models.begin(), arm.mean_models.end()));
      if (e.record.params) write_npy(folder / ("final" + suffix + ".npy"), all, arm.params32);
    }
    for (size_t replica = 0; replica < arm.partitions.size(); ++replica)
      arm.partitions[replica]->write(folder / fmt::format("partition{}-{}.txt", suffix, replica));
  }
  // a folder that took the name meanwhile is left alone: the next number, or an error
  std::error_code error;
  for (int n = 1; !stem_.empty() && fs::exists(path_); ++n) path_ = fmt::format("{}{}", stem_, n);
  if (fs::exists(path_))
    error = std::make_error_code(std::errc::file_exists);
  else
    fs::rename(partial_, path_, error);
  if (!error)
    partial_.clear();
  else
    throw DataError(fmt::format("{}: cannot be made ({}); choose another folder with --out", path_, error.message()));
}

}  // namespace orrery
