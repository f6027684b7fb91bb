// What theory says of methods with compressed messages beside whole runs (st-compression.md 3, 5, A): decay, steps, floors, and which statements cover.
#include <nlohmann/json.hpp>

#include "tests/laws/compressed_helpers.hpp"

namespace orrery {
namespace {

using nlohmann::json;
using test::Bench;

class CompressedTheories : public test::OnEachCase {
 protected:
  void SetUp() override {
    OnEachCase::SetUp();
    if (device() == "cuda") GTEST_SKIP() << "of the method, not of the device";
  }
  RunResult result_of(const Bench& b) const { return run_text(b.text()); }
  // "compressed" of the first arm, after a run or without one
  json after(const Bench& b) const { return json::parse(run_text(b.text()).theory.json)["arms"][0]["compressed"]; }
  json before(const Bench& b) const {
    return json::parse(
        theory_without_a_run(parse_experiment(b.text(), "law.toml", device())).json)["arms"][0]["compressed"];
  }
  static std::string verdict(const json& j, const std::string& name) {
    for (const auto& s : j["statements"])
      if (s["name"].get<std::string>().starts_with(name)) return s["verdict"];
    return "no such statement";
  }
  static std::string sentence(const json& j, const std::string& name) {
    for (const auto& s : j["statements"])
      if (s["name"].get<std::string>().starts_with(name)) return s["sentence"];
    return "";
  }
  static Bench ten(const std::string& kind, const std::string& algorithm, const std::string& compressor, double step) {
    Bench b = test::q10();
    b.kind = kind, b.algorithm = algorithm, b.compressor = compressor, b.learning_rate = step;
    return b;
  }
  test::Folder folder_;
};
ORRERY_ON_CASES(CompressedTheories, {"quadratic"}, {"fp64"});

// The late slope of a run lies within 5 % of the exact decay (S1), and its steps to 1e-8 are predicted to the step, for every linear compressor.
TEST_P(CompressedTheories, DecayAndStepsBesideRuns) {
  struct Row {
    std::string kind, algorithm, compressor;
    double step;
    int64_t steps;
    std::string graph = "kind = \"ring\"\nperiod = 1";
  };
  const std::string mixing = "kind = \"ring\"\nperiod = 1\nmixing = \"metropolis\"";
  for (const Row& row :
       {Row{"primal-dual", "flow = \"uncompressed\"", "", 0.1, 1200},
        {"primal-dual", "flow = \"direct\"", "kind = \"rand-k\"\nk = 5", 0.1, 3000},
        {"primal-dual", "kappa = 2.0", "kind = \"cyclic\"", 0.1, 2400},
        {"primal-dual", "flow = \"observer-plus\"", "kind = \"trigonometric\"", 0.1, 3600},
        {"compressed-primal-dual", "psi = 0.2", "kind = \"random-scalarizer\"\nshared = false", 0.02, 9000},
        {"lead", "gamma = 0.3\na = 0.3", "kind = \"rand-k\"\nk = 5\nscaled = true", 0.3, 700, mixing},
        {"cedas", "gamma = 1.0\na = 1.0", "kind = \"identity\"", 0.3, 160, mixing},
        {"ef21", "", "kind = \"block\"\nblocks = 2", 0.1, 400, ""}}) {
    SCOPED_TRACE(row.kind + " " + row.algorithm + " " + row.compressor);
    Bench b = ten(row.kind, row.algorithm, row.compressor, row.step);
    b.graph = row.graph;
    b.steps = row.steps;
    b.every = row.steps / 40;
    b.metrics = "\"optimum_distance\", \"escape_time\"";
    b.arms = "[record.escape]\nmetric = \"optimum_distance\"\nbelow = 1e-8\nevery = 1\n";
    const json j = after(b);
    ASSERT_TRUE(j["decay"]["per_step"].is_number()) << j.dump(1);
    const double exact = j["decay"]["per_step"];
    EXPECT_NEAR(j["decay"]["measured"].get<double>(), exact, 0.05 * exact);
    ASSERT_TRUE(j["steps"]["predicted"].is_number() && j["steps"]["measured"].is_number()) << j["steps"].dump();
    EXPECT_EQ(j["steps"]["predicted"].get<double>(), j["steps"]["measured"].get<double>());
    EXPECT_EQ(before(b)["steps"]["predicted"], j["steps"]["predicted"]);
  }
}

// Consensus is around the mean of the start, whatever the objective.
TEST_P(CompressedTheories, ConsensusBesideRuns) {
  for (const auto& [kind, algorithm, compressor] :
       {std::tuple<std::string, std::string, std::string>{"consensus-flow", "flow = \"direct\"", "kind = \"cyclic\""},
        {"consensus-flow", "", "kind = \"rand-k\"\nk = 5\nshared = false"},
        {"choco-gossip", "gamma = 0.2", "kind = \"rand-k\"\nk = 2"}}) {
    SCOPED_TRACE(kind + " " + compressor);
    Bench b = ten(kind, algorithm, compressor, 0.2).from_apart(folder_);
    b.graph += "\nmixing = \"metropolis\"";
    b.steps = 4000;
    b.every = 40;
    b.metrics = "\"consensus_distance\"";
    const json j = after(b);
    const double exact = j["decay"]["per_step"];
    EXPECT_NEAR(j["decay"]["measured"].get<double>(), exact, 0.05 * exact);
    EXPECT_EQ(j["tracked"], "root of consensus_distance");
  }
}

// A.3: CHOCO-SGD stays where its fixed point is.
TEST_P(CompressedTheories, FloorsBesideRuns) {
  Bench b = ten("choco-sgd", "gamma = 0.2", "kind = \"top-k\"\nk = 2", 0.02);
  b.graph += "\nmixing = \"metropolis\"";
  b.steps = b.every = 3000;
  const json j = after(b);
  EXPECT_NEAR(j["floor"]["predicted"].get<double>(), 0.61, 0.005);
  EXPECT_NEAR(j["floor"]["measured"].get<double>(), j["floor"]["predicted"].get<double>(), 1e-9);
  EXPECT_EQ(j["decay"]["per_step"], nullptr);
  EXPECT_EQ(verdict(j, "CHOCO-Gossip's"), "does not cover");
  EXPECT_EQ(verdict(j, "CHOCO-SGD"), "covers");
}

// Which statement covers what (5), with the reason where none does.
TEST_P(CompressedTheories, StatementsSayWhatTheyCover) {
  const auto flow = [&](const std::string& kind, const std::string& algorithm, const std::string& compressor,
                        double step = 0.1) { return before(ten(kind, algorithm, compressor, step)); };
  // 1, 2, 3: direct consensus
  json j = flow("consensus-flow", "flow = \"direct\"", "kind = \"identity\"");
  EXPECT_EQ(verdict(j, "theorem 1"), "covers");
  EXPECT_EQ(verdict(j, "theorem 2"), "covers");
  EXPECT_EQ(verdict(j, "theorem 3"), "no such statement");
  EXPECT_LE(j["decay"]["promised"].get<double>(), j["decay"]["per_step"].get<double>());
  j = flow("consensus-flow", "flow = \"direct\"", "kind = \"identity\"", 0.51);  // s alpha lambda_n = 2.04
  EXPECT_EQ(verdict(j, "theorem 1"), "does not cover");
  j = flow("consensus-flow", "flow = \"direct\"", "kind = \"cyclic\"");
  EXPECT_EQ(verdict(j, "theorem 1"), "does not cover");
  EXPECT_EQ(verdict(j, "theorem 2"), "covers");
  j = flow("consensus-flow", "flow = \"direct\"", "kind = \"top-k\"\nk = 1");
  EXPECT_EQ(verdict(j, "theorem 1"), "does not cover");
  EXPECT_EQ(verdict(j, "theorem 2"), "does not cover");
  EXPECT_NE(sentence(j, "theorem 3").find("not monotone"), std::string::npos);
  // 4: observer consensus, S8
  for (const auto& [share, want] : {std::pair{0.99, "covers"}, {1.01, "does not cover"}}) {
    j = flow("consensus-flow", fmt::format("alpha = {:.17e}", share * 0.00217919), "kind = \"top-k\"\nk = 1", 0.05);
    EXPECT_NEAR(j["bounds"]["alpha_max"].get<double>(), 0.00218, 5e-6);
    EXPECT_EQ(verdict(j, "theorem 4"), want);
  }
  EXPECT_NE(
      sentence(flow("consensus-flow", "alpha = 0.001", "kind = \"cyclic\""), "theorem 4").find("change over time"),
      std::string::npos);
  // 5, 6, 7: primal-dual
  EXPECT_EQ(verdict(flow("primal-dual", "flow = \"uncompressed\"", ""), "theorem 5"), "covers");
  j = flow("primal-dual", "flow = \"uncompressed\"", "", 0.45);
  EXPECT_EQ(verdict(j, "Euler steps without"), "does not cover");
  EXPECT_LT(j["decay"]["per_step"].get<double>(), 0);
  EXPECT_EQ(verdict(flow("primal-dual", "", "kind = \"top-k\"\nk = 1"), "theorem 6"), "undecided");
  j = flow("primal-dual", "", "kind = \"fixed-step\"\nstep = 0.1");
  EXPECT_EQ(verdict(j, "theorem 6"), "does not cover");
  EXPECT_EQ(verdict(j, "ST compressor"), "does not cover");
  j = flow("primal-dual", "flow = \"direct\"", "kind = \"one-bit\"");
  EXPECT_EQ(verdict(j, "theorem 7"), "does not cover");
  EXPECT_EQ(verdict(j, "theorem 3"), "covers");
  j = flow("primal-dual", "flow = \"direct\"", "kind = \"cyclic\"\nscaled = true");  // s d alpha lambda_n = 4
  EXPECT_EQ(verdict(j, "theorem 7"), "undecided");
  EXPECT_EQ(verdict(j, "Euler steps through"), "does not cover");
  EXPECT_LT(j["decay"]["per_step"].get<double>(), 0);
  EXPECT_EQ(verdict(flow("compressed-primal-dual", "psi = 1.0", "kind = \"cyclic\"\nscaled = true"),
                    "Euler steps of the observer"),
            "does not cover");
}

TEST_P(CompressedTheories, StatementsOfTheRelatives) {
  Bench b = ten("choco-gossip", "gamma = 1.0", "kind = \"top-k\"\nk = 2", 0.1);
  b.graph += "\nmixing = \"metropolis\"";
  const double best = before(b)["bounds"]["gamma_star"];
  EXPECT_EQ(verdict(before(b), "CHOCO-Gossip's"), "does not cover");
  b.algorithm = fmt::format("gamma = {:.17e}", best);
  EXPECT_EQ(verdict(before(b), "CHOCO-Gossip's"), "covers");
  b.compressor = "kind = \"natural\"";
  EXPECT_NE(sentence(before(b), "CHOCO-Gossip's").find("1 + omega = 1.125"), std::string::npos);

  Bench star = ten("ef21", "", "kind = \"top-k\"\nk = 1", 0.0267259208476499);
  star.graph = "";
  json j = before(star);
  EXPECT_EQ(verdict(j, "EF21, gradient"), "covers");
  EXPECT_EQ(verdict(j, "EF21, linear"), "does not cover");
  star.learning_rate = 0.0176;
  star.steps = 900, star.every = 20;
  j = after(star);
  EXPECT_EQ(verdict(j, "EF21, linear"), "covers");
  EXPECT_GE(j["decay"]["measured"].get<double>(), j["decay"]["promised"].get<double>());
  star.learning_rate = 0.03;
  EXPECT_EQ(verdict(before(star), "EF21, gradient"), "does not cover");
  star.batch = "1", star.noise = "0.5";
  EXPECT_NE(sentence(before(star), "EF21, linear").find("noisy"), std::string::npos);
  star.kind = "ef-sgd", star.batch = "\"full\"";
  EXPECT_EQ(verdict(before(star), "error feedback"), "undecided");
  EXPECT_NE(before(star)["decay"]["reason"].get<std::string>().find("not linear"), std::string::npos);
  star.compressor = "kind = \"block\"\nblocks = 2";
  EXPECT_EQ(verdict(before(star), "error feedback"), "does not cover");  // no delta in one step
  EXPECT_NE(before(star)["decay"]["reason"].get<std::string>().find("beside the optimum"), std::string::npos);
  star.compressor = "kind = \"identity\"";  // gradient descent
  EXPECT_EQ(verdict(before(star), "error feedback"), "covers");
  EXPECT_TRUE(before(star)["steps"]["predicted"].is_number());
  star.kind = "ef21", star.network = "weights = [1, 2]";
  EXPECT_NE(sentence(before(star), "EF21, linear").find("equal weight"), std::string::npos);

  Bench lead = ten("lead", "gamma = 0.5\na = 0.5", "kind = \"top-k\"\nk = 5", 0.3);
  lead.graph += "\nmixing = \"metropolis\"";
  EXPECT_EQ(verdict(before(lead), "LEAD"), "does not cover");
  lead.compressor = "kind = \"dithered\"\nbits = 2";
  EXPECT_EQ(verdict(before(lead), "LEAD"), "undecided");
  lead.kind = "cedas", lead.algorithm = "gamma = 1.0\na = 1.0", lead.compressor = "kind = \"identity\"";
  EXPECT_EQ(verdict(before(lead), "Exact Diffusion"), "covers");
  lead.kind = "prox-lead", lead.algorithm += "\nl1 = 0.05";
  EXPECT_NE(before(lead)["decay"]["reason"].get<std::string>().find("proximal"), std::string::npos);
}

// Where the recursion is not linear, or ends elsewhere, it says so.
TEST_P(CompressedTheories, NoNumberWithoutAReason) {
  const auto reason = [&](Bench b) { return before(b)["decay"]["reason"].get<std::string>(); };
  EXPECT_NE(reason(ten("primal-dual", "", "kind = \"top-k\"\nk = 1", 0.1)).find("not linear"), std::string::npos);
  EXPECT_NE(reason(ten("primal-dual", "beta = 0.0", "kind = \"identity\"", 0.1)).find("beta = 0"), std::string::npos);
  Bench noisy = ten("primal-dual", "", "kind = \"identity\"", 0.1);
  noisy.batch = "1", noisy.noise = "0.5";
  EXPECT_TRUE(before(noisy)["decay"]["per_step"].is_number());  // of the mean
  EXPECT_NE(before(noisy)["steps"]["reason"].get<std::string>().find("floor"), std::string::npos);
  // every row of the table has a number or a sentence
  const RunResult r = run_text(ten("primal-dual", "", "kind = \"top-k\"\nk = 1", 0.1).text());
  ASSERT_GE(r.theory.tables[0].rows.size(), 6u);
  for (const auto& row : r.theory.tables[0].rows) EXPECT_NE(row.note, "") << row.quantity;
}

// Where no optimum is known the gradient at the mean model stands for the error, and falls as fast; the reasons say what is not known.
TEST_P(CompressedTheories, OfModelsWithData) {
  const std::string text =
      "steps = 600\nprecision = \"fp64\"\n[data]\nname = \"gaussian-mixture\"\nclasses = 2\ndimension = 5\ntrain = "
      "400\n"
      "test = 20\n[partition]\nkind = \"shards\"\n[model]\nkind = \"logistic\"\nl2 = 0.1\n[network]\nworkers = 6\n"
      "[network.graph]\nkind = \"ring\"\nmixing = \"metropolis\"\nperiod = 1\n[algorithm]\nkind = \"lead\"\n"
      "learning_rate = 0.3\ngamma = 0.5\na = 0.5\nbatch = \"full\"\n[compressor]\nkind = \"top-k\"\nk = 3\n"
      "[record]\nevery = 20\nmetrics = [\"grad_norm_sq\"]\n";
  const json j = json::parse(run_text(text).theory.json)["arms"][0]["compressed"];
  EXPECT_EQ(j["tracked"], "root of grad_norm_sq");
  EXPECT_GT(j["decay"]["measured"].get<double>(), 1e-3);
  EXPECT_NE(j["decay"]["reason"].get<std::string>().find("not linear in the model"), std::string::npos);
  EXPECT_EQ(verdict(j, "LEAD"), "does not cover");
}

TEST_P(CompressedTheories, TooLargeToWriteOut) {
  const std::string text =
      "steps = 2\n[model]\nkind = \"quadratic\"\ndimension = 400000\n[network]\nworkers = 8\n[network.graph]\n"
      "kind = \"ring\"\nperiod = 1\n[algorithm]\nkind = \"primal-dual\"\nstep = 0.1\nbatch = \"full\"\n[compressor]\n"
      "kind = \"cyclic\"\n[record]\nevery = 1\nmetrics = [\"optimum_distance\"]\n";
  const json j = json::parse(run_text(text).theory.json)["arms"][0]["compressed"];
  EXPECT_NE(j["decay"]["reason"].get<std::string>().find("too many"), std::string::npos);
  EXPECT_EQ(verdict(j, "theorem 6"), "undecided");  // curvatures are still known to be positive
}

// What one worker sent until the escape, numbers at 32 bits: the same in both precisions, on a graph of uneven degrees, through a server; lengths
// that depend on the message as they fall.
TEST_P(CompressedTheories, KilobitsUntilTheEscape) {
  const auto kilobits = [&](const std::string& kind, const std::string& compressor, const std::string& precision) {
    Bench b = test::q10();
    b.kind = kind, b.compressor = compressor, b.precision = precision;
    b.graph = kind == "ef21" ? "" : "kind = \"path\"\nperiod = 1\nmixing = \"metropolis\"";
    b.steps = 60, b.every = 20;
    b.metrics = "\"escape_kilobits\", \"escape_time\", \"optimum_distance\"";
    b.arms = "[record.escape]\nmetric = \"optimum_distance\"\nbelow = 0.3\nevery = 1\n";
    if (kind == "lead") b.algorithm = "gamma = 1.0\na = 0.5";
    if (kind == "ef21") b.learning_rate = 0.05;
    const RunResult r = result_of(b);
    const auto& values = r.arms[0].values;
    return std::pair{values[0][0].back(), values[1][0].back()};
  };
  for (const auto& [kind, compressor, bits] :
       {std::tuple<std::string, std::string, double>{"ef21", "kind = \"top-k\"\nk = 2", 72},
        {"lead", "kind = \"identity\"", 320},
        {"lead", "kind = \"natural\"", 90},
        {"lead", "kind = \"quantizer\"\nbits = 3", 72}}) {
    SCOPED_TRACE(kind + " " + compressor);
    for (const std::string precision : {"fp64", "fp32"}) {
      const auto [sent, steps] = kilobits(kind, compressor, precision);
      ASSERT_GT(steps, 1);
      EXPECT_NEAR(sent, bits * (steps - (kind == "lead" ? 1 : 0)) / 1000, 1e-9)
          << precision;  // LEAD's first sends nothing
    }
  }
  // a scale of 32 bits and codes of at least a bit a coordinate, as the ledger counted them
  const auto [sent, steps] = kilobits("lead", "kind = \"qsgd\"\nlevels = 4\ncoding = \"elias-gamma\"", "fp64");
  EXPECT_GT(sent, 42 * (steps - 1) / 1000);
  EXPECT_LT(sent, 90 * (steps - 1) / 1000);
}

}  // namespace
}  // namespace orrery
