// Theory beside measurement: one table, an arm a block of rows.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/report/curves.hpp"
#include "runtime/report/numbers.hpp"
#include "runtime/report/svg.hpp"
#include "runtime/report/table.hpp"

namespace orrery::report {

std::string theory_table(const ReportInput& in) {
  if (std::all_of(in.theory.begin(), in.theory.end(), [](const TheoryTable& t) { return t.rows.empty(); })) return "";
  std::string html =
      "<div class=\"wide\"><table class=\"theory\">\n<thead><tr><th>arm</th><th>quantity</th><th "
      "class=\"number\">predicted</th>"
      "<th class=\"number\">measured</th><th>what the prediction is</th></tr></thead>\n";
  const auto number = [](const std::optional<double>& v) {
    return v ? rich(*v) : std::string("<span class=\"quiet\">\u2013</span>");
  };
  for (size_t a = 0; a < in.theory.size(); ++a) {
    const TheoryTable& table = in.theory[a];
    if (table.rows.empty()) continue;
    html += "<tbody>\n";
    for (size_t k = 0; k < table.rows.size(); ++k) {
      const TheoryRow& row = table.rows[k];
      const std::string arm = k > 0 ? ""
                                    : fmt::format("<th rowspan=\"{}\">{}</th>", table.rows.size(),
                                                  table.arm.empty() ? "this run" : arm_label(a, table.arm));
      html += fmt::format(
          "<tr>{}<td class=\"name\">{}</td><td>{}</td><td>{}</td><td class=\"name\" "
          "style=\"white-space:normal\">{}</td></tr>\n",
          arm, escape(row.quantity), number(row.predicted), number(row.measured), escape(row.note));
    }
    html += "</tbody>\n";
  }
  return html +
         "</table></div>\n<p class=\"caption\">Bounds hold in expectation, for the constants in theory.json. A dash: "
         "not predicted, or not "
         "recorded; the last column says why.</p>\n";
}

}  // namespace orrery::report
