#include "runtime/theory/sign_vote/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "kernels/core/error.hpp"
#include "runtime/theory/sign_vote/decoding_bounds.hpp"
#include "runtime/theory/sign_vote/decoding_error.hpp"

namespace orrery::sign_vote {
namespace {

constexpr int64_t most_workers_learned = 10'000;

std::string value(double x) { return fmt::format("{:.5g}", x); }
std::string value(const std::optional<double>& x) { return x ? value(*x) : "-"; }

std::string batches_text(const SignVoteTables& t) {
  std::string text;
  for (const auto& [workers, batch] : t.groups) {
    if (text.size() > 60) return text + ", ...";
    text += fmt::format("{}{} x {}", text.empty() ? "" : ", ", workers, batch);
  }
  return text;
}

std::string effective_text(const SignVoteTables& t) {
  const EffectiveSamples& n = t.samples;
  return fmt::format(
      "  batches {}\n"
      "    efficiency of the majority eta = {:.4f}\n"
      "    effective samples: weighted vote {:.5g}, majority {:.5g}, gradients weighted by batch {:.5g}, unweighted "
      "{:.5g}\n",
      batches_text(t), t.efficiency, n.weighted_vote, n.majority, n.weighted_gradients, n.unweighted_gradients);
}

// a header and one line per s
template <class Line>
std::string table(const SignVoteTables& t, const std::string& title, const std::string& columns, const Line& line) {
  std::string text = fmt::format("  {}\n    {}\n", title, columns);
  for (const SnrTables& row : t.snr) text += fmt::format("    {}\n", line(row));
  return text;
}

std::string errors_text(const SignVoteTables& t) {
  return table(t, "decoding error P_E, exact (Gaussian noise, s = |g|/sigma of one sample, p = Q(s sqrt(B)))",
               fmt::format("{:<8}{:<12}{:<12}{:<12}{:<12}{:<12}{:<12}{:<12}", "s", "p least", "p most", "majority",
                           "weights w", "sqrt(B)", "SGD unw.", "SGD w."),
               [](const SnrTables& r) {
                 return fmt::format("{:<8g}{:<12}{:<12}{:<12}{:<12}{:<12}{:<12}{:<12}", r.s, value(r.p_least),
                                    value(r.p_most), value(r.errors.majority), value(r.errors.weighted),
                                    value(r.errors.sqrt_batch), value(r.errors.unweighted_gradients),
                                    value(r.errors.weighted_gradients));
               }) +
         table(t, "the same at low s: Q(s sqrt(effective samples))",
               fmt::format("{:<8}{:<12}{:<12}", "s", "majority", "sqrt(B)"), [](const SnrTables& r) {
                 return fmt::format("{:<8g}{:<12}{:<12}", r.s, value(r.low_snr_majority), value(r.low_snr_best));
               });
}

std::string bounds_text(const SignVoteTables& t) {
  return table(
      t, "bounds on P_E (this implementation): majority, then weights w = ln((1-p)/p), exp(-M gamma) = Kearns-Saul",
      fmt::format("{:<8}{:<12}{:<15}{:<12}{:<15}{:<13}{:<12}", "s", "Hoeffding", "mean-Chernoff", "Chernoff",
                  "Bhattacharyya", "Kearns-Saul", "gamma"),
      [](const SnrTables& r) {
        return fmt::format("{:<8g}{:<12}{:<15}{:<12}{:<15}{:<13}{:<12}", r.s, value(r.bounds.majority_hoeffding),
                           value(r.bounds.majority_mean_chernoff), value(r.bounds.majority_chernoff),
                           value(r.bounds.weighted_bhattacharyya), value(r.bounds.weighted_kearns_saul),
                           value(r.gamma));
      });
}

std::string learned_text(const SignVoteTables& t) {
  if (t.snr.empty() || !t.snr[0].learned) return "";
  std::string columns =
      fmt::format("{:<8}{:<12}{:<12}{:<17}{:<12}", "s", "majority", "first", "self-consistent", "weights w");
  for (const auto& [workers, batch] : t.groups)
    columns += fmt::format("{:<24}", fmt::format("w / learned, B = {}", batch));
  return table(t, "learned weights after endless estimation: P_E of the majority, the first weighted vote, ...",
               columns, [&](const SnrTables& r) {
                 const SelfVote& v = *r.learned;
                 std::string line = fmt::format("{:<8g}{:<12}{:<12}{:<17}{:<12}", r.s, value(v.majority),
                                                value(v.first), value(v.self_consistent), value(v.true_weighted));
                 for (size_t k = 0; k < v.weights.size(); ++k)
                   line +=
                       fmt::format("{:<24}", fmt::format("{:.3f} / {:.3f}", v.true_weights[k], v.warmup_weights[k]));
                 return line;
               });
}

std::string uniform_text(const SignVoteTables& t) {
  std::string text = fmt::format("  exponents gamma for p ~ Uniform[0, a]\n    {:<6}{:<15}{:<13}{:<15}{:<12}{:<12}\n",
                                 "a", "Bhattacharyya", "Kearns-Saul", "mean-Chernoff", "majority", "Hoeffding");
  for (const auto& [a, e] : t.uniform)
    text += fmt::format("    {:<6g}{:<15.5f}{:<13.5f}{:<15.5f}{:<12.5f}{:<12.5f}\n", a, e.wmv_bhattacharyya,
                        e.wmv_kearns_saul, e.majority_mean_chernoff, e.majority, e.majority_hoeffding);
  return text;
}

SelfVote learned_votes(double s, const std::vector<std::pair<int64_t, int64_t>>& groups) {
  std::vector<Group> votes;
  for (const auto& [workers, batch] : groups) votes.push_back({workers, gaussian_errors(s, {batch})[0], 1});
  return self_vote(votes);
}

// no blanks at the ends of lines
std::string trimmed(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') out.erase(out.find_last_not_of(' ') + 1);
    out += c;
  }
  return out;
}

}  // namespace

