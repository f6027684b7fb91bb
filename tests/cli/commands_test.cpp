// The commands that start nothing: check, list, devices, --help, --version; and that every experiment of the repository
// passes check.
#include <fmt/format.h>

#include "datasets/dataset.hpp"
#include "datasets/partition/partition.hpp"
#include "models/model.hpp"
#include "runtime/algorithm.hpp"
#include "runtime/compression/compressor.hpp"
#include "runtime/metrics.hpp"
#include "tests/cli/support.hpp"

namespace orrery::test {
namespace {

constexpr const char* two_tiers = R"(steps = 24
precision = "fp32"
device = "cpu"
[model]
kind = "quadratic"
dimension = 1000
[network]
workers = 12
tiers = [{ name = "edge", nodes = 4, period = 3 }, { name = "cloud", nodes = 1, period = 12 }]
[algorithm]
kind = "h-sgd"
)";

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A line that holds all the words, in their order.
bool has_line(const std::string& text, const std::vector<std::string>& words) {
  for (const auto& line : lines(text)) {
    size_t at = 0;
    for (const auto& word : words)
      if (at != std::string::npos) at = line.find(word, at);
    if (at != std::string::npos) return true;
  }
  return false;
}

TEST(Check, PrintsScheduleMemoryAndBitsAndMakesNothing) {
  TempDir folder;
  write_text(folder.path("e.toml"), two_tiers);
  const auto before = tree(folder.path());
  const Finished f = orrery(folder.path(), {"check", "e.toml"});
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_EQ(f.err, "");
  EXPECT_TRUE(tree(folder.path()) == before);

  // schedule: which tier acts when
  EXPECT_TRUE(has_line(f.out, {"edge", "4 nodes", "3 steps"})) << f.out;
  EXPECT_TRUE(has_line(f.out, {"cloud", "1 node", "12 steps"})) << f.out;
  EXPECT_TRUE(has_line(f.out, {"edge averages", "3, 6, 9)"})) << f.out;  // at 12 the cloud acts alone
  EXPECT_TRUE(has_line(f.out, {"cloud averages", "12)"})) << f.out;

  // memory: 12 rows of 1000 floats
  EXPECT_TRUE(has_line(f.out, {"12 rows", "1000 parameters"})) << f.out;
  EXPECT_TRUE(has_line(f.out, {"memory", "MiB"})) << f.out;
}

// The bits that check predicts are those that a run counts.
TEST(Check, PredictsTheBitsOfTheRun) {
  TempDir folder;
  write_text(folder.path("e.toml"), two_tiers);
  const Finished check = orrery(folder.path(), {"check", "e.toml"});
  run_well(folder.path(), "e.toml", "out", {"--set", "record.metrics=['bits_up', 'bits_down']"});
  const Csv csv = load_csv(folder.path("out/metrics.csv"));
  double up = 0, down = 0;
  for (const auto& line : lines(check.out)) {
    std::smatch m;
    if (!std::regex_search(line, m, std::regex("bits on .* up +([0-9]+) +down +([0-9]+)"))) continue;
    up += std::stod(m[1]);
    down += std::stod(m[2]);
  }
  EXPECT_GT(up, 0) << check.out;
  EXPECT_EQ(up, std::stod(csv.rows.back()[csv.column("bits_up")]));
  EXPECT_EQ(down, std::stod(csv.rows.back()[csv.column("bits_down")]));
}

// 3 replicas of 7 workers of 100000 floats stay on the host until they are written.
TEST(Check, CountsTheFinalModels) {
  TempDir folder;
  const std::string text =
      "steps = 4\nreplicas = 3\n[model]\nkind = \"quadratic\"\ndimension = 100000\n[network]\nworkers = 7\n"
      "[algorithm]\nkind = \"h-sgd\"\n[record]\n";
  write_text(folder.path("e.toml"), text + "params = true\n");
  const Finished f = orrery(folder.path(), {"check", "e.toml"});
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_TRUE(has_line(f.out, {"final models", "8.0 MiB"})) << f.out;
  write_text(folder.path("e.toml"), text + "params = false\n");
  EXPECT_FALSE(has_line(orrery(folder.path(), {"check", "e.toml"}).out, {"final models"}));
}

// The reference spectra of diffusion-flatness.md 3 for 16 agents, and why there is none; the bits of a strategy are those of its run.
TEST(Check, ShowsSpectraAndBitsOfStrategies) {
  TempDir folder;
  const auto checked = [&](const std::string& kind, const std::string& graph) {
    write_text(folder.path("e.toml"),
               "steps = 4\n[model]\nkind = \"quadratic\"\ndimension = 2\n[network]\nworkers = 16\n"
               "[network.graph]\n" +
                   graph + "\nperiod = 1\n[algorithm]\nkind = \"" + kind + "\"\n[record]\nmetrics = [\"bits_up\"]\n");
    const Finished f = orrery(folder.path(), {"check", "e.toml"});
    EXPECT_EQ(f.code, 0) << f.err;
    return f.out;
  };
  EXPECT_TRUE(has_line(checked("diffusion", "kind = \"ring\""),
                       {"lambda_2 0.949253", "lambda_min -0.333333", "spectral gap 0.050747"}));
  EXPECT_TRUE(has_line(checked("consensus", "kind = \"grid\""), {"lambda_2 0.868641", "lambda_min -0.430843"}));
  EXPECT_TRUE(has_line(checked("consensus", "kind = \"complete\"\nmixing = \"average\""),
                       {"lambda_2 0.000000", "lambda_min 0.000000", "spectral gap 1.000000"}));
  EXPECT_TRUE(
      has_line(checked("diffusion", "kind = \"ring\""), {"mixing: sparse", "3 links a node", "chosen by cost"}));
  EXPECT_TRUE(has_line(checked("diffusion", "kind = \"ring\"\nmixing_path = \"dense\""), {"mixing: dense", "forced"}));
  EXPECT_FALSE(has_line(checked("centralized", "kind = \"ring\""), {"lambda_2"}));  // it mixes over no graph
  const auto one_peer = checked("diffusion", "kind = \"one-peer-exponential\"");  // four steps average sixteen exactly
  EXPECT_TRUE(has_line(one_peer, {"a cycle of 4 matrices", "their product 0.000000", "0.000000 a step"})) << one_peer;
  EXPECT_TRUE(has_line(checked("centralized", "kind = \"ring\""), {"bits on server", std::to_string(4 * 16 * 2 * 32)}));
  EXPECT_TRUE(has_line(checked("diffusion", "kind = \"ring\""), {"bits on graph", std::to_string(4 * 32 * 2 * 32)}));
}

// Known before anything runs, for as many agents as one likes where no spectrum is needed; a run that diverges has said it.
TEST(Check, WarnsOfStepsBeyondTheLimit) {
  TempDir folder;
  const auto text = [&](const std::string& kind, int workers, double rate, const std::string& curvature) {
    return fmt::format(
        "steps = 2\n[model]\nkind = \"quadratic\"\ndimension = 2\ncurvature = {}\n[network]\nworkers = "
        "{}\n[network.graph]\nkind = "
        "\"ring\"\nperiod = 1\n[algorithm]\nkind = \"{}\"\nlearning_rate = {}\n[record]\nmetrics = [\"excess_risk\"]\n",
        curvature, workers, kind, rate);
  };
  const auto check = [&](const std::string& toml) {
    write_text(folder.path("e.toml"), toml);
    return orrery(folder.path(), {"check", "e.toml"}).out;
  };
  for (const char* kind : {"diffusion", "consensus", "centralized"}) {
    const double limit =
        std::string(kind) == "consensus" ? 2.0 / 3 / 2 : 1;  // curvature 2; lambda_min of the ring is -1/3
    EXPECT_TRUE(has_line(check(text(kind, 16, 1.01 * limit, "2.0")), {"is not below", kind, "grows without bound"}));
    EXPECT_FALSE(has_line(check(text(kind, 16, 0.99 * limit, "2.0")), {"is not below"}));
  }
  EXPECT_TRUE(has_line(check(text("diffusion", 2500, 1.01, "2.0")), {"is not below", "grows without bound"}));
  EXPECT_TRUE(
      has_line(check(text("diffusion", 4, 1.01, "[[1, 1], [2, 1], [1, 1], [1, 1]]")), {"may grow without bound"}));
  write_text(folder.path("e.toml"), text("diffusion", 16, 1.5, "2.0"));
  const Finished f = orrery(folder.path(), {"run", "e.toml", "--set", "steps=4000", "--set", "model.init=1.0"});
  EXPECT_EQ(f.code, 5);
  EXPECT_TRUE(has_line(f.err, {"is not below 1", "diffusion"})) << f.err;
}

TEST(Check, ShowsEveryArmAndTheMixingMatrix) {
  TempDir folder;
  write_text(folder.path("e.toml"), std::string(two_tiers) +
                                        "[[arm]]\nname = \"local SGD\"\n"
                                        "network.tiers = [{ name = \"cloud\", nodes = 1, period = 6 }]\n"
                                        "[[arm]]\nname = \"gossip\"\nnetwork.tiers = []\n"
                                        "network.graph = { kind = \"ring\", period = 4 }\n");
  const Finished f = orrery(folder.path(), {"check", "e.toml"});
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_TRUE(has_line(f.out, {"arm", "\"local SGD\""})) << f.out;
  EXPECT_TRUE(has_line(f.out, {"arm", "\"gossip\""})) << f.out;
  EXPECT_TRUE(has_line(f.out, {"ring", "12 nodes", "4 steps", "metropolis"})) << f.out;
  EXPECT_TRUE(has_line(f.out, {"zeta", "0."})) << f.out;
}

// A graph that itself moves the weighted mean is allowed, and said: in check and in run.
TEST(Check, SaysWhereMixingMovesTheMean) {
  TempDir folder;
  const auto with = [](const std::string& mixing) {
    return "steps = 4\n[model]\nkind = \"quadratic\"\ndimension = 2\n[network]\nworkers = 5\n"
           "graph = { kind = \"star\", period = 2, mixing = \"" +
           mixing + "\" }\n[algorithm]\nkind = \"mll-sgd\"\n";
  };
  for (const auto& [mixing, moves] : {std::pair{"uniform", true}, {"metropolis", false}}) {
    write_text(folder.path("e.toml"), with(mixing));
    const Finished check = orrery(folder.path(), {"check", "e.toml"});
    EXPECT_EQ(check.code, 0) << check.err;
    EXPECT_EQ(has(check.out, "does not keep the weighted mean"), moves) << check.out;
    const Finished run = orrery(folder.path(), {"run", "e.toml", "--out", std::string("out-") + mixing});
    EXPECT_EQ(run.code, 0) << run.err;
    EXPECT_EQ(has(run.err, "does not keep the weighted mean"), moves) << run.err;
  }
}

// zeta is a dense eigenvalue problem: not for thousands of nodes.
TEST(Check, LeavesOutZetaOfLargeGraphs) {
  TempDir folder;
  write_text(folder.path("e.toml"),
             "steps = 4\n[model]\nkind = \"quadratic\"\ndimension = 2\n[network]\nworkers = 20000\n"
             "graph = { kind = \"ring\" }\n[algorithm]\nkind = \"mll-sgd\"\n");
  const Finished f = orrery(folder.path(), {"check", "e.toml"});
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_TRUE(has_line(f.out, {"zeta", "not computed (20000 nodes)"})) << f.out;
  EXPECT_LT(f.seconds, 20);
}

TEST(List, NamesEveryPart) {
  TempDir folder;
  const Finished all = orrery(folder.path(), {"list"});
  EXPECT_EQ(all.code, 0);
  EXPECT_EQ(all.err, "");
  const auto expect_part = [&](const std::string& what, const std::string& name, const std::string& description) {
    const Finished one = orrery(folder.path(), {"list", what});
    EXPECT_EQ(one.code, 0) << what;
    for (const Finished* f : {&all, &one})
      EXPECT_TRUE(has_line(f->out, {" " + name + " ", description})) << what << " " << name;
    EXPECT_FALSE(description.empty()) << what << " " << name;
  };
  for (const auto* e : algorithm_table()) expect_part("algorithms", e->name, e->what);
  for (const auto* e : model_table()) expect_part("models", e->name, e->what);
  for (const auto* e : data_table()) expect_part("datasets", e->name, e->what);
  for (const auto* e : partition_table()) expect_part("partitions", e->name, e->what);
  for (const auto* e : compressor_table()) expect_part("compressors", e->name, e->what);
  for (const auto& m : metric_table()) expect_part("metrics", m.name, m.what);
}

TEST(Devices, NameTheCpuFirst) {
  TempDir folder;
  const Finished f = orrery(folder.path(), {"devices"});
  EXPECT_EQ(f.code, 0);
  EXPECT_EQ(f.err, "");
  EXPECT_TRUE(f.out.starts_with("cpu")) << f.out;
  EXPECT_TRUE(has(f.out, "GiB")) << f.out;
}

TEST(Devices, OfTheTestsAreListed) {
  TempDir folder;
  const Finished f = orrery(folder.path(), {"devices"});
  for (const auto& device : test_devices()) EXPECT_TRUE(has(f.out, device)) << device << " in: " << f.out;
}

TEST(Help, EndsWell) {
  TempDir folder;
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"run", "--help"}, {"check", "--help"}, {"list", "--help"}}) {
    const Finished f = orrery(folder.path(), arguments);
    EXPECT_EQ(f.code, 0);
    EXPECT_EQ(f.err, "");
    EXPECT_TRUE(has(f.out, "orrery") || has(f.out, "Usage")) << f.out;
  }
  for (const char* command : {"run", "check", "list", "devices"})
    EXPECT_TRUE(has(orrery(folder.path(), {"--help"}).out, command)) << command;
  for (const char* option : {"--set", "--out", "--device", "--quiet"})
    EXPECT_TRUE(has(orrery(folder.path(), {"run", "--help"}).out, option)) << option;
  EXPECT_EQ(names(tree(folder.path())), std::vector<std::string>{});
}

TEST(Version, IsOneLine) {
  TempDir folder;
  const Finished f = orrery(folder.path(), {"--version"});
  EXPECT_EQ(f.code, 0);
  EXPECT_EQ(f.err, "");
  EXPECT_TRUE(std::regex_match(f.out, std::regex("[^\n]*[0-9]+\\.[0-9]+\\.[0-9]+[^\n]*\n"))) << f.out;
}

}  // namespace
}  // namespace orrery::test
