// The whole page: head, notices, charts, tables, networks, experiment.
#include <fmt/format.h>

#include "kernels/core/error.hpp"
#include "runtime/report/curves.hpp"
#include "runtime/report/network_drawing.hpp"
#include "runtime/report/numbers.hpp"
#include "runtime/report/report.hpp"
#include "runtime/report/stylesheet.hpp"
#include "runtime/report/svg.hpp"
#include "runtime/report/table.hpp"

namespace orrery {
namespace {

using namespace report;

constexpr size_t kLongFact = 22;  // letters; longer ones take two columns

// The shapes that the drawings rely on. Series of values may end early (an interrupted run).
void check(const ReportInput& in) {
  for (const ReportArm& arm : in.arms) {
    const auto workers = static_cast<size_t>(arm.network.workers);
    expects(arm.network.workers >= 1, "at least one worker");
    expects(arm.values.size() == in.metrics.size(), "values of every metric");
    expects(arm.tiers.size() == arm.network.tiers.size(), "groups of every tier");
    for (const Groups& tier : arm.tiers)
      expects(tier.nodes() >= 1 && tier.node_of.size() == workers && tier.member.size() == workers,
              "tiers over all workers");
    expects(arm.weights.empty() || arm.weights.size() == workers, "a weight per worker");
    expects(arm.rates.empty() || arm.rates.size() == workers, "a rate per worker");
    const int64_t top = arm.tiers.empty() ? arm.network.workers : arm.tiers.back().nodes();
    for (const auto& [i, j] : arm.edges) expects(i >= 0 && j >= 0 && i < top && j < top, "links among the top nodes");
  }
}

std::string fact(std::string_view name, std::string_view value) {
  if (value.empty()) return "";
  return fmt::format("<div{}><dt>{}</dt><dd>{}</dd></div>\n", value.size() > kLongFact ? " class=\"long\"" : "",
                     escape(name), escape(value));
}

std::string head(const ReportInput& in) {
  std::string html =
      fmt::format("<header>\n<h1>{}</h1>\n<p class=\"sub\">{} · Orrery {}</p>\n<dl class=\"facts\">\n", escape(in.name),
                  in.arms.size() > 1 ? fmt::format("{} arms compared", in.arms.size()) : "one run", escape(in.version));
  html += fact("algorithm", in.algorithm) + fact("model", in.model) + fact("data", in.data);
  html += fact("parameters", with_spaces(in.parameters)) + fact("workers", with_spaces(in.workers)) +
          fact("local steps", with_spaces(in.steps));
  html += fact("replicas", with_spaces(in.replicas)) + fact("seed", std::to_string(in.seed)) +
          fact("device", in.device) + fact("precision", in.precision);
  for (const auto& [name, value] : in.facts) html += fact(name, value);
  html += "</dl>\n";
  if (!in.notices.empty()) {
    html += "<ul class=\"notices\">\n";
    for (const std::string& sentence : in.notices) html += "<li>" + escape(sentence) + "</li>\n";
    html += "</ul>\n";
  }
  return html + "</header>\n";
}

std::string section(std::string_view title, std::string_view classes, const std::string& content) {
  if (content.empty()) return "";
  return fmt::format("<section>\n<h2>{}</h2>\n<div class=\"{}\">\n{}</div>\n</section>\n", title, classes, content);
}

}  // namespace

std::string report_html(const ReportInput& in) {
  check(in);
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\"/>\n"
      "<title>{} \u2013 Orrery</title>\n<style>{}</style>\n</head>\n<body>\n",
      escape(in.name), kStylesheet);
  html += head(in);
  html += "<main>\n";
  html += section("Expected beside measured", "tables", expectation_table(in));
  html += section("Curves", "grid", metric_figures(in) + loss_figures(in) + landscape_figures(in));
  html += section("By tier", "grid", tier_figures(in));
  html += section("Final values", "tables", final_table(in));
  html += section(in.arms.size() > 1 ? "Networks" : "Network", "grid networks", network_figures(in));
  html += section("Bits sent", "tables", bits_table(in));
  html += section("Theory beside measurement", "tables", theory_table(in));
  if (!in.experiment_toml.empty())
    html += fmt::format("<details>\n<summary>The resolved experiment</summary>\n<pre>{}</pre>\n</details>\n",
                        escape(in.experiment_toml));
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace orrery
