// What a run leaves behind: the contract's files, their shapes and digits, and that the resolved experiment gives the
// same bits again.
#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/cli/support.hpp"

namespace orrery::test {
namespace {

using nlohmann::json;
using Names = std::vector<std::string>;

// Noise, random batches, rates and groupings: every stream of random numbers is in use.
constexpr const char* quadratic = R"(name = "bench"
seed = 7
replicas = 3
steps = 25
device = "cpu"
precision = "fp64"
[model]
kind = "quadratic"
curvature = [0.5, 1.0, 1.5]
center = [[1.0, 0.1, 3.0], [-1.0, 2.0, 0.3], [0.7, 0.5, -2.0], [2.0, -1.0, 1.0]]
noise = 0.3
[network]
workers = 4
weights = [1, 3]
rates = [1.0, 0.7]
grouping = "random"
tiers = [{ name = "edge", nodes = 2, period = 4 }, { name = "cloud", nodes = 1, period = 8 }]
[algorithm]
kind = "h-sgd"
learning_rate = 0.1
batch = [2, 4]
[record]
every = 10
metrics = ["train_loss", "grad_norm_sq", "consensus_distance", "dispersion_edge",
           "optimum_distance", "bits", "steps_done"]
params = true
)";

constexpr const char* images = R"(steps = 24
replicas = 2
device = "cpu"
[data]
name = "glyphs"
train = 400
test = 60
[partition]
kind = "dirichlet"
alpha = 0.3
[model]
kind = "softmax"
l2 = 1e-3
[network]
workers = 10
weights = "samples"
[algorithm]
kind = "h-sgd"
learning_rate = 0.1
batch = 5
[record]
every = 12
metrics = ["train_loss", "test_accuracy", "grad_norm_sq", "consensus_distance", "bits_up", "bits_down"]
[[arm]]
name = "local SGD, P = 4"
network.tiers = [{ name = "cloud", nodes = 1, period = 4 }]
[[arm]]
name = "two tiers"
network.tiers = [{ name = "edge", nodes = 5, period = 2 }, { name = "cloud", nodes = 1, period = 12 }]
)";

bool holds_times(const std::string& file) { return file == "summary.json" || file == "report.html"; }

class RunFolder : public testing::Test {
 protected:
  void SetUp() override {
    write_text(at("bench.toml"), quadratic);
    write_text(at("images.toml"), images);
  }
  std::string at(const std::string& name) const { return folder_.path(name); }
  std::string text(const std::string& name) const { return read_text(at(name)); }
  Finished well(const std::string& file, const std::string& out, Names more = {}) {
    return run_well(folder_.path(), file, out, std::move(more));
  }
  // checkpoint/ comes with the methods that have it
  Names files(const std::string& out) const {
    Names all;
    for (const auto& name : names(tree(at(out))))
      if (!name.starts_with("checkpoint/")) all.push_back(name);
    return all;
  }
  TempDir folder_;
};

TEST_F(RunFolder, HoldsTheFilesOfTheContract) {
  well("bench.toml", "out");
  EXPECT_EQ(files("out"), (Names{"experiment.toml", "final.npy", "mean.npy", "metrics.csv", "report.html",
                                 "summary.json", "theory.json"}));
  well("bench.toml", "lean", {"--set", "record.params=false"});
  EXPECT_EQ(files("lean"),
            (Names{"experiment.toml", "mean.npy", "metrics.csv", "report.html", "summary.json", "theory.json"}));
  EXPECT_EQ(names(tree(folder_.path())).front(), "bench.toml");
  EXPECT_FALSE(std::filesystem::exists(at("out.partial")));
}

TEST_F(RunFolder, HoldsAModelPerArm) {
  well("images.toml", "out", {"--set", "record.params=true", "--set", "record.partition=true"});
  EXPECT_EQ(files("out"), (Names{"experiment.toml", "final-0.npy", "final-1.npy", "mean-0.npy", "mean-1.npy",
                                 "metrics.csv", "partition-0-0.txt", "partition-0-1.txt", "partition-1-0.txt",
                                 "partition-1-1.txt", "report.html", "summary.json", "theory.json"}));
}

