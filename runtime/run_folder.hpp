// The run folder of the contract: experiment.toml, metrics.csv, summary.json, theory.json, mean.npy, final.npy, report.html.
// Everything is written to DIR.partial-<process> and appears by one rename; on any failure that folder and the parents made for it are removed
// and nothing else is touched.
#pragma once

#include <string>
#include <vector>

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
  void remove_made();
  std::string path_, partial_, stem_;  // stem_: runs/<name>- where the number is free to change
  std::vector<std::string> made_;      // parents that were made, the innermost first
};

std::string metrics_csv(const Experiment&, const RunResult&);
std::string summary_json(const Experiment&, const RunResult&);
// The closing table on the terminal: final metrics, mean and standard deviation over replicas, an arm a line.
std::string final_table(const Experiment&, const RunResult&);

}  // namespace orrery
