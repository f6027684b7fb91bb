#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/report/axis.hpp"
#include "runtime/report/metric_info.hpp"
#include "runtime/report/numbers.hpp"
#include "runtime/report/report.hpp"
#include "runtime/report/svg.hpp"
#include "tests/runtime/report/example.hpp"
#include "tests/runtime/report/html_parts.hpp"

namespace orrery {
namespace {

using example::arm;
using example::count;
using example::fault;
using example::figure;
using example::has;
using example::kNaN;
using example::lines;
using example::section;

const std::vector<std::string> kMetrics = {
    "train_loss",         "test_accuracy",   "worker_test_accuracy", "grad_norm_sq",
    "consensus_distance", "dispersion_edge", "virtual_time",         "bits_up",
    "bits_down"};

ReportInput three_arms(int replicas = 3) {
  return example::run({arm("sync", 100, {{"edge", 10, 1}, {"cloud", 1, 1}}),
                       arm("H-SGD", 100, {{"edge", 10, 5}, {"cloud", 1, 50}}), arm("local", 100, {{"cloud", 1, 50}})},
                      kMetrics, replicas);
}

ReportInput ring_of_hubs() {
  ReportArm a = arm("", 60, {{"hub", 12, 8}});
  a.network.graph = GraphSpec{.kind = "ring",
                              .mixing = "metropolis",
                              .file = "",
                              .period = 32,
                              .matrix = {},
                              .matrix_file = "",
                              .adjacency = {}};
  for (int64_t i = 0; i < 12; ++i) a.edges.emplace_back(std::min(i, (i + 1) % 12), std::max(i, (i + 1) % 12));
  for (int64_t i = 0; i < 60; ++i) a.rates[i] = i % 2 == 0 ? 0.5 : 1.0;
  return example::run({a}, {"train_loss"}, 1);
}

TEST(Report, IsWellFormedAndSelfContained) {
  ReportInput nothing;
  ReportInput big =
      example::run({arm("", 100'000, {{"rack", 1000, 2}, {"pod", 40, 10}, {"cloud", 4, 50}})}, kMetrics, 2);
  for (const ReportInput& in : {three_arms(), three_arms(1), ring_of_hubs(), nothing, big}) {
    const std::string html = report_html(in);
    EXPECT_EQ(fault(html), "");
    EXPECT_EQ(count(html, "http"), count(html, "xmlns=\"http://www.w3.org/2000/svg\""));
    for (const char* outside : {"<script", "<link", "<img", "@import", "src=", "href="})
      EXPECT_FALSE(has(html, outside)) << outside;
    for (const char* number : {"nan", "inf"}) EXPECT_FALSE(has(html, std::string("=\"") + number)) << number;
  }
}

TEST(Report, TheCheckItselfFindsFaults) {
  EXPECT_EQ(fault("<p>a &amp; b<br/></p>"), "");
  for (const char* bad :
       {"<p>", "<p></b>", "<p>a < b</p>", "<p>a & b</p>", "<p a=b></p>", "<p a=\"1\" a=\"2\"></p>", "</p>"})
    EXPECT_NE(fault(bad), "") << bad;
}

TEST(Report, EscapesWhateverComesFromTheUser) {
  const std::string evil = "<i>&\"'\x01</i>";
  ReportInput in = example::run({arm(evil, 8, {{evil, 2, 3}})}, {evil, "dispersion_" + evil, "train_loss"}, 2);
  in.arms[0].network.graph =
      GraphSpec{.kind = evil, .mixing = evil, .file = "", .matrix = {}, .matrix_file = "", .adjacency = {}};
  in.arms[0].edges = {{0, 1}};
  in.name = in.version = in.device = in.precision = in.model = in.data = in.algorithm = in.experiment_toml = evil;
  in.facts = {{evil, evil}};
  in.notices = {evil};
  in.arms.push_back(in.arms[0]);
  const std::string html = report_html(in);
  EXPECT_EQ(fault(html), "");
  EXPECT_FALSE(has(html, "&\"'"));
  EXPECT_FALSE(has(html, "\x01"));
  EXPECT_TRUE(has(section(html, "Curves"), report::escape(evil)));
  EXPECT_EQ(report::escape(evil), "&lt;i&gt;&amp;&quot;&#39;\xEF\xBF\xBD&lt;/i&gt;");
}

TEST(Report, OneLinePerArmAndMetric) {
  const std::string html = report_html(three_arms());
  for (const std::string& m : kMetrics) EXPECT_EQ(lines(figure(html, m)).size(), report::counts_bits(m) ? 0u : 3u) << m;
  EXPECT_EQ(lines(figure(html, "loss-against-bits")).size(), 3u);
  EXPECT_EQ(figure(html, "bits_up"), "");
  for (size_t a = 0; a < 3; ++a)
    EXPECT_TRUE(has(figure(html, "train_loss"), fmt::format("data-arm=\"{}\"", a)) &&
                has(figure(html, "train_loss"), report::arm_colour(a)));
}

TEST(Report, BandsOnlyOverSeveralReplicas) {
  EXPECT_EQ(count(figure(report_html(three_arms(3)), "train_loss"), "class=\"band\""), 3);
  EXPECT_TRUE(has(report_html(three_arms(3)), "band: smallest to largest"));
  EXPECT_EQ(count(report_html(three_arms(1)), "class=\"band\""), 0);
  EXPECT_FALSE(has(report_html(three_arms(1)), "band:"));
}

TEST(Report, NaNLeavesAGapAndALonePointADot) {
  ReportInput in = example::run({arm("a", 4, {})}, {"train_loss"}, 2, 9, 1);
  EXPECT_EQ(count(lines(figure(report_html(in), "train_loss"))[0], "M"), 1);
  in.arms[0].values[0][1][3] = kNaN;  // one replica is enough: a mean of the others would hide it
  in.arms[0].values[0][0][5] = INFINITY;
  const std::string fig = figure(report_html(in), "train_loss");
  EXPECT_EQ(count(lines(fig)[0], "M"), 3);
  EXPECT_EQ(count(lines(fig)[0], "L"), 2 + 0 + 3);
  EXPECT_EQ(count(fig, "class=\"lone\""), 1);
}

TEST(Report, LeavesOutWhatWasNeverFinite) {
  ReportInput in = three_arms();
  const auto forget = [](auto& replicas) {
    for (auto& replica : replicas) replica.assign(replica.size(), kNaN);
  };
  forget(in.arms[2].values[5]);
  for (ReportArm& a : in.arms) forget(a.values[3]);
  const std::string html = report_html(in);
  EXPECT_EQ(lines(figure(html, "dispersion_edge")).size(), 2u);
  EXPECT_TRUE(has(figure(html, "dispersion_edge"), "No finite values: local."));
  EXPECT_FALSE(has(figure(html, "grad_norm_sq"), "<svg"));
  EXPECT_TRUE(has(figure(html, "grad_norm_sq"), "No finite value"));
}

TEST(Report, AnInterruptedRunEndsEarly) {
  ReportInput in = example::run({arm("a", 4, {})}, {"train_loss"}, 1, 100, 10);
  in.arms[0].values[0][0].resize(4);
  const std::string html = report_html(in);
  EXPECT_EQ(count(lines(figure(html, "train_loss"))[0], "L"), 3);
  EXPECT_TRUE(has(html, "After 30 local steps"));
}

TEST(Report, KeepsPeaksOfLongSeries) {
  ReportInput in = example::run({arm("a", 4, {})}, {"other"}, 1, 200'000, 1);
  for (double& v : in.arms[0].values[0][0]) v = 1;
  in.arms[0].values[0][0][123'456] = 2;
  const std::string line = lines(figure(report_html(in), "other"))[0];
  EXPECT_LT(count(line, "L"), 2000);
  double highest = INFINITY;  // of y, which grows downward
  for (size_t at = line.find(' '); at != std::string::npos; at = line.find(' ', at + 1))
    highest = std::min(highest, std::stod(line.substr(at)));
  EXPECT_LT(highest, 40);  // the frame begins at 20
}

TEST(Report, LogAxisRule) {
  using report::wants_log;
  EXPECT_TRUE(wants_log({1e-3, 1}));
  EXPECT_FALSE(wants_log({1e-2, 1}));  // 2 decades
  EXPECT_FALSE(wants_log({1, 316}));   // just below 2.5
  EXPECT_TRUE(wants_log({1, 317}));
  EXPECT_FALSE(wants_log({-1, 1e-9, 1}));  // negative values
  EXPECT_TRUE(wants_log({0, 1e-9, 1}));    // consensus distance starts at zero
  EXPECT_FALSE(wants_log({0, 0, 0, 1e-9, 1}));
  EXPECT_FALSE(wants_log({}));
  const std::string html = report_html(three_arms());
  EXPECT_TRUE(has(figure(html, "grad_norm_sq"), ">10<tspan"));
  EXPECT_FALSE(has(figure(html, "test_accuracy"), ">10<tspan"));
  EXPECT_FALSE(has(figure(html, "virtual_time"), ">10<tspan"));
}

TEST(Report, TicksAreRoundAndApart) {
  const auto labels = [](const report::Axis& axis) {
    std::vector<std::string> found;
    for (const auto& t : axis.ticks())
      if (!t.label.empty()) found.push_back(t.exponent ? "10^" + std::to_string(*t.exponent) : t.label);
    return found;
  };
  using report::Axis;
  using Words = std::vector<std::string>;
  EXPECT_EQ(labels(Axis::linear(0, 20'000, Axis::Labels::integers, 5)), (Words{"0", "5k", "10k", "15k", "20k"}));
  EXPECT_EQ(labels(Axis::linear(0, 2, Axis::Labels::integers, 5)), (Words{"0", "1", "2"}));
  EXPECT_EQ(labels(Axis::linear(0, 1e12, Axis::Labels::counts, 5)),
            (Words{"0", "0.2T", "0.4T", "0.6T", "0.8T", "1.0T"}));
  EXPECT_EQ(labels(Axis::linear(-0.011, 0.011, Axis::Labels::numbers, 5)),
            (Words{"−0.010", "−0.005", "0.000", "0.005", "0.010"}));
  EXPECT_EQ(Axis::linear(0, 4e-5, Axis::Labels::numbers, 4).common_exponent(), -5);
  EXPECT_EQ(labels(Axis::logarithmic(1e-3, 10, 0, 7)), (Words{"10^-3", "10^-2", "10^-1", "10^0", "10^1"}));
  EXPECT_EQ(labels(Axis::logarithmic(1e-300, 1e300, 0, 7)).size(), 7u);
  for (const double v : {0.0, 3.0, -1e-200, 1e299})
    EXPECT_GE(Axis::linear(v, v, Axis::Labels::numbers, 5).ticks().size(), 2u) << v;
}

TEST(Report, DrawsEveryWorkerOnceUpTo400) {
  EXPECT_EQ(count(report_html(three_arms()), "class=\"worker\""), 100 + 100);  // two drawings
  for (const int64_t workers : {1, 2, 7, 400})
    EXPECT_EQ(count(report_html(example::run({arm("", workers, {})}, {}, 1)), "class=\"worker\""), workers);
  const std::string many = report_html(example::run({arm("", 4000, {{"edge", 20, 1}, {"cloud", 1, 5}})}, {}, 1));
  EXPECT_EQ(count(many, "class=\"worker\""), 0);
  EXPECT_EQ(count(many, "<path class=\"arc\""), 20);
  EXPECT_EQ(count(many, ">200</text>"), 20);
  EXPECT_EQ(count(many, "class=\"node\""), 21);
}

TEST(Report, ArmsWithEqualNetworksShareADrawing) {
  const std::string html = section(report_html(three_arms()), "Networks");
  EXPECT_EQ(count(html, "<figure class=\"network\""), 2);
  EXPECT_TRUE(has(html, "period in local steps"));  // sync and H-SGD share tiers, not periods
  ReportInput in = three_arms();
  in.arms[1].weights[3] += 0.5;
  EXPECT_EQ(count(report_html(in), "<figure class=\"network\""), 3);
}

TEST(Report, DrawsGraphRatesAndMixing) {
  const std::string html = section(report_html(ring_of_hubs()), "Network");
  const size_t d = html.find(" d=\"", html.find("class=\"graph\""));
  EXPECT_EQ(count(html.substr(d, html.find('"', d + 4) - d), "M"), 12);
  EXPECT_TRUE(has(html, "url(#rates-0)"));
  EXPECT_TRUE(has(html, "ring among 12 nodes, 12 links, metropolis mixing every 32 local steps"));
  EXPECT_TRUE(has(html, "colour by rate, 0.5 – 1"));
}

TEST(Report, BestFinalValuesAreBold) {
  ReportInput in = three_arms(2);
  const auto end = [&](int a, int metric, double x, double y) {
    in.arms[a].values[metric][0].back() = x;
    in.arms[a].values[metric][1].back() = y;
  };
  end(0, 0, 0.50, 0.52), end(1, 0, 0.40, 0.42), end(2, 0, 0.1, kNaN);   // a diverged replica cannot win
  end(0, 1, 0.90, 0.90), end(1, 1, 0.80, 0.80), end(2, 1, 0.90, 0.90);  // highest, shared
  const std::string html = section(report_html(in), "Final values");
  EXPECT_TRUE(has(html, "<td><b>0.410 ± 0.014</b></td>"));
  EXPECT_TRUE(has(html, "<td>0.510 ± 0.014</td>"));
  EXPECT_TRUE(has(html, "0.1 <span class=\"quiet\">(1 of 2 finite)</span>"));
  EXPECT_EQ(count(html, "<td><b>0.9</b></td>"), 2);
  EXPECT_EQ(count(section(report_html(ring_of_hubs()), "Final values"), "<b>"), 0);  // nothing to compare
}

TEST(Report, BitsPerLinkClass) {
  ReportInput in = three_arms();
  in.arms[0].links = {{"edge", 1'234'567, 7}, {"cloud", 0, 0}};
  const std::string html = section(report_html(in), "Bits sent");
  EXPECT_TRUE(has(html, "1.235\u00A0Mbit"));
  EXPECT_TRUE(has(html, "title=\"1\u202F234\u202F567 bit\""));
  EXPECT_TRUE(has(html, "1.235\u00A0Mbit</span></td><td class=\"bar\"></td>"));  // the arm's total
}

TEST(Report, ExpectedBesideMeasured) {
  ReportInput in = three_arms();
  EXPECT_FALSE(has(report_html(in), "Expected beside measured"));
  in.expectations.source = "table <1>";
  ExpectLine line;
  line.what = "local: loss", line.expected = "< 1", line.measured = "0.5", line.note = "a & b",
  line.verdict = Verdict::yes;
  in.expectations.lines = {line, line, line};
  in.expectations.lines[1].verdict = Verdict::no;
  in.expectations.lines[2].verdict = Verdict::open;
  const std::string html = report_html(in), part = section(html, "Expected beside measured");
  EXPECT_EQ(fault(html), "");
  for (const char* row : {"<tr class=\"yes\"><td class=\"verdict\">yes<", "<tr class=\"no\"><td class=\"verdict\">NO<",
                          "<tr class=\"open\"><td class=\"verdict\">\u2013<", "1 of 2 judged rows hold", "&lt; 1",
                          "table &lt;1&gt;", "a &amp; b"})
    EXPECT_TRUE(has(part, row)) << row;
}

TEST(Report, LossAgainstTimeAndTiersByArm) {
  ReportInput in = example::run(
      {arm("H-SGD", 100, {{"edge", 10, 5}, {"cloud", 1, 50}}), arm("local", 100, {{"cloud", 1, 50}})},
      {"train_loss", "virtual_time", "dispersion_edge", "dispersion_cloud", "divergence_edge", "divergence_cloud"}, 2);
  for (size_t m : {2, 4})
    for (auto& replica : in.arms[1].values[m]) replica.assign(replica.size(), kNaN);  // local SGD has no edge tier
  const std::string html = report_html(in);
  EXPECT_EQ(fault(html), "");
  EXPECT_EQ(lines(figure(html, "loss-against-virtual-time")).size(), 2u);
  EXPECT_TRUE(has(figure(html, "loss-against-virtual-time"), "virtual time (slots)"));
  EXPECT_EQ(lines(figure(html, "loss-against-bits")).size(), 2u);
  EXPECT_EQ(lines(figure(html, "dispersion-by-tier-0")).size(), 2u);
  EXPECT_EQ(lines(figure(html, "divergence-by-tier-0")).size(), 2u);
  EXPECT_EQ(figure(html, "dispersion-by-tier-1"), "");  // one line is no comparison
  EXPECT_TRUE(has(figure(html, "dispersion-by-tier-0"), "dispersion by tier, H-SGD"));

  // a clock of seconds says so; a clock that counts the steps themselves, and bits that were never sent, need no figure
  in.arms[0].network.clock.step_time = 0.01;
  const std::string seconds = report_html(in);
  EXPECT_TRUE(has(figure(seconds, "loss-against-virtual-time"), "virtual time (seconds)"));
  EXPECT_TRUE(has(figure(seconds, "virtual_time"), "(seconds)"));
  for (ReportArm& a : in.arms) {
    a.virtual_time.assign(in.record_steps.begin(), in.record_steps.end());
    a.bits.assign(in.record_steps.size(), 0.0);
  }
  const std::string plain = report_html(in);
  EXPECT_EQ(figure(plain, "loss-against-virtual-time"), "");
  EXPECT_EQ(figure(plain, "loss-against-bits"), "");
}

// Errors against bits where arms pay differently; where they pay alike, steps say the same.
TEST(Report, ErrorsAgainstBits) {
  ReportInput in = example::run({arm("a", 8, {{"cloud", 1, 2}}), arm("b", 8, {{"cloud", 1, 2}})},
                                {"excess_risk", "optimum_distance", "consensus_distance"}, 2);
  for (size_t t = 0; t < in.record_steps.size(); ++t)
    for (ReportArm& a : in.arms) a.bits.assign(in.record_steps.size(), 64.0);
  EXPECT_EQ(figure(report_html(in), "excess_risk-against-bits"), "");
  in.arms[1].bits.assign(in.record_steps.size(), 128.0);
  const std::string html = report_html(in);
  EXPECT_EQ(fault(html), "");
  for (const char* metric : {"excess_risk", "optimum_distance", "consensus_distance"}) {
    const std::string drawn = figure(html, std::string(metric) + "-against-bits");
    EXPECT_EQ(lines(drawn).size(), 2u) << metric;
    EXPECT_TRUE(has(drawn, "against bits")) << metric;
  }
  EXPECT_EQ(figure(html, "loss-against-bits"), "");  // none was recorded
}

TEST(Report, NumbersReadWell) {
  using namespace report;
  EXPECT_EQ(with_spaces(1234), "1234");
  EXPECT_EQ(with_spaces(-1234567), "-1\u202F234\u202F567");
  EXPECT_EQ(si(999'999, "bit"), "1\u00A0Mbit");
  EXPECT_EQ(si(12'345, ""), "12.35k");
  EXPECT_EQ(si(42, "slots"), "42\u00A0slots");
  EXPECT_EQ(rich(0), "0");
  EXPECT_EQ(rich(-2.5e-7), "−2.500×10<sup>−7</sup>");
  EXPECT_EQ(rich(9.99999e-7), "1.000×10<sup>−6</sup>");
  EXPECT_EQ(rich(kNaN), "not finite");
  EXPECT_EQ(with_spread(0.31241, 0.0021), "0.3124 ± 0.0021");
  EXPECT_EQ(with_spread(3.12e-5, 4.9e-7), "(3.120 ± 0.049)×10<sup>−5</sup>");
  EXPECT_EQ(with_spread(367.2, 114), "367 ± 114");
  EXPECT_EQ(with_spread(2, 0), "2");
  const Moments m = moments({1, 2, 6, kNaN});
  EXPECT_EQ(m.finite, 3);
  EXPECT_DOUBLE_EQ(m.mean, 3);
  EXPECT_DOUBLE_EQ(m.deviation, std::sqrt(7.0));
}

TEST(Report, RefusesShapesThatDoNotFit) {
  ReportInput in = three_arms();
  in.arms[1].values.pop_back();
  EXPECT_THROW(report_html(in), std::logic_error);
  in = ring_of_hubs();
  in.arms[0].edges.emplace_back(3, 12);
  EXPECT_THROW(report_html(in), std::logic_error);
}

}  // namespace
}  // namespace orrery
