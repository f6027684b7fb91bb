#include "kernels/core/registry.hpp"

#include "kernels/core/params.hpp"
#include "tests/datasets/files.hpp"

namespace orrery {
namespace {

using test::complaint;

struct Part {
  std::string made_by;
};
const Entry<Part> local{"local_sgd", "steps alone", [](Params&) { return std::make_unique<Part>(Part{"local"}); }};
const Entry<Part> sync{"sync_sgd", "steps together",
                       [](Params& p) { return std::make_unique<Part>(Part{"sync " + p.text("kind", {})}); }};
const Table<Part> table{&local, &sync};

TEST(Registry, MakesTheNamedPart) {
  Params p = Params::from_text("kind = \"sync_sgd\"\nrule = \"local_sgd\"\n", "exp.toml");
  EXPECT_EQ(make(table, p)->made_by, "sync sync_sgd");
  EXPECT_EQ(make(table, p, "rule")->made_by, "local");
  p.require_all_read();
}

TEST(Registry, UnknownNamesAreAnsweredWithTheKnownOnes) {
  Params p = Params::from_text("[algorithm]\nkind = \"sink_sgd\"\nother = \"x-y-z-w\"\nnumber = 3\n", "exp.toml");
  Params a = p.table("algorithm");
  EXPECT_EQ(
      complaint<ExperimentError>([&] { make(table, a); }),
      "exp.toml:2: algorithm.kind: unknown name \"sink_sgd\"; did you mean \"sync_sgd\"? known: local_sgd, sync_sgd");
  EXPECT_EQ(complaint<ExperimentError>([&] { make(table, a, "other"); }),
            "exp.toml:3: algorithm.other: unknown name \"x-y-z-w\"; known: local_sgd, sync_sgd");
  EXPECT_EQ(complaint<ExperimentError>([&] { make(table, a, "number"); }),
            "exp.toml:4: algorithm.number: is an integer; give a string");
  EXPECT_EQ(complaint<ExperimentError>([&] { make(table, a, "absent"); }),
            "exp.toml:1: algorithm.absent: is missing; give a string");
}

TEST(Registry, Nearest) {
  const std::vector<std::string> known{"learning_rate", "local_steps", "batch", "mlp"};
  EXPECT_EQ(nearest("learnig_rate", known), "learning_rate");    // one left out
  EXPECT_EQ(nearest("learning__rate", known), "learning_rate");  // one too many
  EXPECT_EQ(nearest("batsh", known), "batch");                   // another
  EXPECT_EQ(nearest("mpl", known), "mlp");                       // two exchanged
  EXPECT_EQ(nearest("local_steps", known), "local_steps");
  EXPECT_EQ(nearest("abdc", {"abxy", "abcd"}), "abcd");  // an exchange counts once
  EXPECT_EQ(nearest("topology", known), "");
  EXPECT_EQ(nearest("batch", {}), "");
  EXPECT_EQ(nearest("local_step", {"local_stage", "local_steps"}), "local_steps");  // the nearest, not the first
}

// registry.cpp: "a word is near when at most a third of it differs".
TEST(Registry, NearestIsAtMostAThirdAway) {
  EXPECT_EQ(nearest("x", {"y"}), "");
  EXPECT_EQ(nearest("abc", {"axy"}), "");
  EXPECT_EQ(nearest("abcdef", {"abcxyz"}), "");
  EXPECT_EQ(nearest("abcdef", {"abcdxy"}), "abcdxy");
}

}  // namespace
}  // namespace orrery