// A header row, then a row per replica and record point: 0, every, ..., the last step.
TEST_F(RunFolder, HasARowPerReplicaAndRecordPoint) {
  well("bench.toml", "out");
  const Csv csv = load_csv(at("out/metrics.csv"));
  EXPECT_EQ(csv.header, (Names{"replica", "step", "train_loss", "grad_norm_sq", "consensus_distance", "dispersion_edge",
                               "optimum_distance", "bits", "steps_done"}));
  ASSERT_EQ(csv.rows.size(), 3u * 4);
  const Names steps{"0", "10", "20", "25"};
  for (size_t i = 0; i < csv.rows.size(); ++i) {
    EXPECT_EQ(csv.rows[i][0], std::to_string(i / 4));
    EXPECT_EQ(csv.rows[i][1], steps[i % 4]);
  }
}

TEST_F(RunFolder, HasARowPerArm) {
  well("images.toml", "out");
  const Csv csv = load_csv(at("out/metrics.csv"));
  ASSERT_EQ(csv.header.size(), 9u);
  EXPECT_EQ((Names{csv.header.begin(), csv.header.begin() + 4}), (Names{"arm", "replica", "step", "train_loss"}));
  ASSERT_EQ(csv.rows.size(), 2u * 2 * 3);
  for (size_t i = 0; i < csv.rows.size(); ++i) {
    EXPECT_EQ(csv.rows[i][0], i < 6 ? "local SGD, P = 4" : "two tiers");
    EXPECT_EQ(csv.rows[i][1], std::to_string(i / 3 % 2));
    EXPECT_EQ(csv.rows[i][2], std::to_string(i % 3 * 12));
  }
}

// 17 significant digits in fp64, 9 otherwise: reading a number and printing it again gives its text.
TEST_F(RunFolder, PrintsAllDigits) {
  for (const auto& [precision, format] : {std::pair{"fp64", "%.17g"}, {"fp32", "%.9g"}}) {
    SCOPED_TRACE(precision);
    well("bench.toml", precision, {"--set", std::string("precision=") + precision});
    size_t longest = 0;
    for (const auto& row : load_csv(at(std::string(precision) + "/metrics.csv")).rows)
      for (const auto& field : row) {
        char again[64];
        std::snprintf(again, sizeof again, format, std::stod(field));
        EXPECT_EQ(field, again);
        longest = std::max(longest, static_cast<size_t>(std::count_if(field.begin(), field.end(), ::isdigit)));
      }
    EXPECT_GE(longest, precision == std::string("fp64") ? 16u : 9u);
  }
}

TEST_F(RunFolder, SummaryHasTheFieldsOfTheContract) {
  well("bench.toml", "out");
  const json j = json::parse(text("out/summary.json"));
  EXPECT_EQ(j.at("name"), "bench");
  EXPECT_EQ(j.at("version"), split(orrery(folder_.path(), {"--version"}).out, '\n')[0]);
  EXPECT_TRUE(j.at("revision").is_string());
  EXPECT_EQ(j.at("device"), "cpu");
  EXPECT_EQ(j.at("precision"), "fp64");
  EXPECT_EQ(j.at("seeds"), (json{7, 8, 9}));
  for (const char* phase : {"setup", "run", "evaluation"}) EXPECT_GE(j.at("wall_seconds").at(phase).get<double>(), 0);
  EXPECT_GT(j.at("worker_steps_per_second").get<double>(), 0);
  EXPECT_GT(j.at("peak_memory_bytes").get<int64_t>(), 0);
  ASSERT_EQ(j.at("arms").size(), 1u);

  // bits per replica, and the last row of each metric: mean and standard deviation over the replicas
  const json& arm = j["arms"][0];
  const Csv csv = load_csv(at("out/metrics.csv"));
  int64_t up = 0, down = 0;
  for (const auto& link : arm.at("bits").at("links")) {
    up += link.at("up").get<int64_t>();
    down += link.at("down").get<int64_t>();
  }
  EXPECT_EQ(arm["bits"].at("up"), up);
  EXPECT_EQ(arm["bits"].at("down"), down);
  EXPECT_EQ(std::stod(csv.rows[3][csv.column("bits")]), static_cast<double>(up + down));
  for (const auto& [metric, value] : arm.at("final").items()) {
    const size_t c = csv.column(metric);
    double mean = 0, square = 0;
    for (size_t r : {3, 7, 11}) mean += std::stod(csv.rows[r][c]) / 3;
    for (size_t r : {3, 7, 11}) square += std::pow(std::stod(csv.rows[r][c]) - mean, 2) / 2;
    EXPECT_NEAR(value.at("mean").get<double>(), mean, 1e-12 * std::abs(mean)) << metric;
    EXPECT_NEAR(value.at("deviation").get<double>(), std::sqrt(square), 1e-12 * (std::abs(mean) + 1)) << metric;
  }
  EXPECT_EQ(arm["final"].size(), csv.header.size() - 2);
}

