// What theory says of an arm whose messages are compressed (papers/st-compression.md 3, 5, A), and what its run showed: the compressor's class, the
// gains up to which convergence is promised, exact decay where the error recursion is linear, and for every statement whether it covers the arm.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "runtime/compression/compressor.hpp"
#include "runtime/theory/compressed/closed_loop.hpp"
#include "runtime/theory/compressed/decay_rate.hpp"
#include "runtime/theory/compressed/gain_bounds.hpp"
#include "runtime/theory/compressed/graph_numbers.hpp"

namespace orrery {

struct Experiment;
struct RunResult;
struct TheoryTable;

struct CompressedStatement {
  enum class Verdict {
    covers,
    not_covered,
    open
  } verdict = Verdict::open;  // open: it depends on what is not known in numbers
  std::string name, sentence;
};

struct CompressedTheory {
  std::string method, compressor;  // compressor: "" where everything is sent
  CompressorClass traits;
  std::optional<compressed_theory::DecayRate> compressor_decay;
  double time_step = 1;    // the Euler step, or the learning rate
  double memory_step = 1;  // what receivers hold moves by this times a message

  std::optional<compressed_theory::GraphNumbers> graph;
  std::string why_no_graph;
  std::optional<double> euler_limit;  // of the step, without compression
  std::optional<double> alpha_max;    // statement 4
  std::optional<double> gamma_star, choco_contraction;
  std::optional<compressed_theory::FeedbackSteps> ef21;
  std::optional<double> promised_decay;  // of the tracked error a step, at least
  std::string promised_by;

  std::string tracked;      // the metric that the decay is of: optimum_distance, or the root of consensus_distance
  double tolerance = 1e-8;  // of the tracked error
  std::optional<compressed_theory::LoopDecay> decay;
  std::string why_no_decay;
  std::optional<int64_t> steps;  // to the tolerance; -1: not within the run, nor 20,000
  std::string why_no_steps;
  std::optional<double> floor;  // where the error stays

  std::vector<CompressedStatement> statements;

  // measured, empty where the run did not record it
  std::optional<double> slope, steps_seen, last;
  std::string slope_note;
};

// Without a run (no recorded values) nothing is compared, and the compressor is probed.
CompressedTheory compressed_theory_of(const Experiment&, size_t arm, const RunResult&);
std::vector<CompressedStatement> compressed_statements(const Experiment&, size_t arm, const RunResult&,
                                                       const CompressedTheory&);
// Rows for the report, what `orrery theory` prints, and theory.json's "compressed".
TheoryTable compressed_table(const CompressedTheory&, const std::string& name, bool measured);
std::string compressed_theory_text(const CompressedTheory&, const TheoryTable&);
nlohmann::ordered_json compressed_json(const CompressedTheory&);

}  // namespace orrery
