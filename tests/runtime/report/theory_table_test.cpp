// The report's table of theory beside measurement.
#include <gtest/gtest.h>

#include "runtime/report/report.hpp"
#include "tests/runtime/report/example.hpp"
#include "tests/runtime/report/html_parts.hpp"

namespace orrery {
namespace {

using namespace example;

ReportInput with_theory() {
  ReportInput in = run({arm("local", 4, {{"cloud", 1, 5}}), arm("tiered <&>", 4, {{"edge", 2, 5}, {"cloud", 1, 10}})},
                       {"train_loss"}, 1);
  in.theory = {
      {"local", {{"bound <of> & more", 0.125, 0.0625, "H-SGD"}, {"no prediction", {}, 2.0, "does not apply: a & b"}}},
      {"tiered <&>", {{"A_1", 9.0, {}, "multiplies sigma^2"}}}};
  return in;
}

TEST(TheoryTable, ShowsEveryRowOfEveryArm) {
  const std::string html = report_html(with_theory());
  EXPECT_EQ(fault(html), "");
  const std::string part = section(html, "Theory beside measurement");
  EXPECT_EQ(count(part, "<tr>"), 1 + 3);
  for (const char* text : {"0.125", "0.0625", "bound &lt;of&gt; &amp; more", "does not apply: a &amp; b",
                           "tiered &lt;&amp;&gt;", "rowspan=\"2\"", "multiplies sigma^2"})
    EXPECT_TRUE(has(part, text)) << text << " in " << part;
  EXPECT_EQ(count(part, "\u2013</span></td>"), 2) << "a dash where a number is missing";
}

TEST(TheoryTable, IsLeftOutWhereThereIsNoTheory) {
  ReportInput in = with_theory();
  in.theory.clear();
  EXPECT_EQ(section(report_html(in), "Theory beside measurement"), "");
  in.theory = {{"local", {}}, {"tiered <&>", {}}};
  EXPECT_EQ(section(report_html(in), "Theory beside measurement"), "");
}

}  // namespace
}  // namespace orrery