// mean.npy (replicas, P) is the weighted mean over the workers of final.npy (replicas, workers, P).
TEST_F(RunFolder, ModelsHaveTheShapesOfTheContract) {
  for (const std::string precision : {"fp64", "fp32"}) {
    SCOPED_TRACE(precision);
    // 25 steps: the last ones after the last average, so that the workers differ
    well("bench.toml", precision, {"--set", "precision=" + precision});
    const Npy mean = load_npy(at(precision + "/mean.npy")), all = load_npy(at(precision + "/final.npy"));
    EXPECT_EQ(mean.type, precision == "fp64" ? "<f8" : "<f4");
    EXPECT_EQ(all.type, mean.type);
    EXPECT_EQ(mean.shape, (std::vector<int64_t>{3, 3}));
    ASSERT_EQ(all.shape, (std::vector<int64_t>{3, 4, 3}));
    const double weights[] = {0.125, 0.375, 0.125, 0.375}, eps = precision == "fp64" ? 0x1p-53 : 0x1p-24;
    for (size_t r = 0; r < 3; ++r)
      for (size_t j = 0; j < 3; ++j) {
        double u = 0;
        for (size_t w = 0; w < 4; ++w) u += weights[w] * all.values[(r * 4 + w) * 3 + j];
        // values below 4; a rounding of the weight, the product and the sum per worker
        EXPECT_NEAR(mean.values[r * 3 + j], u, 4 * 3 * 4 * eps);
      }
  }
}

TEST_F(RunFolder, ResolvedExperimentGivesTheSameBits) {
  for (const std::string name : {"bench", "images"}) {
    SCOPED_TRACE(name);
    well(name + ".toml", name);
    std::filesystem::create_directory(at(name + "-again"));
    std::filesystem::copy_file(at(name + "/experiment.toml"), at(name + "-again/experiment.toml"));
    run_well(at(name + "-again"), "experiment.toml", "out");
    auto first = tree(at(name)), again = tree(at(name + "-again/out"));
    EXPECT_EQ(names(first), names(again));
    for (const auto& file : names(first)) EXPECT_TRUE(first[file] == again[file] || holds_times(file)) << file;
    // the name of the file that was first given stays
    EXPECT_EQ(json::parse(again["summary.json"]).at("name"), name);
  }
}

// What was given on the command line is part of what was resolved.
TEST_F(RunFolder, ResolvedExperimentHoldsTheOptions) {
  well("bench.toml", "out", {"--set", "seed=99", "--set", "algorithm.batch=[1, 2, 3]", "--device", "cpu"});
  run_well(folder_.path(), "out/experiment.toml", "again");
  EXPECT_EQ(text("again/metrics.csv"), text("out/metrics.csv"));
  EXPECT_EQ(text("again/mean.npy"), text("out/mean.npy"));
  well("bench.toml", "other");
  EXPECT_NE(text("other/metrics.csv"), text("out/metrics.csv"));
}

