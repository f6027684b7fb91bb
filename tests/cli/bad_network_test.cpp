// Bad networks: tiers, groups and periods, graphs and mixing matrices.
#include "tests/cli/bad_input.hpp"

namespace orrery::test {
namespace {

std::vector<BadInput> Tiers() {
  const auto tiers = [](const std::string& text) { return Toml{.network = "workers = 4\ntiers = [\n" + text + "\n]"}; };
  const auto groups = [&](const std::string& g) {
    return tiers("{ name = \"edge\", groups = " + g + ", period = 2 }  #!");
  };
  const std::string edge = "{ name = \"edge\", nodes = 2, period = 5 },\n";
  return {
      bad("PeriodsDoNotDivide", tiers(edge + "{ name = \"cloud\", nodes = 1, period = 12 }  #!"), 2,
          {"network.tiers.period", "12 is not a multiple of 5", "\"edge\"", "use 15"}),
      bad("PeriodZero", tiers("{ name = \"edge\", nodes = 2, period = 0 }  #!"), 2,
          {"network.tiers.period", "0 is out of range", "at least 1"}),
      bad("PeriodMissing", tiers("{ name = \"edge\", nodes = 2 }  #!"), 2, {"network.tiers.period", "is missing"}),
      bad("GroupsDoNotCover", groups("[[0, 1], [2]]"), 2, {"network.tiers.groups", "no group lists 3", "exactly once"}),
      bad("GroupsOverlap", groups("[[0, 1], [1, 2, 3]]"), 2,
          {"network.tiers.groups", "1 is listed in group 0 and again in group 1", "list it once"}),
      bad("GroupsBeyond", groups("[[0, 1], [2, 3, 4]]"), 2, {"network.tiers.groups", "group 1 lists 4", "0 to 3"}),
      bad("GroupEmpty", groups("[[0, 1, 2, 3], []]"), 2, {"network.tiers.groups", "group 1 is empty"}),
      bad("GroupsFlat", groups("[0, 1, 2, 3]"), 2, {"network.tiers.groups", "array of arrays of integers"}),
      bad("GroupsAndNodes", tiers("{ name = \"edge\", nodes = 2, groups = [[0, 1], [2, 3]], period = 2 }  #!"), 2,
          {"network.tiers.groups", "both nodes and groups", "keep one"}),
      bad("NeitherGroupsNorNodes", tiers("{ name = \"edge\", period = 2 }  #!"), 2,
          {"network.tiers.nodes", "neither nodes nor groups", "give the number"}),
      bad("MoreNodesThanChildren", tiers(edge + "{ name = \"cloud\", nodes = 3, period = 10 }  #!"), 2,
          {"network.tiers.nodes", "3 nodes cannot share the 2 nodes of tier \"edge\"", "at most 2"}),
      bad("TwoTiersOfOneName", tiers(edge + "{ name = \"edge\", nodes = 1, period = 10 }  #!"), 2,
          {"network.tiers.name", "\"edge\"", "its own name"}),
      bad("TierNameForNoMetric", tiers("{ name = \"my edge\", nodes = 2, period = 5 }  #!"), 2,
          {"network.tiers.name", "\"my edge\"", "letters, digits"}),
  };
}
ORRERY_REFUSES(Tiers);

std::vector<BadInput> Graphs() {
  const auto graph = [](const std::string& text, int workers = 4) {
    return Toml{.network = "workers = " + std::to_string(workers) + "\n[network.graph]\n" + text};
  };
  const auto matrix = [&](const std::string& m) {
    return graph("kind = \"complete\"\nmixing = \"file\"\nmatrix = " + m + "  #!", 3);
  };
  const auto file = [](const std::string& name, const std::string& content) {
    return [=](const std::string& folder) { write_text(folder + "/" + name, content); };
  };
  const auto npy = [](const std::string& shape, size_t kept) {
    return [=](const std::string& folder) {
      const std::string path = folder + "/h.npy";
      save_npy(path, shape, std::vector<double>(9, 1.0 / 3));
      write_text(path, read_text(path).substr(0, kept));
    };
  };
  return {
      bad("PeriodOfTheGraph",
          Toml{.network = "workers = 4\ntiers = [{ name = \"hub\", nodes = 2, period = 4 }]\n[network.graph]\n"
                          "kind = \"ring\"\nperiod = 6  #!"},
          2, {"network.graph.period", "6 is not a multiple of 4", "\"hub\"", "use 8"}),
      bad("ColumnsDoNotSumToOne", matrix("[[0.5, 0.5, 0.5], [0.25, 0.5, 0], [0.25, 0, 0.4]]"), 2,
          {"network.graph.matrix", "column 2 sums to 0.9", "every column must sum to one"}),
      bad("RowStochastic", matrix("[[0.5, 0.25, 0.25], [0.5, 0.5, 0], [0.5, 0, 0.5]]"), 2,
          {"network.graph.matrix", "column 0 sums to 1.5", "give the transpose"}),
      bad("NegativeEntry", matrix("[[1.5, 0, 0], [-0.5, 1, 0], [0, 0, 1]]"), 2,
          {"network.graph.matrix", "row 1, column 0 is -0.5", "must not be negative"}),
      bad("MatrixOfTheWrongShape", matrix("[[0.5, 0.5], [0.5, 0.5]]"), 2,
          {"network.graph.matrix", "2 rows and 2 columns", "3 x 3"}),
      bad("MatrixRagged", matrix("[[1, 0, 0], [0, 1], [0, 0, 1]]"), 2, {"network.graph.matrix", "3 x 3"}),
      bad("MatrixDisconnected", matrix("[[1, 0, 0], [0, 0.5, 0.5], [0, 0.5, 0.5]]"), 2,
          {"network.graph.matrix", "not connected"}),
      bad("MatrixOffTheGraph",
          graph("kind = \"path\"\nmixing = \"file\"\nmatrix = [[0.5, 0, 0.5], [0, 1, 0], [0.5, 0, 0.5]]  #!", 3), 2,
          {"network.graph.matrix", "no link", "add the link"}),
      bad("MatrixFileMissing", matrix("\"h.npy\""), 2, {"network.graph.matrix", "h.npy", "existing path"}),
      bad("MatrixFileADirectory", matrix("\"h.npy\""), 2, {"network.graph.matrix", "h.npy", "existing path"}, {},
          [](const std::string& folder) { std::filesystem::create_directory(folder + "/h.npy"); }),
      bad("MatrixFileTruncated", matrix("\"h.npy\""), 2, {"network.graph.matrix", "truncated", "numpy.save"}, {},
          npy("(3, 3)", 160)),
      bad("MatrixFileCutInItsHeader", matrix("\"h.npy\""), 2, {"network.graph.matrix", "truncated"}, {},
          npy("(3, 3)", 40)),
      bad("MatrixFileHuge", matrix("\"h.npy\""), 2, {"network.graph.matrix", "h.npy"}, {},
          npy("(1000000, 1000000)", 200)),
      bad("MatrixFileWithWords", matrix("\"h.txt\""), 2, {"network.graph.matrix", "line 2", "\"x\" is not a number"},
          {}, file("h.txt", "1 0 0\n0 x 0\n0 0 1\n")),
      bad("MatrixFileRagged", matrix("\"h.txt\""), 2, {"network.graph.matrix", "line 2 has 2 numbers", "equally long"},
          {}, file("h.txt", "1 0 0\n0 1\n0 0 1\n")),
      bad("MatrixFileWithNan", matrix("\"h.txt\""), 2, {"network.graph.matrix", "nan"}, {},
          file("h.txt", "nan 0 0\n0 1 0\n0 0 1\n")),
      bad("GraphDisconnected",
          graph("kind = \"file\"\npath = [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]  #!"), 2,
          {"network.graph.path", "not connected", "add links"}),
      bad("GraphOneWay", graph("kind = \"file\"\npath = [[0, 1, 0], [1, 0, 1], [0, 0, 0]]  #!", 3), 2,
          {"network.graph.path", "one way only", "symmetric"}),
      bad("GraphWithWeights", graph("kind = \"file\"\npath = [[0, 0.5], [0.5, 0]]  #!", 2), 2,
          {"network.graph.path", "0.5 at row 0", "0 and 1 only"}),
      bad("GraphOfTheWrongSize", graph("kind = \"file\"\npath = [[0, 1], [1, 0]]  #!", 3), 2,
          {"network.graph.path", "3 x 3"}),
      bad("GraphWithoutAPath", Toml{.network = "workers = 4\n[network.graph]  #!\nkind = \"file\""}, 2,
          {"network.graph.path: is missing"}),
      bad("RandomGraphTooThin", graph("kind = \"erdos-renyi\"\nprobability = 1e-4  #!", 100), 2,
          {"network.graph.probability", "too small", "ln(n)/n"}),
      bad("RandomGraphProbabilityZero", graph("kind = \"erdos-renyi\"\nprobability = 0  #!"), 2,
          {"network.graph.probability", "out of range", "above 0"}),
      bad("CompleteGraphTooLarge", graph("kind = \"complete\"  #!", 1000000), 2,
          {"network.graph.kind", "1000000 nodes", "5e+11 links", "tier with nodes = 1"}),
      bad("RandomGraphTooDense", graph("kind = \"erdos-renyi\"\nprobability = 0.1  #!", 1000000), 2,
          {"network.graph.probability", "5e+10 links", "lower it"}),
      bad("RandomGraphTooLarge", graph("kind = \"erdos-renyi\"  #!\nprobability = 5e-5", 1000000), 2,
          {"network.graph.kind", "pairs of nodes", "fewer nodes"}),
      bad("TorusOfAPrime", graph("kind = \"torus\"  #!", 7), 2,
          {"network.graph.kind", "7 nodes make no torus", "ring"}),
      bad("LaplacianTooStrong", graph("kind = \"ring\"\nmixing = \"laplacian\"\nalpha = 0.2  #!"), 2,
          {"network.graph.alpha", "0.2", "at most 0.125"}),
      bad("LaplacianTooStrongForTheSamples",
          Toml{.data = "name = \"glyphs\"\ntrain = 40\ntest = 10",
               .model = "kind = \"softmax\"",
               .network =
                   "workers = 4\nweights = \"samples\"\n[network.graph]\nkind = \"ring\"\nmixing = \"laplacian\"\n"
                   "alpha = 0.2  #!"},
          2, {"network.graph.alpha", "0.2", "at most 0.125"}),
      bad("AverageOnARing", graph("kind = \"ring\"\nmixing = \"average\"  #!"), 2,
          {"network.graph.mixing", "every two nodes", "complete"}),
  };
}
ORRERY_REFUSES(Graphs);

}  // namespace
}  // namespace orrery::test
