#include "runtime/expect/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "runtime/expect/reader.hpp"

namespace orrery {
namespace {

using expect::mean_of;
using expect::median_of;
using expect::Reader;
using expect::Reading;
using expect::show;
using expect::show_median;

std::string bounds(const ExpectRow& row) {
  if (!row.at_least_theory.empty() || !row.at_most_theory.empty()) {
    const auto one = [](const char* what, const std::optional<double>& number, const std::string& path) {
      if (path.empty()) return number ? fmt::format("{} {:g}", what, *number) : std::string();
      return fmt::format("{} {}{}", what, path, number ? fmt::format(" = {:.6g}", *number) : "");
    };
    const std::string low = one("at least", row.at_least, row.at_least_theory),
                      high = one("at most", row.at_most, row.at_most_theory);
    return low + (low.empty() || high.empty() ? "" : ", ") + high;
  }
  if (row.at_least && row.at_most) return fmt::format("{:g} to {:g}", *row.at_least, *row.at_most);
  return row.at_least ? fmt::format("at least {:g}", *row.at_least) : fmt::format("at most {:g}", *row.at_most);
}
Verdict judge(bool holds) { return holds ? Verdict::yes : Verdict::no; }
bool bounded(const ExpectRow& row) {
  return row.at_least || row.at_most || !row.at_least_theory.empty() || !row.at_most_theory.empty();
}
bool inside(const ExpectRow& row, double v) {
  return std::isfinite(v) && (!row.at_least || v >= *row.at_least) && (!row.at_most || v <= *row.at_most);
}
std::string called(const std::string& arm) { return arm.empty() ? "this run" : arm; }

// What value and order rows judge, and how it is shown.
double judged(const ExpectRow& row, const Reading& r) { return row.median ? median_of(r) : mean_of(r); }
std::string shown(const ExpectRow& row, const Reading& r) { return row.median ? show_median(r) : show(r); }

void judge_value(const ExpectRow& row, const std::vector<Reading>& readings, ExpectLine& line) {
  const double measured = judged(row, readings[0]);
  line.measured = row.within && *row.within < 1e-5 && std::isfinite(measured) ? fmt::format("{:.10g}", measured)
                                                                              : shown(row, readings[0]);
  line.values = {measured};
  bool holds = true;
  if (row.within) holds = std::abs(measured - *row.reference) <= *row.within * std::abs(*row.reference);
  if (row.within || bounded(row)) line.verdict = judge(holds && inside(row, measured));
}

void judge_theory(const ExpectRow& row, const std::optional<double>& value, ExpectLine& line) {
  if (!value) {
    line.measured = fmt::format("theory.json has no number at {}", row.metric);
    line.verdict = Verdict::no;
    return;
  }
  judge_value(row, {{*value}}, line);
  if (!row.within || *row.within >= 1e-5) line.measured = fmt::format("{:.7g}", *value);
}

// Paths into theory.json become numbers; "" or the path that leads to none.
std::string resolve_bounds(ExpectRow& row, const TheoryValues& theory, size_t arm) {
  for (auto [path, number] :
       {std::pair(&row.at_least_theory, &row.at_least), std::pair(&row.at_most_theory, &row.at_most)}) {
    if (path->empty()) continue;
    *number = theory.find(arm, *path);
    if (!*number) return *path;
  }
  return "";
}

// a < b (1 + margin) for every neighbour, in the means or medians, or in every replica. A median that is infinite, and a replica that has
// none of a median's values, lie above every number.
void judge_order(const ExpectRow& row, const std::vector<Reading>& readings, ExpectLine& line) {
  bool all = true;
  for (size_t k = 0; k < readings.size(); ++k) {
    line.values.push_back(judged(row, readings[k]));
    bool rises = true;
    if (k > 0) {
      const auto below = [&](double a, double b) {
        if (row.median && std::isfinite(a) && !std::isfinite(b)) return true;
        return a < b + (row.margin > 0 ? row.margin * std::abs(b) : 0);
      };
      rises = below(line.values[k - 1], line.values[k]);
      if (row.each_replica)
        for (size_t r = 0; r < readings[k].size(); ++r) rises = rises && below(readings[k - 1][r], readings[k][r]);
      line.measured += rises ? " < " : " !< ";
    }
    line.measured +=
        fmt::format("{} {}", row.median ? show_median(readings[k]) : show(line.values[k]), called(row.arms[k]));
    all = all && rises && (row.median || std::isfinite(line.values[k]));
  }
  line.verdict = judge(all);
}

// The same wherever the first arm has a record; shown is the first place that fails, else how many were looked at.
void judge_order_everywhere(const ExpectRow& row, const Reader& reader, ExpectLine& line) {
  const std::vector<double> where = reader.axis(row.arms[0], row.at.along);
  int64_t looked_at = 0;
  for (const double x : where) {
    if (x < row.at.from) continue;
    std::vector<Reading> readings;
    for (const auto& arm : row.arms)
      if (auto r = reader.between(arm, row.metric, row.at.along, x)) readings.push_back(*std::move(r));
    if (readings.size() < row.arms.size()) continue;  // beyond what another arm has recorded
    ExpectLine here;
    judge_order(row, readings, here);
    ++looked_at;
    line.values = here.values;
    line.verdict = here.verdict;
    line.measured = fmt::format("at {} {:g}: {}", row.at.along, x, here.measured);
    if (here.verdict == Verdict::no) return;
  }
  line.measured = looked_at == 0 ? "beyond the last step of this run" : fmt::format("at all {} records", looked_at);
}

void judge_agreement(const ExpectRow& row, const std::vector<Reading>& readings, ExpectLine& line) {
  for (const auto& r : readings) line.values.push_back(mean_of(r));
  const auto [low, high] = std::minmax_element(line.values.begin(), line.values.end());
  const double middle = mean_of(line.values);
  const double spread = *high == *low ? 0 : (*high - *low) / std::abs(middle);
  line.verdict = judge(std::isfinite(middle) && spread <= *row.within);
  line.measured = fmt::format("spread {:.2g} % over", 100 * spread);
  for (size_t k = 0; k < readings.size(); ++k)
    line.measured += fmt::format("{} {} {}", k == 0 ? "" : ",", show(line.values[k]), called(row.arms[k]));
}

void judge_ratio(const ExpectRow& row, const std::vector<Reading>& readings, ExpectLine& line) {
  const double a = mean_of(readings[0]), b = mean_of(readings[1]);
  line.values = {a / b};
  line.measured = fmt::format("{:.4g} = {} / {}", a / b, show(a), show(b));
  line.verdict = judge(inside(row, a / b));
}

void judge_reach(const ExpectRow& row, const Reader& reader, ExpectLine& line) {
  const auto a = reader.reached(row.arms[0], row.metric, row.level, row.ratio_of),
             b = reader.reached(row.arms[1], row.metric, row.level, row.ratio_of);
  if (!a || !b) {
    line.measured = fmt::format("never reached by {}", called(row.arms[a ? 1 : 0]));
    line.verdict = Verdict::no;
    return;
  }
  line.values = {*a / *b};
  line.measured = fmt::format("{:.4g} = {} / {}", *a / *b, show(*a), show(*b));
  line.verdict = judge(inside(row, *a / *b));
}

void describe_reference(const ExpectRow& row, ExpectLine& line) {
  line.expected = row.reference ? fmt::format("{}", *row.reference) : row.reference_text;  // as written
  if (row.within) line.expected += fmt::format(" within {:g} %", 100 * *row.within);
  if (bounded(row)) line.expected += (line.expected.empty() ? "" : ", ") + bounds(row);
}

void describe(const ExpectRow& row, ExpectLine& line) {
  using Kind = ExpectRow::Kind;
  const std::string when = fmt::format("{} ({}{})", row.metric, line.at, row.median ? ", median" : "");
  const auto pair = fmt::format("{} / {}", called(row.arms[0]), called(row.arms.back()));
  switch (row.kind) {
    case Kind::theory:
      line.what = row.arms[0].empty() ? row.metric : fmt::format("{}: {}", row.arms[0], row.metric);
      describe_reference(row, line);
      break;
    case Kind::value:
      line.what = row.arms[0].empty() ? when : fmt::format("{}: {}", row.arms[0], when);
      describe_reference(row, line);
      break;
    case Kind::order:
      line.what = when;
      line.expected = row.each_replica ? "ascending in every replica" : "ascending";
      if (row.margin > 0) line.expected += fmt::format(", ties within {:g} %", 100 * row.margin);
      break;
    case Kind::agree:
      line.what = when;
      line.expected = fmt::format("equal within {:g} %", 100 * *row.within);
      break;
    case Kind::ratio:
      line.what = fmt::format("{}: {}", pair, when);
      line.expected = bounds(row);
      break;
    case Kind::reach:
      line.what = fmt::format("{}: {} until {} {:g}", pair, row.ratio_of == "step" ? "steps" : row.ratio_of, row.metric,
                              row.level);
      line.expected = bounds(row);
      break;
  }
}

ExpectLine judge_row(ExpectRow row, const Reader& reader, const Measured& m) {
  using Kind = ExpectRow::Kind;
  const auto arm = static_cast<size_t>(std::find(m.arms.begin(), m.arms.end(), row.arms[0]) - m.arms.begin());
  const std::string missing = resolve_bounds(row, m.theory, arm);
  ExpectLine line;
  line.kind = name(row.kind), line.metric = row.metric, line.arms = row.arms, line.note = row.note;
  line.at = row.kind == Kind::reach || row.kind == Kind::theory ? "" : name(row.at);
  describe(row, line);
  if (!missing.empty()) {
    line.measured = fmt::format("theory.json has no number at {}", missing);
    line.verdict = Verdict::no;
    return line;
  }
  if (row.kind == Kind::theory) {
    judge_theory(row, m.theory.find(arm, row.metric), line);
    return line;
  }
  if (row.kind == Kind::reach) {
    judge_reach(row, reader, line);
    return line;
  }
  if (row.at.kind == Moment::Kind::every) {
    judge_order_everywhere(row, reader, line);
    return line;
  }
  std::vector<Reading> readings;
  for (const auto& name : row.arms) {
    const auto r = reader.at(name, row.metric, row.at);
    if (!r) {
      line.measured = "beyond the last step of this run";
      return line;
    }
    readings.push_back(*r);
  }
  switch (row.kind) {
    case Kind::order: judge_order(row, readings, line); break;
    case Kind::agree: judge_agreement(row, readings, line); break;
    case Kind::ratio: judge_ratio(row, readings, line); break;
    default: judge_value(row, readings, line);
  }
  return line;
}

}  // namespace

ExpectTable evaluate(const ExpectSpec& spec, const Measured& measured) {
  const Reader reader(measured);
  ExpectTable table;
  table.source = spec.source;
  for (const ExpectRow& row : spec.rows) table.lines.push_back(judge_row(row, reader, measured));
  return table;
}

ExpectTable evaluate_theory(const ExpectSpec& spec, const std::vector<std::string>& arms, const TheoryValues& theory) {
  ExpectSpec without_a_run = spec;
  std::erase_if(without_a_run.rows, [](const ExpectRow& row) { return row.kind != ExpectRow::Kind::theory; });
  const std::vector<std::string> no_metrics;
  const std::vector<int64_t> no_steps;
  return evaluate(without_a_run, {arms, no_metrics, no_steps, {}, theory});
}

}  // namespace orrery