TEST_F(RunFolder, DoesNotDependOnTheThreads) {
  for (const std::string name : {"bench", "images"}) {
    SCOPED_TRACE(name);
    well(name + ".toml", name + "-1", {"--threads", "1"});
    well(name + ".toml", name + "-2", {"--threads", "2"});
    EXPECT_EQ(json::parse(text(name + "-1/summary.json")).at("threads"), 1);
    EXPECT_EQ(json::parse(text(name + "-2/summary.json")).at("threads"), 2);
    auto one = tree(at(name + "-1")), two = tree(at(name + "-2"));
    for (const auto& file : names(one)) EXPECT_TRUE(one[file] == two[file] || holds_times(file)) << file;
  }
}

// Replica k is the run with seed + k.
TEST_F(RunFolder, ReplicasAreRunsWithTheNextSeeds) {
  well("bench.toml", "three");
  const Csv three = load_csv(at("three/metrics.csv"));
  for (size_t k = 0; k < 3; ++k) {
    const std::string out = "seed" + std::to_string(k);
    well("bench.toml", out, {"--set", "replicas=1", "--set", "seed=" + std::to_string(7 + k)});
    const Csv one = load_csv(at(out + "/metrics.csv"));
    ASSERT_EQ(one.rows.size(), 4u);
    for (size_t t = 0; t < 4; ++t) {
      auto row = three.rows[4 * k + t];
      row[0].assign(1, '0');
      EXPECT_EQ(one.rows[t], row);
    }
  }
}

// An arm is the file with the arm's keys laid over it.
TEST_F(RunFolder, ArmsAreRunsOfTheirOwn) {
  well("images.toml", "both");
  std::string alone = images;
  alone.erase(alone.find("[[arm]]"));
  alone.insert(alone.find("[algorithm]"),
               "tiers = [{ name = \"edge\", nodes = 5, period = 2 }, "
               "{ name = \"cloud\", nodes = 1, period = 12 }]\n");
  write_text(at("alone.toml"), alone);
  well("alone.toml", "alone");
  const Csv both = load_csv(at("both/metrics.csv")), one = load_csv(at("alone/metrics.csv"));
  ASSERT_EQ(one.rows.size(), 6u);
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(one.rows[i], (Names{both.rows[6 + i].begin() + 1, both.rows[6 + i].end()}));
  EXPECT_TRUE(text("both/mean-1.npy") == text("alone/mean.npy"));
}

TEST_F(RunFolder, QuietPrintsNothing) {
  const Finished f = well("images.toml", "out");
  EXPECT_EQ(f.out, "");
  EXPECT_EQ(f.err, "");
}

TEST_F(RunFolder, PrintsALinePerRecordPointIntoAPipe) {
  const Finished f = orrery(folder_.path(), {"run", "bench.toml", "--out", "out"});
  EXPECT_EQ(f.code, 0);
  const auto said = lines(f.err);
  ASSERT_EQ(said.size(), 4u) << f.err;
  const char* steps[] = {"step 0/25 ", "step 10/25 ", "step 20/25 ", "step 25/25 "};
  for (size_t i = 0; i < 4; ++i) EXPECT_NE(said[i].find(steps[i]), std::string::npos) << said[i];
  EXPECT_EQ(f.err.find('\r'), std::string::npos) << "the pipe of a terminal's progress bar";
  EXPECT_NE(f.out.find("train_loss"), std::string::npos);
  EXPECT_NE(f.out.find("results in out"), std::string::npos);
}

TEST_F(RunFolder, CountsUpWhereNoneIsNamed) {
  for (int k = 0; k < 2; ++k) EXPECT_EQ(orrery(folder_.path(), {"run", "bench.toml", "--quiet"}).code, 0);
  EXPECT_EQ(orrery(folder_.path(), {"run", "images.toml", "--quiet"}).code, 0);
  for (const char* made : {"runs/bench-1", "runs/bench-2", "runs/images-1"})
    EXPECT_TRUE(std::filesystem::exists(at(std::string(made) + "/metrics.csv"))) << made;
  EXPECT_EQ(text("runs/bench-1/metrics.csv"), text("runs/bench-2/metrics.csv"));
}

