#include "runtime/expect/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace orrery {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// One arm's metric at a moment, per replica; empty where the run has no such step.
using Reading = std::vector<double>;

double mean_of(const Reading& r) {
  double sum = 0;
  for (double v : r) sum += v;
  return r.empty() ? kNaN : sum / static_cast<double>(r.size());
}
double deviation_of(const Reading& r) {
  const double m = mean_of(r);
  double squares = 0;
  for (double v : r) squares += (v - m) * (v - m);
  return r.size() > 1 ? std::sqrt(squares / static_cast<double>(r.size() - 1)) : 0;
}

std::string show(double v) { return std::isfinite(v) ? fmt::format("{:.6g}", v) : "not finite"; }
std::string show(const Reading& r) {
  const double d = deviation_of(r);
  if (r.size() < 2 || !std::isfinite(d)) return show(mean_of(r));
  // two digits of the deviation decide the mean's
  if (d <= 1e-7 * std::abs(mean_of(r))) return show(mean_of(r));
  const int decimals = std::clamp(1 - static_cast<int>(std::floor(std::log10(d))), 0, 12);
  return std::abs(mean_of(r)) < 1e-3 || std::abs(mean_of(r)) >= 1e6
             ? fmt::format("{:.4g} ± {:.2g}", mean_of(r), d)
             : fmt::format("{:.{}f} ± {:.{}f}", mean_of(r), decimals, d, decimals);
}

class Reader {
 public:
  explicit Reader(const Measured& m) : m_(m) {}

  const std::vector<std::vector<double>>& replicas(const std::string& arm, const std::string& metric) const {
    const auto a = std::find(m_.arms.begin(), m_.arms.end(), arm) - m_.arms.begin();
    const auto k = std::find(m_.metrics.begin(), m_.metrics.end(), metric) - m_.metrics.begin();
    return (*m_.values.at(static_cast<size_t>(a))).at(static_cast<size_t>(k));
  }

  std::optional<Reading> at(const std::string& arm, const std::string& metric, const Moment& moment) const {
    const auto& steps = m_.record_steps;
    const auto point = std::find(steps.begin(), steps.end(), moment.step) - steps.begin();
    if (moment.kind == Moment::Kind::step && point == static_cast<std::ptrdiff_t>(steps.size())) return std::nullopt;
    Reading out;
    for (const auto& series : replicas(arm, metric)) switch (moment.kind) {
        case Moment::Kind::last: out.push_back(series.back()); break;
        case Moment::Kind::step: out.push_back(series.at(static_cast<size_t>(point))); break;
        case Moment::Kind::max: {
          double most = series.front();
          for (double v : series) most = std::isnan(v) || v > most ? v : most;
          out.push_back(most);
          break;
        }
        case Moment::Kind::mean: {
          const size_t n = std::max<size_t>(1, series.size() - 1);
          double sum = 0;
          for (size_t t = 0; t < n; ++t) sum += series[t];
          out.push_back(sum / static_cast<double>(n));
          break;
        }
      }
    return out;
  }

  // Mean over the replicas of `what` at the first record point where the mean of `metric` is <= level.
  std::optional<double> reached(const std::string& arm, const std::string& metric, double level,
                                const std::string& what) const {
    const auto across = [&](const std::string& name, size_t t) {
      Reading now;
      for (const auto& series : replicas(arm, name)) now.push_back(series.at(t));
      return mean_of(now);
    };
    for (size_t t = 0; t < m_.record_steps.size(); ++t)
      if (across(metric, t) <= level) return what == "step" ? static_cast<double>(m_.record_steps[t]) : across(what, t);
    return std::nullopt;
  }

 private:
  const Measured& m_;
};

