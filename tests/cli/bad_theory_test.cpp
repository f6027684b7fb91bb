// Bad input of [theory] and of `orrery theory`.
#include "tests/cli/bad_input.hpp"

namespace orrery::test {
namespace {

std::vector<BadInput> Keys() {
  const auto theory = [](const std::string& body) { return Toml{.rest = "[theory]\n" + body}; };
  return {
      bad("UnknownEstimate", theory("estimate = \"always\"  #!"), 2,
          {"theory.estimate", "\"always\"", "known: off, start, record"}),
      bad("MistypedEstimate", theory("estimate = \"recrod\"  #!"), 2, {"theory.estimate", "did you mean \"record\""}),
      bad("EstimateAFlag", theory("estimate = true  #!"), 2, {"theory.estimate", "is true or false", "give a string"}),
      bad("MistypedKey", theory("smothness = 2.0  #!"), 2, {"theory.smothness", "did you mean \"smoothness\""}),
      bad("UnknownKey", theory("beta = 2.0  #!"), 2, {"theory.beta", "unknown key"}),
      bad("SmoothnessZero", theory("smoothness = 0  #!"), 2, {"theory.smoothness", "0 is out of range", "above 0"}),
      bad("SmoothnessNegative", theory("smoothness = -1.5  #!"), 2, {"theory.smoothness", "-1.5 is out of range"}),
      bad("SmoothnessNotANumber", theory("smoothness = \"large\"  #!"), 2,
          {"theory.smoothness", "is a string", "number"}),
      bad("SmoothnessNan", theory("smoothness = nan  #!"), 2, {"theory.smoothness"}),
      bad("VarianceNegative", theory("sigma_sq = -0.1  #!"), 2,
          {"theory.sigma_sq", "-0.1 is out of range", "at least 0"}),
      bad("SumOfSmoothnessZero", theory("smoothness_norm1 = 0  #!"), 2,
          {"theory.smoothness_norm1", "0 is out of range", "above 0"}),
      bad("SumOfNoiseNegative", theory("sigma_norm1 = -1  #!"), 2,
          {"theory.sigma_norm1", "-1 is out of range", "at least 0"}),
      bad("MistypedNorm", theory("smoothness_norm_1 = 2.0  #!"), 2,
          {"theory.smoothness_norm_1", "did you mean \"smoothness_norm1\""}),
      bad("OptimumInfinite", theory("optimum = inf  #!"), 2, {"theory.optimum"}),
      bad("OptimumAnArray", theory("optimum = [0.1]  #!"), 2, {"theory.optimum", "is an array", "number"}),
      bad("TheoryNotATable", "theory = 3  #!\n" + std::string(Toml{}), 2, {"theory"}),
      bad("TheoryOfAnArm", Toml{.rest = "[[arm]]\nname = \"a\"\ntheory.smoothness = 1.0  #!"}, 2,
          {"arm.theory", "an arm overrides data, partition, model, network, algorithm or compressor"}),
  };
}
ORRERY_REFUSES(Keys);

// The command line of `orrery theory`, and that it finds what a run finds.
void expect_usage(const std::vector<std::string>& arguments, int code, const std::vector<std::string>& parts) {
  TempDir folder;
  write_text(folder.path("good.toml"), Toml{});
  write_text(folder.path("bad.toml"), Toml{.head = "steps = -1"});
  const auto before = tree(folder.path());
  const Finished f = orrery(folder.path(), arguments, {.memory = true, .seconds = 30});
  expect_refused(f, code, parts);
  EXPECT_TRUE(tree(folder.path()) == before);
}
TEST(TheoryUsage, WithoutAFile) { expect_usage({"theory"}, 2, {"FILE"}); }
TEST(TheoryUsage, FileThatIsNotThere) { expect_usage({"theory", "none.toml"}, 2, {"none.toml"}); }
TEST(TheoryUsage, UnknownOption) { expect_usage({"theory", "good.toml", "--jsn"}, 2, {"--jsn"}); }
TEST(TheoryUsage, HasNoRunFolder) { expect_usage({"theory", "good.toml", "--out", "x"}, 2, {"--out"}); }
TEST(TheoryUsage, SetWithoutAValue) {
  expect_usage({"theory", "good.toml", "--set", "steps"}, 2, {"--set steps", "no '='"});
}
TEST(TheoryUsage, BadValueOfSet) {
  expect_usage({"theory", "good.toml", "--set", "theory.sigma_sq=-1"}, 2, {"theory.sigma_sq", "out of range"});
}
TEST(TheoryUsage, BadExperiment) {
  expect_usage({"theory", "bad.toml"}, 2, {"bad.toml:1: steps", "-1 is out of range"});
}
TEST(TheoryUsage, DeviceThatIsNotThere) { expect_usage({"theory", "good.toml", "--device", "cuda:7"}, 4, {"cuda"}); }

}  // namespace
}  // namespace orrery::test
