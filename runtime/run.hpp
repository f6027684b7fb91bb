// The main loop: an experiment in, what was measured out. Writes nothing; runtime/run_folder.hpp does.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "runtime/expect/table.hpp"
#include "runtime/experiment.hpp"
#include "runtime/report/report.hpp"
#include "runtime/theory/constants.hpp"
#include "runtime/theory/theory.hpp"
#include "runtime/voting/measurement.hpp"

namespace orrery {

// What the run says while it runs. Called on the calling thread, at every record point of every launch.
struct Progress {
  int64_t step = 0, steps = 0;         // of this launch
  int64_t launch = 0, launches = 1;    // arms whose rows fit run side by side in one launch
  double seconds = 0;                  // so far, evaluation included, all launches
  double worker_steps_per_second = 0;  // of this launch, as the rates let expect, without the time of evaluation
  std::string first_metric;
  double first_value = 0;  // mean over lanes
};
struct RunOptions {
  std::function<void(const Progress&)> progress;   // may be empty
  std::function<void(const std::string&)> notice;  // one sentence for the user; may be empty
  const std::atomic<bool>* interrupt = nullptr;    // set by a signal handler; looked at between record points
};

struct ArmResult {
  std::vector<std::vector<std::vector<double>>> values;  // [metric][replica][record point]
  std::vector<double> virtual_time, bits;  // at the record points, mean over the replicas; bits up and down
  std::vector<double> mean_models;         // (replicas, P)
  std::vector<float> params32;             // (replicas, W, P) with record.params, in the run's precision
  std::vector<double> params64;
  std::vector<std::string> partition_hash;                   // per replica
  std::vector<std::shared_ptr<const Partition>> partitions;  // per replica, with record.partition
  std::vector<int64_t> samples;                              // (W) of the first replica; empty without data
  std::vector<std::vector<Ledger::Link>> links;              // per replica
  std::vector<int64_t> worker_steps;                         // (replicas, W)
  std::shared_ptr<const Network> network;                    // of the first replica
  Estimates estimates;                                       // constants of the theory, first replica
  VoteMeasurement votes;                                     // of methods that vote
  std::vector<LandscapePoint> landscape;                     // with record.landscape
};
struct RunResult {
  std::string device;  // "cpu" or "cuda:0"
  std::string device_name;
  std::vector<int64_t> record_steps;
  std::vector<ArmResult> arms;
  std::vector<std::string> notices;
  std::string data_origin;
  int64_t parameters = 0, train_samples = 0, test_samples = 0, worker_steps = 0;
  int64_t features = 0;
  int classes = 0;
  int64_t peak_memory = 0, planned_memory = 0;  // bytes on the device of the run, all buffers
  int64_t graph_launches = 0;                   // stretches of local steps replayed as one CUDA graph
  double setup_seconds = 0, run_seconds = 0, evaluation_seconds = 0;
  int threads = 1;
  TheoryResult theory;
};
std::vector<int64_t> record_points(const Experiment&);

struct Interrupted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws UserError (experiment, data, device, non-finite numbers) and Interrupted.
RunResult run(const Experiment&, const RunOptions& = {});

// The device that `device = ...` means here, with a sentence where "auto" had to fall back.
struct ChosenDevice {
  Backend backend = Backend::cpu;
  int ordinal = 0;
  std::string name, notice;
};
ChosenDevice choose_device(const Experiment&);

// The rows of [expect] beside what was measured; empty where the file has none.
ExpectTable judge(const Experiment&, const RunResult&);
ExpectTable judge_theory(const Experiment&, const TheoryResult&);  // the rows that need no run

ReportInput make_report(const Experiment&, const RunResult&);

}  // namespace orrery
