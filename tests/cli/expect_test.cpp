// [expect] through the program: exit code 6 where it is required, the run folder and its rows either way.
#include <nlohmann/json.hpp>

#include "tests/cli/support.hpp"

namespace orrery::test {
namespace {

// Gradient descent on x^2/2 from 1 with step 0.5: the loss after t steps is 4^-t / 2.
const std::string kRun =
    "steps = 2\nprecision = \"fp64\"\n[model]\nkind = \"quadratic\"\ndimension = 1\ninit = 1\ncenter = 0.0\n"
    "[algorithm]\nkind = \"h-sgd\"\nlearning_rate = 0.5\nbatch = \"full\"\n[record]\nevery = 1\n"
    "metrics = [\"train_loss\"]\n";
std::string expecting(double last) {
  return kRun + "[expect]\nsource = \"by hand\"\n[[expect.value]]\nmetric = \"train_loss\"\nreference = " +
         std::to_string(last) +
         "\nwithin = 1e-12\n[[expect.value]]\nmetric = \"train_loss\"\nat = \"mean\"\nreference = 0.3\n";
}

class ExpectCommand : public testing::Test {
 protected:
  Finished run(const std::string& toml, std::vector<std::string> more = {}) {
    write_text(folder_.path("x.toml"), toml);
    more.insert(more.begin(), {"run", "x.toml", "--out", "out", "--device", "cpu"});
    return orrery(folder_.path(), more);
  }
  nlohmann::json rows() const {
    return nlohmann::json::parse(read_text(folder_.path("out/summary.json"))).at("expectations").at("rows");
  }
  TempDir folder_;
};

TEST_F(ExpectCommand, ARowThatHolds) {
  const auto f = run(expecting(0.03125), {"--require-expectations"});
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_NE(f.out.find("expected beside measured (by hand)"), std::string::npos) << f.out;
  EXPECT_NE(f.out.find("1 of 1 judged rows hold"), std::string::npos) << f.out;
  ASSERT_EQ(rows().size(), 2u);
  EXPECT_EQ(rows()[0].at("holds"), true);
  EXPECT_EQ(rows()[0].at("values"), nlohmann::json::array({0.03125}));
  EXPECT_TRUE(rows()[1].at("holds").is_null());
  EXPECT_EQ(rows()[1].at("values"), nlohmann::json::array({(0.5 + 0.125) / 2}));
  // the resolved experiment still states it
  EXPECT_NE(read_text(folder_.path("out/experiment.toml")).find("by hand"), std::string::npos);
  const auto again = orrery(folder_.path(), {"run", "out/experiment.toml", "--out", "out2", "--require-expectations"});
  EXPECT_EQ(again.code, 0) << again.err;
}

TEST_F(ExpectCommand, ARowThatDoesNotHold) {
  EXPECT_EQ(run(expecting(0.04)).code, 0);  // printed, not required
  std::filesystem::remove_all(folder_.path("out"));
  const auto f = run(expecting(0.04), {"--require-expectations", "--quiet"});
  EXPECT_EQ(f.code, 6);
  EXPECT_EQ(f.err, "orrery: x.toml: 1 of 1 expectations do not hold; see expectations in out/summary.json\n");
  EXPECT_EQ(rows()[0].at("holds"), false);
  std::filesystem::remove_all(folder_.path("out"));
  EXPECT_EQ(run(expecting(0.04), {"--set", "expect.required=true"}).code, 6);
}

TEST_F(ExpectCommand, NothingToRequire) {
  const auto f = run(kRun, {"--require-expectations"});
  EXPECT_EQ(f.code, 2);
  EXPECT_EQ(f.err, "orrery: --require-expectations: x.toml states nothing that must be seen; add rows to [expect]\n");
  EXPECT_FALSE(std::filesystem::exists(folder_.path("out")));
  // a run that records other metrics drops the section
  EXPECT_EQ(run(expecting(0.04), {"--set", "record.metrics=['grad_norm_sq']"}).code, 2);
  EXPECT_EQ(run(expecting(0.04), {"--set", "record.metrics=['grad_norm_sq']", "--set", "expect={}"}).code, 0);
}

}  // namespace
}  // namespace orrery::test