ErrorBounds error_bounds(const std::vector<double>& p) {
  return {.majority_hoeffding = error_bound(hoeffding_exponent(p)),
          .majority_mean_chernoff = error_bound(mean_chernoff_exponent(p)),
          .majority_chernoff = error_bound(chernoff(p, std::vector<double>(p.size(), 1)).exponent),
          .weighted_bhattacharyya = error_bound(bhattacharyya_exponent(p)),
          .weighted_kearns_saul = error_bound(wmv_exponent(p))};
}

SignVoteTables sign_vote_tables(const std::vector<int64_t>& batch, const std::vector<double>& snr) {
  SignVoteTables t;
  t.efficiency = majority_efficiency(batch);
  t.samples = effective_samples(batch);

  const std::vector<double> ones(batch.size(), 1);
  std::map<int64_t, size_t> known;
  for (const int64_t b : batch) {
    const auto [at, is_new] = known.try_emplace(b, t.groups.size());
    if (is_new) t.groups.push_back({0, b});
    ++t.groups[at->second].first;
  }
  for (const double s : snr) {
    expects(s > 0, "signal-to-noise ratios above 0");
    const std::vector<double> p = gaussian_errors(s, batch);
    SnrTables row;
    row.s = s;
    row.p_least = *std::min_element(p.begin(), p.end());
    row.p_most = *std::max_element(p.begin(), p.end());
    row.bounds = error_bounds(p);
    row.errors = batch_errors(s, batch);
    row.low_snr_majority = low_snr_error(s, batch, ones);
    row.low_snr_best = low_snr_error(s, batch, sqrt_batches(batch));
    row.gamma = wmv_exponent(p) / static_cast<double>(p.size());
    if (t.groups.size() <= 2 && static_cast<int64_t>(p.size()) <= most_workers_learned)
      row.learned = learned_votes(s, t.groups);
    t.snr.push_back(row);
  }
  for (const double a : {0.1, 0.2, 0.3, 0.4, 0.5, 0.8, 1.0}) t.uniform.push_back({a, uniform_exponents(a)});
  return t;
}

std::string to_text(const SignVoteTables& t) {
  return trimmed(effective_text(t) + errors_text(t) + bounds_text(t) + learned_text(t) + uniform_text(t));
}

std::string sign_vote_tables_text(const std::vector<int64_t>& batch, const std::vector<double>& snr) {
  return to_text(sign_vote_tables(batch, snr));
}

}  // namespace orrery::sign_vote