// A sweep starts many runs of one file: each gets a folder of its own.
TEST_F(RunFolder, CountsUpForRunsSideBySide) {
  const Names arguments{"run", "bench.toml", "--quiet", "--threads", "1", "--set", "steps=100000"};
  Program first(folder_.path(), arguments), second(folder_.path(), arguments);
  for (Program* program : {&first, &second}) {
    const Finished f = program->wait();
    EXPECT_EQ(f.code, 0) << f.err;
  }
  for (const char* made : {"runs/bench-1", "runs/bench-2"})
    EXPECT_TRUE(std::filesystem::exists(at(std::string(made) + "/metrics.csv"))) << made;
}

TEST_F(RunFolder, SetTakesAnyToml) {
  const std::vector<std::pair<std::string, std::string>> sets{
      {"steps=12", "steps = 12"},
      {"name=other", "name = \"other\""},
      {"name='quoted'", "name = \"quoted\""},
      {"algorithm.learning_rate=2.5e-2", "learning_rate = 0.025"},
      {"algorithm.batch=[4,4,154]", "batch = [ 4, 4, 154 ]"},
      {"algorithm.batch=\"full\"", "batch = \"full\""},
      {"record.metrics=['bits', 'train_loss']", "metrics = [ \"bits\", \"train_loss\" ]"},
      {"record.params=false", "params = false"},
      {"network.tiers=[{name='top',nodes=1,period=5}]", "name = \"top\""},
      {"record.metrics=['dispersion_cloud']", "metrics = [ \"dispersion_cloud\" ]"}};
  int k = 0;
  for (const auto& [set, resolved] : sets) {
    SCOPED_TRACE(set);
    const std::string out = "out" + std::to_string(++k);
    Names more{"--set", set};
    if (set.find("tiers") != std::string::npos) more.insert(more.end(), {"--set", "record.metrics=['bits']"});
    well("bench.toml", out, more);
    EXPECT_NE(text(out + "/experiment.toml").find(resolved), std::string::npos) << text(out + "/experiment.toml");
  }
  // the later of two wins
  well("bench.toml", "last", {"--set", "steps=3", "--set", "steps=5"});
  EXPECT_NE(text("last/experiment.toml").find("steps = 5"), std::string::npos);
}

// --set lies below the arms' own keys and reaches every arm.
TEST_F(RunFolder, SetReachesEveryArm) {
  well("images.toml", "out", {"--set", "network.workers=20"});
  EXPECT_EQ(json::parse(text("out/summary.json")).at("workers"), 20);
}

TEST_F(RunFolder, PartitionFileGivesTheSameRun) {
  std::string text_of_it = images;
  text_of_it.erase(text_of_it.find("[[arm]]"));
  write_text(at("one.toml"), text_of_it);
  const Names options{"--set", "replicas=1", "--set", "record.partition=true"};
  well("one.toml", "drawn", options);
  ASSERT_TRUE(std::filesystem::exists(at("drawn/partition-0.txt")));

  const std::string old = "kind = \"dirichlet\"\nalpha = 0.3";
  text_of_it.replace(text_of_it.find(old), old.size(), "kind = \"file\"\npath = \"drawn/partition-0.txt\"");
  write_text(at("read.toml"), text_of_it);
  well("read.toml", "read", options);
  EXPECT_EQ(text("read/metrics.csv"), text("drawn/metrics.csv"));
  EXPECT_EQ(text("read/partition-0.txt"), text("drawn/partition-0.txt"));
  EXPECT_TRUE(text("read/mean.npy") == text("drawn/mean.npy"));
  EXPECT_EQ(json::parse(text("read/summary.json"))["arms"][0].at("partition_hash"),
            json::parse(text("drawn/summary.json"))["arms"][0].at("partition_hash"));
}

