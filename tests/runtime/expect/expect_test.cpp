// [expect]: what a row reads, when it holds, and what is refused.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "runtime/expect/evaluate.hpp"
#include "runtime/expect/spec.hpp"

namespace orrery {
namespace {

const ExpectContext kContext{
    .arms = {"a", "b", "c"}, .metrics = {"loss", "virtual_time"}, .has_arms = true, .steps = 4, .every = 2};

ExpectSpec parse(const std::string& toml, const ExpectContext& context = kContext) {
  return parse_expect(Params::from_text("[expect]\n" + toml, "x.toml").table("expect"), context);
}

// Two replicas, record points 0, 2, 4. Means of the loss: a 4, 2, 1; b 4, 3, 2; c 4, 2.5, 2.
class Expect : public testing::Test {
 protected:
  std::vector<std::string> arms_{"a", "b", "c"}, metrics_{"loss", "virtual_time"};
  std::vector<int64_t> steps_{0, 2, 4};
  using Values = std::vector<std::vector<std::vector<double>>>;
  std::vector<Values> values_{{{{4, 1.5, 0.5}, {4, 2.5, 1.5}}, {{0, 2, 4}, {0, 2, 4}}},
                              {{{4, 3, 2}, {4, 3, 2}}, {{0, 3, 8}, {0, 5, 8}}},
                              {{{4, 2.5, 1}, {4, 2.5, 3}}, {{0, 2, 4}, {0, 2, 4}}}};

  std::string theory_ = R"({"arms": [{"h": {"A": 9, "list": [1, {"x": 4.5}], "none": null}}, {"h": {"A": 3}}, {}]})";

