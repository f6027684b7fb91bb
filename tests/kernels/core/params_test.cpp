#include "kernels/core/params.hpp"

#include <algorithm>
#include <functional>

#include "tests/datasets/files.hpp"

namespace orrery {
namespace {

using test::complaint;

Params parse(const std::string& text) { return Params::from_text(text, "exp.toml"); }

void expect_has(const std::string& message, const std::string& part) {
  EXPECT_NE(message.find(part), std::string::npos) << "\"" << message << "\" lacks \"" << part << "\"";
}

const char kAll[] = R"(whole = 3
real = 2.5
on = true
word = "w"
wholes = [1, 2]
reals = [0.5, 2]
words = ["a", "b"]
grid = [[1, 2], [3]]
empty = []
day = 1979-05-27
[inner]
x = 1
[[arm]]
name = "one"
[[arm]]
name = "two"
)";

TEST(Params, ReadsEveryType) {
  Params p = parse(kAll);
  EXPECT_EQ(p.integer("whole", {}), 3);
  EXPECT_EQ(p.number("whole", {}), 3.0);  // an integer is a number
  EXPECT_EQ(p.number("real", {}), 2.5);
  EXPECT_TRUE(p.flag("on", {}));
  EXPECT_EQ(p.text("word", {}), "w");
  EXPECT_EQ(p.choice("word", {}, {"v", "w"}), "w");
  EXPECT_EQ(p.integers("wholes"), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(p.numbers("reals"), (std::vector<double>{0.5, 2}));
  EXPECT_EQ(p.texts("words", {}), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(p.integer_rows("grid"), (std::vector<std::vector<int64_t>>{{1, 2}, {3}}));
  EXPECT_EQ(p.number_rows("grid"), (std::vector<std::vector<double>>{{1, 2}, {3}}));
  EXPECT_EQ(p.cycled("reals", {}, 5), (std::vector<double>{0.5, 2, 0.5, 2, 0.5}));
  EXPECT_EQ(p.cycled("real", {}, 2), (std::vector<double>{2.5, 2.5}));
  EXPECT_EQ(p.table("inner").integer("x", {}), 1);
  EXPECT_EQ(p.table("inner").path(), "inner");
  auto arms = p.tables("arm");
  ASSERT_EQ(arms.size(), 2u);
  EXPECT_EQ(arms[1].text("name", {}), "two");
  EXPECT_TRUE(p.tables("nothing").empty());
  EXPECT_EQ(p.path(), "");
  EXPECT_EQ(p.file(), "exp.toml");
}

TEST(Params, SaysWhatIsThere) {
  const Params p = parse(kAll);
  const std::string keys[] = {"whole", "real", "on", "word", "wholes", "grid", "empty", "inner", "absent"};
  const auto those = [&](bool (Params::*is)(const std::string&) const) {
    std::string out;
    for (const auto& k : keys)
      if ((p.*is)(k)) out += k + " ";
    return out;
  };
  EXPECT_EQ(those(&Params::has), "whole real on word wholes grid empty inner ");
  EXPECT_EQ(those(&Params::is_number), "whole real ");
  EXPECT_EQ(those(&Params::is_text), "word ");
  EXPECT_EQ(those(&Params::is_array), "wholes grid empty ");
  EXPECT_EQ(those(&Params::is_nested_array), "grid ");
  EXPECT_EQ(those(&Params::is_table), "inner ");
}

// Each reader against a value of each other type: file, line, key, what it is, what to give.
TEST(Params, NamesEveryTypeError) {
  const struct {
    std::string wanted;
    std::vector<std::string> takes;  // keys of kAll that are right
    std::function<void(Params&, const std::string&)> read;
  } readers[] = {
      {"an integer", {"whole"}, [](Params& p, const std::string& k) { p.integer(k, {}); }},
      {"a number", {"whole", "real"}, [](Params& p, const std::string& k) { p.number(k, {}); }},
      {"true or false", {"on"}, [](Params& p, const std::string& k) { p.flag(k, {}); }},
      {"a string", {"word"}, [](Params& p, const std::string& k) { p.text(k, {}); }},
      {"a string", {"word"}, [](Params& p, const std::string& k) { p.choice(k, {}, {"w"}); }},
      {"an array of integers", {"wholes"}, [](Params& p, const std::string& k) { p.integers(k); }},
      {"an array of numbers", {"wholes", "reals"}, [](Params& p, const std::string& k) { p.numbers(k); }},
      {"an array of strings", {"words"}, [](Params& p, const std::string& k) { p.texts(k, {}); }},
      {"an array of arrays of integers", {"grid"}, [](Params& p, const std::string& k) { p.integer_rows(k); }},
      {"an array of arrays of numbers", {"grid"}, [](Params& p, const std::string& k) { p.number_rows(k); }},
      {"a table", {"inner"}, [](Params& p, const std::string& k) { p.table(k); }},
      {"an array of tables", {"arm", "empty"}, [](Params& p, const std::string& k) { p.tables(k); }},
  };
  const struct {
    std::string key, line, is;
  } values[] = {{"whole", "1", "an integer"}, {"real", "2", "a number"},  {"on", "3", "true or false"},
                {"word", "4", "a string"},    {"wholes", "5", ""},        {"reals", "6", ""},
                {"words", "7", ""},           {"grid", "8", ""},          {"empty", "9", ""},
                {"day", "10", "a date"},      {"inner", "11", "a table"}, {"arm", "13", ""}};
  for (const auto& r : readers)
    for (const auto& v : values) {
      Params p = parse(kAll);
      if (std::find(r.takes.begin(), r.takes.end(), v.key) != r.takes.end()) {
        EXPECT_NO_THROW(r.read(p, v.key)) << r.wanted << " from " << v.key;
        continue;
      }
      SCOPED_TRACE(r.wanted + " from " + v.key);
      const std::string message = complaint<ExperimentError>([&] { r.read(p, v.key); });
      EXPECT_EQ(message.rfind("exp.toml:" + v.line + ": " + v.key + ": is ", 0), 0u) << message;
      if (!v.is.empty()) expect_has(message, "is " + v.is + "; give " + r.wanted);
      expect_has(message, "; give ");
    }
}

TEST(Params, MissingKeysAreNamedWithTheirTable) {
  Params p = parse("a = 1\n[net]\nb = 2\n");
  EXPECT_EQ(complaint<ExperimentError>([&] { p.table("net").number("delay", {}); }),
            "exp.toml:2: net.delay: is missing; give a number");
  EXPECT_EQ(complaint<ExperimentError>([&] { p.table("net").integers("many"); }),
            "exp.toml:2: net.many: is missing; give an array of integers");
  expect_has(complaint<ExperimentError>([&] { p.flag("x", {}); }), "x: is missing; give true or false");
  expect_has(complaint<ExperimentError>([&] { p.texts("x", {}); }), "x: is missing; give an array of strings");
  expect_has(complaint<ExperimentError>([&] { p.cycled("x", {}, 3); }), "x: is missing; give a number");
}

TEST(Params, ChecksRanges) {
  Params p = parse("x = 2\nwhole = 5\nmany = [1, 2, 3]\ngrid = [[1], [9]]\nbad = nan\nhuge = inf\n");
  EXPECT_EQ(p.number("x", {}, at_least(2)), 2);
  EXPECT_EQ(p.number("x", {}, between(1, 2)), 2);
  EXPECT_EQ(p.number("x", {}, above(1.5)), 2);
  expect_has(complaint<ExperimentError>([&] { p.number("x", {}, above(2)); }),
             "exp.toml:1: x: 2 is out of range; give a value that is above 2");
  expect_has(complaint<ExperimentError>([&] { p.number("x", {}, at_least(2.5)); }), "at least 2.5");
  expect_has(complaint<ExperimentError>([&] { p.number("x", {}, between(0, 1)); }), "at least 0 and at most 1");
  expect_has(complaint<ExperimentError>([&] { p.number("x", {}, {.min = 0, .max = 2, .max_open = true}); }),
             "at least 0 and below 2");
  expect_has(complaint<ExperimentError>([&] { p.number("x", {}, {.max = 1}); }), "that is at most 1");
  expect_has(complaint<ExperimentError>([&] { p.integer("whole", {}, between(1, 4)); }),
             "exp.toml:2: whole: 5 is out of range");
  expect_has(complaint<ExperimentError>([&] { p.numbers("many", between(0, 2)); }), "many: 3 is out of range");
  expect_has(complaint<ExperimentError>([&] { p.integers("many", at_least(2)); }), "many: 1 is out of range");
  expect_has(complaint<ExperimentError>([&] { p.integer_rows("grid", between(0, 8)); }), "grid: 9 is out of range");
  expect_has(complaint<ExperimentError>([&] { p.number_rows("grid", between(0, 8)); }), "grid: 9 is out of range");
  expect_has(complaint<ExperimentError>([&] { p.cycled("many", {}, 2, between(0, 2)); }),
             "many: 3 is out of range");  // also beyond n
  expect_has(complaint<ExperimentError>([&] { p.number("bad", {}); }), "is not a finite number");
  expect_has(complaint<ExperimentError>([&] { p.number("huge", {}); }), "is not a finite number");
}

TEST(Params, ChoiceNamesTheKnown) {
  Params p = parse("order = \"rondom\"\n");
  EXPECT_EQ(complaint<ExperimentError>([&] {
              p.choice("order", {}, {"random", "cyclic"});
            }),
            "exp.toml:1: order: unknown name \"rondom\"; did you mean \"random\"? known: random, cyclic");
}

TEST(Params, UnreadKeysAreErrorsWithTheNearestName) {
  const auto read = [](Params& p) {
    p.number("learning_rate", 0.1);
    Params net = p.table("net");
    net.integer("workers", 1);
    for (Params& a : p.tables("arm")) a.text("name", "x");
    p.require_all_read();
  };
  const auto message = [&](const std::string& text) {
    Params p = parse(text);
    return complaint<ExperimentError>([&] { read(p); });
  };
  Params good = parse("learning_rate = 1\n[net]\nworkers = 3\n[[arm]]\nname = \"a\"\n");
  EXPECT_NO_THROW(read(good));
  EXPECT_EQ(message("# c\nlearnig_rate = 1\n"),
            "exp.toml:2: learnig_rate: unknown key; did you mean \"learning_rate\"?");
  EXPECT_EQ(message("[net]\nworker = 3\n"), "exp.toml:2: net.worker: unknown key; did you mean \"workers\"?");
  expect_has(message("[net]\nqqqqqqqq = 3\n"), "exp.toml:2: net.qqqqqqqq: unknown key here; remove it");
  EXPECT_EQ(message("[[arm]]\nname = \"a\"\n[[arm]]\nnames = \"b\"\n"),
            "exp.toml:4: arm.names: unknown key; did you mean \"name\"?");
  expect_has(message("[nett]\nworkers = 3\n"), "exp.toml:1: nett: unknown key; did you mean \"net\"?");
}

// has() and is_*() do not read; mark_read() does, with everything below it.
TEST(Params, AskingIsNotReading) {
  Params p = parse("x = 1\n[t]\ny = 2\n");
  p.has("x"), p.is_number("x"), p.is_table("t");
  EXPECT_THROW(p.require_all_read(), ExperimentError);
  p.mark_read("x");
  EXPECT_THROW(p.require_all_read(), ExperimentError);
  p.mark_read("t");
  EXPECT_NO_THROW(p.require_all_read());
}

// "A key that nobody read is an error": also where a table was taken and none of its keys was asked for.
TEST(Params, UnreadKeysOfATableThatWasOnlyTakenAreErrors) {
  Params p = parse("[t]\ny = 2\n");
  p.table("t");
  EXPECT_THROW(p.require_all_read(), ExperimentError);
  Params q = parse("[[arm]]\ny = 2\n");
  q.tables("arm");
  EXPECT_THROW(q.require_all_read(), ExperimentError);
}

TEST(Params, DefaultsAreWrittenBack) {
  Params p = parse("given = 1\n");
  EXPECT_EQ(p.number("rate", 0.25), 0.25);
  EXPECT_EQ(p.integer("steps", 8), 8);
  EXPECT_EQ(p.integer("given", 8), 1);
  EXPECT_TRUE(p.flag("on", true));
  EXPECT_EQ(p.text("word", "default"), "default");
  EXPECT_EQ(p.choice("order", "b", {"a", "b"}), "b");
  EXPECT_EQ(p.texts("list", std::vector<std::string>{"u", "v"}), (std::vector<std::string>{"u", "v"}));
  EXPECT_EQ(p.table("inner").integer("deep", 3), 3);
  EXPECT_EQ(p.cycled("many", 0.5, 3), (std::vector<double>{0.5, 0.5, 0.5}));
  p.require_all_read();
  // what was resolved is an experiment that reads the same, with no default needed
  Params again = parse(p.to_toml());
  EXPECT_EQ(again.number("rate", {}), 0.25);
  EXPECT_EQ(again.integer("steps", {}), 8);
  EXPECT_EQ(again.integer("given", {}), 1);
  EXPECT_TRUE(again.flag("on", {}));
  EXPECT_EQ(again.text("word", {}), "default");
  EXPECT_EQ(again.text("order", {}), "b");
  EXPECT_EQ(again.texts("list", {}), (std::vector<std::string>{"u", "v"}));
  EXPECT_EQ(again.table("inner").integer("deep", {}), 3);
  EXPECT_EQ(again.number("many", {}), 0.5);
  again.require_all_read();
  EXPECT_EQ(again.to_toml(), p.to_toml());
}

TEST(Params, SetOverridesAndNamesItself) {
  Params p = parse("device = \"cuda\"\nbatch = 3\n[net]\nworkers = 2\n");
  p.set("batch", "[4, 8]");
  p.set("device", "cpu");  // a bare word
  p.set("net.workers", "7");
  p.set("net.link.delay_us", "1.5");  // makes tables
  p.set("net.kind", "\"ring\"");
  p.set("data.root", "/tmp/x-y.z");
  EXPECT_EQ(p.integers("batch"), (std::vector<int64_t>{4, 8}));
  EXPECT_EQ(p.text("device", {}), "cpu");
  EXPECT_EQ(p.table("net").integer("workers", {}), 7);
  EXPECT_EQ(p.table("net").table("link").number("delay_us", {}), 1.5);
  EXPECT_EQ(p.table("net").text("kind", {}), "ring");
  EXPECT_EQ(p.table("data").text("root", {}), "/tmp/x-y.z");
  p.require_all_read();
  EXPECT_EQ(complaint<ExperimentError>([&] { p.table("net").text("workers", {}); }),
            "--set net.workers=7: net.workers: is an integer; give a string");
  p.set("batchs", "3");
  EXPECT_EQ(complaint<ExperimentError>([&] { p.require_all_read(); }),
            "--set batchs=3: batchs: unknown key; did you mean \"batch\"?");
}

TEST(Params, SetRefusesWhatIsNoValueAndNoKey) {
  for (const char* value : {"", "[1, 2", "a b", "\"open", "{x = }", "1,2", "a=b", "# nothing"}) {
    Params p = parse("x = 1\n");
    const std::string message = complaint<ExperimentError>([&] { p.set("x", value); });
    EXPECT_EQ(message.rfind(std::string("--set x=") + value + ": not a TOML value: ", 0), 0u) << message;
    EXPECT_EQ(p.integer("x", {}), 1) << value;
  }
  for (const char* key : {"", ".", ".x", "a..b"}) {
    Params p = parse("");
    expect_has(complaint<ExperimentError>([&] { p.set(key, "1"); }), std::string("--set ") + key + "=1: not a key; ");
  }
  Params p = parse("x = 1\n");
  expect_has(complaint<ExperimentError>([&] { p.set("x.y", "1"); }), "--set x.y=1: x is no table; ");
}

TEST(Params, SetRefusesAKeyThatEndsInADot) {
  Params p = parse("");
  EXPECT_THROW(p.set("a.", "1"), ExperimentError);
}

// One value: what follows on a second line would be dropped without a word.
TEST(Params, SetRefusesTwoValues) {
  Params p = parse("");
  EXPECT_THROW(p.set("a", "1\nb = 2"), ExperimentError);
}

// A mistake inside a table that came from an option is the option's, not some line's of the file.
TEST(Params, SetTablesNameTheOption) {
  Params p = parse("# one\n# two\nx = 1\n");
  p.set("net", "{ workers = \"many\" }");
  const std::string message = complaint<ExperimentError>([&] { p.table("net").integer("workers", {}); });
  EXPECT_EQ(message.find("exp.toml:1:"), std::string::npos) << message;
  expect_has(message, "--set net=");
}

TEST(Params, InvalidTomlNamesTheLine) {
  expect_has(complaint<ExperimentError>([&] { parse("a = 1\nb = = 2\n"); }), "exp.toml:2: not valid TOML: ");
  expect_has(complaint<ExperimentError>([&] { parse("a = 1\na = 2\n"); }), "exp.toml:2: ");
  test::TempDir dir;
  expect_has(complaint<ExperimentError>([&] { Params::from_file(dir.path("none.toml")); }),
             "none.toml: cannot be read; ");
  test::write_text(dir.path("x.toml"), "a = 5\n");
  Params p = Params::from_file(dir.path("x.toml"));
  EXPECT_EQ(p.integer("a", {}), 5);
  EXPECT_EQ(p.file(), dir.path("x.toml"));
}

const char kArms[] = R"(rate = 0.1
[net]
workers = 4
kind = "ring"
batch = [1, 2]
[[arm]]
name = "fast"
rate = 0.5
[arm.net]
workers = 8
batch = [3]
[arm.more]
x = 1
)";

// As an arm is laid over the file: its keys win, tables merge, everything else is replaced, and each key keeps its
// line.
TEST(Params, MergeKeepsLines) {
  Params whole = parse(kArms);
  Params arm = whole.tables("arm")[0];
  Params base = whole.clone();
  base.remove("arm");
  base.merge(std::move(arm));
  EXPECT_FALSE(base.has("arm"));
  EXPECT_EQ(base.text("name", {}), "fast");
  EXPECT_EQ(base.number("rate", {}), 0.5);
  Params net = base.table("net");
  EXPECT_EQ(net.integer("workers", {}), 8);
  EXPECT_EQ(net.text("kind", {}), "ring");
  EXPECT_EQ(net.integers("batch"), std::vector<int64_t>{3});
  EXPECT_EQ(base.table("more").integer("x", {}), 1);
  base.require_all_read();
  EXPECT_EQ(complaint<ExperimentError>([&] { base.text("rate", {}); }), "exp.toml:8: rate: is a number; give a string");
  EXPECT_EQ(complaint<ExperimentError>([&] { net.text("workers", {}); }),
            "exp.toml:10: net.workers: is an integer; give a string");
  EXPECT_EQ(complaint<ExperimentError>([&] { net.integer("kind", {}); }),
            "exp.toml:4: net.kind: is a string; give an integer");
  EXPECT_EQ(complaint<ExperimentError>([&] { base.table("more").text("x", {}); }),
            "exp.toml:13: more.x: is an integer; give a string");
}

// An override of the file that an arm overrides in turn no longer bears the option's name.
TEST(Params, MergeForgetsTheOptionThatItReplaces) {
  Params base = parse("rate = 1\n");
  base.set("rate", "2");
  const Params arm = Params::from_text("rate = 3\n", "exp.toml");
  base.merge(Params(arm));
  EXPECT_EQ(base.number("rate", {}), 3);
  EXPECT_EQ(complaint<ExperimentError>([&] { base.text("rate", {}); }),
            "exp.toml:1: rate: is an integer; give a string");
}

// merge() takes its argument as const: it must still hold its values afterwards.
TEST(Params, CloneIsDeepWithNothingRead) {
  Params p = parse("x = 1\n[t]\ny = 2\n");
  p.set("t.z", "3");
  p.integer("x", {});
  Params c = p.clone();
  EXPECT_THROW(c.require_all_read(), ExperimentError);
  EXPECT_EQ(c.integer("x", {}), 1);
  EXPECT_EQ(c.table("t").integer("y", {}), 2);
  EXPECT_EQ(c.table("t").integer("z", {}), 3);
  EXPECT_EQ(complaint<ExperimentError>([&] { c.table("t").text("z", {}); }),
            "--set t.z=3: t.z: is an integer; give a string");
  EXPECT_EQ(complaint<ExperimentError>([&] { c.table("t").text("y", {}); }),
            "exp.toml:3: t.y: is an integer; give a string");
  c.require_all_read();
  c.table("t").set_text("y", "changed");
  EXPECT_EQ(p.table("t").integer("y", {}), 2);
}

// A copy of what the document is now, not of what the file was.
TEST(Params, CloneIsTheTextWithItsOverridesAndNothingElse) {
  Params p = parse("x = 1\ngone = 2\n");
  p.set("x", "5");
  p.remove("gone");
  p.merge(parse("more = 3\n"));
  Params c = p.clone();
  EXPECT_EQ(c.integer("x", {}), 5);
  EXPECT_TRUE(c.has("gone"));
  EXPECT_FALSE(c.has("more"));
}

TEST(Params, WritingAndCheckOnly) {
  Params p = parse("a = 1\nb = 2\nc = 3\n");
  p.set_text("a", "word");
  p.remove("b");
  EXPECT_EQ(p.text("a", {}), "word");
  EXPECT_FALSE(p.has("b"));
  EXPECT_NO_THROW(p.check_only({"a"}, "c", "rule"));
  EXPECT_NO_THROW(p.check_only({"a", "c", "d"}, "", "rule"));
  EXPECT_EQ(complaint<ExperimentError>([&] { p.check_only({"a"}, "b", "an arm holds only a"); }),
            "exp.toml:3: c: does not belong here: an arm holds only a; move it to the top of the file");
}

// common: what all documents share. difference: what one has beyond that. Together they are the document again.
TEST(Params, CommonAndDifferenceAddUp) {
  const std::vector<std::string> texts{
      "rate = 0.1\nname = \"a\"\n[net]\nworkers = 4\nkind = \"ring\"\n[net.link]\ndelay = 1\n[only]\nx = 1\n",
      "rate = 0.1\nname = \"b\"\n[net]\nworkers = 4\nkind = \"star\"\n[net.link]\ndelay = 1\n",
      "rate = 0.1\nname = \"c\"\nextra = [1, 2]\n[net]\nworkers = 4\nkind = \"ring\"\n[net.link]\ndelay = 1\nloss = "
      "2\n"};
  std::vector<Params> documents;
  for (const auto& t : texts) documents.push_back(parse(t));
  Params shared = Params::common(documents);
  EXPECT_EQ(shared.to_toml(), parse("rate = 0.1\n[net]\nworkers = 4\n[net.link]\ndelay = 1\n").to_toml());
  for (size_t k = 0; k < documents.size(); ++k) {
    const Params own = Params::difference(documents[k], shared);
    for (const char* key : {"rate"}) EXPECT_FALSE(own.has(key));
    EXPECT_TRUE(own.has("name"));
    Params sum = parse(shared.to_toml());
    sum.merge(parse(own.to_toml()));
    EXPECT_EQ(sum.to_toml(), documents[k].to_toml()) << k;
  }
  // equal values of another type are another value
  EXPECT_FALSE(Params::common({parse("x = 1\n"), parse("x = 1.0\n")}).has("x"));
  EXPECT_FALSE(Params::common({parse("x = 1\n"), parse("x = \"1\"\n")}).has("x"));
}

TEST(Params, KeepAndAppendTable) {
  const Params p = parse("a = 1\n[record]\nevery = 5\n");
  Params kept = Params::keep(p, "record");
  EXPECT_EQ(kept.to_toml(), parse("[record]\nevery = 5\n").to_toml());
  EXPECT_EQ(Params::keep(p, "absent").to_toml(), parse("").to_toml());
  Params out = parse("a = 1\n");
  out.append_table("arm", parse("name = \"one\"\n"));
  out.append_table("arm", parse("name = \"two\"\n[net]\nx = 1\n"));
  Params again = parse(out.to_toml());
  auto arms = again.tables("arm");
  ASSERT_EQ(arms.size(), 2u);
  EXPECT_EQ(arms[0].text("name", {}), "one");
  EXPECT_EQ(arms[1].table("net").integer("x", {}), 1);
}

// A place for errors that show after parsing: the key's line, or that of the last table that is there.
TEST(Params, PlaceOfADottedKey) {
  Params p = parse("a = 1\n\n[net]\nworkers = 4\n[net.graph]\nkind = \"ring\"\n");
  EXPECT_EQ(p.place("a"), "exp.toml:1: a");
  EXPECT_EQ(p.place("net.workers"), "exp.toml:4: net.workers");
  EXPECT_EQ(p.place("net.graph.kind"), "exp.toml:6: net.graph.kind");
  EXPECT_EQ(p.place("net.rates"), "exp.toml:3: net.rates");
  EXPECT_EQ(p.place("absent.key"), "exp.toml:1: absent.key");
  EXPECT_EQ(p.place("net.absent.key"), "exp.toml:3: net.absent.key");
  EXPECT_EQ(p.table("net").place("graph.kind"), "exp.toml:6: net.graph.kind");
  p.set("net.workers", "5");
  EXPECT_EQ(p.place("net.workers"), "--set net.workers=5: net.workers");
}

}  // namespace
}  // namespace orrery
