// An experiment: what the TOML file says, typed, resolved and const. Nothing is loaded or allocated yet.
// Keys and meanings: the contract in docs/experiment-file.md. Throws ExperimentError ("FILE:LINE: key: what; what to do").
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datasets/dataset.hpp"
#include "datasets/partition/partition.hpp"
#include "kernels/core/context.hpp"
#include "models/model.hpp"
#include "runtime/algorithm.hpp"
#include "runtime/compressed_tiers/spec.hpp"
#include "runtime/compression/compressor.hpp"
#include "runtime/curvature/spec.hpp"
#include "runtime/escape.hpp"
#include "runtime/expect/spec.hpp"
#include "runtime/landscape.hpp"
#include "runtime/network/network.hpp"
#include "runtime/theory/section.hpp"

namespace orrery {

enum class Precision {
  fp32,
  fp64,
  tf32,
  bf16
};  // tf32, bf16: storage and sums in fp32, factors of products rounded (CUDA)
const char* name(Precision);
inline int64_t element_size(Precision p) { return p == Precision::fp64 ? 8 : 4; }

struct RecordSpec {
  int64_t every = 1;
  std::vector<std::string> metrics;
  bool params = false;     // final parameters of every worker
  bool partition = false;  // the partition of every replica
  HessianSpec hessian;     // traces and eigenvalues, of metrics and of theory
  std::optional<LandscapeSpec> landscape;
  std::optional<EscapeSpec> escape = {};
  // some metric that is recorded or watched begins with `prefix`
  bool asks_for(const std::string& prefix) const {
    for (const auto& m : metrics)
      if (m.starts_with(prefix)) return true;
    return escape && escape->metric.starts_with(prefix);
  }
};

// One setting of the comparison. Sections that equal another arm's are shared.
struct Arm {
  std::string name;                        // "" where the file has no arms
  std::shared_ptr<const DataSource> data;  // null where the model needs none
  std::shared_ptr<const PartitionSpec> partition;
  std::shared_ptr<const ModelSpec> model;
  std::shared_ptr<const NetworkSpec> network;
  std::shared_ptr<const Algorithm> algorithm;
  std::shared_ptr<const Compressor> compressor;       // of methods that compress; null elsewhere
  std::shared_ptr<const TierMessages> tier_messages;  // of tiered SGD where some message is compressed; null elsewhere
  bool from_start = false;  // algorithm.start names a point: agents begin there, and excess risk counts from it
  StepSpec step;            // the keys that every algorithm shares: learning rate, batch, rung
  std::string shared_key;  // arms with equal keys have equal data, partition and model, and their rows fit side by side
  std::shared_ptr<const Params> params;  // the arm's whole resolved document: places for errors that show only later
  std::string model_line, data_line, algorithm_line;  // for the report
  std::string partition_kind;                         // "" where the model needs no data
};

struct Experiment {
  std::string file, name;
  uint64_t seed = 42;
  int64_t replicas = 1, steps = 0;
  std::string device = "auto";
  Precision precision = Precision::fp32;
  bool cuda_graphs = true;
  RecordSpec record;
  TheorySpec theory;
  std::vector<Arm> arms;  // at least one
  bool has_arms = false;
  ExpectSpec expect;          // what must be seen; judged after the run
  std::string resolved_toml;  // running this again gives the same bits

  uint64_t replica_seed(int64_t replica) const { return seed + static_cast<uint64_t>(replica); }
  int64_t workers() const { return arms[0].network->workers; }
};

// `sets`: --set key=value pairs, applied in order; `device`: --device, "" for the file's.
// Runs f; an error whose message begins with a key ("network.workers: ...") is thrown on with the file and line of that key in front.
// An error of a data file names the file alone: it gets the key that led there, `blame`.
[[noreturn]] void rethrow_located(const Params&, const UserError&, const std::string& blame);
template <class F>
decltype(auto) located(const Arm& arm, F&& f, const std::string& blame = "") {
  try {
    return f();
  } catch (const UserError& e) {
    rethrow_located(*arm.params, e, blame);
  }
}
// The data of an arm that needs some; `sentence`: for the user, where a fallback was taken.
Dataset load_data(const Arm&, std::string* sentence);

Experiment load_experiment(const std::string& path, const std::vector<std::pair<std::string, std::string>>& sets = {},
                           const std::string& device = "");
Experiment parse_experiment(const std::string& toml, const std::string& name, const std::string& device = "");

}  // namespace orrery
