#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/runtime/network/make_network.hpp"

namespace orrery {
namespace {

using test::build;
using test::parse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const ExperimentError& e) {
    return e.what();
  }
  return "no ExperimentError";
}

TEST(NetworkSpec, EmptyTableIsOneWorkerAlone) {
  const NetworkSpec s = parse("");
  EXPECT_EQ(s.workers, 1);
  EXPECT_EQ(s.weights, NetworkSpec::Weights::equal);
  EXPECT_THAT(s.rates, ElementsAre(1.0));
  EXPECT_FALSE(s.random_grouping);
  EXPECT_TRUE(s.tiers.empty());
  EXPECT_FALSE(s.graph);
  EXPECT_EQ(s.top_nodes(), 1);
}

TEST(NetworkSpec, TheExampleOfTheContractIsReadInFull) {
  const NetworkSpec s = parse(R"(workers = 100
weights = [1, 2.5]
rates = [1.0, 0.5, 0]
grouping = "random"
tiers = [ { name = "edge", nodes = 10, period = 5 }, { period = 50, groups = [[0, 3, 9], [1, 2], [4, 5, 6, 7, 8]] } ]
[network.graph]
kind = "ring"
period = 100
mixing = "laplacian"
alpha = 0.05
lazy = true)");
  EXPECT_EQ(s.workers, 100);
  EXPECT_EQ(s.weights, NetworkSpec::Weights::given);
  ASSERT_EQ(s.given_weights.size(), 100u);
  EXPECT_EQ(s.given_weights[98], 1);
  EXPECT_EQ(s.given_weights[99], 2.5);
  ASSERT_EQ(s.rates.size(), 100u);
  EXPECT_EQ(s.rates[98], 0);
  EXPECT_EQ(s.rates[99], 1);
  EXPECT_TRUE(s.random_grouping);
  ASSERT_EQ(s.tiers.size(), 2u);
  EXPECT_EQ(s.tiers[0].name, "edge");
  EXPECT_EQ(s.tiers[0].nodes, 10);
  EXPECT_EQ(s.tiers[0].period, 5);
  EXPECT_TRUE(s.tiers[0].groups.empty());
  EXPECT_EQ(s.tiers[1].name, "tier2");
  EXPECT_EQ(s.tiers[1].nodes, 3);
  EXPECT_THAT(s.tiers[1].groups[1], ElementsAre(1, 2));
  EXPECT_EQ(s.top_nodes(), 3);
  ASSERT_TRUE(s.graph);
  EXPECT_EQ(s.graph->kind, "ring");
  EXPECT_EQ(s.graph->period, 100);
  EXPECT_EQ(s.graph->mixing, "laplacian");
  EXPECT_EQ(s.graph->alpha, 0.05);
  EXPECT_TRUE(s.graph->lazy);
}

TEST(NetworkSpec, GraphDefaultsToMetropolisAndToThePeriodOfTheTopTier) {
  const NetworkSpec tiered = parse("workers = 4\ntiers = [{ nodes = 2, period = 7 }]\ngraph.kind = \"path\"");
  EXPECT_EQ(tiered.graph->period, 7);
  EXPECT_EQ(tiered.graph->mixing, "metropolis");
  EXPECT_FALSE(tiered.graph->lazy);
  EXPECT_EQ(parse("workers = 4\ngraph.kind = \"path\"").graph->period, 1);
}

TEST(NetworkSpec, DefaultsAndFilesAreWrittenBackSoThatTheResolvedTextGivesTheSameNetwork) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "orrery_network_spec";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "graph.csv") << "0,1,0\n1,0,1\n0,1,0\n";
  std::ofstream(folder / "h.txt") << "# columns sum to one\n0.5 0.25 0\n0.5 0.5 0.5\n0 0.25 0.5\n";
  std::ofstream(folder / "e.toml")
      << "[network]\nworkers = 3\ngraph = { kind = \"file\", path = \"graph.csv\", mixing = \"file\", "
         "matrix = \"h.txt\" }\n";
  Params root = Params::from_file(
      (folder / "e.toml").string());  // found beside the experiment file, not in the working directory
  Params table = root.table("network");
  const NetworkSpec s = parse_network(table);
  EXPECT_THAT(s.graph->matrix,
              ElementsAre(ElementsAre(0.5, 0.25, 0), ElementsAre(0.5, 0.5, 0.5), ElementsAre(0, 0.25, 0.5)));

  Params again = Params::from_text(root.to_toml(), "elsewhere/resolved.toml");
  Params network = again.table("network");
  EXPECT_TRUE(network.has("weights") && network.has("rates") && network.has("grouping"));
  const NetworkSpec t = parse_network(network);
  EXPECT_EQ(t.graph->adjacency, s.graph->adjacency);
  EXPECT_EQ(t.graph->matrix, s.graph->matrix);
  EXPECT_EQ(t.graph->file, (folder / "graph.csv").string());
}

