// Rows of the theory table, what `orrery theory` prints, and theory.json's "compressed" of an arm with compressed messages.
#include <fmt/format.h>

#include <cmath>

#include "runtime/experiment.hpp"
#include "runtime/theory/compressed/compressed_theory.hpp"
#include "runtime/theory/json_numbers.hpp"
#include "runtime/theory/theory.hpp"

namespace orrery {
namespace {

using Verdict = CompressedStatement::Verdict;

const char* words(Verdict v) {
  return v == Verdict::covers ? "covers" : v == Verdict::not_covered ? "does not cover" : "undecided";
}
std::string sentence(const CompressedStatement& s) { return fmt::format("{}: {}", words(s.verdict), s.sentence); }

std::optional<double> per_step(const CompressedTheory& t) {
  return t.decay ? std::optional(t.decay->decay) : std::nullopt;
}

std::string class_of(const CompressorClass& c) {
  std::string text = !c.spatio_temporal ? "not ST" : c.strong ? "strong ST" : "ST";
  if (c.delta) text += fmt::format(", contractive with delta = {:.6g}", *c.delta);
  if (c.omega) text += fmt::format(", unbiased with omega = {:.6g}", *c.omega);
  if (c.monotone) text += fmt::format(", monotone with m = {:.6g}", *c.monotone);
  text += fmt::format("; |C(x)| <= {:.6g} |x|", c.bound);
  if (c.linear) text += c.time_varying ? "; linear, changes over time" : "; linear";
  return text;
}

std::string how(const compressed_theory::LoopDecay& d) {
  if (!d.exact)
    return fmt::format("growth of the exact recursion over {} steps, with the first replica's draws", d.steps);
  return d.period == 1 ? fmt::format("exact: spectral radius {:.9g}", d.radius)
                       : fmt::format("exact: spectral radius {:.9g} over a period of {} steps", d.radius, d.period);
}

void compressor_rows(const CompressedTheory& t, TheoryTable& table) {
  if (t.compressor.empty()) return;
  const auto& d = *t.compressor_decay;
  table.rows.push_back(
      {"decay of e' = -C(e), a unit of time", d.promised, d.probed,
       fmt::format("{}; {}{}", class_of(t.traits),
                   d.promised ? "predicted: at least, in the mean over draws and cycles" : "no rate is known",
                   d.probed ? "; measured: slowest of 50 starts over 2000 Euler steps" : "; " + d.why_not)});
  if (d.exact)
    table.rows.push_back({fmt::format("the same in Euler steps of {:g}", t.memory_step), d.exact, d.probed,
                          "exact for linear compressors; over a long product where they never repeat"});
}

void bound_rows(const CompressedTheory& t, TheoryTable& table) {
  const auto row = [&](const char* name, const std::optional<double>& v, const std::string& note) {
    if (v) table.rows.push_back({name, v, {}, note});
  };
  if (t.graph) {
    row("lambda_2 of the Laplacian", t.graph->lambda_2, fmt::format("lambda_n = {:.6g}", t.graph->lambda_n));
    if (t.graph->norm > 0) row("spectral gap of W", t.graph->gap, fmt::format("|I - W| = {:.6g}", t.graph->norm));
  }
  row("largest Euler step without compression", t.euler_limit, "from where on the flow grows");
  row("largest alpha of theorem 4", t.alpha_max, "lambda_2 kappa m / (lambda_n (lambda_n + lambda_2))");
  row("gamma* of CHOCO-Gossip", t.gamma_star,
      t.choco_contraction
          ? fmt::format("a step then shrinks the expected square of the error to {:.9g}", *t.choco_contraction)
          : "");
  if (t.ef21) {
    row("largest step of EF21", t.ef21->step, "1/(L + Lt sqrt(beta/theta))");
    row("largest step of EF21's linear rate", t.ef21->linear, "min{1/(L + Lt sqrt(2 beta/theta)), theta/(2 mu)}");
  }
}

void decay_rows(const CompressedTheory& t, bool measured, TheoryTable& table) {
  const std::string beside = measured && !t.slope_note.empty() ? "; " + t.slope_note : "";
  const std::string quantity = fmt::format("decay of {} a step", t.tracked);
  if (t.promised_decay)
    table.rows.push_back({quantity, t.promised_decay, t.slope, "at least, by " + t.promised_by + beside});
  table.rows.push_back(
      {quantity, per_step(t), t.slope, (t.decay ? how(*t.decay) : "not predicted: " + t.why_no_decay) + beside});
  const bool reached = t.steps && *t.steps >= 0;
  table.rows.push_back({fmt::format("steps to {} < {:g}", t.tracked, t.tolerance),
                        reached ? std::optional(static_cast<double>(*t.steps)) : std::nullopt, t.steps_seen,
                        reached   ? "exact recursion from the first replica's start"
                        : t.steps ? "exact recursion: not within this run's steps, nor 20,000"
                                  : "not predicted: " + t.why_no_steps});
  if (t.floor)
    table.rows.push_back({t.tracked + " where it settles", t.floor, t.last, "fixed point, exact for quadratics"});
}

}  // namespace

TheoryTable compressed_table(const CompressedTheory& t, const std::string& name, bool measured) {
  TheoryTable table{name, {}};
  decay_rows(t, measured, table);
  bound_rows(t, table);
  compressor_rows(t, table);
  for (const auto& s : t.statements) table.rows.push_back({s.name, {}, {}, sentence(s)});
  return table;
}

std::string compressed_theory_text(const CompressedTheory& t, const TheoryTable& table) {
  std::string text = fmt::format("  {}{}\n", t.method, t.compressor.empty() ? "" : " through \"" + t.compressor + "\"");
  for (const TheoryRow& row : table.rows) {
    if (!row.predicted && !row.measured) {
      text += fmt::format("    {}: {}\n", row.quantity, row.note);
      continue;
    }
    const auto number = [](const std::optional<double>& v) { return v ? fmt::format("{:.6g}", *v) : std::string("-"); };
    text += fmt::format("    {:<42} {:<12}{} {}\n", row.quantity, number(row.predicted),
                        row.measured ? fmt::format(" {:<12}", number(row.measured)) : "", row.note);
  }
  return text;
}

Json compressed_json(const CompressedTheory& t) {
  Json j;
  j["method"] = t.method;
  j["step"] = number(t.time_step);
  const CompressorClass& c = t.traits;
  j["compressor"] = {{"kind", t.compressor},
                     {"st", c.spatio_temporal},
                     {"strong_st", c.strong},
                     {"linear", c.linear},
                     {"time_varying", c.time_varying},
                     {"random", c.random},
                     {"delta", number(c.delta)},
                     {"omega", number(c.omega)},
                     {"monotone", number(c.monotone)},
                     {"bound", number(c.bound)},
                     {"reason", c.reason}};
  if (t.compressor_decay) {
    const auto& d = *t.compressor_decay;
    j["compressor"]["rate"] = {
        {"promised", number(d.promised)}, {"exact", number(d.exact)}, {"probed", number(d.probed)}};
    if (!d.why_not.empty()) j["compressor"]["rate"]["reason"] = d.why_not;
  }
  if (t.graph)
    j["graph"] = {{"lambda_2", number(t.graph->lambda_2)}, {"lambda_n", number(t.graph->lambda_n)}};
  else if (!t.why_no_graph.empty())
    j["graph"]["reason"] = t.why_no_graph;
  if (t.graph && t.graph->norm > 0)
    j["graph"]["gap"] = number(t.graph->gap), j["graph"]["norm"] = number(t.graph->norm);
  if (t.euler_limit) j["bounds"]["euler_step"] = number(t.euler_limit);
  if (t.alpha_max) j["bounds"]["alpha_max"] = number(t.alpha_max);
  if (t.gamma_star) j["bounds"]["gamma_star"] = number(t.gamma_star);
  if (t.choco_contraction) j["bounds"]["choco_contraction"] = number(t.choco_contraction);
  if (t.ef21)
    j["bounds"]["ef21"] = {{"theta", number(t.ef21->theta)},
                           {"beta", number(t.ef21->beta)},
                           {"step", number(t.ef21->step)},
                           {"linear_step", number(t.ef21->linear)}};
  j["tracked"] = t.tracked;
  if (t.promised_decay) j["decay"]["promised"] = number(t.promised_decay), j["decay"]["promised_by"] = t.promised_by;
  j["decay"]["per_step"] = number(per_step(t));
  if (t.decay) {
    j["decay"]["per_time"] = number(t.decay->decay / t.time_step);
    j["decay"]["radius"] = number(t.decay->radius);
    j["decay"]["period"] = t.decay->period;
    j["decay"]["exact"] = t.decay->exact;
  } else {
    j["decay"]["reason"] = t.why_no_decay;
  }
  j["decay"]["measured"] = number(t.slope);
  if (!t.slope_note.empty()) j["decay"]["measured_note"] = t.slope_note;
  j["steps"] = {{"tolerance", number(t.tolerance)},
                {"predicted", t.steps && *t.steps >= 0 ? Json(*t.steps) : Json(nullptr)},
                {"measured", number(t.steps_seen)}};
  if (!t.steps) j["steps"]["reason"] = t.why_no_steps;
  if (t.steps && *t.steps < 0) j["steps"]["reason"] = "not within this run's steps, nor 20,000";
  if (t.floor) j["floor"] = {{"predicted", number(t.floor)}, {"measured", number(t.last)}};
  j["statements"] = Json::array();
  for (const auto& s : t.statements)
    j["statements"].push_back({{"name", s.name}, {"verdict", words(s.verdict)}, {"sentence", s.sentence}});
  return j;
}

}  // namespace orrery
