#include <fmt/format.h>

#include <algorithm>

#include "runtime/report/network_drawing.hpp"
#include "runtime/report/numbers.hpp"
#include "runtime/report/svg.hpp"

namespace orrery::report {
namespace {

// Do two arms look the same? Periods and mixing may differ: they are in the caption.
bool same_drawing(const ReportArm& a, const ReportArm& b) {
  const auto same_tier = [](const Groups& x, const Groups& y) {
    return x.node_of == y.node_of && x.nodes() == y.nodes();
  };
  const auto same_name = [](const TierSpec& x, const TierSpec& y) { return x.name == y.name; };
  const auto graph_kind = [](const ReportArm& arm) { return arm.network.graph ? arm.network.graph->kind : ""; };
  return a.network.workers == b.network.workers && a.edges == b.edges && a.weights == b.weights && a.rates == b.rates &&
         std::equal(a.tiers.begin(), a.tiers.end(), b.tiers.begin(), b.tiers.end(), same_tier) &&
         graph_kind(a) == graph_kind(b) &&
         std::equal(a.network.tiers.begin(), a.network.tiers.end(), b.network.tiers.begin(), b.network.tiers.end(),
                    same_name);
}

std::string count(int64_t n, std::string_view one, std::string_view many) {
  return with_spaces(n) + " " + std::string(n == 1 ? one : many);
}

std::string every(int64_t period) {
  return period == 1 ? "every local step" : "every " + with_spaces(period) + " local steps";
}

std::string mixing(const GraphSpec& g) {
  std::string s = g.mixing.empty() ? "" : escape(g.mixing) + " mixing";
  if (g.mixing == "laplacian" && g.alpha > 0) s += " (α = " + plain(g.alpha) + ")";
  return g.lazy ? s + ", lazy" : s;
}

std::string graph_name(const GraphSpec& g) {
  std::string s = escape(g.kind);
  if (g.kind == "erdos-renyi") s += " (p = " + plain(g.probability) + ")";
  if ((g.kind == "grid" || g.kind == "torus") && g.rows > 0) s += fmt::format(" ({} rows)", g.rows);
  return s;
}

std::string key(std::string_view colour, double radius, const std::string& text) {
  return fmt::format(
      "<li><svg class=\"mark\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><circle cx=\"8\" cy=\"8\" r=\"{}\" "
      "fill=\"{}\"/></svg><span>{}</span></li>\n",
      coord(radius), colour, text);
}

std::string range(const std::vector<double>& v) {
  const auto [low, high] = std::minmax_element(v.begin(), v.end());
  return plain(*low) + " \u2013 " + plain(*high);
}

// "5", or "5 or 10" where the nodes have their own periods
std::string period_numbers(const TierSpec& tier) {
  std::string text;
  for (const int64_t period : tier.classes())
    text = text.empty() ? with_spaces(period) : fmt::format("{} or {}", text, with_spaces(period));
  return text;
}

// What the marks are; with the periods where all arms of the drawing agree on them.
std::string structure(const ReportArm& arm, bool with_periods) {
  std::string html = "<ul class=\"key\">\n";
  const auto& tiers = arm.network.tiers;
  for (size_t t = tiers.size(); t-- > 0;) {
    const bool top = t + 1 == tiers.size();
    html += key(
        top ? kSun : kNode, top ? 6.5 : 4.5,
        fmt::format("<b>{}</b>: {}{}", escape(tiers[t].name), count(tiers[t].nodes, "node", "nodes"),
                    with_periods ? ", averages " + (tiers[t].periods.empty()
                                                        ? every(tiers[t].period)
                                                        : fmt::format("every {} local steps", period_numbers(tiers[t])))
                                 : ""));
  }
  std::string workers = fmt::format("<b>{}</b>", count(arm.network.workers, "worker", "workers"));
  if (arm.network.random_grouping) workers += ", grouped at random";
  if (differ(arm.weights)) workers += "; area by weight, " + range(arm.weights);
  if (differ(arm.rates)) workers += "; colour by rate, " + range(arm.rates);
  html += key(kWorker, 4, workers);
  if (arm.network.graph) {
    const GraphSpec& g = *arm.network.graph;
    std::string text =
        fmt::format("<b>graph</b>: {} among {}, {}", graph_name(g), count(arm.network.top_nodes(), "node", "nodes"),
                    count(static_cast<int64_t>(arm.edges.size()), "link", "links"));
    if (with_periods) text += ", " + mixing(g) + " " + every(g.period);
    html += fmt::format(
        "<li><svg class=\"mark\" viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path d=\"M1 8H15\" stroke=\"{}\" "
        "stroke-width=\"2\"/></svg>"
        "<span>{}</span></li>\n",
        kSun, text);
  }
  return html + "</ul>\n";
}

std::vector<std::string> periods(const ReportArm& arm) {
  std::vector<std::string> cells;
  for (const TierSpec& t : arm.network.tiers) cells.push_back(period_numbers(t));
  if (arm.network.graph) cells.push_back(with_spaces(arm.network.graph->period) + ", " + mixing(*arm.network.graph));
  return cells;
}

std::string period_table(const ReportInput& in, const std::vector<size_t>& arms) {
  std::string html = "<div class=\"wide\"><table class=\"periods\">\n<thead><tr><th>period in local steps</th>";
  const ReportArm& first = in.arms[arms[0]];
  for (const TierSpec& t : first.network.tiers) html += fmt::format("<th class=\"number\">{}</th>", escape(t.name));
  if (first.network.graph) html += "<th class=\"number\">graph</th>";
  html += "</tr></thead>\n<tbody>\n";
  for (const size_t a : arms) {
    html += fmt::format("<tr><th>{}</th>", arm_label(a, in.arms[a].name));
    for (const std::string& cell : periods(in.arms[a])) html += fmt::format("<td>{}</td>", cell);
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table></div>\n";
}

}  // namespace

std::string network_figures(const ReportInput& in) {
  std::vector<std::vector<size_t>> drawings;  // arms
  for (size_t a = 0; a < in.arms.size(); ++a) {
    const auto same = std::find_if(drawings.begin(), drawings.end(),
                                   [&](const auto& arms) { return same_drawing(in.arms[arms[0]], in.arms[a]); });
    if (same == drawings.end())
      drawings.push_back({a});
    else
      same->push_back(a);
  }
  std::string html;
  for (size_t n = 0; n < drawings.size(); ++n) {
    const auto& arms = drawings[n];
    const ReportArm& first = in.arms[arms[0]];
    const bool agree =
        std::all_of(arms.begin(), arms.end(), [&](size_t a) { return periods(in.arms[a]) == periods(first); });
    std::string names;
    for (const size_t a : arms)
      if (!in.arms[a].name.empty()) names += arm_label(a, in.arms[a].name);
    html += fmt::format("<figure class=\"network{}\">\n{}<figcaption>\n{}{}{}</figcaption>\n</figure>\n",
                        drawings.size() == 1 ? " alone" : "", draw_network(first, n),
                        names.empty() ? "" : "<div class=\"legend\">" + names + "</div>\n", structure(first, agree),
                        agree ? "" : period_table(in, arms));
  }
  return html;
}

}  // namespace orrery::report
