// report.html: one self-contained page about a run - curves of the arms with mean and spread over replicas, final values as a table, the
// network drawn, bits per link, and the resolved experiment. No scripts from elsewhere, no network access, readable without JavaScript.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/expect/table.hpp"
#include "runtime/network/network.hpp"
#include "runtime/theory/theory.hpp"

namespace orrery {

struct ReportArm {
  std::string name;  // "" for an experiment without arms
  NetworkSpec network;
  std::vector<Groups> tiers;                       // of the first replica
  std::vector<std::pair<int64_t, int64_t>> edges;  // graph among the top nodes
  std::vector<double> weights, rates;              // (W)
  std::vector<Ledger::Link> links;                 // bits of one replica at the end
  std::vector<std::vector<std::vector<double>>>
      values;  // [metric][replica][record point]; NaN where a metric does not apply
  std::vector<double> virtual_time = {}, bits = {};       // at the record points, mean over the replicas; may be empty
  std::vector<std::pair<double, double>> landscape = {};  // (alpha, loss) of all replicas and directions; may be empty
};

struct ReportInput {
  std::string name, version, device, precision, model, data, algorithm;  // one line each
  uint64_t seed = 0;
  int64_t replicas = 1, workers = 1, steps = 0, parameters = 0;
  std::vector<std::string> metrics;
  std::vector<int64_t> record_steps;  // record points
  std::vector<ReportArm> arms;
  std::vector<std::pair<std::string, std::string>>
      facts;                         // further lines for the head of the page: "wall time" -> "41 s", ...
  std::vector<TheoryTable> theory;   // an arm each; may be empty
  std::vector<std::string> notices;  // sentences the user should read
  std::string experiment_toml;       // resolved
  ExpectTable expectations;          // what the file says must be seen, judged; may be empty
};

std::string report_html(const ReportInput&);  // the whole page

}  // namespace orrery
