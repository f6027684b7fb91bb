// What must be seen: the section [expect] of an experiment file, a statement about the run that the run itself checks.
//
//   source = "h-sgd.md O1"          required = false          (true: a row that does not hold ends the program with exit code 6)
//   [[expect.value]]  arm, metric, at, reference = number or text, within = relative tolerance (without it: printed beside, not judged),
//                     at_least, at_most (with or without a reference), note
//   [[expect.theory]] arm, quantity = path into the arm's part of theory.json, steps joined by dots ("h_sgd.A_1", "table.0.predicted"),
//                     reference, within, at_least, at_most, note as above: what the theory says, without a measurement
//   [[expect.order]]  metric, at, ascending = [arms] (strictly, means over the replicas), margin = relative slack, each_replica, note
//   [[expect.agree]]  metric, at, arms = [...], within = relative spread (largest - smallest over the mean), note
//   [[expect.ratio]]  metric, at, arm, to = another arm, at_least, at_most, note
//   [[expect.reach]]  metric, level, arm, to, ratio_of = "step" | "virtual_time" | another recorded metric, at_least, at_most, note:
//                     the first record point where the mean over the replicas is <= level, arm over to
//   at = "last" (default) | "mean" (over all record points but the last: the time average over t < T; with from = a step [0] and
//        until = a step [T]: over from <= t < until) | "min" | "max" | a local step
//        | "decay": how fast it falls, ln(value at from [0] / value at until [the last]) / (until - from) a step, over unit [1];
//        in an order also "every", with along = "step" (default) | a recorded metric such as "virtual_time", and from [0]: wherever the first
//        arm has a record with along >= from, the others read there by linear interpolation
//   at_least and at_most of value and theory rows may be a path into theory.json in place of a number: measured against a bound
//
//   of = "median" in value and order rows: over the replicas, in place of their mean; NaN counts as never (infinite), an infinite one prints as -
// In a file without arms `arm` is left out. Parsed and checked before anything runs: throws ExperimentError for unknown arms and metrics.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/core/params.hpp"

namespace orrery {

struct Moment {  // when, or over what, a metric is read
  enum class Kind { last, mean, min, max, step, every, decay } kind = Kind::last;
  int64_t step = 0;
  std::string along = "step";    // of every: the axis,
  double from = 0;               // and where on it to begin; of mean: the first step that counts, of decay: both ends
  std::optional<int64_t> until;  // and the first that does not any more
  double unit = 1;               // of decay: what one is
};
// "last", "mean from step 100 to 199", "min", "max", "step 200", "every record from step 200 on", "decay from step 0 to 200"
std::string name(const Moment&);

struct ExpectRow {
  enum class Kind { value, theory, order, agree, ratio, reach } kind = Kind::value;
  std::string metric, note;  // theory: the quantity is the metric
  Moment at;
  std::vector<std::string> arms;  // value, theory: one; order, agree: all; ratio, reach: arm, to
  std::optional<double> reference, within, at_least, at_most;
  std::string reference_text;                   // where the reference is no number
  std::string at_least_theory, at_most_theory;  // where a bound is a path into theory.json; "" where it is a number
  double margin = 0, level = 0;
  bool each_replica = false;
  bool median = false;  // of value and order: what is judged, in place of the mean over the replicas
  std::string ratio_of = "step";
};
const char* name(ExpectRow::Kind);

struct ExpectSpec {
  std::string source;
  bool required = false;
  std::vector<ExpectRow> rows;  // by kind in the order above, within a kind as in the file
  bool empty() const { return rows.empty(); }
};

// What the rows may name: the arms, the recorded metrics, the record points 0, every, 2 every, ... and steps.
struct ExpectContext {
  std::vector<std::string> arms, metrics;
  bool has_arms = false;
  int64_t steps = 0, every = 1;
};
// `section` is [expect]; every key of it is read or an error. A step beyond the last is no error: a shortened run leaves that row open.
ExpectSpec parse_expect(Params section, const ExpectContext&);

}  // namespace orrery