// Files that an experiment names are found beside it from anywhere, and the resolved experiment finds them too.
TEST_F(RunFolder, FindsFilesBesideTheExperiment) {
  const std::map<std::string, std::string> kinds{
      {"init", "[model]\nkind = \"quadratic\"\ndimension = 2\ninit = \"x.npy\"\n[network]\nworkers = 2\n"},
      {"center", "[model]\nkind = \"quadratic\"\ncenter = \"x.npy\"\n[network]\nworkers = 2\n"},
      {"matrix",
       "[model]\nkind = \"quadratic\"\ndimension = 2\n[network]\nworkers = 2\n[network.graph]\n"
       "kind = \"complete\"\nmixing = \"file\"\nmatrix = \"h.txt\"\n"},
      {"partition",
       "[model]\nkind = \"softmax\"\n[data]\nname = \"glyphs\"\ntrain = 10\ntest = 10\n[partition]\n"
       "kind = \"file\"\npath = \"p.txt\"\n[network]\nworkers = 2\n"}};
  for (const auto& [kind, sections] : kinds) {
    SCOPED_TRACE(kind);
    const std::string there = at(kind);
    std::filesystem::create_directories(there + "/elsewhere");
    write_text(there + "/e.toml", "steps = 4\ndevice = \"cpu\"\n" + sections + "[algorithm]\nkind = \"h-sgd\"\n");
    save_npy(there + "/x.npy", "(2, 2)", {1, 2, 3, 4});
    write_text(there + "/h.txt", "0.5 0.5\n0.5 0.5\n");
    if (kind == "partition") {
      write_text(there + "/p.toml",
                 "steps = 1\ndevice = \"cpu\"\n[model]\nkind = \"softmax\"\n[data]\nname = "
                 "\"glyphs\"\ntrain = 10\ntest = 10\n[network]\nworkers = 2\n[algorithm]\n"
                 "kind = \"h-sgd\"\n[record]\npartition = true\n");
      run_well(there, "p.toml", "p");
      std::filesystem::copy_file(there + "/p/partition-0.txt", there + "/p.txt");
    }
    if (run_well(there + "/elsewhere", "../e.toml", "out").code != 0) continue;
    run_well(there + "/elsewhere", "out/experiment.toml", "again");
    EXPECT_EQ(read_text(there + "/elsewhere/again/metrics.csv"), read_text(there + "/elsewhere/out/metrics.csv"));
  }
}

// One page that asks nothing of the network.
TEST_F(RunFolder, ReportIsSelfContained) {
  for (const std::string name : {"bench", "images"}) {
    SCOPED_TRACE(name);
    well(name + ".toml", name);
    const std::string html = text(name + "/report.html");
    EXPECT_TRUE(html.starts_with("<!doctype html>") || html.starts_with("<!DOCTYPE html>")) << html.substr(0, 80);
    EXPECT_NE(html.find("</html>"), std::string::npos);
    EXPECT_NE(html.find("<svg"), std::string::npos);
    const std::regex outside("(src|href|action)\\s*=\\s*[\"']?(?![\"']?(#|data:))|url\\(\\s*[\"']?(?!#|data:)|@import",
                             std::regex::icase);
    const std::regex tags("<(script|style)[ >][^]*?</\\1>|<[a-z][^>]*>", std::regex::icase);
    for (std::sregex_iterator it(html.begin(), html.end(), tags), end; it != end; ++it)
      EXPECT_FALSE(std::regex_search(it->str(), outside)) << it->str().substr(0, 200);
    for (const char* metric : {"train_loss", "consensus_distance"})
      EXPECT_NE(html.find(metric), std::string::npos) << metric;
  }
}

// Names of arms reach the page as text, not as tags.
TEST_F(RunFolder, ReportEscapesNames) {
  std::string text_of_it = images;
  const std::string old = "two tiers";
  text_of_it.replace(text_of_it.find(old), old.size(), "<b onload=1>&two");
  write_text(at("names.toml"), text_of_it);
  well("names.toml", "out");
  EXPECT_EQ(text("out/report.html").find("<b onload"), std::string::npos);
  EXPECT_EQ(load_csv(at("out/metrics.csv")).rows.back()[0], "<b onload=1>&two");
  run_well(folder_.path(), "out/experiment.toml", "again");
  EXPECT_EQ(text("again/metrics.csv"), text("out/metrics.csv"));
}

}  // namespace
}  // namespace orrery::test
