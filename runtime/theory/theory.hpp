// Theory beside measurement: what the analyses of H-SGD and MLL-SGD say about every arm of an experiment, and what its run showed.
// Rows of a table are shown by `orrery theory`, by the report and in theory.json.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace orrery {

struct Experiment;
struct RunResult;

struct TheoryRow {
  std::string quantity;
  std::optional<double> predicted, measured;
  std::string note;  // what the prediction is (a bound, an expectation) and how far it reaches; why a number is missing
};
struct TheoryTable {
  std::string arm;  // "" where the experiment has no arms
  std::vector<TheoryRow> rows;
};

struct TheoryResult {
  std::vector<TheoryTable> tables;    // an arm each
  std::vector<std::string> warnings;  // one sentence where a measured value exceeds a bound that applies
  std::string json;                   // theory.json
  std::string text;                   // what `orrery theory` prints
};

// measured: the run went through all steps of the experiment; else only its start is known and nothing is compared.
TheoryResult make_theory(const Experiment&, const RunResult&, bool measured);

// Loads the data, looks at the start as [theory] says (estimate = "start" without the section), and predicts: `orrery theory`.
TheoryResult theory_without_a_run(const Experiment&);

}  // namespace orrery
