#include "runtime/report/curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "runtime/report/chart.hpp"
#include "runtime/report/metric_info.hpp"
#include "runtime/report/numbers.hpp"
#include "runtime/report/svg.hpp"

namespace orrery::report {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

constexpr int64_t kManyReplicas = 20;

std::optional<size_t> find(const ReportInput& in, std::string_view metric) {
  const auto at = std::find(in.metrics.begin(), in.metrics.end(), metric);
  return at == in.metrics.end() ? std::nullopt : std::optional<size_t>(at - in.metrics.begin());
}

// Moments over the replicas; a mean only where every replica has a finite value, so that a diverged one is not averaged
// away.
Moments across(const ReportArm& arm, size_t metric, size_t record) {
  std::vector<double> v;
  for (size_t r = 0; r < arm.values[metric].size(); ++r) v.push_back(value_at(arm, metric, r, record));
  Moments m = moments(v);
  if (std::ssize(v) >= kManyReplicas &&
      m.finite == std::ssize(v)) {  // a few far ones would squeeze all curves into a corner
    std::sort(v.begin(), v.end());
    const size_t cut = v.size() / 20;
    m.low = v[cut], m.high = v[v.size() - 1 - cut];
  }
  if (v.empty() || m.finite < static_cast<int64_t>(v.size())) m.mean = m.low = m.high = kNaN;
  return m;
}

bool has_points(const Series& s) {
  return std::any_of(s.points.begin(), s.points.end(), [](const Point& p) { return drawable(p.mean); });
}

std::vector<Series> series_of(const ReportInput& in, size_t metric) {
  std::vector<Series> all;
  for (size_t a = 0; a < in.arms.size(); ++a) {
    const ReportArm& arm = in.arms[a];
    Series s{.arm = a, .name = arm.name, .points = {}, .band = arm.values[metric].size() > 1};
    for (size_t t = 0; t < in.record_steps.size(); ++t) {
      const Moments m = across(arm, metric, t);
      s.points.push_back({static_cast<double>(in.record_steps[t]), m.mean, m.low, m.high});
    }
    if (has_points(s)) all.push_back(std::move(s));
  }
  return all;
}

std::vector<double> finite_means(const std::vector<Series>& all) {
  std::vector<double> values;
  for (const Series& s : all)
    for (const Point& p : s.points)
      if (drawable(p.mean)) values.push_back(p.mean);
  return values;
}

// What the metric, the line and the band are, and what is missing from the picture.
std::string caption(const ReportInput& in, const Chart& chart, std::string detail) {
  std::vector<std::string> parts;
  if (!detail.empty()) {
    detail[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(detail[0])));
    parts.push_back(escape(detail) + ".");
  }
  const bool band = std::any_of(chart.series.begin(), chart.series.end(), [](const Series& s) { return s.band; });
  if (band)
    parts.push_back(
        fmt::format("Line: mean of {} replicas; band: {}.", in.replicas,
                    in.replicas >= kManyReplicas ? "all but the lowest and highest twentieth" : "smallest to largest"));
  const auto values = finite_means(chart.series);
  if (chart.y_log && std::count(values.begin(), values.end(), 0.0) > 0)
    parts.push_back("Zeros are not shown on the logarithmic axis.");
  if (const double least = chart.y_log ? rounding_level(values) : 0;
      std::any_of(values.begin(), values.end(), [&](double v) { return v > 0 && v < least; }))
    parts.push_back(fmt::format("Values below {:.0e} are rounding and not shown.", least));
  std::vector<std::string> missing;
  for (size_t a = 0; a < in.arms.size(); ++a)
    if (std::none_of(chart.series.begin(), chart.series.end(), [a](const Series& s) { return s.arm == a; }))
      missing.push_back(escape(in.arms[a].name));
  if (!missing.empty()) parts.push_back(fmt::format("No finite values: {}.", fmt::join(missing, "; ")));
  return parts.empty() ? "" : fmt::format("<figcaption>{}</figcaption>\n", fmt::join(parts, " "));
}