TEST(NetworkSpec, EqualNumbersOfNodesAndEqualPeriodsAreAllowed) {
  const NetworkSpec s =
      parse("workers = 4\ntiers = [{ nodes = 4, period = 3 }, { nodes = 4, period = 3 }, { nodes = 1, period = 3 }]");
  EXPECT_EQ(s.tiers.size(), 3u);
}

TEST(NetworkSpec, OneTopNodeMayHaveAnyGraph) {
  for (const char* kind :
       {"complete", "ring", "path", "star", "grid", "torus", "exponential", "one-peer-exponential"}) {
    const auto b =
        build(std::string("workers = 5\ntiers = [{ nodes = 1, period = 2 }]\ngraph.kind = \"") + kind + "\"");
    ASSERT_EQ(b.network.mixing().size(), 1u) << kind;
    EXPECT_THAT(b.network.mixing()[0].dense(), ElementsAre(ElementsAre(1.0))) << kind;
    EXPECT_TRUE(b.network.edges().empty()) << kind;
    EXPECT_EQ(b.network.zeta(), 0) << kind;
  }
}

struct Bad {
  std::string text, start, part;  // the message starts with "net.toml:" + start and holds part
};

TEST(NetworkSpec, BadInputNamesLineAndKeyAndSaysWhatToDo) {
  const std::string two = "workers = 10\ntiers = [{ name = \"edge\", nodes = 4, period = 5 }, ";
  const std::string hubs =
      "workers = 10\ntiers = [{ name = \"edge\", nodes = 4, period = 5 }]\n[network.graph]\n";  // the graph on line 5
  const std::string flat = "workers = 3\n[network.graph]\nkind = \"path\"\n";
  const std::vector<Bad> all = {
      // workers, weights, rates, grouping
      {"workers = 0", "2: network.workers: ", "0 is out of range; give a value that is at least 1"},
      {"workers = 2.5", "2: network.workers: ", "give an integer"},
      {"workers = 10000000000", "2: network.workers: ", "out of range"},
      {"workers = 2\nweights = \"size\"", "3: network.weights: ", "known: equal, samples"},
      {"workers = 2\nweights = [1, -1]", "3: network.weights: ", "-1 is out of range"},
      {"workers = 3\nweights = [0, 0.0]", "3: network.weights: ", "give at least one worker a positive weight"},
      {"workers = 2\nrates = 1.5", "3: network.rates: ", "at least 0 and at most 1"},
      {"workers = 2\nrates = []", "3: network.rates: ", "is empty"},
      {"workers = 2\ngrouping = \"sorted\"", "3: network.grouping: ", "known: contiguous, random"},
      // tiers
      {"workers = 2\ntiers = 3", "3: network.tiers: ", "give an array of tables"},
      {"workers = 10\ntiers = [{ nodes = 11, period = 5 }]",
       "3: network.tiers.nodes: ", "11 nodes cannot share the 10 workers; give at most 10"},
      {two + "{ nodes = 5, period = 10 }]",
       "3: network.tiers.nodes: ", "5 nodes cannot share the 4 nodes of tier \"edge\"; give at most 4"},
      {two + "{ nodes = 0, period = 10 }]", "3: network.tiers.nodes: ", "at least 1"},
      {two + "{ period = 10 }]", "3: network.tiers.nodes: ", "tier \"tier2\" has neither nodes nor groups"},
      {two + "{ nodes = 1, groups = [[0,1,2,3]], period = 10 }]",
       "3: network.tiers.groups: ", "has both nodes and groups"},
      {two + "{ groups = [[0,1],[1,2,3]], period = 10 }]",
       "3: network.tiers.groups: ", "1 is listed in group 0 and again in group 1"},
      {two + "{ groups = [[0,1],[3]], period = 10 }]",
       "3: network.tiers.groups: ", "no group lists 2 of the 4 nodes of tier \"edge\""},
      {two + "{ groups = [[0,1],[2,3,4]], period = 10 }]",
       "3: network.tiers.groups: ", "lists 4, and the 4 nodes of tier \"edge\" are numbered 0 to 3"},
      {two + "{ groups = [[0,1],[2,3,-1]], period = 10 }]", "3: network.tiers.groups: ", "lists -1"},
      {two + "{ groups = [[0,1,2,3],[]], period = 10 }]", "3: network.tiers.groups: ", "group 1 is empty"},
      {"workers = 2\ngrouping = \"random\"\ntiers = [{ groups = [[0],[1]], period = 1 }]",
       "4: network.tiers.groups: ", "grouping is \"random\""},
      {two + "{ nodes = 1 }]", "3: network.tiers.period: ", "is missing"},
      {two + "{ nodes = 1, period = 0 }]", "3: network.tiers.period: ", "at least 1"},
      {two + "{ nodes = 1, period = 12 }]",
       "3: network.tiers.period: ", "12 is not a multiple of 5, the period of tier \"edge\" below; use 15"},
      {two + "{ nodes = 1, period = 3 }]", "3: network.tiers.period: ", "use 5 or another multiple"},
      {two + "{ name = \"edge\", nodes = 1, period = 10 }]", "3: network.tiers.name: ", "two tiers are named \"edge\""},
      {two + "{ name = \"graph\", nodes = 1, period = 10 }]", "3: network.tiers.name: ", "choose another name"},
      {two + "{ name = \"a,b\", nodes = 1, period = 10 }]", "3: network.tiers.name: ", "use letters, digits"},
      {"workers = 3\nweights = [1, 0, 0]\ntiers = [{ nodes = 3, period = 1 }]",
       "3: network.weights: ", "below node 1 of tier \"tier1\" sum to zero"},
      {"workers = 3\nweights = [1, 0, 0]\ngraph.kind = \"ring\"",
       "3: network.weights: ", "worker 1 is a node of the graph and has weight zero"},
      {two + "{ nodes = 1, period = 10, perid = 3 }]", "3: network.tiers.perid: ", "did you mean \"period\""},
      // graph
      {"workers = 3\ngraph.period = 4", "3: network.graph.kind: ", "is missing"},
      {hubs + "kind = \"rign\"", "5: network.graph.kind: ", "did you mean \"ring\""},
      {hubs + "kind = \"ring\"\nperiod = 12",
       "6: network.graph.period: ", "12 is not a multiple of 5, the period of the top tier \"edge\"; use 15"},
      {hubs + "kind = \"ring\"\nperiod = 0", "6: network.graph.period: ", "at least 1"},
      {hubs + "kind = \"erdos-renyi\"", "4: network.graph.probability: ", "is missing"},
      {hubs + "kind = \"erdos-renyi\"\nprobability = 0", "6: network.graph.probability: ", "above 0 and at most 1"},
      {hubs + "kind = \"erdos-renyi\"\nprobability = 1.1", "6: network.graph.probability: ", "out of range"},
      {"workers = 7\n[network.graph]\nkind = \"grid\"",
       "4: network.graph.kind: ", "7 nodes make no grid of r rows and c columns"},
      {"workers = 7\n[network.graph]\nkind = \"torus\"", "4: network.graph.kind: ", "use kind = \"ring\""},
      {"workers = 12\n[network.graph]\nkind = \"grid\"\nrows = 5",
       "5: network.graph.rows: ", "5 rows do not cut 12 nodes into a grid of at least 2 x 2; use 3"},
      {"workers = 12\n[network.graph]\nkind = \"grid\"\nrows = 12", "5: network.graph.rows: ", "use 3"},
      {hubs + "kind = \"ring\"\nrows = 2", "6: network.graph.rows: ", "unknown key"},
      // adjacency
      {flat + "mixing = \"uniform\"\nkind2 = 1", "6: network.graph.kind2: ", "did you mean \"kind\""},
      {"workers = 3\ngraph = { kind = \"file\" }", "3: network.graph.path: ", "is missing"},
      {"workers = 3\ngraph = { kind = \"file\", path = \"/no/such/file\" }", "3: network.graph.path: ", "no such file"},
      {"workers = 3\ngraph = { kind = \"file\", path = [[0,1],[1,0]] }",
       "3: network.graph.path: ", "2 rows and 2 columns, and the graph links 3 nodes"},
      {"workers = 2\ngraph = { kind = \"file\", path = [[0,2],[2,0]] }",
       "3: network.graph.path: ", "2 at row 0, column 1; use 0 and 1 only"},
      {"workers = 2\ngraph = { kind = \"file\", path = [[0,1],[0,0]] }",
       "3: network.graph.path: ", "node 0 to node 1 one way only; make it symmetric"},
      {"workers = 4\ngraph = { kind = \"file\", path = [[0,1,0,0],[1,0,0,0],[0,0,0,1],[0,0,1,0]] }",
       "3: network.graph.path: ", "not connected: there is no path between nodes 0 and 2; add links"},
      // mixing
      {flat + "mixing = \"gossip\"",
       "5: network.graph.mixing: ", "known: metropolis, uniform, laplacian, average, file"},
      {flat + "lazy = 1", "5: network.graph.lazy: ", "give true or false"},
      {flat + "mixing = \"average\"",
       "5: network.graph.mixing: ", "needs a link between every two nodes; use kind = \"complete\""},
      {flat + "mixing = \"laplacian\"", "3: network.graph.alpha: ", "is missing"},
      {flat + "mixing = \"laplacian\"\nalpha = 0", "6: network.graph.alpha: ", "above 0"},
      {flat + "mixing = \"laplacian\"\nalpha = 0.2",
       "6: network.graph.alpha: ", "use at most 0.166667, the weight 0.333333 of node 1 over its 2 links"},
      {"workers = 4\ngraph = { kind = \"one-peer-exponential\", mixing = \"metropolis\" }",
       "3: network.graph.mixing: ", "remove this key"},
      {flat + "mixing = \"file\"", "3: network.graph.matrix: ", "is missing"},
      {flat + "mixing = \"file\"\nmatrix = [[1,0],[0,1]]",
       "6: network.graph.matrix: ", "2 rows and 2 columns, and the graph links 3 nodes"},
      {flat + "mixing = \"file\"\nmatrix = [[1,0,0],[0,1],[0,0,1]]",
       "6: network.graph.matrix: ", "give a 3 x 3 matrix"},
      {flat + "mixing = \"file\"\nmatrix = [[0.5,0.3,0],[0.5,0.4,0.5],[0,0.2,0.5]]",
       "6: network.graph.matrix: ", "column 1 sums to 0.9; every column must sum to one"},
      {flat + "mixing = \"file\"\nmatrix = [[0.5,0.5,0],[0.25,0.5,0.25],[0,0.5,0.5]]", "6: network.graph.matrix: ",
       "column 0 sums to 0.75; every column must sum to one (column d says what node d takes from the others); your "
       "rows do, so give the transpose"},
      {flat + "mixing = \"file\"\nmatrix = [[1.5,0.25,0],[-0.5,0.5,0.5],[0,0.25,0.5]]",
       "6: network.graph.matrix: ", "row 1, column 0 is -0.5"},
      {flat + "mixing = \"file\"\nmatrix = [[0.5,0.25,0.5],[0.5,0.5,0],[0,0.25,0.5]]",
       "6: network.graph.matrix: ", "no link between these nodes"},
      {flat + "mixing = \"file\"\nmatrix = [[0.5,0.5,0],[0.5,0.5,0],[0,0,1]]",
       "6: network.graph.matrix: ", "nothing that node 0 knows ever reaches node 2"},
      {flat + "mixing = \"file\"\nmatrix = [[1,0.5,0],[0,0.25,0.5],[0,0.25,0.5]]",
       "6: network.graph.matrix: ", "nothing that node 1 knows ever reaches node 0"},
  };
  for (const Bad& bad : all) {
    const std::string message = message_of([&] { parse(bad.text); });
    EXPECT_THAT(message, StartsWith("net.toml:" + bad.start)) << bad.text;
    EXPECT_THAT(message, HasSubstr(bad.part)) << bad.text;
  }
}

