#include "runtime/report/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "runtime/median.hpp"
#include "runtime/report/curves.hpp"
#include "runtime/report/metric_info.hpp"
#include "runtime/report/numbers.hpp"
#include "runtime/report/svg.hpp"

namespace orrery::report {
namespace {

constexpr size_t kColumns = 4;  // of arms; with more of them the arms become the rows

std::string arm_name(const ReportInput& in, size_t arm) {
  return in.arms[arm].name.empty() ? "<span class=\"arm\">this run</span>" : arm_label(arm, in.arms[arm].name);
}

struct Cell {
  std::string html;
  std::optional<double> rank;  // the mean, where every replica has a finite value
};

// The last record point at which anything at all was recorded: an interrupted run ends early.
size_t last_record(const ReportInput& in) {
  size_t last = 0;
  for (const ReportArm& arm : in.arms)
    for (const auto& metric : arm.values)
      for (const auto& replica : metric) last = std::max(last, replica.size());
  return std::min(last, in.record_steps.size());
}

std::string count_cell(const Moments& m, const std::string& unit) {
  if (!(m.deviation > 0)) return si(m.mean, unit);
  return fmt::format("{} ± {}", si(m.mean, m.mean < 10'000 ? "" : unit), si(m.deviation, unit));
}

Cell final_cell(const ReportArm& arm, size_t metric, size_t record, const MetricInfo& info) {
  std::vector<double> last;
  bool ever = false;
  for (size_t r = 0; r < arm.values[metric].size(); ++r) {
    last.push_back(value_at(arm, metric, r, record));
    ever = ever || std::any_of(arm.values[metric][r].begin(), arm.values[metric][r].end(), drawable);
  }
  if (!ever) return {"<span class=\"quiet\">\u2013</span>", std::nullopt};
  if (last.size() > 1 && info.median) {  // of replicas, those that never got there lie above every number
    const double middle = median(last);
    const auto finite = std::count_if(last.begin(), last.end(), [](double v) { return std::isfinite(v); });
    return {fmt::format("{} <span class=\"quiet\">(median, {} of {})</span>",
                        std::isfinite(middle) ? si(middle, info.unit) : "\u2013", finite, last.size()),
            std::nullopt};
  }
  const Moments m = moments(last);
  if (m.finite == 0) return {"<span class=\"quiet\">not finite</span>", std::nullopt};
  std::string html = info.counts ? count_cell(m, info.unit) : with_spread(m.mean, m.deviation);
  if (m.finite < static_cast<int64_t>(last.size()))
    return {html + fmt::format(" <span class=\"quiet\">({} of {} finite)</span>", m.finite, last.size()), std::nullopt};
  return {html, m.mean};
}

void embolden_best(std::vector<Cell>& arms, MetricInfo::Better better) {
  if (arms.size() < 2 || better == MetricInfo::Better::unknown) return;
  const double sign = better == MetricInfo::Better::low ? 1 : -1;
  double best = INFINITY;
  for (const Cell& c : arms)
    if (c.rank) best = std::min(best, sign * *c.rank);
  for (Cell& c : arms)
    if (c.rank && sign * *c.rank == best) c.html = "<b>" + c.html + "</b>";
}

std::string bits(int64_t n) {
  return fmt::format("<span title=\"{} bit\">{}</span>", with_spaces(n), si(static_cast<double>(n), "bit"));
}

}  // namespace

std::string final_table(const ReportInput& in) {
  const size_t records = last_record(in);
  if (in.metrics.empty() || in.arms.empty() || records == 0) return "";
  std::vector<std::string> metric_heads;
  std::vector<std::vector<Cell>> cells;  // [metric][arm]
  for (size_t m = 0; m < in.metrics.size(); ++m) {
    const MetricInfo info = metric_info(in.metrics[m]);
    metric_heads.push_back(fmt::format("<span title=\"{}\">{}</span>", escape(info.detail), escape(info.title)));
    auto& row = cells.emplace_back();
    for (const ReportArm& arm : in.arms) row.push_back(final_cell(arm, m, records - 1, info));
    embolden_best(row, info.better);
  }

  // few arms: one column each; many: one row each
  const bool arms_across = in.arms.size() <= kColumns;
  const size_t rows = arms_across ? in.metrics.size() : in.arms.size(),
               columns = arms_across ? in.arms.size() : in.metrics.size();
  const auto head = [&](size_t i, bool arm) { return arm ? arm_name(in, i) : metric_heads[i]; };
  std::string html = fmt::format("<div class=\"wide\"><table class=\"final\">\n<thead><tr><th>{}</th>",
                                 arms_across ? "metric" : "arm");
  for (size_t c = 0; c < columns; ++c) html += fmt::format("<th class=\"number\">{}</th>", head(c, arms_across));
  html += "</tr></thead>\n<tbody>\n";
  for (size_t r = 0; r < rows; ++r) {
    html += fmt::format("<tr><th>{}</th>", head(r, !arms_across));
    for (size_t c = 0; c < columns; ++c)
      html += fmt::format("<td>{}</td>", (arms_across ? cells[r][c] : cells[c][r]).html);
    html += "</tr>\n";
  }
  html += fmt::format("</tbody>\n</table></div>\n<p class=\"caption\">After {} local steps",
                      with_spaces(in.record_steps[records - 1]));
  if (in.replicas > 1)
    html += fmt::format("; mean ± standard deviation over {} replicas, no ± where all agree", in.replicas);
  if (in.arms.size() > 1)
    html += ". Bold: the best mean, lowest for losses and distances to the goal, highest for accuracies";
  return html + ".</p>\n";
}

std::string expectation_table(const ReportInput& in) {
  const ExpectTable& table = in.expectations;
  if (table.lines.empty()) return "";
  std::string html =
      "<div class=\"wide\"><table class=\"expect\">\n<thead><tr><th>holds</th><th>what</th><th>expected</th>"
      "<th>measured</th></tr></thead>\n<tbody>\n";
  for (const ExpectLine& line : table.lines) {
    const char* classes = line.verdict == Verdict::yes ? "yes" : line.verdict == Verdict::no ? "no" : "open";
    html +=
        fmt::format("<tr class=\"{}\"><td class=\"verdict\">{}</td><td>{}</td><td>{}</td><td>{}{}</td></tr>\n", classes,
                    line.verdict == Verdict::open ? "\u2013" : name(line.verdict), escape(line.what),
                    escape(line.expected), escape(line.measured),
                    line.note.empty() ? "" : fmt::format("<br/><span class=\"quiet\">{}</span>", escape(line.note)));
  }
  html += fmt::format("</tbody>\n</table></div>\n<p class=\"caption\">{} of {} judged rows hold",
                      table.count(Verdict::yes), table.count(Verdict::yes) + table.count(Verdict::no));
  if (table.count(Verdict::open) > 0)
    html += fmt::format("; {} rows are printed beside the measurement and not judged", table.count(Verdict::open));
  if (!table.source.empty()) html += fmt::format(". Source: {}", escape(table.source));
  return html + ".</p>\n";
}

std::string bits_table(const ReportInput& in) {
  int64_t largest = 0;
  for (const ReportArm& arm : in.arms)
    for (const auto& link : arm.links) largest = std::max(largest, link.up + link.down);
  if (std::all_of(in.arms.begin(), in.arms.end(), [](const ReportArm& arm) { return arm.links.empty(); })) return "";
  std::string html =
      "<div class=\"wide\"><table class=\"bits\">\n<thead><tr><th>arm</th><th>link class</th><th "
      "class=\"number\">up</th>"
      "<th class=\"number\">down</th><th class=\"number\">total</th><th class=\"bar\"></th></tr></thead>\n";
  const auto row = [&](const std::string& arm, const std::string& link, int64_t up, int64_t down,
                       const std::string& bar) {
    html +=
        fmt::format("<tr>{}<td class=\"name\">{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"bar\">{}</td></tr>\n",
                    arm, link, bits(up), bits(down), bits(up + down), bar);
  };
  for (size_t a = 0; a < in.arms.size(); ++a) {
    const auto& links = in.arms[a].links;
    if (links.empty()) continue;
    html += "<tbody>\n";
    int64_t up = 0, down = 0;
    for (size_t k = 0; k < links.size(); ++k) {
      const double length =
          largest > 0 ? 100.0 * static_cast<double>(links[k].up + links[k].down) / static_cast<double>(largest) : 0;
      const std::string head =
          k > 0 ? "" : fmt::format("<th rowspan=\"{}\">{}</th>", links.size() + (links.size() > 1), arm_name(in, a));
      row(head, escape(links[k].name), links[k].up, links[k].down,
          fmt::format("<div style=\"width:{}%;background:{}\"></div>", coord(length), arm_colour(a)));
      up += links[k].up, down += links[k].down;
    }
    if (links.size() > 1) row("", "<i>all</i>", up, down, "");
    html += "</tbody>\n";
  }
  return html +
         "</table></div>\n<p class=\"caption\">Sent by one replica until the end. Up: sent by the lower end of a link "
         "(or by a node of the "
         "graph); down: received by it. Bars: totals, on one scale.</p>\n";
}

}  // namespace orrery::report
