// The objective around the final mean model along random directions: a line an arm, its mean over replicas and directions.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "runtime/report/chart.hpp"
#include "runtime/report/curves.hpp"
#include "runtime/report/numbers.hpp"
#include "runtime/report/svg.hpp"

namespace orrery::report {

std::string landscape_figures(const ReportInput& in) {
  Chart chart{.title = "training loss around the final model",
              .x_title = "alpha, along directions as long as the model's filters",
              .y_title = "training loss",
              .x_labels = Axis::Labels::numbers,
              .series = {}};
  std::vector<double> all;
  for (size_t a = 0; a < in.arms.size(); ++a) {
    std::map<double, std::vector<double>> at;
    for (const auto& [alpha, loss] : in.arms[a].landscape) at[alpha].push_back(loss);
    Series s{.arm = a, .name = in.arms[a].name, .points = {}, .band = !at.empty() && at.begin()->second.size() > 1};
    for (const auto& [alpha, losses] : at) {
      const Moments m = moments(losses);
      s.points.push_back({alpha, m.mean, m.low, m.high});
      if (drawable(m.mean)) all.push_back(m.mean);
    }
    if (std::any_of(s.points.begin(), s.points.end(), [](const Point& p) { return drawable(p.mean); }))
      chart.series.push_back(std::move(s));
  }
  if (chart.series.empty()) return "";
  chart.y_log = wants_log(all);
  return fmt::format(
      "<figure class=\"chart\" data-metric=\"landscape\">\n<h3>{}</h3>\n{}{}<figcaption>The objective at u + alpha d, "
      "u the mean "
      "model, d random and scaled filter by filter (landscape.csv). Line: mean over replicas and directions; band: "
      "smallest to largest.</figcaption>\n</figure>\n",
      escape(chart.title), arm_legend(chart.series), draw(chart));
}

}  // namespace orrery::report