  ExpectTable judge(const std::string& toml) {
    const TheoryValues theory(theory_);
    Measured m{arms_, metrics_, steps_, {}, theory};
    for (const auto& v : values_) m.values.push_back(&v);
    return evaluate(parse(toml), m);
  }
  ExpectLine one(const std::string& toml) {
    const auto table = judge(toml);
    EXPECT_EQ(table.lines.size(), 1u);
    return table.lines.at(0);
  }
};

TEST_F(Expect, MomentsOfASeries) {
  const auto value = [&](const std::string& at) {
    return one("[[expect.value]]\narm = \"a\"\nmetric = \"loss\"\nreference = 1\n" + at).values.at(0);
  };
  EXPECT_EQ(value(""), 1);
  EXPECT_EQ(value("at = \"last\""), 1);
  EXPECT_EQ(value("at = \"mean\""), 3);  // (4 + 2) / 2: the last point is left out
  EXPECT_EQ(value("at = \"mean\"\nfrom = 1"), 2);
  EXPECT_EQ(value("at = \"mean\"\nuntil = 2"), 4);  // from <= t < until
  EXPECT_EQ(value("at = \"mean\"\nfrom = 1\nuntil = 3"), 2);
  EXPECT_EQ(value("at = \"mean\"\nfrom = 2\nuntil = 4"), 2);
  EXPECT_EQ(value("at = \"mean\"\nfrom = 0\nuntil = 4"), 3);
  EXPECT_EQ(value("at = \"max\""), 4);
  EXPECT_EQ(value("at = \"min\""), 1);
  EXPECT_EQ(one("[[expect.value]]\narm = \"c\"\nmetric = \"loss\"\nreference = 1\nat = \"min\"").values.at(0), 1.75);
  EXPECT_EQ(value("at = 2"), 2);
  const auto decay = [](double a, double b) { return std::log(4 / a) / 2 + std::log(4 / b) / 2; };  // two replicas
  EXPECT_DOUBLE_EQ(value("at = \"decay\""), decay(0.5, 1.5) / 4);
  EXPECT_DOUBLE_EQ(value("at = \"decay\"\nuntil = 2"), decay(1.5, 2.5) / 2);
  EXPECT_DOUBLE_EQ(value("at = \"decay\"\nuntil = 2\nunit = 0.25"), decay(1.5, 2.5) / 2 / 0.25);
  EXPECT_DOUBLE_EQ(value("at = \"decay\"\nfrom = 2"), (decay(0.5, 1.5) - decay(1.5, 2.5)) / 2);
}

TEST_F(Expect, ValueIsJudgedOnlyWithATolerance) {
  const std::string row = "[[expect.value]]\narm = \"b\"\nmetric = \"loss\"\n";
  EXPECT_EQ(one(row + "reference = 2.1").verdict, Verdict::open);
  EXPECT_EQ(one(row + "reference = \"about two\"").verdict, Verdict::open);
  EXPECT_EQ(one(row + "reference = 2.1\nwithin = 0.05").verdict, Verdict::yes);
  EXPECT_EQ(one(row + "reference = 2.1\nwithin = 0.04").verdict, Verdict::no);
  EXPECT_EQ(one(row + "reference = 2\nwithin = 0").verdict, Verdict::yes);
  EXPECT_EQ(one(row + "at_most = 2").verdict, Verdict::yes);
  EXPECT_EQ(one(row + "at_most = 1.9").verdict, Verdict::no);
  EXPECT_EQ(one(row + "reference = 7\nat_least = 2.1").verdict, Verdict::no);
  EXPECT_EQ(one(row + "reference = 2\nwithin = 0\nat_least = 2.1").verdict, Verdict::no);
}

// Medians: of 3 replicas the middle one, of two the mean; NaN is never, which lies above every number.
TEST_F(Expect, MediansCountNanAsNever) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto last = [](std::vector<double> ends) {
    Values v(2);
    for (const double end : ends) v[0].push_back({0, 0, end}), v[1].push_back({0, 2, 4});
    return v;
  };
  values_ = {last({1, 100, 3}), last({nan, 5, 4}), last({nan, 7, nan})};
  const auto value = [&](const std::string& arm, const std::string& rest) {
    return one("[[expect.value]]\narm = \"" + arm + "\"\nmetric = \"loss\"\nof = \"median\"\n" + rest);
  };
  EXPECT_EQ(value("a", "reference = 3\nwithin = 0").verdict, Verdict::yes);
  EXPECT_EQ(value("a", "reference = 3.1\nwithin = 0.01").verdict, Verdict::no);
  EXPECT_EQ(value("a", "reference = 3").what, "a: loss (last, median)");
  EXPECT_EQ(value("b", "reference = 5\nwithin = 0").measured, "5");
  EXPECT_EQ(value("c", "reference = 7\nwithin = 10").verdict, Verdict::no);
  EXPECT_EQ(value("c", "at_least = 1").verdict, Verdict::no);
  EXPECT_EQ(value("c", "reference = \"-\"").measured, "-");
  EXPECT_EQ(value("c", "reference = \"-\"").verdict, Verdict::open);
  const auto order = [&](const std::string& rest) {
    return one("[[expect.order]]\nmetric = \"loss\"\nof = \"median\"\nascending = " + rest);
  };
  EXPECT_EQ(order("[\"a\", \"b\", \"c\"]").verdict, Verdict::yes);
  EXPECT_EQ(order("[\"a\", \"b\", \"c\"]").measured, "3 a < 5 b < - c");
  EXPECT_EQ(order("[\"c\", \"a\"]").verdict, Verdict::no);
  EXPECT_EQ(order("[\"b\", \"a\"]\nmargin = 1").verdict, Verdict::yes);
  EXPECT_EQ(order("[\"a\", \"c\"]\nmargin = 0.1").verdict, Verdict::yes);
  EXPECT_EQ(order("[\"a\", \"b\"]\neach_replica = true").verdict, Verdict::no);  // 100 > 5
  values_[2] = last({nan, nan, nan});
  values_[1] = values_[2];
  EXPECT_EQ(order("[\"b\", \"c\"]").verdict, Verdict::no);  // never is not below never
  values_ = {last({1, 2}), last({2, nan}), last({1, 4})};
  EXPECT_EQ(value("a", "reference = 1.5\nwithin = 0").verdict, Verdict::yes);
  EXPECT_EQ(value("b", "reference = 2").measured, "-");
  // the mean of what has a NaN satisfies nothing
  EXPECT_EQ(one("[[expect.order]]\nmetric = \"loss\"\nascending = [\"a\", \"b\"]").verdict, Verdict::no);
  EXPECT_THROW(value("a", "reference = 1\nof = \"mode\""), std::exception);
}

TEST_F(Expect, OrderIsStrictInTheMeans) {
  const auto verdict = [&](const std::string& rest) {
    return one("[[expect.order]]\nmetric = \"loss\"\n" + rest).verdict;
  };
  EXPECT_EQ(verdict("ascending = [\"a\", \"b\"]"), Verdict::yes);
  EXPECT_EQ(verdict("ascending = [\"b\", \"a\"]"), Verdict::no);
  EXPECT_EQ(verdict("ascending = [\"b\", \"c\"]"), Verdict::no);  // equal
  EXPECT_EQ(verdict("ascending = [\"b\", \"c\"]\nmargin = 0.01"), Verdict::yes);
  EXPECT_EQ(verdict("at = 2\nascending = [\"a\", \"c\", \"b\"]"), Verdict::yes);
  EXPECT_EQ(verdict("at = 2\nascending = [\"a\", \"b\", \"c\"]"), Verdict::no);
  // replica 0 of c ends at 1, below b's 2
  EXPECT_EQ(verdict("ascending = [\"a\", \"c\"]"), Verdict::yes);
  EXPECT_EQ(verdict("ascending = [\"a\", \"c\"]\neach_replica = true"), Verdict::yes);
  EXPECT_EQ(verdict("ascending = [\"b\", \"c\"]\nmargin = 0.01\neach_replica = true"), Verdict::no);
}

TEST_F(Expect, AgreementRatioAndReach) {
  EXPECT_EQ(one("[[expect.agree]]\nmetric = \"loss\"\narms = [\"b\", \"c\"]\nwithin = 0").verdict, Verdict::yes);
  const std::string three = "[[expect.agree]]\nmetric = \"loss\"\narms = [\"a\", \"b\", \"c\"]\nwithin = ";
  EXPECT_EQ(one(three + "0.6").verdict, Verdict::yes);  // spread 1 over the mean 5/3
  EXPECT_EQ(one(three + "0.59").verdict, Verdict::no);
  const std::string ratio = "[[expect.ratio]]\nmetric = \"loss\"\narm = \"b\"\nto = \"a\"\n";
  EXPECT_EQ(one(ratio + "at_least = 2").verdict, Verdict::yes);
  EXPECT_EQ(one(ratio + "at_least = 2.01").verdict, Verdict::no);
  EXPECT_EQ(one(ratio + "at_most = 2").verdict, Verdict::yes);
  EXPECT_EQ(one(ratio + "at_least = 1.5\nat_most = 1.9").verdict, Verdict::no);
  // a is at 2 from step 2 on, b from step 4 on, when its clock shows 8
  const std::string reach = "[[expect.reach]]\nmetric = \"loss\"\nlevel = 2\narm = \"b\"\nto = \"a\"\nat_least = 1\n";
  EXPECT_EQ(one(reach).values.at(0), 2);
  EXPECT_EQ(one(reach + "ratio_of = \"virtual_time\"").values.at(0), 4);
  const std::string never = "[[expect.reach]]\nmetric = \"loss\"\nlevel = 1.5\narm = \"b\"\nto = \"a\"\nat_least = 0\n";
  EXPECT_EQ(one(never).verdict, Verdict::no);
  EXPECT_EQ(one(never).measured, "never reached by b");
}

TEST_F(Expect, TheoryRowsReadTheArmsPart) {
  const std::string row = "[[expect.theory]]\narm = \"a\"\nquantity = ";
  EXPECT_EQ(one(row + "\"h.A\"\nreference = 9\nwithin = 0").verdict, Verdict::yes);
  EXPECT_EQ(one(row + "\"h.A\"\nreference = 9.1\nwithin = 0.01").verdict, Verdict::no);
  EXPECT_EQ(one(row + "\"h.A\"\nreference = 1").verdict, Verdict::open);
  EXPECT_EQ(one(row + "\"h.list.1.x\"\nat_most = 4.5").values.at(0), 4.5);
  EXPECT_EQ(one("[[expect.theory]]\narm = \"b\"\nquantity = \"h.A\"\nreference = 3\nwithin = 0").verdict, Verdict::yes);
  for (const char* none : {"h.B", "h", "h.none", "h.list.2", "h.list.x", "h.list.1x", "h.A.x", "", "."}) {
    const auto line = one(row + "\"" + none + "\"\nreference = 1\nwithin = 1e9");
    EXPECT_EQ(line.verdict, Verdict::no) << none;
    EXPECT_EQ(line.measured, "theory.json has no number at " + std::string(none));
  }
}

TEST_F(Expect, BoundsMayComeFromTheory) {
  const std::string row = "[[expect.value]]\nmetric = \"loss\"\nat = \"max\"\narm = ";
  EXPECT_EQ(one(row + "\"a\"\nat_most = \"h.A\"").verdict, Verdict::yes);
  EXPECT_EQ(one(row + "\"b\"\nat_most = \"h.A\"").verdict, Verdict::no);  // 4 above b's own 3
  EXPECT_EQ(one(row + "\"b\"\nat_least = \"h.A\"\nat_most = 4").verdict, Verdict::yes);
  const auto none = one(row + "\"c\"\nat_most = \"h.A\"");
  EXPECT_EQ(none.verdict, Verdict::no);
  EXPECT_EQ(none.measured, "theory.json has no number at h.A");
  EXPECT_EQ(one(row + "\"a\"\nat_most = \"h.A\"").expected, "at most h.A = 9");
}

TEST_F(Expect, WithoutARunOnlyTheoryIsJudged) {
  const auto spec = parse(
      "[[expect.value]]\narm = \"a\"\nmetric = \"loss\"\nreference = 1\n"
      "[[expect.theory]]\narm = \"a\"\nquantity = \"h.A\"\nreference = 9\nwithin = 0");
  const auto table = evaluate_theory(spec, arms_, TheoryValues(theory_));
  ASSERT_EQ(table.lines.size(), 1u);
  EXPECT_EQ(table.lines[0].verdict, Verdict::yes);
}

TEST_F(Expect, AnOrderAtEveryRecordPoint) {
  const std::string rows = "[[expect.order]]\nmetric = \"loss\"\nat = \"every\"\nascending = ";
  EXPECT_EQ(one(rows + "[\"a\", \"b\"]").verdict, Verdict::no);  // equal at step 0
  const auto late = one(rows + "[\"a\", \"b\"]\nfrom = 2");
  EXPECT_EQ(late.verdict, Verdict::yes);
  EXPECT_EQ(late.measured, "at all 2 records");
  const auto crossed = one(rows + "[\"c\", \"b\"]\nfrom = 2");  // 2.5 < 3, then 2 = 2
  EXPECT_EQ(crossed.verdict, Verdict::no);
  EXPECT_EQ(crossed.measured.substr(0, 11), "at step 4: ");
  // along the clock: b's records lie at 0, 4, 8 and its losses are 4, 3, 2; at a's times 2 and 4 b has 3.5 and 3
  const auto clock = one(rows + "[\"a\", \"b\"]\nalong = \"virtual_time\"\nfrom = 1");
  EXPECT_EQ(clock.verdict, Verdict::yes);
  EXPECT_EQ(clock.values, (std::vector<double>{1, 3}));
  // from b's side: a is at 4, 2, 1 and has nothing at 8
  EXPECT_EQ(one(rows + "[\"b\", \"a\"]\nalong = \"virtual_time\"\nfrom = 8").verdict, Verdict::open);
  EXPECT_EQ(one(rows + "[\"b\", \"a\"]\nalong = \"virtual_time\"\nfrom = 1").verdict, Verdict::no);
  EXPECT_EQ(one(rows + "[\"a\", \"b\"]\nfrom = 8").verdict, Verdict::open);
}

TEST_F(Expect, NonFiniteNeverHoldsAndALateStepStaysOpen) {
  const std::string late = "at = 8\n";
  EXPECT_EQ(one("[[expect.order]]\nmetric = \"loss\"\nascending = [\"b\", \"a\"]\n" + late).verdict, Verdict::open);
  EXPECT_EQ(one("[[expect.order]]\nmetric = \"loss\"\nascending = [\"b\", \"a\"]\nat = \"mean\"\nfrom = 9").verdict,
            Verdict::open);
  const auto window = [&](const std::string& keys) {
    return one("[[expect.value]]\narm = \"a\"\nmetric = \"loss\"\nreference = 1\nwithin = 0.9\nat = \"mean\"\n" + keys);
  };
  EXPECT_EQ(window("from = 2\nuntil = 5").verdict, Verdict::open);  // half of a window is not judged
  EXPECT_EQ(window("until = 9").verdict, Verdict::open);
  EXPECT_EQ(window("from = 2\nuntil = 4").verdict, Verdict::no);
  EXPECT_EQ(window("from = 2\nuntil = 4").at, "mean from step 2 to 3");
  const auto decay = [&](const std::string& ends) {
    return one("[[expect.value]]\narm = \"a\"\nmetric = \"loss\"\nreference = 9\nwithin = 0.1\nat = \"decay\"\n" +
               ends);
  };
  EXPECT_EQ(decay("until = 6").verdict, Verdict::open);
  EXPECT_EQ(decay("from = 6\nuntil = 8").verdict, Verdict::open);
  EXPECT_EQ(decay("").verdict, Verdict::no);
  EXPECT_EQ(decay("").at, "decay from step 0 to the last");
  for (auto& arm : values_) arm[0][1][2] = std::numeric_limits<double>::quiet_NaN();
  for (const char* row :
       {"[[expect.value]]\narm = \"a\"\nmetric = \"loss\"\nreference = 1\nwithin = 1e9",
        "[[expect.order]]\nmetric = \"loss\"\nascending = [\"a\", \"b\"]\nmargin = 1e9",
        "[[expect.agree]]\nmetric = \"loss\"\narms = [\"a\", \"b\"]\nwithin = 1e9",
        "[[expect.ratio]]\nmetric = \"loss\"\narm = \"a\"\nto = \"b\"\nat_least = -1e9",
        "[[expect.value]]\narm = \"a\"\nmetric = \"loss\"\nat = \"max\"\nreference = 1\nwithin = 1e9",
        "[[expect.value]]\narm = \"a\"\nmetric = \"loss\"\nat = \"min\"\nreference = 1\nwithin = 1e9"}) {
    const auto line = one(row);
    EXPECT_EQ(line.verdict, Verdict::no) << row;
    EXPECT_NE(line.measured.find("not finite"), std::string::npos) << line.measured;
  }
}

TEST_F(Expect, TheTextCountsWhatWasJudged) {
  const std::string printed = text(judge(
      "source = \"a paper, table 1\"\n[[expect.value]]\narm = \"a\"\nmetric = \"loss\"\nreference = 1\nnote = \"n\"\n"
      "[[expect.order]]\nmetric = \"loss\"\nascending = [\"b\", \"a\"]\n"));
  EXPECT_NE(printed.find("expected beside measured (a paper, table 1)"), std::string::npos) << printed;
  EXPECT_NE(printed.find("2 b !< 1"), std::string::npos) << printed;
  EXPECT_NE(printed.find("0 of 1 judged rows hold"), std::string::npos) << printed;
  EXPECT_EQ(text(ExpectTable{}), "");
}

// One sentence each, with line, key and remedy.
TEST(ExpectSpec, RefusesBadRows) {
  const std::string value = "[[expect.value]]\nmetric = \"loss\"\n", reach = "[[expect.reach]]\nmetric = \"loss\"\n";
  const struct {
    std::string toml, sentence;
  } cases[] = {
      {value + "arm = \"d\"\nreference = 1", "x.toml:4: expect.value.arm: no arm is called \"d\"; "},
      {"[[expect.value]]\nmetric = \"los\"\narm = \"a\"\nreference = 1",
       "x.toml:3: expect.value.metric: \"los\" is not recorded; did you mean \"loss\"?"},
      {"[[expect.value]]\nmetric = \"accuracy\"\narm = \"a\"\nreference = 1", "add it to record.metrics"},
      {value + "arm = \"a\"\nreference = 1\nat = 3", "expect.value.at: step 3 is no record point; give a multiple of"},
      {value + "arm = \"a\"\nreference = 1\nat = \"men\"", "expect.value.at: "},
      {value + "arm = \"a\"\nreference = \"x\"\nwithin = 1",
       "expect.value.within: needs a reference that is a number; "},
      {value + "arm = \"a\"\nreference = 1\nwithin = -1", "expect.value.within: -1 is out of range"},
      {value + "arm = \"a\"", "expect.value"},
      {value + "reference = 1", "expect.value"},
      {value + "arm = \"a\"\nreference = 1\nwithn = 1", "unknown key; did you mean \"within\"?"},
      {"sourc = \"x\"", "unknown key; did you mean \"source\"?"},
      {"[[expect.ordr]]\nmetric = \"loss\"", "unknown key; did you mean \"order\"?"},
      {"[[expect.order]]\nmetric = \"loss\"\nascending = [\"a\"]", "compares fewer than two arms; "},
      {"[[expect.order]]\nmetric = \"loss\"\nascending = [\"a\", \"a\"]", "\"a\" is named twice; "},
      {"[[expect.agree]]\nmetric = \"loss\"\narms = [\"a\", \"b\"]", "expect.agree"},
      {"[[expect.ratio]]\nmetric = \"loss\"\narm = \"a\"\nto = \"b\"", "no bound is given; give at_least"},
      {"[[expect.ratio]]\nmetric = \"loss\"\narm = \"a\"\nto = \"b\"\nat_least = 2\nat_most = 1", "exchange them"},
      {reach + "arm = \"a\"\nto = \"b\"\nat_least = 1", "expect.reach"},
      {reach + "arm = \"a\"\nto = \"b\"\nat_least = 1\nlevel = 1\nratio_of = \"virtual_tim\"",
       "did you mean \"virtual_time\"?"},
      {"value = 3", "expect.value: "},
      {"[[expect.theory]]\narm = \"a\"\nreference = 1", "expect.theory"},
      {"[[expect.theory]]\nquantity = \"h.A\"\narm = \"d\"\nreference = 1", "no arm is called \"d\""},
      {"[[expect.theory]]\nquantity = \"h.A\"\narm = \"a\"\nreference = 1\nat = 2", "expect.theory.at: unknown key"},
      {"[[expect.ratio]]\nmetric = \"loss\"\narm = \"a\"\nto = \"b\"\nat_most = \"h.A\"", "expect.ratio.at_most"},
      {value + "arm = \"a\"\nreference = 1\nat = \"every\"", "expect.value.at: "},
      {"[[expect.order]]\nmetric = \"loss\"\nascending = [\"a\", \"b\"]\nat = \"every\"\nalong = \"virtual_tim\"",
       "expect.order.along: \"virtual_tim\" is not recorded; did you mean \"virtual_time\"?"},
      {"[[expect.order]]\nmetric = \"loss\"\nascending = [\"a\", \"b\"]\nfrom = 2", "expect.order.from: unknown key"},
      {value + "arm = \"a\"\nreference = 1\nuntil = 2", "expect.value.until: unknown key"},
      {value + "arm = \"a\"\nreference = 1\nat = \"max\"\nuntil = 2", "expect.value.until: unknown key"},
      {value + "arm = \"a\"\nreference = 1\nat = \"decay\"\nfrom = 1", "expect.value.from: step 1 is no record point"},
      {value + "arm = \"a\"\nreference = 1\nat = \"decay\"\nfrom = 2\nuntil = 2",
       "expect.value.until: 2 is not above from, which is 2; the decay is from one step to a later one"},
      {value + "arm = \"a\"\nreference = 1\nat = \"decay\"\nunit = 0", "expect.value.unit: 0 is out of range"},
      {value + "arm = \"a\"\nreference = 1\nat = \"mean\"\nuntil = 0", "expect.value.until: 0 is out of range"},
      {value + "arm = \"a\"\nreference = 1\nat = \"mean\"\nuntil = 1.5", "expect.value.until: "},
      {value + "arm = \"a\"\nreference = 1\nat = \"mean\"\nfrom = 2\nuntil = 2",
       "expect.value.until: 2 is not above from, which is 2; the mean is over from <= step < until"},
      {value + "arm = \"a\"\nreference = 1\nat = \"mean\"\nfrom = 1\nuntil = 2",
       "expect.value.until: no record point lies from step 1 to 1; give a window that holds a multiple of "
       "record.every, "
       "which is 2"},
  };
  for (const auto& c : cases) try {
      parse(c.toml);
      ADD_FAILURE() << "accepted:\n" << c.toml;
    } catch (const ExperimentError& e) {
      EXPECT_NE(std::string(e.what()).find(c.sentence), std::string::npos) << c.toml << "\n" << e.what();
    }
  const ExpectContext no_arms{.arms = {""}, .metrics = {"loss"}, .has_arms = false, .steps = 4, .every = 2};
  EXPECT_EQ(parse(value + "reference = 1", no_arms).rows.at(0).arms, std::vector<std::string>{""});
  EXPECT_THROW(parse(value + "reference = 1\narm = \"a\"", no_arms), ExperimentError);
}

}  // namespace
}  // namespace orrery
