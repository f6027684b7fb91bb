// The rows of an arm that votes, and what `orrery theory` prints of it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "runtime/run.hpp"
#include "runtime/theory/measured.hpp"
#include "runtime/theory/vote_theory.hpp"
#include "runtime/voting/spec.hpp"

namespace orrery {
namespace {

double mean(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}
std::string range(const std::vector<double>& x) {
  return fmt::format("between {:.4g} and {:.4g}", *std::min_element(x.begin(), x.end()),
                     *std::max_element(x.begin(), x.end()));
}

void measured_rows(const MeasuredVotes& m, TheoryTable& table) {
  const VotePhase& seen = m.seen;
  const auto row = [&](const char* quantity, std::optional<double> predicted, std::optional<double> measured,
                       const std::string& note) {
    table.rows.push_back({quantity, predicted, measured, note});
  };
  row("agreement with the decision, mean of the workers", {}, mean(seen.agreement),
      fmt::format("{}; {} votes looked at, {}", range(seen.agreement), seen.looks, m.phase));
  if (m.through_tiers) {
    const std::string note = "exact for majorities of majorities with these p, by octaves of |g_n|";
    row("decoding error", m.through_tiers, seen.decoding_error, note);
    row("decoding error weighted by the gradient", m.through_tiers_weighted, seen.vote_error, note);
  }
  if (!m.of_p) {
    row("cross-over rate p, mean of the workers", {}, {}, m.why_no_prediction);
    return;
  }
  row("cross-over rate p, mean of the workers", {}, mean(seen.p),
      range(seen.p) + "; a worker's p is its mean over coordinates of very different signal to noise");
  row("cross-over rate p weighted by the gradient, mean of the workers", {}, mean(seen.p_weighted),
      range(seen.p_weighted));

  // the vote's own error, then what other weights would do
  const sign_vote::VotePrediction& p = *m.of_p;
  const sign_vote::ClassPrediction &parts = m.by_class, &weighted = m.by_class_weighted;
  const double error = seen.decoding_error;
  const auto exact = [&](const std::optional<double>& v) {
    return v ? "exact for independent votes with these p, a zero tossing a coin"
             : "too many different workers to enumerate";
  };
  const std::string by_class = fmt::format(", by octaves of |g_n|, {}", m.weights);
  row("decoding error", p.own, error,
      fmt::format("{}, were they the same in every coordinate; {}{}", exact(p.own), m.weights,
                  m.per_coordinate ? " over all coordinates, about which those of single ones scatter" : ""));
  row("decoding error", parts.own, error, exact(parts.own) + by_class);
  if (m.majority) row("decoding error", parts.hoeffding, error, "bound of Hoeffding" + by_class);
  row("decoding error", parts.kearns_saul, error, "bound of Kearns and Saul" + by_class);
  row("decoding error", parts.chernoff, error, "Chernoff bound" + by_class);
  row("decoding error weighted by the gradient", weighted.own, seen.vote_error, exact(weighted.own) + by_class);
  if (!m.majority) row("decoding error of a majority", p.majority, {}, exact(p.majority));
  row("decoding error of the weights ln((1-p)/p)", p.weighted, {}, exact(p.weighted));
  row("decoding error of the weights ln((1-p)/p)", p.bounds.weighted_kearns_saul, {},
      fmt::format("bound of Kearns and Saul: exp(-M gamma) with gamma = {:.4g}; Bhattacharyya {:.4g}", p.gamma,
                  p.bounds.weighted_bhattacharyya));
}

void convergence_rows(const Experiment& e, size_t index, const VoteTheory& t, const RunResult& r, bool measured,
                      TheoryTable& table, std::vector<std::string>* warnings) {
  const VoteConvergence& c = t.convergence;
  const auto weights = time_weights(r.record_steps, e.record.every);
  const std::string sampled = !measured || e.record.every == 1
                                  ? ""
                                  : fmt::format("; measured at {} of {} steps", r.record_steps.size(), e.steps);
  const auto average = [&](auto... what) {
    return measured ? time_average(recorded_values(e, r, index, what...), weights) : std::nullopt;
  };
  using F = std::function<double(double, double)>;
  const std::string norm = "grad_norm_1", error = "vote_error";
  const auto descent = average(norm, error, F([](double g, double wrong) { return g * (1 - 2 * wrong); }));
  const auto lost = average(norm, error, F([](double g, double wrong) { return g * wrong; }));
  const auto gradient = average(norm);
  const std::string missing = measured && !descent ? "; record grad_norm_1 and vote_error to compare" : "";

  const std::string quantity = "time average of sum_n |g_n| (1 - 2 P_E)";
  if (c.R)
    table.rows.push_back(
        {quantity, c.R, descent,
         "bound of sign descent, any decoder" +
             (c.best_R ? fmt::format("; {:.4g} with the best step {:.4g}", *c.best_R, *c.best_step) : "") + sampled +
             missing});
  else
    table.rows.push_back({quantity, {}, descent, fmt::format("no bound: {}", fmt::join(c.reasons, "; "))});
  // rounding of the model and of the sums
  const double slack = e.precision == Precision::fp64 ? 1e-9 : 1e-4;
  if (c.R && descent && warnings && *descent > *c.R * (1 + slack))
    warnings->push_back(fmt::format("{}{}: measured {:.6g}, above the bound {:.6g} of sign descent{}",
                                    e.has_arms ? fmt::format("arm \"{}\": ", table.arm) : "", quantity, *descent, *c.R,
                                    sampled));

  const bool majority = e.arms[index].algorithm->voting()->vote == Vote::majority;
  const auto floor = majority ? c.majority_floor : c.weighted_floor;
  const std::string whose = majority ? "equal weights" : "weights sqrt(B)";
  const std::string near = " close to a stationary point (all S <= 2/sqrt 3), " + whose;
  if (!c.floor_reasons.empty()) {
    table.rows.push_back({"time average of |grad f(u)|_1",
                          {},
                          gradient,
                          fmt::format("no noise floor: {}", fmt::join(c.floor_reasons, "; "))});
    return;
  }
  table.rows.push_back({"time average of sum_n |g_n| P_E", floor, lost, "noise floor" + near + sampled});
  table.rows.push_back({"sum_n |g_n| P_E",
                        majority ? c.weighted_floor : c.majority_floor,
                        {},
                        fmt::format("noise floor of {}", majority ? "weights sqrt(B)" : "equal weights")});
  table.rows.push_back({"time average of |grad f(u)|_1", c.R ? std::optional(*c.R + 2 * *floor) : std::nullopt,
                        gradient, c.R ? "bound R + 2 floor" + near + sampled : "no bound without R"});
}

}  // namespace

TheoryTable vote_table(const Experiment& e, size_t index, const std::string& name, const VoteTheory& t,
                       const RunResult& r, bool measured, std::vector<std::string>* warnings) {
  TheoryTable table{name, {}};
  if (t.tables)
    table.rows.push_back(
        {"efficiency of the majority, eta",
         t.tables->efficiency,
         {},
         "its effective samples over those of weights sqrt(B), for these batches at low signal to noise" +
             (t.beyond.empty() ? "" : "; of " + t.beyond)});
  if (t.measured)
    measured_rows(*t.measured, table);
  else if (measured)
    table.rows.push_back({"cross-over rate p, mean of the workers",
                          {},
                          {},
                          e.arms[index].algorithm->voting()->decides_signs()
                              ? "record vote_error to compare"
                              : "numbers are averaged, no sign is decided"});
  if (t.measured && t.measured->seen.references > 0 && t.measured->seen.vote_error > 0.5 && warnings)
    warnings->push_back(
        fmt::format("{}vote_error {:.3g}: the votes decode worse than coins; learned weights that trusted a wrong "
                    "majority (workers with "
                    "small data sets of their own, tiny batches, many ties) turn against the right ones, or "
                    "adversaries are many; shared "
                    "or larger data, a longer warm-up or vote = \"fv-worker\" may help",
                    e.has_arms ? fmt::format("arm \"{}\": ", name) : "", t.measured->seen.vote_error));
  if (t.measured && !t.measured->exceeded.empty() && warnings)
    warnings->push_back(
        fmt::format("{}decoding error: measured {:.6g}, above the bound{} of {} for independent votes with the "
                    "measured p: the votes "
                    "depend on each other, are wrong more often on one side, or p differs much between coordinates "
                    "with |g_n| of like "
                    "size{}",
                    e.has_arms ? fmt::format("arm \"{}\": ", name) : "", t.measured->seen.decoding_error,
                    t.measured->exceeded.size() > 1 ? "s" : "", fmt::join(t.measured->exceeded, ", "),
                    t.measured->per_coordinate ? "; or the weights of single coordinates are still noisy" : ""));
  convergence_rows(e, index, t, r, measured, table, warnings);
  if (measured && !r.arms[index].bits.empty())
    table.rows.push_back({"bits up and down, whole run", {}, r.arms[index].bits.back(), "of a replica"});
  return table;
}

std::string vote_text(const VoteTheory& t, const std::string& same_tables_as) {
  std::string text;
  if (!same_tables_as.empty()) {
    text = fmt::format("    tables as in arm \"{}\"\n", same_tables_as);
  } else if (!t.tables) {
    text = fmt::format("    no tables: {}\n", t.why_no_tables);
  } else {
    text = "    ";
    for (const char c : sign_vote::to_text(*t.tables)) {
      text += c;
      if (c == '\n') text += "    ";
    }
    while (text.ends_with(' ')) text.pop_back();
  }

  if (!t.beyond.empty()) text += fmt::format("    of {}\n", t.beyond);
  const VoteConvergence& c = t.convergence;
  text += "      convergence\n";
  if (c.R) {
    text += fmt::format(
        "        mean of sum_n |g_n| (1 - 2 P_E) over the run at most R = {:.6g}; sum_n L_n = {:.6g} ({})\n", *c.R,
        *c.norm1_L.value, c.norm1_L.how);
    if (c.best_R) text += fmt::format("        with the best step {:.4g} at most {:.6g}\n", *c.best_step, *c.best_R);
  } else {
    text += fmt::format("        no bound: {}\n", fmt::join(c.reasons, "; "));
  }
  if (c.floor_reasons.empty())
    text += fmt::format("        noise floor of sum_n |g_n| P_E: majority {:.6g}, weights sqrt(B) {:.6g}\n",
                        *c.majority_floor, *c.weighted_floor);
  else
    text += fmt::format("        no noise floor: {}\n", fmt::join(c.floor_reasons, "; "));
  return text;
}

}  // namespace orrery