std::string bounds(const ExpectRow& row) {
  if (row.at_least && row.at_most) return fmt::format("{:g} to {:g}", *row.at_least, *row.at_most);
  return row.at_least ? fmt::format("at least {:g}", *row.at_least) : fmt::format("at most {:g}", *row.at_most);
}
Verdict judge(bool holds) { return holds ? Verdict::yes : Verdict::no; }
bool bounded(const ExpectRow& row) { return row.at_least || row.at_most; }
bool inside(const ExpectRow& row, double v) {
  return std::isfinite(v) && (!row.at_least || v >= *row.at_least) && (!row.at_most || v <= *row.at_most);
}
std::string called(const std::string& arm) { return arm.empty() ? "this run" : arm; }

void judge_value(const ExpectRow& row, const std::vector<Reading>& readings, ExpectLine& line) {
  const double measured = mean_of(readings[0]);
  line.measured = row.within && *row.within < 1e-5 ? fmt::format("{:.10g}", measured) : show(readings[0]);
  line.values = {measured};
  bool holds = true;
  if (row.within) holds = std::abs(measured - *row.reference) <= *row.within * std::abs(*row.reference);
  if (row.within || bounded(row)) line.verdict = judge(holds && inside(row, measured));
}

// a < b (1 + margin) for every neighbour, in the means or in every replica
void judge_order(const ExpectRow& row, const std::vector<Reading>& readings, ExpectLine& line) {
  bool all = true;
  for (size_t k = 0; k < readings.size(); ++k) {
    line.values.push_back(mean_of(readings[k]));
    bool rises = true;
    if (k > 0) {
      const auto below = [&](double a, double b) { return a < b + row.margin * std::abs(b); };
      rises = below(line.values[k - 1], line.values[k]);
      if (row.each_replica)
        for (size_t r = 0; r < readings[k].size(); ++r) rises = rises && below(readings[k - 1][r], readings[k][r]);
      line.measured += rises ? " < " : " !< ";
    }
    line.measured += fmt::format("{} {}", show(line.values[k]), called(row.arms[k]));
    all = all && rises && std::isfinite(line.values[k]);
  }
  line.verdict = judge(all);
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

void describe(const ExpectRow& row, ExpectLine& line) {
  using Kind = ExpectRow::Kind;
  const std::string when = fmt::format("{} ({})", row.metric, line.at);
  const auto pair = fmt::format("{} / {}", called(row.arms[0]), called(row.arms.back()));
  switch (row.kind) {
    case Kind::value:
      line.what = row.arms[0].empty() ? when : fmt::format("{}: {}", row.arms[0], when);
      line.expected = row.reference ? fmt::format("{}", *row.reference) : row.reference_text;  // as written
      if (row.within) line.expected += fmt::format(" within {:g} %", 100 * *row.within);
      if (bounded(row)) line.expected += (line.expected.empty() ? "" : ", ") + bounds(row);
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

}  // namespace

ExpectTable evaluate(const ExpectSpec& spec, const Measured& measured) {
  using Kind = ExpectRow::Kind;
  const Reader reader(measured);
  ExpectTable table;
  table.source = spec.source;
  for (const ExpectRow& row : spec.rows) {
    ExpectLine line;
    line.kind = name(row.kind), line.metric = row.metric, line.arms = row.arms, line.note = row.note;
    line.at = row.kind == Kind::reach ? "" : name(row.at);
    describe(row, line);
    std::vector<Reading> readings;
    bool recorded = true;
    if (row.kind != Kind::reach)
      for (const auto& arm : row.arms) {
        auto r = reader.at(arm, row.metric, row.at);
        recorded = recorded && r.has_value();
        readings.push_back(r.value_or(Reading{}));
      }
    if (!recorded)
      line.measured = "beyond the last step of this run";
    else if (row.kind == Kind::value)
      judge_value(row, readings, line);
    else if (row.kind == Kind::order)
      judge_order(row, readings, line);
    else if (row.kind == Kind::agree)
      judge_agreement(row, readings, line);
    else if (row.kind == Kind::ratio)
      judge_ratio(row, readings, line);
    else
      judge_reach(row, reader, line);
    table.lines.push_back(std::move(line));
  }
  return table;
}

}  // namespace orrery