std::string figure(const ReportInput& in, const Chart& chart, std::string_view id, const std::string& detail) {
  return fmt::format("<figure class=\"chart\" data-metric=\"{}\">\n<h3>{}</h3>\n{}{}{}</figure>\n", escape(id),
                     escape(chart.title), arm_legend(chart.series), draw(chart), caption(in, chart, detail));
}

// Seconds where a network's clock gives the time of a step.
std::string time_unit(const ReportInput& in) {
  const bool seconds = std::any_of(in.arms.begin(), in.arms.end(),
                                   [](const ReportArm& arm) { return arm.network.clock.step_time.has_value(); });
  return seconds ? "seconds" : "slots";
}

std::string metric_figure(const ReportInput& in, size_t metric) {
  const MetricInfo info = metric_info(in.metrics[metric]);
  Chart chart{.title = info.title, .x_title = "local steps", .y_title = info.title, .series = series_of(in, metric)};
  const std::string unit = in.metrics[metric] == "virtual_time" ? time_unit(in) : std::string(info.unit);
  if (!unit.empty()) chart.y_title += " (" + unit + ")";
  if (chart.series.empty())
    return fmt::format(
        "<figure class=\"chart empty\" data-metric=\"{}\">\n<h3>{}</h3>\n<p>No finite value of this metric was "
        "recorded.</p>\n</figure>\n",
        escape(in.metrics[metric]), escape(info.title));
  if (info.counts) chart.y_labels = Axis::Labels::counts;
  chart.y_log = info.log_allowed && wants_log(finite_means(chart.series));
  return figure(in, chart, in.metrics[metric], info.detail);
}

}  // namespace

std::string arm_legend(const std::vector<Series>& all) {
  std::string items;
  for (const Series& s : all)
    if (!s.name.empty()) items += arm_label(s.arm, s.name);
  return items.empty() ? "" : "<div class=\"legend\">" + items + "</div>\n";
}

double value_at(const ReportArm& arm, size_t metric, size_t replica, size_t record) {
  const auto& values = arm.values[metric][replica];
  return record < values.size() ? values[record] : kNaN;
}

std::string metric_figures(const ReportInput& in) {
  std::string html;
  for (size_t m = 0; m < in.metrics.size(); ++m)
    if (!counts_bits(in.metrics[m]) && !metric_info(in.metrics[m]).median) html += metric_figure(in, m);
  return html;
}

namespace {

// A metric with the record points moved from steps to another recorded quantity: its mean over the replicas.
struct Against {
  std::string id;
  std::string title, x_title;
  Axis::Labels labels;
  std::function<double(const ReportArm&, size_t record)> x;
};
std::string against(const ReportInput& in, size_t metric, const Against& other) {
  const MetricInfo info = metric_info(in.metrics[metric]);
  Chart chart{.title = info.title + " against " + other.title,
              .x_title = other.x_title,
              .y_title = info.title,
              .x_labels = other.labels,
              .series = series_of(in, metric)};
  double least = INFINITY, most = 0;
  for (Series& s : chart.series) {
    double end = 0;
    for (size_t t = 0; t < s.points.size(); ++t) {
      s.points[t].x = other.x(in.arms[s.arm], t);
      if (drawable(s.points[t].x) && drawable(s.points[t].mean)) end = std::max(end, s.points[t].x);
    }
    if (end > 0) least = std::min(least, end), most = std::max(most, end);
  }
  if (most == 0) return "";  // nothing was ever sent, no time passed
  chart.x_log = most > 30 * least;
  std::erase_if(chart.series, [&](const Series& s) {
    return std::none_of(s.points.begin(), s.points.end(),
                        [&](const Point& p) { return drawable(p.x) && drawable(p.mean) && (!chart.x_log || p.x > 0); });
  });
  chart.y_log = wants_log(finite_means(chart.series));
  return figure(in, chart, other.id,
                info.detail + (chart.x_log ? "; the horizontal axis is logarithmic and leaves out zero" : ""));
}

// Do the arms send different numbers of bits in all?
bool bits_differ(const ReportInput& in) {
  double least = INFINITY, most = 0;
  for (const ReportArm& arm : in.arms)
    if (!arm.bits.empty()) least = std::min(least, arm.bits.back()), most = std::max(most, arm.bits.back());
  return most > least;
}

}  // namespace