TEST(NetworkSpec, WhatDependsOnDataOrSeedIsCheckedWhenTheNetworkIsBuilt) {
  const std::string path =
      "workers = 3\nweights = \"samples\"\ngraph = { kind = \"path\", mixing = \"laplacian\", alpha = 0.1 }";
  // Beyond the limit 1/6 of equal weights, within 0.1875 of these
  EXPECT_NO_THROW(
      build("workers = 3\nweights = \"samples\"\ngraph = { kind = \"path\", mixing = \"laplacian\", alpha = 0.18 }", 1,
            {3, 10, 3}));
  EXPECT_NO_THROW(build(path, 1, {10, 10, 10}));
  EXPECT_THAT(message_of([&] {
                build(path, 1, {45, 10, 45});
              }),
              HasSubstr("network.graph.alpha: 0.1 makes entries of I - alpha * Lap * "
                        "diag(b)^-1 negative; use at most 0.05, the weight 0.1 of node 1"));
  EXPECT_THAT(message_of([&] { build(path, 1, {0, 0, 0}); }), HasSubstr("all weights are zero"));
  EXPECT_THAT(message_of([&] {
                build("workers = 4\nweights = \"samples\"\ntiers = [{ nodes = 2, period = 1 }]", 1, {5, 5, 0, 0});
              }),
              HasSubstr("below node 1 of tier \"tier1\" sum to zero"));
  EXPECT_THAT(
      message_of([&] { build("workers = 200\ngraph = { kind = \"erdos-renyi\", probability = 0.001 }"); }),
      HasSubstr("network.graph.probability: 0.001 is too small: a random graph over 200 nodes is then hardly ever "
                "connected; go above the connectivity threshold ln(n)/n = 0.02649"));
  EXPECT_THAT(message_of([&] {
                build("workers = 20\ngraph = { kind = \"erdos-renyi\", probability = 0.02 }");
              }),  // 19 links needed, 3.8 expected
              HasSubstr("0.02 is too small: a random graph over 20 nodes"));
  EXPECT_THROW(build(path, 1, {10, 10}), std::logic_error);  // a defect of the caller, not of the file
}

}  // namespace
}  // namespace orrery
