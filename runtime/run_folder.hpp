// The run folder of the contract: experiment.toml, metrics.csv, summary.json, mean.npy, final.npy, report.html.
// Everything is written to DIR.partial and appears by one rename; on any failure the partial folder is removed and nothing else touched.
#pragma once

#include <string>

#include "runtime/run.hpp"

namespace orrery {

class RunFolder {
 public:
  // `out` empty: runs/<name>-<n> with the first free n. Throws ExperimentError where the folder exists, DataError where it cannot be made.
  RunFolder(const Experiment&, const std::string& out);
  ~RunFolder();  // removes what commit() did not rename
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  void commit(const Experiment&, const RunResult&);  // throws DataError (full disk)
  const std::string& path() const { return path_; }

 private:
  std::string path_, partial_;
};

std::string metrics_csv(const Experiment&, const RunResult&);
std::string summary_json(const Experiment&, const RunResult&);
// The closing table on the terminal: final metrics, mean and standard deviation over replicas, an arm a line.
std::string final_table(const Experiment&, const RunResult&);

}  // namespace orrery