std::string loss_figures(const ReportInput& in) {
  const auto at = [](const std::vector<double>& values, size_t t) { return t < values.size() ? values[t] : kNaN; };
  const auto of_bits = [&](const std::string& name, size_t metric) {
    return against(in, metric,
                   {name + "-against-bits", "bits", "bits sent by one replica, up and down", Axis::Labels::counts,
                    [&](const ReportArm& arm, size_t t) { return at(arm.bits, t); }});
  };
  std::string html;
  if (const auto loss = find(in, "train_loss")) {
    // against virtual time where it is not the local steps themselves
    bool own_clock = false;
    for (const ReportArm& arm : in.arms)
      for (size_t t = 0; t < arm.virtual_time.size() && t < in.record_steps.size(); ++t)
        own_clock = own_clock || arm.virtual_time[t] != static_cast<double>(in.record_steps[t]);
    if (own_clock)
      html += against(in, *loss,
                      {"loss-against-virtual-time", "virtual time", "virtual time (" + time_unit(in) + ")",
                       Axis::Labels::counts, [&](const ReportArm& arm, size_t t) { return at(arm.virtual_time, t); }});
    html += of_bits("loss", *loss);
  }
  // errors against bits where arms pay differently for them
  if (!bits_differ(in)) return html;
  const char* gap = find(in, "excess_risk") ? "excess_risk" : "excess_risk_mean";
  for (const char* error : {gap, "optimum_distance", "consensus_distance"})
    if (const auto metric = find(in, error)) html += of_bits(error, *metric);
  return html;
}

namespace {

// The tiers for which `prefix` is recorded, with the metric's index: in the order of record.metrics.
std::vector<std::pair<std::string, size_t>> tiers_recorded(const ReportInput& in, std::string_view prefix) {
  std::vector<std::pair<std::string, size_t>> tiers;
  for (size_t m = 0; m < in.metrics.size(); ++m)
    if (in.metrics[m].starts_with(prefix) && in.metrics[m].size() > prefix.size())
      tiers.emplace_back(in.metrics[m].substr(prefix.size()), m);
  return tiers;
}

// One arm, a line per tier, on one axis: which tier holds how much.
std::string tier_figure(const ReportInput& in, size_t arm, std::string_view family, std::string_view detail,
                        const std::vector<std::pair<std::string, size_t>>& tiers) {
  Chart chart{.title = fmt::format("{} by tier{}{}", family, in.arms[arm].name.empty() ? "" : ", ", in.arms[arm].name),
              .x_title = "local steps",
              .y_title = std::string(family),
              .series = {}};
  for (size_t k = 0; k < tiers.size(); ++k) {
    Series s{.arm = k, .name = tiers[k].first, .points = {}, .band = in.arms[arm].values[tiers[k].second].size() > 1};
    for (size_t t = 0; t < in.record_steps.size(); ++t) {
      const Moments m = across(in.arms[arm], tiers[k].second, t);
      s.points.push_back({static_cast<double>(in.record_steps[t]), m.mean, m.low, m.high});
    }
    if (has_points(s)) chart.series.push_back(std::move(s));
  }
  if (chart.series.size() < 2) return "";  // one tier is drawn among the metrics already
  chart.y_log = wants_log(finite_means(chart.series));
  return fmt::format(
      "<figure class=\"chart\" "
      "data-metric=\"{}-by-tier-{}\">\n<h3>{}</h3>\n{}{}<figcaption>{}</figcaption>\n</figure>\n",
      escape(family), arm, escape(chart.title), arm_legend(chart.series), draw(chart), escape(detail));
}

}  // namespace

std::string tier_figures(const ReportInput& in) {
  std::string html;
  const struct {
    std::string_view prefix, family, detail;
  } families[] = {
      {"dispersion_", "dispersion", "The consensus distance split by tiers."},
      {"divergence_", "divergence", "The divergence of the exact local gradients at the mean model, split by tiers."}};
  for (const auto& f : families) {
    const auto tiers = tiers_recorded(in, f.prefix);
    for (size_t a = 0; a < in.arms.size() && tiers.size() > 1; ++a)
      html += tier_figure(in, a, f.family, f.detail, tiers);
  }
  return html;
}

}  // namespace orrery::report
