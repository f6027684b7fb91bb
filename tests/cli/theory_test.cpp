// `orrery theory` and theory.json, from outside.
#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/cli/toml.hpp"

namespace orrery::test {
namespace {

using nlohmann::json;

const Toml sandwich{.head = "steps = 100\nprecision = \"fp64\"\ndevice = \"cpu\"",
                    .model =
                        "kind = \"quadratic\"\ncurvature = 1.0\ncenter = [[1], [2], [3], [4], [5], [6], [7], [8], [9], "
                        "[11]]\nnoise = 0.5",
                    .network = "workers = 10",
                    .algorithm = "kind = \"h-sgd\"\nlearning_rate = 0.001\nbatch = 1",
                    .record = "every = 1\nmetrics = [\"grad_norm_sq\", \"consensus_distance\", \"divergence_cloud\"]",
                    .rest =
                        "[[arm]]\nname = \"P = 5\"\nnetwork.tiers = [{ name = \"cloud\", nodes = 1, period = 5 }]\n"
                        "[[arm]]\nname = \"(50, 5)\"\nnetwork.tiers = [{ name = \"edge\", nodes = 2, period = 5 }, { "
                        "name = \"cloud\", nodes = 1, period = 50 }]\n"
                        "[[arm]]\nname = \"P = 50\"\nnetwork.tiers = [{ name = \"cloud\", nodes = 1, period = 50 }]\n"};

void expect_sandwich(const json& j) {
  ASSERT_EQ(j["arms"].size(), 3u);
  const double a1[] = {4.5, 9, 45}, a2[] = {25, 300, 2500};
  for (size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(j["arms"][k]["h_sgd"]["A_1"].get<double>(), a1[k], 1e-9);
    EXPECT_NEAR(j["arms"][k]["h_sgd"]["A_2"].get<double>(), a2[k], 1e-9);
  }
  const json& h = j["arms"][1]["h_sgd"];
  EXPECT_NEAR(h["sandwich"]["A_1"][0].get<double>(), 4.5, 1e-9);
  EXPECT_NEAR(h["sandwich"]["A_1"][1].get<double>(), 45, 1e-9);
  EXPECT_EQ(h["sandwich"]["A_2"], json({25.0, 2500.0}));
  EXPECT_NEAR(h["heterogeneity_period"].get<double>(), std::sqrt(300), 1e-9);
  EXPECT_EQ(h["nodes"], json({1, 2, 10}));
  EXPECT_NEAR(h["random_grouping"][0].get<double>(), 1.0 / 9, 1e-12);
  EXPECT_NEAR(j["arms"][1]["dispersion_per_eta_sq_sigma_sq"]["total"].get<double>(), 4.05, 1e-9);
}

const json& row(const json& arm, const std::string& quantity, const std::string& note) {
  for (const json& r : arm["table"])
    if (r["quantity"] == quantity && r["note"].get<std::string>().find(note) != std::string::npos) return r;
  static const json none = json::object({{"predicted", nullptr}, {"measured", nullptr}});
  ADD_FAILURE() << "no row " << quantity << " / " << note << " in " << arm["table"].dump(1);
  return none;
}

TEST(Theory, IsWrittenWithEveryRun) {
  TempDir folder;
  write_text(folder.path("e.toml"), sandwich);
  run_well(folder.path(), "e.toml", "out");
  const json j = json::parse(read_text(folder.path("out/theory.json")));
  expect_sandwich(j);
  EXPECT_EQ(j["warnings"], json::array());
  // without [theory] the divergence of the edge is neither recorded nor estimated: no bound there, with the reason
  EXPECT_EQ(j["arms"][1]["h_sgd"]["bound"]["value"], nullptr);
  EXPECT_NE(j["arms"][1]["h_sgd"]["bound"]["reason"].get<std::string>().find("divergence of edge"), std::string::npos);
  // where everything was recorded, predicted and measured stand side by side
  const json& bound = row(j["arms"][0], "time average of |grad f(u)|^2", "bound of H-SGD");
  ASSERT_FALSE(bound["measured"].is_null()) << bound.dump();
  ASSERT_FALSE(bound["predicted"].is_null()) << bound.dump();
  EXPECT_LT(bound["measured"].get<double>(), bound["predicted"].get<double>());
  // the measured average is that of metrics.csv over t < T
  const Csv csv = load_csv(folder.path("out/metrics.csv"));
  double sum = 0;
  for (size_t t = 0; t < 100; ++t) sum += std::stod(csv.rows[t][csv.column("grad_norm_sq")]) / 100;
  EXPECT_NEAR(bound["measured"].get<double>(), sum, 1e-12 * sum);
  // and in the report
  const std::string page = read_text(folder.path("out/report.html"));
  EXPECT_NE(page.find("Theory beside measurement"), std::string::npos);
  EXPECT_NE(page.find("bound of H-SGD"), std::string::npos);
}

TEST(Theory, PrintsWithoutARun) {
  TempDir folder;
  write_text(folder.path("e.toml"), sandwich);
  const auto before = tree(folder.path());
  const Finished text = orrery(folder.path(), {"theory", "e.toml"});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_EQ(text.err, "");
  for (const char* part :
       {"arm \"(50, 5)\"", "nodes 1-2-10 with periods 50, 5", "A_1 = 9 in [4.5, 45], A_2 = 300 in [25, 2500]",
        "condition holds", "bound after 100 steps", "4.05 eta^2 sigma^2", "exact: the largest curvature"})
    EXPECT_NE(text.out.find(part), std::string::npos) << part << " in\n" << text.out;
  const Finished as_json = orrery(folder.path(), {"theory", "e.toml", "--json", "--set", "steps=200"});
  EXPECT_EQ(as_json.code, 0) << as_json.err;
  const json j = json::parse(as_json.out);
  expect_sandwich(j);
  EXPECT_EQ(j["steps"], 200);
  EXPECT_TRUE(j["arms"][1]["h_sgd"]["applies"])
      << "estimates at the start come by themselves: " << j["arms"][1]["h_sgd"].dump();
  EXPECT_TRUE(row(j["arms"][1], "time average of |grad f(u)|^2", "bound of H-SGD")["measured"].is_null());
  EXPECT_TRUE(tree(folder.path()) == before) << "a file changed";
}

// A bound before the run is the bound beside the run, where the same constants are seen.
TEST(Theory, SaysBeforeWhatItSaysAfter) {
  TempDir folder;
  Toml e = sandwich;
  e.record = "every = 1\nmetrics = [\"grad_norm_sq\"]";
  e.rest = "[theory]\nestimate = \"start\"\n" + e.rest;
  write_text(folder.path("e.toml"), e);
  run_well(folder.path(), "e.toml", "out");
  const json after = json::parse(read_text(folder.path("out/theory.json")));
  const json ahead = json::parse(orrery(folder.path(), {"theory", "e.toml", "--json"}).out);
  for (size_t k = 0; k < 3; ++k) {
    EXPECT_EQ(ahead["arms"][k]["h_sgd"], after["arms"][k]["h_sgd"]);
    EXPECT_EQ(ahead["arms"][k]["constants"], after["arms"][k]["constants"]);
    EXPECT_TRUE(after["arms"][k]["h_sgd"]["applies"]);
  }
}

TEST(Theory, WarningsAreSaidAndKept) {
  TempDir folder;
  write_text(folder.path("e.toml"), sandwich);
  // a smoothness and a variance that are too small, an optimum that is too high
  const Finished f =
      orrery(folder.path(), {"run", "e.toml", "--out", "out", "--set", "theory.smoothness=1e-3", "--set",
                             "theory.sigma_sq=0", "--set", "theory.optimum=1e3", "--set", "theory.estimate=off"});
  EXPECT_EQ(f.code, 0) << f.err;
  const json j = json::parse(read_text(folder.path("out/theory.json")));
  ASSERT_FALSE(j["warnings"].empty());
  const auto sentence = j["warnings"][0].get<std::string>();
  EXPECT_NE(sentence.find("arm \"P = 5\": time average of |grad f(u)|^2: measured"), std::string::npos) << sentence;
  EXPECT_NE(f.err.find(sentence), std::string::npos) << f.err;
  const json summary = json::parse(read_text(folder.path("out/summary.json")));
  EXPECT_NE(std::find(summary["notices"].begin(), summary["notices"].end(), sentence), summary["notices"].end());
}

// mll-sgd.md 3.5: two hubs of rates (0.5, 1), tau = q = 2 take 9.532693 slots a round where they wait; the run's clock comes near it.
TEST(Theory, RoundsThatWaitTakeWhatIsExpected) {
  TempDir folder;
  write_text(
      folder.path("e.toml"),
      Toml{.head = "steps = 4000\nreplicas = 40\ndevice = \"cpu\"",
           .network = "workers = 4\nrates = [0.5, 1.0]\nclock = { kind = \"waiting\" }\ntiers = [{ name = \"hub\", "
                      "nodes = 2, period = 2 }, { name = \"top\", nodes = 1, period = 4 }]",
           .record = "metrics = [\"virtual_time\"]"});
  run_well(folder.path(), "e.toml", "out");
  const json arm = json::parse(read_text(folder.path("out/theory.json")))["arms"][0];
  EXPECT_EQ(arm["waiting_round"]["slots_without_waiting"], 4.0);
  const double expected = arm["waiting_round"]["expected_slots"], deviation = arm["waiting_round"]["deviation"];
  EXPECT_NEAR(expected, 9.5326932, 5e-7);  // the digest prints 9.532694
  for (const auto& row : arm["table"]) {
    if (row["quantity"] != "slots of a round that waits for the slowest") continue;
    EXPECT_EQ(row["predicted"], expected);
    // 40 replicas of 1000 rounds
    EXPECT_NEAR(row["measured"].get<double>(), expected, 4.5 * deviation / std::sqrt(40 * 1000.0));
    return;
  }
  ADD_FAILURE() << "no row for the waiting round in " << arm["table"].dump();
}

// Votes: bounds before the run; beside it what was measured, with paths that [[expect.theory]] reads.
TEST(Theory, VotesBesideTheirBounds) {
  TempDir folder;
  Toml e{.head = "steps = 50\nprecision = \"fp64\"\ndevice = \"cpu\"",
         .model = "kind = \"quadratic\"\ndimension = 100\ncurvature = 2.0\ncenter = 0.0\nnoise = 1.0\ninit = 1.0",
         .network = "workers = 15",
         .algorithm = "kind = \"sign-vote\"\nlearning_rate = 0.01\nbatch_mode = 3\nsign_zero = \"plus\"",
         .record = "every = 1\nmetrics = [\"vote_error\", \"grad_norm_1\"]",
         .rest =
             "[[arm]]\nname = \"majority\"\n[[arm]]\nname = \"sqrt\"\nalgorithm.vote = \"sqrt-batch\"\n"
             "[expect]\n"};
  for (const char* path :
       {"sign_vote.measured.p.14", "sign_vote.measured.predicted.error", "sign_vote.measured.agreement.0",
        "sign_vote.measured.by_class.bounds.chernoff", "sign_vote.measured.classes.0.share"})
    e.rest +=
        fmt::format("[[expect.theory]]\narm = \"majority\"\nquantity = \"{}\"\nat_most = 1.0\nat_least = 0.0\n", path);
  e.rest +=
      "[[expect.theory]]\narm = \"sqrt\"\nquantity = \"sign_vote.measured.bounds_exceeded\"\nat_most = 0\n"
      "[[expect.theory]]\narm = \"sqrt\"\nquantity = \"sign_vote.convergence.R\"\nreference = 201.0\nwithin = 1e-9\n"
      "[[expect.value]]\narm = \"majority\"\nmetric = \"grad_norm_1\"\nat = \"mean\"\nat_most = "
      "\"sign_vote.convergence.R\"\n";
  write_text(folder.path("e.toml"), e);

  const Finished ahead = orrery(folder.path(), {"theory", "e.toml"});
  EXPECT_EQ(ahead.code, 0) << ahead.err;
  for (const char* part : {"sign-vote \"majority\"", "efficiency of the majority eta = 0.4044",
                           "at most R = 201; sum_n L_n = 200", "with the best step 0.1414 at most 28.2843",
                           "noise floor of sum_n |g_n| P_E: majority", "tables as in arm \"majority\""})
    EXPECT_NE(ahead.out.find(part), std::string::npos) << part << " in\n" << ahead.out;

  const Finished run = orrery(folder.path(), {"run", "e.toml", "--out", "out", "--require-expectations"});
  EXPECT_EQ(run.code, 0) << run.out << run.err;
  const json j = json::parse(read_text(folder.path("out/theory.json")));
  for (const json& arm : j["arms"]) {
    const json& m = arm["sign_vote"]["measured"];
    EXPECT_EQ(m["p"].size(), 15u);
    EXPECT_EQ(m["agreement"].size(), 15u);
    EXPECT_EQ(m["looks"], 51);
    const json& error = row(arm, "decoding error", "octaves");
    EXPECT_EQ(error["measured"], m["decoding_error"]);
    EXPECT_EQ(error["predicted"], m["by_class"]["error"]);
    const json& R = row(arm, "time average of sum_n |g_n| (1 - 2 P_E)", "bound of sign descent");
    EXPECT_LT(R["measured"].get<double>(), R["predicted"].get<double>());
    for (const json& r : arm["table"]) EXPECT_EQ(r["note"].get<std::string>().find("H-SGD"), std::string::npos) << r;
  }
  EXPECT_NE(read_text(folder.path("out/report.html")).find("bound of Kearns and Saul"), std::string::npos);
  // before the run nothing is measured
  const json before = json::parse(orrery(folder.path(), {"theory", "e.toml", "--json", "--set", "expect={}"}).out);
  EXPECT_TRUE(before["arms"][0]["sign_vote"]["measured"]["value"].is_null());
  EXPECT_NEAR(before["arms"][0]["sign_vote"]["convergence"]["R"].get<double>(), 201, 1e-9);
}

// What the analyses are not about is said, and no bound is printed.
TEST(Theory, OptionsThatNoTheoremCovers) {
  const std::pair<const char*, const char*> cases[] = {
      {"algorithm.learning_rate={ start = 0.01, drops = [[3, 0.5]] }", "learning rate drops"},
      {"network.participation=0.5", "only some workers"},
      {"algorithm.momentum=0.5", "momentum"},
      {"algorithm.batches_per_slot=2", "several batches"},
      {"network.tiers=[{ name = \"edge\", nodes = 2, period = [2, 4] }, { name = \"cloud\", nodes = 1, period = 8 }]",
       "periods of their own"}};
  for (const auto& [set, reason] : cases) {
    TempDir folder;
    write_text(
        folder.path("e.toml"),
        Toml{.head = "steps = 16\ndevice = \"cpu\"",
             .network = "workers = 4\ntiers = [{ name = \"edge\", nodes = 2, period = 2 }, { name = \"cloud\", nodes "
                        "= 1, period = 8 }]",
             .algorithm = "kind = \"h-sgd\"\nlearning_rate = 0.01"});
    const Finished f = orrery(folder.path(), {"theory", "e.toml", "--json", "--set", set});
    ASSERT_EQ(f.code, 0) << f.err;
    const json arm = json::parse(f.out)["arms"][0];
    for (const char* theorem : {"h_sgd", "mll_sgd"}) {
      // the bound of H-SGD has a form for groups with periods of their own
      if (std::string(theorem) == "h_sgd" && std::string(reason) == "periods of their own") {
        EXPECT_EQ(arm[theorem]["applies"], true) << arm[theorem].dump();
        EXPECT_NEAR(arm[theorem]["A_1"].get<double>(), 8 * 1.0 / 4 + (2 + 4) * 1.0 / 4, 1e-12);
        continue;
      }
      EXPECT_EQ(arm[theorem]["applies"], false) << set << " " << theorem;
      EXPECT_NE(arm[theorem].dump().find(reason), std::string::npos) << set << " " << arm[theorem].dump();
    }
  }
}

// Softmax: what is estimated, with how.
TEST(Theory, EstimatesOnData) {
  TempDir folder;
  write_text(folder.path("e.toml"), Toml{.head = "steps = 20\ndevice = \"cpu\"",
                                         .data = "name = \"glyphs\"\ntrain = 400\ntest = 20",
                                         .partition = "kind = \"shared\"",
                                         .model = "kind = \"softmax\"",
                                         .network = "workers = 4\ntiers = [{ name = \"hub\", nodes = 2, period = 2 "
                                                    "}]\ngraph = { kind = \"complete\", mixing = "
                                                    "\"average\", period = 4 }",
                                         .algorithm = "kind = \"mll-sgd\"\nlearning_rate = 0.0001\nbatch = 5"});
  const Finished f = orrery(folder.path(), {"theory", "e.toml", "--json"});
  ASSERT_EQ(f.code, 0) << f.err;
  const json arm = json::parse(f.out)["arms"][0];
  EXPECT_TRUE(arm["mll_sgd"]["applies"]) << arm["mll_sgd"].dump();
  EXPECT_NEAR(arm["constants"]["start_value"]["value"].get<double>(), std::log(10.0), 1e-5);
  EXPECT_NE(arm["constants"]["L"]["source"].get<std::string>().find("upper bound"), std::string::npos);
  EXPECT_GT(arm["constants"]["sigma_sq"]["value"].get<double>(), 0);
  EXPECT_EQ(arm["constants"]["global_divergence"]["value"], 0.0) << "every worker sees all samples";
  EXPECT_EQ(arm["mll_sgd"]["tau"], 2.0);
  EXPECT_EQ(arm["mll_sgd"]["q"], 2.0);
  EXPECT_EQ(arm["mll_sgd"]["zeta"], 0.0);
}

}  // namespace
}  // namespace orrery::test
