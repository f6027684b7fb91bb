#include "runtime/expect/spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "kernels/core/registry.hpp"

namespace orrery {

std::string name(const Moment& m) {
  switch (m.kind) {
    case Moment::Kind::last: return "last";
    case Moment::Kind::mean:
      if (m.until) return fmt::format("mean from step {:g} to {}", m.from, *m.until - 1);
      return m.from > 0 ? fmt::format("mean from step {:g}", m.from) : "mean";
    case Moment::Kind::min: return "min";
    case Moment::Kind::max: return "max";
    case Moment::Kind::every: return fmt::format("every record from {} {:g} on", m.along, m.from);
    case Moment::Kind::decay:
      return fmt::format("decay from step {:g} to {}", m.from, m.until ? fmt::format("{}", *m.until) : "the last");
    default: return fmt::format("step {}", m.step);
  }
}

const char* name(ExpectRow::Kind kind) {
  switch (kind) {
    case ExpectRow::Kind::value: return "value";
    case ExpectRow::Kind::theory: return "theory";
    case ExpectRow::Kind::order: return "order";
    case ExpectRow::Kind::agree: return "agree";
    case ExpectRow::Kind::ratio: return "ratio";
    default: return "reach";
  }
}

namespace {

bool holds(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string known_arm(const Params& row, const std::string& key, const std::string& arm, const ExpectContext& c) {
  if (!c.has_arms && !arm.empty())
    row.fail(key, fmt::format("this file has no arms, \"{}\" is none of them; leave this key out", arm));
  if (!holds(c.arms, arm)) {
    const std::string near = nearest(arm, c.arms);
    row.fail(key, fmt::format(
                      "no arm is called \"{}\"; {}", arm,
                      near.empty() ? "name one of the arms of this file" : fmt::format("did you mean \"{}\"?", near)));
  }
  return arm;
}

std::string one_arm(Params& row, const std::string& key, const ExpectContext& c) {
  const bool optional = !c.has_arms && !row.has(key);
  return known_arm(row, key, optional ? "" : row.text(key, std::nullopt), c);
}

std::vector<std::string> several_arms(Params& row, const std::string& key, const ExpectContext& c) {
  const auto arms = row.texts(key, std::nullopt);
  std::set<std::string> seen;
  for (const auto& arm : arms)
    if (!seen.insert(known_arm(row, key, arm, c)).second)
      row.fail(key, fmt::format("\"{}\" is named twice; name each arm once", arm));
  if (arms.size() < 2) row.fail(key, "compares fewer than two arms; name at least two");
  return arms;
}

std::string known_metric(Params& row, const std::string& key, const std::string& metric, const ExpectContext& c) {
  if (!holds(c.metrics, metric)) {
    const std::string near = nearest(metric, c.metrics);
    row.fail(key, fmt::format("\"{}\" is not recorded; {}", metric,
                              near.empty() ? "add it to record.metrics" : fmt::format("did you mean \"{}\"?", near)));
  }
  return metric;
}

// The steps from <= t < until that a mean is over. A window beyond a shortened run is no error.
void read_window(Params& row, const ExpectContext& c, Moment& m) {
  if (row.has("from")) m.from = row.number("from", 0, at_least(0));
  if (!row.has("until")) return;
  m.until = row.integer("until", std::nullopt, at_least(1));
  const auto until = static_cast<double>(*m.until), every = static_cast<double>(c.every);
  if (until <= m.from)
    row.fail("until", fmt::format("{} is not above from, which is {:g}; the mean is over from <= step < until",
                                  *m.until, m.from));
  if (*m.until <= c.steps && std::ceil(m.from / every) * every >= until)
    row.fail("until", fmt::format("no record point lies from step {:g} to {}; give a window that holds a multiple of "
                                  "record.every, which is {}",
                                  m.from, *m.until - 1, c.every));
}

// The two steps that a decay lies between. One beyond a shortened run is no error.
void read_decay(Params& row, const ExpectContext& c, Moment& m) {
  const auto point = [&](const char* key, int64_t least, int64_t other) {
    const int64_t step = row.integer(key, other, at_least(least));
    if (step < c.steps && step % c.every != 0)
      row.fail(key,
               fmt::format("step {} is no record point; give a multiple of record.every, which is {}", step, c.every));
    return step;
  };
  m.from = static_cast<double>(point("from", 0, 0));
  if (row.has("until")) m.until = point("until", 1, c.steps);
  if (m.until && static_cast<double>(*m.until) <= m.from)
    row.fail("until", fmt::format("{} is not above from, which is {:g}; the decay is from one step to a later one",
                                  *m.until, m.from));
  m.unit = row.number("unit", 1.0, above(0));
}

Moment read_at(Params& row, const ExpectContext& c, bool may_be_every) {
  using Kind = Moment::Kind;
  Moment m;
  if (row.is_number("at")) {
    m.kind = Kind::step;
    m.step = row.integer("at", std::nullopt, at_least(0));
    if (m.step < c.steps && m.step % c.every != 0)
      row.fail("at", fmt::format("step {} is no record point; give a multiple of record.every, which is {}", m.step,
                                 c.every));
    return m;
  }
  std::vector<std::string> words{"last", "mean", "min", "max", "decay"};
  if (may_be_every) words.push_back("every");
  const std::string word = row.choice("at", "last", words);
  m.kind = word == "mean"    ? Kind::mean
           : word == "min"   ? Kind::min
           : word == "max"   ? Kind::max
           : word == "every" ? Kind::every
           : word == "decay" ? Kind::decay
                             : Kind::last;
  if (m.kind == Kind::mean) read_window(row, c, m);
  if (m.kind == Kind::decay) read_decay(row, c, m);
  if (m.kind != Kind::every) return m;
  m.along = row.text("along", "step");
  if (m.along != "step") known_metric(row, "along", m.along, c);
  m.from = row.number("from", 0);
  return m;
}

// A number, or where theory may stand in for one a path into theory.json.
void read_bound(Params& row, const std::string& key, std::optional<double>& number, std::string* theory) {
  if (!row.has(key)) return;
  if (theory && row.is_text(key))
    *theory = row.text(key, std::nullopt);
  else
    number = row.number(key, std::nullopt);
}

bool read_bounds(Params& row, ExpectRow& r) {
  const bool theory = r.kind == ExpectRow::Kind::value || r.kind == ExpectRow::Kind::theory;
  read_bound(row, "at_least", r.at_least, theory ? &r.at_least_theory : nullptr);
  read_bound(row, "at_most", r.at_most, theory ? &r.at_most_theory : nullptr);
  if (r.at_least && r.at_most && *r.at_least > *r.at_most)
    row.fail("at_least", fmt::format("{:g} is above at_most, which is {:g}; exchange them", *r.at_least, *r.at_most));
  return r.at_least || r.at_most || !r.at_least_theory.empty() || !r.at_most_theory.empty();
}
void require_bounds(Params& row, ExpectRow& r) {
  if (!read_bounds(row, r)) row.fail("at_least", "no bound is given; give at_least, at_most or both");
}

// A number or a text to print beside, with or without a tolerance; or bounds alone.
void read_reference(Params& row, ExpectRow& r) {
  const bool bounded = read_bounds(row, r);
  if (row.is_text("reference"))
    r.reference_text = row.text("reference", std::nullopt);
  else if (row.has("reference") || !bounded)
    r.reference = row.number("reference", std::nullopt);
  if (!row.has("within")) return;
  r.within = row.number("within", std::nullopt, at_least(0));
  if (!r.reference) row.fail("within", "needs a reference that is a number; give one or leave the tolerance out");
}

ExpectRow read_row(Params& row, ExpectRow::Kind kind, const ExpectContext& c) {
  using Kind = ExpectRow::Kind;
  ExpectRow r;
  r.kind = kind;
  r.metric = kind == Kind::theory ? row.text("quantity", std::nullopt)
                                  : known_metric(row, "metric", row.text("metric", std::nullopt), c);
  if (row.has("note")) r.note = row.text("note", std::nullopt);
  if (kind != Kind::reach && kind != Kind::theory) r.at = read_at(row, c, kind == Kind::order);
  if ((kind == Kind::value || kind == Kind::order) && row.has("of"))
    r.median = row.choice("of", "mean", {"mean", "median"}) == "median";
  switch (kind) {
    case Kind::value:
    case Kind::theory:
      r.arms = {one_arm(row, "arm", c)};
      read_reference(row, r);
      break;
    case Kind::order:
      r.arms = several_arms(row, "ascending", c);
      if (row.has("margin")) r.margin = row.number("margin", std::nullopt, at_least(0));
      if (row.has("each_replica")) r.each_replica = row.flag("each_replica", std::nullopt);
      break;
    case Kind::agree:
      r.arms = several_arms(row, "arms", c);
      r.within = row.number("within", std::nullopt, at_least(0));
      break;
    case Kind::ratio:
      r.arms = {one_arm(row, "arm", c), one_arm(row, "to", c)};
      require_bounds(row, r);
      break;
    case Kind::reach:
      r.arms = {one_arm(row, "arm", c), one_arm(row, "to", c)};
      r.level = row.number("level", std::nullopt);
      r.ratio_of = row.text("ratio_of", "step");
      if (r.ratio_of != "step") known_metric(row, "ratio_of", r.ratio_of, c);
      require_bounds(row, r);
      break;
  }
  return r;
}

}  // namespace

ExpectSpec parse_expect(Params section, const ExpectContext& c) {
  using Kind = ExpectRow::Kind;
  ExpectSpec spec;
  spec.source = section.text("source", "");
  spec.required = section.flag("required", false);
  for (Kind kind : {Kind::value, Kind::theory, Kind::order, Kind::agree, Kind::ratio, Kind::reach})
    for (Params& row : section.tables(name(kind))) spec.rows.push_back(read_row(row, kind, c));
  section.require_all_read();
  return spec;
}

}  // namespace orrery
