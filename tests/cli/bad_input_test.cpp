// Bad input through the program: each ends with the contract's exit code and one sentence on stderr that names file,
// line, key and remedy, and leaves the folder as it was.
//
// In an experiment the comment #! marks the line that the sentence must name.
#include <sys/mount.h>

#include <cmath>

#include "tests/cli/bad_input.hpp"

namespace orrery::test {
namespace {

// ---- the file as a whole

std::vector<BadInput> Syntax() {
  return {
      bad("NotToml", "steps = 4\n[model  #!\nkind = 1\n", 2, {"not valid TOML", "correct this line"}),
      bad("TwiceTheSameKey", "steps = 4\nsteps = 5  #!\n", 2, {"not valid TOML", "steps"}),
      bad("TwiceTheSameTable", Toml{.rest = "[model]  #!\nkind = \"quadratic\""}, 2, {"not valid TOML", "model"}),
      bad("UnclosedString", "steps = 4\nname = \"edge  #!\n", 2, {"not valid TOML"}),
      bad("Binary",
          std::string("\x7f"
                      "ELF\x02\x01\x01\0\0\0",
                      10),
          2, {"bad.toml:1: ", "not valid TOML"}),
      bad("Empty", "", 2, {"bad.toml", "steps", "is missing"}),
      bad("LineBreakInAName", Toml{.model = "kind = \"quad\\nratic\"  #!"}, 2, {"model.kind", "unknown name"}),
  };
}
ORRERY_REFUSES(Syntax);

std::vector<BadInput> Keys() {
  return {
      bad("MistypedKey", Toml{.algorithm = "kind = \"h-sgd\"\nlearnig_rate = 0.1  #!"}, 2,
          {"algorithm.learnig_rate", "did you mean \"learning_rate\""}),
      bad("MistypedAtTheTop", Toml{.head = "steps = 4\nreplica = 2  #!"}, 2, {"replica", "did you mean \"replicas\""}),
      bad("MistypedRequiredKey", Toml{.head = "stpes = 4  #!"}, 2, {"stpes", "did you mean \"steps\""}),
      bad("MistypedInATier", Toml{.network = "workers = 4\ntiers = [{ name = \"a\", nodes = 1, perod = 5 }]  #!"}, 2,
          {"network.tiers.perod", "did you mean \"period\""}),
      bad("MistypedInTheGraph",
          Toml{.network = "workers = 4\n[network.graph]\nkind = \"ring\"\nmixng = \"uniform\"  #!"}, 2,
          {"network.graph.mixng", "did you mean \"mixing\""}),
      bad("MistypedSection", Toml{.rest = "[netwrok]  #!\nworkers = 4"}, 2, {"netwrok", "did you mean \"network\""}),
      bad("MistypedRequiredSection", Toml{.model = "", .rest = "[modle]  #!\nkind = \"quadratic\""}, 2,
          {"modle", "did you mean \"model\""}),
      bad("UnknownKey", Toml{.model = "kind = \"quadratic\"\ndimension = 2\nwidth = 7  #!"}, 2,
          {"model.width", "unknown key", "remove it"}),
      bad("MistypedModel", Toml{.model = "kind = \"quadratc\"  #!"}, 2,
          {"model.kind", "did you mean \"quadratic\"?", "softmax"}),
      bad("UnknownAlgorithm", Toml{.algorithm = "kind = \"adam\"  #!"}, 2,
          {"algorithm.kind", "\"adam\"", "known: ", "h-sgd"}),
      bad("UnknownDataSet", Toml{.data = "name = \"imagenet\"  #!", .model = "kind = \"softmax\""}, 2,
          {"data.name", "\"imagenet\"", "known: ", "glyphs"}),
      bad("UnknownFallback", Toml{.data = "name = \"mnist\"\nfallback = \"glyph\"  #!", .model = "kind = \"softmax\""},
          2, {"data.fallback", "did you mean \"glyphs\""}),
      bad("MistypedGraph", Toml{.network = "workers = 4\n[network.graph]\nkind = \"rng\"  #!"}, 2,
          {"network.graph.kind", "did you mean \"ring\""}),
      bad("PrecisionUnknown", Toml{.head = "steps = 4\nprecision = \"fp46\"  #!"}, 2,
          {"precision", "\"fp46\"", "did you mean"}),
      bad("StepsMissing", Toml{.head = "seed = 1"}, 2, {"bad.toml:1: steps: is missing", "integer"}),
      bad("ModelMissing", Toml{.model = ""}, 2, {"bad.toml", "model", "is missing"}),
      bad("AlgorithmWithoutKind", Toml{.algorithm = "#!\nlearning_rate = 0.1"}, 2, {"algorithm.kind", "is missing"}),
      bad("DataWithoutAName", Toml{.data = "#!\nlimit_train = 10", .model = "kind = \"softmax\""}, 2,
          {"data.name", "is missing"}),
      bad("DataForAQuadratic", Toml{.data = "#!\nname = \"glyphs\""}, 2,
          {"data", "uses no data", "remove this section"}),
      bad("PathForGlyphs", Toml{.data = "name = \"glyphs\"\npath = \"x\"  #!", .model = "kind = \"softmax\""}, 2,
          {"data.path", "glyphs", "remove it"}),
  };
}
ORRERY_REFUSES(Keys);

std::vector<BadInput> TypesAndRanges() {
  const auto head = [](const std::string& line) { return Toml{.head = "steps = 4\n" + line + "  #!"}; };
  const auto algorithm = [](const std::string& line) {
    return Toml{.algorithm = "kind = \"h-sgd\"\n" + line + "  #!"};
  };
  const auto network = [](const std::string& line) { return Toml{.network = "workers = 4\n" + line + "  #!"}; };
  return {
      bad("StepsAString", Toml{.head = "steps = \"4\"  #!"}, 2, {"steps", "is a string", "integer"}),
      bad("StepsWithAPoint", Toml{.head = "steps = 4.0  #!"}, 2, {"steps", "is a number", "integer"}),
      bad("StepsNegative", Toml{.head = "steps = -4  #!"}, 2, {"steps", "-4 is out of range", "at least 0"}),
      bad("StepsBeyondAll", Toml{.head = "steps = 9223372036854775807  #!"}, 2, {"steps", "out of range", "at most"}),
      bad("ReplicasZero", head("replicas = 0"), 2, {"replicas", "0 is out of range", "at least 1"}),
      bad("SeedNegative", head("seed = -1"), 2, {"seed", "-1 is out of range", "at least 0"}),
      bad("NameWithASlash", head("name = \"a/b\""), 2, {"name", "leave out '/'"}),
      bad("NameEmpty", head("name = \"\""), 2, {"name", "must name a folder"}),
      bad("DeviceUnknown", head("device = \"gpu\""), 2, {"device", "\"gpu\"", "auto, cpu, cuda"}),
      bad("DeviceANumber", head("device = 0"), 2, {"device", "is an integer", "string"}),
      bad("SectionANumber", "steps = 4\nnetwork = 4  #!\n[model]\nkind = \"quadratic\"\ndimension = 2\n", 2,
          {"network", "is an integer", "table"}),
      bad("SectionAnArray", Toml{.network = "", .rest = "[[network]]  #!\nworkers = 4"}, 2,
          {"network", "is an array", "table"}),
      bad("WorkersZero", Toml{.network = "workers = 0  #!"}, 2, {"network.workers", "0 is out of range", "at least 1"}),
      bad("WorkersTrue", Toml{.network = "workers = true  #!"}, 2, {"network.workers", "true or false", "integer"}),
      bad("WorkersTooMany", Toml{.network = "workers = 1000000000  #!"}, 2,
          {"network.workers", "out of range", "at most"}),
      bad("WeightsZero", network("weights = [0, 0]"), 2, {"network.weights", "zero", "positive weight"}),
      bad("WeightsNegative", network("weights = [1, -1]"), 2, {"network.weights", "-1 is out of range", "at least 0"}),
      bad("WeightsOfANodeZero",
          Toml{.network = "workers = 4\nweights = [0, 0, 1, 1]  #!\ntiers = [{ name = \"a\", nodes = 2, period = 2 }]"},
          2, {"network.weights", "node 0", "positive weight"}),
      bad("WeightsUnknown", network("weights = \"sample\""), 2, {"network.weights", "did you mean \"samples\""}),
      bad("RateAboveOne", network("rates = [1.0, 1.5]"), 2, {"network.rates", "1.5 is out of range", "at most 1"}),
      bad("TiersATable", network("tiers = { name = \"a\", nodes = 1, period = 5 }"), 2,
          {"network.tiers", "is a table", "array"}),
      bad("LearningRateNegative", algorithm("learning_rate = -0.5"), 2,
          {"algorithm.learning_rate", "-0.5 is out of range", "at least 0"}),
      bad("LearningRateNan", algorithm("learning_rate = nan"), 2, {"algorithm.learning_rate", "not a finite number"}),
      bad("LearningRateInfinite", algorithm("learning_rate = inf"), 2,
          {"algorithm.learning_rate", "not a finite number"}),
      bad("LearningRateAString", algorithm("learning_rate = \"0.1\""), 2,
          {"algorithm.learning_rate", "is a string", "number"}),
      bad("BatchZero", algorithm("batch = 0"), 2, {"algorithm.batch", "0 is out of range", "at least 1"}),
      bad("BatchNegative", algorithm("batch = -32"), 2, {"algorithm.batch", "-32 is out of range", "at least 1"}),
      bad("BatchAWord", algorithm("batch = \"ful\""), 2, {"algorithm.batch", "\"ful\"", "did you mean \"full\""}),
      bad("BatchWithAPoint", algorithm("batch = 0.5"), 2, {"algorithm.batch", "is a number", "integer"}),
      bad("BatchAnEmptyArray", algorithm("batch = []"), 2, {"algorithm.batch", "is empty"}),
      bad("BatchZeroInAnArray", algorithm("batch = [4, 0]"), 2, {"algorithm.batch", "0 is out of range", "at least 1"}),
      bad("SamplingUnknown", algorithm("sampling = \"replacment\""), 2,
          {"algorithm.sampling", "did you mean \"replacement\""}),
      bad("EveryZero", Toml{.record = "every = 0  #!"}, 2, {"record.every", "0 is out of range", "at least 1"}),
  };
}
ORRERY_REFUSES(TypesAndRanges);

// ---- the network

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

// ---- models, arms, options, metrics

std::vector<BadInput> Models() {
  const auto model = [](const std::string& text) { return Toml{.model = "kind = \"quadratic\"\n" + text + "  #!"}; };
  const auto npy = [](const std::string& shape, size_t values, size_t cut = 0) {
    return [=](const std::string& folder) {
      const std::string path = folder + "/x.npy";
      save_npy(path, shape, std::vector<double>(values, 1.0));
      write_text(path, read_text(path).substr(0, read_text(path).size() - cut));
    };
  };
  const std::string init = "dimension = 2\ninit = \"x.npy\"";
  return {
      bad("CurvatureForOthers", model("curvature = [[1.0], [2.0], [3.0]]"), 2,
          {"model.curvature", "3 rows for 4 workers", "one per worker"}),
      bad("CenterForOthers", model("center = [[1.0, 2.0], [2.0, 1.0]]"), 2, {"model.center", "2 rows for 4 workers"}),
      bad("CurvatureNegative", model("curvature = [1.0, -1.0]"), 2,
          {"model.curvature", "-1 is out of range", "at least 0"}),
      bad("CenterRagged", model("center = [[1.0, 2.0], [1.0], [1.0, 2.0], [1.0, 2.0]]"), 2,
          {"model.center", "same number"}),
      bad("CenterOfWords", model("center = [\"a\"]"), 2, {"model.center", "is a string", "number"}),
      bad("CenterOfAnotherDimension", model("curvature = [1.0, 2.0]\ncenter = [1.0, 2.0, 3.0]"), 2,
          {"model.center", "3 columns", "same dimension"}),
      bad("DimensionMissing", Toml{.model = "#!\nkind = \"quadratic\""}, 2, {"model.dimension", "is missing"}),
      bad("DimensionDiffers", model("center = [1.0, 2.0]\ndimension = 3"), 2,
          {"model.dimension", "3 differs", "leave it out"}),
      bad("NoiseNegative", model("dimension = 2\nnoise = -1"), 2, {"model.noise", "-1 is out of range"}),
      bad("InitUnknown", model("dimension = 2\ninit = \"random\""), 2, {"model.init", "\"random\"", ".npy"}),
      bad("InitMissing", model(init), 2, {"model.init", "x.npy", "cannot be read"}),
      bad("InitOfTheWrongShape", model(init), 2, {"model.init", "shape (3)", "(4,2)"}, {}, npy("(3,)", 3)),
      bad("InitOfThreeDimensions", model(init), 2, {"model.init", "shape (1,1,2)", "(W,P)"}, {}, npy("(1, 1, 2)", 2)),
      bad("InitTruncated", model(init), 2, {"model.init", "truncated"}, {}, npy("(4, 2)", 8, 8)),
      bad("InitCutInItsHeader", model(init), 2, {"model.init", "x.npy"}, {}, npy("(4, 2)", 8, 100)),
      bad("InitWithAHugeHeader", model(init), 2, {"model.init", "x.npy", "promises"}, {}, npy("(1000000, 1000000)", 8)),
      bad("InitWithAnImpossibleHeader", model(init), 2, {"model.init", "x.npy"}, {},
          npy("(99999999999999999999, 4, 4)", 8)),
      bad("InitNoNpy", model(init), 2, {"model.init", "x.npy", "numpy.save"}, {},
          [](const std::string& folder) { write_text(folder + "/x.npy", "1 2\n"); }),
  };
}
ORRERY_REFUSES(Models);

std::vector<BadInput> Arms() {
  const auto arms = [](const std::string& text) { return Toml{.rest = text}; };
  const std::string first = "[[arm]]\nname = \"one\"\nalgorithm.learning_rate = 0.1\n";
  return {
      bad("TwoOfOneName", arms(first + "[[arm]]\nname = \"one\"  #!\nalgorithm.learning_rate = 0.2"), 2,
          {"arm.name", "\"one\"", "its own name"}),
      bad("WithoutAName", arms(first + "[[arm]]  #!\nalgorithm.learning_rate = 0.2"), 2, {"arm.name", "is missing"}),
      bad("WithSteps", arms(first + "[[arm]]\nname = \"two\"\nsteps = 8  #!"), 2,
          {"arm.steps", "does not belong here", "top of the file"}),
      bad("WithRecord", arms(first + "[[arm]]\nname = \"two\"\nrecord.every = 2  #!"), 2,
          {"arm.record", "does not belong here"}),
      bad("OtherNumbersOfWorkers", arms(first + "[[arm]]\nname = \"two\"\nnetwork.workers = 5  #!"), 2,
          {"network.workers", "5 here, 4 in the first arm", "same number"}),
      bad("MistypedKeyInAnArm", arms(first + "[[arm]]\nname = \"two\"\nalgorithm.batc = 5  #!"), 2,
          {"algorithm.batc", "did you mean \"batch\""}),
      bad("MistypedSectionInAnArm", arms(first + "[[arm]]\nname = \"two\"\nalgoritm.batch = 5  #!"), 2,
          {"arm.algoritm", "algorithm"}),
      bad("BadValueInAnArm", arms(first + "[[arm]]\nname = \"two\"\nalgorithm.batch = -5  #!"), 2,
          {"algorithm.batch", "-5 is out of range"}),
      bad("BadTierInAnArm",
          arms(first + "[[arm]]\nname = \"two\"\nnetwork.tiers = [{ name = \"a\", nodes = 9, period = 2 }]  #!"), 2,
          {"network.tiers.nodes", "9 nodes", "at most 4"}),
      bad("NoTables", Toml{.head = "steps = 4\narm = 3  #!"}, 2, {"arm", "is an integer", "array of tables"}),
  };
}
ORRERY_REFUSES(Arms);

std::vector<BadInput> Options() {
  const std::string good = Toml{};
  return {
      bad("SetWithoutEquals", good, 2, {"--set steps", "no '='", "table.key=value"}, {"--set", "steps"}),
      bad("SetWithoutKey", good, 2, {"--set =4", "table.key=value"}, {"--set", "=4"}),
      bad("SetUnknownKey", good, 2, {"--set algorithm.momentun=0.9", "algorithm.momentun", "unknown key"},
          {"--set", "algorithm.momentun=0.9"}),
      bad("SetUnknownSection", good, 2, {"--set netwrok.workers=3", "did you mean \"network\""},
          {"--set", "netwrok.workers=3"}),
      bad("SetBadValue", good, 2, {"--set network.workers=0", "network.workers", "0 is out of range", "at least 1"},
          {"--set", "network.workers=0"}),
      bad("SetWrongType", good, 2, {"--set steps=many", "steps", "is a string", "integer"}, {"--set", "steps=many"}),
      bad("SetNoToml", good, 2, {"--set algorithm.batch=[4,", "not a TOML value"}, {"--set", "algorithm.batch=[4,"}),
      bad("SetNothing", good, 2, {"--set steps=", "not a TOML value"}, {"--set", "steps="}),
      bad("SetBelowANumber", good, 2, {"--set steps.more=4", "steps is no table"}, {"--set", "steps.more=4"}),
      bad("SetEmptyPart", good, 2, {"--set network..workers=4", "not a key"}, {"--set", "network..workers=4"}),
      bad("OptionDeviceUnknown", good, 2, {"--device", "\"tpu\"", "auto, cpu, cuda"}, {"--device", "tpu"}),
      bad("OptionThreadsZero", good, 2, {"--threads", "0"}, {"--threads", "0"}),
      bad("OptionThreadsAWord", good, 2, {"--threads", "many"}, {"--threads", "many"}),
      bad("OptionUnknown", good, 2, {"--steps", "--help"}, {"--steps"}),
      bad("SecondFile", good, 2, {"other.toml", "--help"}, {"other.toml"}),
  };
}
ORRERY_REFUSES(Options);

std::vector<BadInput> Metrics() {
  const auto record = [](const std::string& metrics) {
    return Toml{.record = "every = 2\nmetrics = " + metrics + "  #!"};
  };
  Toml softmax{.data = "name = \"glyphs\"\ntrain = 40\ntest = 10",
               .model = "kind = \"softmax\"",
               .record = "metrics = [\"optimum_distance\"]  #!"};
  return {
      bad("Mistyped", record("[\"train_los\"]"), 2, {"record.metrics", "\"train_los\"", "did you mean \"train_loss\""}),
      bad("Twice", record("[\"train_loss\", \"bits\", \"train_loss\"]"), 2,
          {"record.metrics", "\"train_loss\" is named twice", "once"}),
      bad("WithoutData", record("[\"test_accuracy\"]"), 2,
          {"record.metrics", "\"test_accuracy\" needs a test set", "\"quadratic\"", "leave it out"}),
      bad("WithoutAnOptimum", softmax, 2, {"record.metrics", "\"optimum_distance\"", "\"softmax\"", "leave it out"}),
      bad("OfNoTier", record("[\"dispersion_edge\"]"), 2, {"record.metrics", "\"dispersion_edge\"", "known: "}),
      bad("AString", record("\"train_loss\""), 2, {"record.metrics", "is a string", "array of strings"}),
      bad("None", record("[]"), 2, {"record.metrics", "is empty"}),
      bad("Numbers", record("[1]"), 2, {"record.metrics", "array of strings"}),
  };
}
ORRERY_REFUSES(Metrics);

std::vector<BadInput> DevicesAndMemory() {
  Toml softmax{.data = "name = \"glyphs\"\ntrain = 60000\ntest = 10",
               .partition = "kind = \"shared\"",
               .model = "kind = \"softmax\"",
               .network = "workers = 10000000  #!"};
  return {
#ifdef ORRERY_WITH_CUDA
      bad("NoSuchGpu", Toml{.head = "steps = 4\ndevice = \"cuda:77\""}, 4,
          {"cuda:77", "no such GPU", "set device = \"cpu\""}),
#else
      bad("CudaInACpuBuild", Toml{.head = "steps = 4\ndevice = \"cuda\""}, 4,
          {"built without CUDA", "set device = \"cpu\""}),
      bad("CudaByOption", Toml{}, 4, {"built without CUDA", "set device = \"cpu\""}, {"--device", "cuda:3"}),
#endif
      bad("MoreRowsThanMemory",
          Toml{.model = "kind = \"quadratic\"\ndimension = 1000000", .network = "workers = 1000000  #!"}, 4,
          {"network.workers", "GiB", "lower network.workers"}),
      bad("MoreDimensionsThanMemory",
          Toml{.model = "kind = \"quadratic\"\ndimension = 1000000000", .network = "workers = 1000  #!"}, 4,
          {"network.workers", "GiB", "lower"}),
      bad("MoreReplicasThanMemory", Toml{.head = "steps = 4\nreplicas = 1000000", .network = "workers = 100000  #!"}, 4,
          {"network.workers", "replicas"}),
      bad("BytesBeyondAnInteger",
          Toml{.head = "steps = 4\nreplicas = 1000000",
               .model = "kind = \"quadratic\"\ndimension = 1000000000",
               .network = "workers = 1000000  #!"},
          4, {"network.workers", "replicas"}),
      bad("MoreRecordPointsThanMemory", Toml{.head = "steps = 1000000000000", .record = "every = 1  #!"}, 4,
          {"record.every"}),
      bad("SoftmaxBeyondMemory", softmax, 4, {"network.workers", "GiB", "lower"}),
  };
}
ORRERY_REFUSES(DevicesAndMemory);

// ---- data

// A small set in the format of MNIST: 12 training and 6 test images of 3 x 3.
void write_set(const std::string& folder) {
  std::filesystem::create_directories(folder + "/data");
  const auto pixels = [](size_t n) {
    Bytes b(n);
    for (size_t i = 0; i < n; ++i) b[i] = static_cast<uint8_t>(i * 97 + i * i * 31);
    return b;
  };
  const auto labels = [](size_t n) {
    Bytes b(n);
    for (size_t i = 0; i < n; ++i) b[i] = static_cast<uint8_t>(i % 10);
    return b;
  };
  write_gz(folder + "/data/train-images-idx3-ubyte.gz", idx({2051, 12, 3, 3}, pixels(108)));
  write_gz(folder + "/data/train-labels-idx1-ubyte.gz", idx({2049, 12}, labels(12)));
  write_bytes(folder + "/data/t10k-images-idx3-ubyte", idx({2051, 6, 3, 3}, pixels(54)));
  write_bytes(folder + "/data/t10k-labels-idx1-ubyte", idx({2049, 6}, labels(6)));
}

Toml softmax(const std::string& more_data = "", const std::string& partition = "", const std::string& network = "") {
  return {.data = "name = \"mnist\"\npath = \"data\"\n" + more_data,
          .partition = partition,
          .model = "kind = \"softmax\"",
          .network = network.empty() ? "workers = 4" : network,
          .algorithm = "kind = \"h-sgd\"\nbatch = 2"};
}

std::vector<BadInput> Data() {
  const std::string train_images = "data/train-images-idx3-ubyte.gz", train_labels = "data/train-labels-idx1-ubyte.gz",
                    test_images = "data/t10k-images-idx3-ubyte", test_labels = "data/t10k-labels-idx1-ubyte";
  using Change = std::function<Bytes(Bytes)>;
  const auto change = [](const std::string& file, Change f) {
    return [=](const std::string& folder) {
      write_set(folder);
      write_bytes(folder + "/" + file, f(read_bytes(folder + "/" + file)));
    };
  };
  const auto replace = [&](const std::string& file, Bytes b) { return change(file, [=](Bytes) { return b; }); };
  return {
      bad("Missing", softmax(), 3, {"mnist", "data", "train-images-idx3-ubyte", "ORRERY_DATA", "data.path"}),
      bad("MissingEverywhere", Toml{.data = "name = \"fashion-mnist\"", .model = "kind = \"softmax\""}, 3,
          {"fashion-mnist", "were not found", "data.fallback = \"glyphs\""}),
      bad("OneOfFourMissing", softmax(), 3, {"data", "train-labels-idx1-ubyte", "add the file"}, {},
          [=](const std::string& folder) {
            write_set(folder);
            std::filesystem::remove(folder + "/" + train_labels);
          }),
      bad("PathAFile", softmax(), 3, {"mnist", "data"}, {}, [](const std::string& f) { write_text(f + "/data", "x"); }),
      bad("PathEmpty", Toml{.data = "name = \"mnist\"\npath = \"\"  #!", .model = "kind = \"softmax\""}, 2,
          {"data.path", "is empty"}),
      bad("GzipTruncated", softmax(), 3, {train_images, "truncated", "fetch the file again"}, {},
          change(train_images,
                 [](Bytes b) { return Bytes(b.begin(), b.begin() + static_cast<int64_t>(b.size() / 2)); })),
      bad("GzipWithoutItsEnd", softmax(), 3, {train_images, "truncated", "fetch the file again"}, {},
          change(train_images, [](Bytes b) { return Bytes(b.begin(), b.end() - 4); })),
      bad("GzipCorrupt", softmax(), 3, {train_images, "corrupt", "fetch the file again"}, {},
          change(train_images,
                 [](Bytes b) {
                   b[b.size() / 2] ^= 0x55;
                   return b;
                 })),
      bad("GzipWithAWrongChecksum", softmax(), 3, {train_images, "corrupt", "fetch the file again"}, {},
          change(train_images,
                 [](Bytes b) {
                   b[b.size() - 6] ^= 1;
                   return b;
                 })),
      bad("PlainTruncated", softmax(), 3, {test_images, "54", "53", "fetch the file again"}, {},
          change(test_images, [](Bytes b) { return Bytes(b.begin(), b.end() - 1); })),
      bad("PlainTooLong", softmax(), 3, {test_images, "54", "55", "fetch the file again"}, {},
          change(test_images,
                 [](Bytes b) {
                   b.push_back(0);
                   return b;
                 })),
      bad("CutInItsHeader", softmax(), 3, {test_images, "fetch the file again"}, {},
          replace(test_images, {0, 0, 8, 3, 0, 0})),
      bad("FileEmpty", softmax(), 3, {test_labels, "fetch the file again"}, {}, replace(test_labels, {})),
      bad("BadMagic", softmax(), 3, {test_images, "magic number"}, {},
          replace(test_images, idx({1234567, 6, 3, 3}, Bytes(54)))),
      bad("ImagesForLabels", softmax(), 3, {test_labels, "magic number 2051", "images"}, {},
          replace(test_labels, idx({2051, 6, 1, 1}, Bytes(6)))),
      bad("HeaderPromisesTheWorld", softmax(), 3, {test_images, "1000000000000", "fetch the file again"}, {},
          replace(test_images, idx({2051, 1000000, 1000, 1000}, Bytes(54)))),
      bad("HeaderPromisesMoreThanAnInteger", softmax(), 3, {test_images, "fetch the file again"}, {},
          replace(test_images, idx({2051, 0xffffffff, 0xffffffff, 0xffffffff}, Bytes(54)))),
      bad("HeaderOfNothing", softmax(), 3, {test_images, "holds nothing"}, {},
          replace(test_images, idx({2051, 6, 0, 3}, {}))),
      bad("LabelOutOfRange", softmax(), 3, {test_labels, "label 10 of sample 2", "0..9"}, {},
          replace(test_labels, idx({2049, 6}, {0, 1, 10, 3, 4, 5}))),
      bad("CountsDiffer", softmax(), 3, {test_labels, "5 labels for the 6 images", "same set"}, {},
          replace(test_labels, idx({2049, 5}, Bytes(5)))),
      bad("OtherSizesForTheTest", softmax(), 3, {"3 x 3", "2 x 2", "same set"}, {},
          replace(test_images, idx({2051, 6, 2, 2}, Bytes(24)))),
      bad("LimitTooHigh", softmax("limit_train = 13  #!"), 3, {"data.limit_train", "12 training samples", "lower it"},
          {}, write_set),
      bad("LimitZero", softmax("limit_test = 0  #!"), 2, {"data.limit_test", "0 is out of range", "at least 1"}, {},
          write_set),
      bad("NormaliseUnknown", softmax("normalise = \"standart\"  #!"), 2,
          {"data.normalise", "did you mean \"standard\""}, {}, write_set),
      bad("NothingToNormalise", softmax("normalise = \"standard\"  #!"), 3, {"data.normalise", "equal", "use \"unit\""},
          {}, replace(train_images, idx({2051, 12, 3, 3}, Bytes(108, 7)))),
  };
}
ORRERY_REFUSES(Data);

std::vector<BadInput> Partitions() {
  const auto partition = [](const std::string& text, const std::string& network = "") {
    return softmax("", text, network);
  };
  const std::string from_file = "kind = \"file\"\npath = \"p.txt\"";
  const auto file = [](const std::string& content) {
    return [=](const std::string& folder) {
      write_set(folder);
      write_text(folder + "/p.txt", content);
    };
  };
  const std::string good = "orrery-partition 1\nworkers 4\nsamples 12\nlayout disjoint\nhash 0000000000000000\n",
                    lines_of_it = "0 1 2\n3 4 5\n6 7 8\n9 10 11\n";
  return {
      bad("FewerSamplesThanWorkers", partition("kind = \"iid\"", "workers = 13  #!"), 3,
          {"network.workers", "12 training samples are too few for 13 workers", "lower network.workers"}, {},
          write_set),
      bad("FewerSamplesThanShards", partition("kind = \"shards\"\nshards_per_worker = 4  #!"), 3,
          {"partition.shards_per_worker", "12 training samples are too few", "lower"}, {}, write_set),
      bad("FewerSamplesThanTheLeast", partition("kind = \"dirichlet\"\nalpha = 1\nmin_size = 4  #!"), 3,
          {"partition.min_size", "12 training samples are too few", "lower"}, {}, write_set),
      bad("KindMistyped", partition("kind = \"dirichlt\"  #!"), 2, {"partition.kind", "did you mean \"dirichlet\""}, {},
          write_set),
      bad("AlphaMissing", partition("#!\nkind = \"dirichlet\""), 2, {"partition.alpha", "is missing"}, {}, write_set),
      bad("AlphaZero", partition("kind = \"dirichlet\"\nalpha = 0  #!"), 2,
          {"partition.alpha", "0 is out of range", "above 0"}, {}, write_set),
      bad("AlphaNegative", partition("kind = \"dirichlet\"\nalpha = -0.5  #!"), 2,
          {"partition.alpha", "-0.5 is out of range", "above 0"}, {}, write_set),
      bad("AlphaForIid", partition("kind = \"iid\"\nalpha = 0.5  #!"), 2, {"partition.alpha", "unknown key"}, {},
          write_set),
      bad("SizesForShards", partition("kind = \"shards\"\nsizes = [1, 2]  #!"), 2, {"partition.sizes", "remove it"}, {},
          write_set),
      bad("SizesZero", partition("kind = \"iid\"\nsizes = [1, 0]  #!"), 2,
          {"partition.sizes", "0 is out of range", "above 0"}, {}, write_set),
      bad("ShardsZero", partition("kind = \"shards\"\nshards_per_worker = 0  #!"), 2,
          {"partition.shards_per_worker", "0 is out of range"}, {}, write_set),
      bad("FileMissing", partition(from_file), 3, {"p.txt", "cannot be opened", "partition.path"}, {}, write_set),
      bad("FileWithoutAPath", partition("#!\nkind = \"file\""), 2, {"partition.path", "is missing"}, {}, write_set),
      bad("FileForOthers", partition(from_file, "workers = 3"), 3, {"p.txt:5: ", "hash"}, {}, file(good + lines_of_it)),
      bad("FileTruncated", partition(from_file), 3, {"p.txt:8: ", "file ends", "write the partition again"}, {},
          file(good + "0 1 2\n3 4 5\n")),
      bad("FileWithAnUnknownSample", partition(from_file), 3, {"p.txt:6: ", "sample 12 is outside 0..11"}, {},
          file(good + "0 1 12\n3 4 5\n6 7 8\n9 10 11\n")),
      bad("FileWithASampleTwice", partition(from_file), 3, {"p.txt:7: ", "sample 2", "second time"}, {},
          file(good + "0 1 2\n2 4 5\n6 7 8\n9 10 11\n")),
      bad("FileOfOtherSamples", partition(from_file), 3, {"p.txt:3: ", "999999999 samples", "training set has 12"}, {},
          file("orrery-partition 1\nworkers 4\nsamples 999999999\nlayout disjoint\nhash 0\n")),
      bad("FileOfSomethingElse", partition(from_file), 3, {"p.txt:1: ", "orrery-partition 1"}, {}, file("hello\n")),
  };
}
ORRERY_REFUSES(Partitions);

// ---- the command line without an experiment

struct BadUse {
  std::string name;
  std::vector<std::string> arguments, parts;
};
void PrintTo(const BadUse& b, std::ostream* out) { *out << b.name; }
class RefusesUse : public testing::TestWithParam<BadUse> {};

TEST_P(RefusesUse, WithOneSentenceAndNothingWritten) {
  TempDir folder;
  write_text(folder.path("good.toml"), Toml{});
  std::filesystem::create_directory(folder.path("folder"));
  const auto before = names(tree(folder.path()));
  expect_refused(orrery(folder.path(), GetParam().arguments), 2, GetParam().parts);
  EXPECT_EQ(names(tree(folder.path())), before);
}
INSTANTIATE_TEST_SUITE_P(CommandLine, RefusesUse,
                         testing::ValuesIn(std::vector<BadUse>{
                             {"Nothing", {}, {"subcommand", "--help"}},
                             {"UnknownSubcommand", {"rnu", "good.toml"}, {"rnu", "--help"}},
                             {"UnknownFlag", {"check", "good.toml", "--loud"}, {"--loud", "--help"}},
                             {"NoFile", {"run"}, {"FILE", "--help"}},
                             {"MissingFile", {"run", "absent.toml"}, {"absent.toml", "name an experiment file"}},
                             {"FolderAsFile", {"run", "folder"}, {"folder", "name an experiment file"}},
                             {"OptionWithoutItsValue", {"run", "good.toml", "--out"}, {"--out", "--help"}},
                             {"ListOfNothing", {"list", "planets"}, {"planets", "--help"}},
                         }),
                         [](const auto& info) { return info.param.name; });

// ---- while it runs and writes

TEST(RunFolder, RefusesOneThatExistsAndLeavesIt) {
  TempDir folder;
  write_text(folder.path("good.toml"), Toml{});
  for (const char* out : {"full", "empty", "file"}) {
    if (out == std::string("file"))
      write_text(folder.path(out), "mine");
    else
      std::filesystem::create_directory(folder.path(out));
  }
  write_text(folder.path("full/metrics.csv"), "mine");
  const auto before = tree(folder.path());
  for (const char* out : {"full", "full/", "empty", "file"}) {
    SCOPED_TRACE(out);
    expect_refused(orrery(folder.path(), {"run", "good.toml", "--quiet", "--out", out}), 2,
                   {"--out", split(out, '/')[0], "exists already", "choose another folder"});
    EXPECT_TRUE(tree(folder.path()) == before);
  }
}

// out.partial may hold what another run is writing.
TEST(RunFolder, LeavesWhatItDidNotMake) {
  TempDir folder;
  write_text(folder.path("good.toml"), Toml{});
  std::filesystem::create_directory(folder.path("out.partial"));
  write_text(folder.path("out.partial/notes.txt"), "mine");
  orrery(folder.path(), {"run", "good.toml", "--quiet", "--out", "out"});
  EXPECT_EQ(read_text(folder.path("out.partial/notes.txt")), "mine");
}

TEST(RunFolder, CannotBeMadeBelowAFile) {
  TempDir folder;
  write_text(folder.path("good.toml"), Toml{});
  const auto before = tree(folder.path());
  expect_refused(orrery(folder.path(), {"run", "good.toml", "--quiet", "--out", "good.toml/out"}), 3,
                 {"good.toml/out", "cannot be made", "--out"});
  EXPECT_TRUE(tree(folder.path()) == before);
}

// Parents that were made for it go with it where the run fails.
TEST(RunFolder, TakesItsParentsWithIt) {
  TempDir folder;
  write_text(folder.path("bad.toml"),
             Toml{.head = "steps = 400", .algorithm = "kind = \"h-sgd\"\nlearning_rate = 1e30"});
  const auto before = tree(folder.path());
  for (const std::vector<std::string>& out : {std::vector<std::string>{"--out", "a/b/c"}, {}}) {
    std::vector<std::string> arguments{"run", "bad.toml", "--quiet", "--set", "model.center=1.0"};
    arguments.insert(arguments.end(), out.begin(), out.end());
    EXPECT_EQ(orrery(folder.path(), arguments).code, 5);
    EXPECT_EQ(names(tree(folder.path())), names(before));
  }
}

TEST(FullDisk, IsOneSentenceAndLeavesNothing) {
  TempDir folder;
  write_text(folder.path("good.toml"), Toml{});
  std::filesystem::create_directory(folder.path("disk"));
  if (mount("tmpfs", folder.path("disk").c_str(), "tmpfs", 0, "size=16k") != 0)
    GTEST_SKIP() << "a tiny file system cannot be mounted here (" << std::strerror(errno) << "); run this test as root";
  const Finished f = orrery(folder.path(), {"run", "good.toml", "--quiet", "--out", "disk/out"});
  const auto left = names(tree(folder.path("disk")));
  umount2(folder.path("disk").c_str(), MNT_DETACH);
  expect_refused(f, 3, {"disk/out", "free some space", "--out"});
  EXPECT_EQ(left, std::vector<std::string>{});
}

// Every file in turn is the one that does not fit.
TEST(FullDisk, OfAnyFileIsOneSentenceAndLeavesNothing) {
  TempDir folder;
  write_text(folder.path("good.toml"), Toml{.data = "name = \"glyphs\"\ntrain = 400\ntest = 10",
                                            .model = "kind = \"softmax\"",
                                            .record = "every = 1\nparams = true\npartition = true"});
  run_well(folder.path(), "good.toml", "whole");
  std::vector<int64_t> sizes;
  for (const auto& [name, content] : tree(folder.path("whole"))) sizes.push_back(static_cast<int64_t>(content.size()));
  std::filesystem::remove_all(folder.path("whole"));
  std::sort(sizes.begin(), sizes.end());
  const auto before = tree(folder.path());
  for (const int64_t size : sizes) {
    SCOPED_TRACE("files below " + std::to_string(size) + " bytes");
    const Finished f = orrery(folder.path(), {"run", "good.toml", "--quiet", "--out", "out"}, {.file_bytes = size - 1});
    expect_refused(f, 3, {"out", "--out"});
    EXPECT_TRUE(tree(folder.path()) == before);
  }
}

TEST(NonFinite, NamesWorkerTensorAndSteps) {
  TempDir folder;
  // worker 2 alone moves: |x| = 1e3^t, beyond the largest float after 13 steps
  write_text(folder.path("bad.toml"), Toml{.head = "steps = 100",
                                           .model = "kind = \"quadratic\"\ncurvature = [[0.0], [0.0], [1.0], [0.0]]\n"
                                                    "center = 1.0",
                                           .algorithm = "kind = \"h-sgd\"\nlearning_rate = 1e3",
                                           .record = "every = 10"});
  const auto before = tree(folder.path());
  expect_refused(
      orrery(folder.path(), {"run", "bad.toml", "--quiet", "--out", "out"}), 5,
      {"replica 0", "worker 2", ": x ", "between local steps 10 and 20", "lower algorithm.learning_rate", "1000"});
  EXPECT_EQ(names(tree(folder.path())), names(before));
}

TEST(NonFinite, NamesTheArm) {
  TempDir folder;
  write_text(folder.path("bad.toml"),
             Toml{.head = "steps = 100\nreplicas = 2",
                  .model = "kind = \"quadratic\"\ndimension = 2\ncenter = 1.0",
                  .rest = "[[arm]]\nname = \"calm\"\n[[arm]]\nname = \"wild\"\nalgorithm.learning_rate = 1e30"});
  expect_refused(orrery(folder.path(), {"run", "bad.toml", "--quiet", "--out", "out"}), 5,
                 {"arm \"wild\"", "replica 0", "worker 0"});
}

// Softmax names the tensor that broke, not the whole row.
TEST(NonFinite, InSoftmax) {
  TempDir folder;
  write_text(folder.path("bad.toml"), Toml{.head = "steps = 40",
                                           .data = "name = \"glyphs\"\ntrain = 100\ntest = 10",
                                           .model = "kind = \"softmax\"\nl2 = 1.0",
                                           .algorithm = "kind = \"h-sgd\"\nlearning_rate = 1e30"});
  const auto before = tree(folder.path());
  expect_refused(orrery(folder.path(), {"run", "bad.toml", "--quiet", "--out", "out"}), 5,
                 {"worker 0", "weights", "local steps 0 and ", "lower algorithm.learning_rate"});
  EXPECT_EQ(names(tree(folder.path())), names(before));
}

// ---- an interrupt

void interrupt_ends_it(const std::string& head, const std::string& record, int signal) {
  TempDir folder;
  write_text(folder.path("long.toml"), Toml{.head = head,
                                            .model = "kind = \"quadratic\"\ndimension = 1000\nnoise = 1.0",
                                            .network = "workers = 8\ntiers = [{ nodes = 1, period = 10 }]",
                                            .record = record});
  const auto before = tree(folder.path());
  Program program(folder.path(), {"run", "long.toml", "--out", "out"}, {.seconds = 60});
  program.read_until([&] { return program.err().find('\n') != std::string::npos; });  // step 0 is recorded
  program.send(signal);
  const auto sent = std::chrono::steady_clock::now();
  const Finished f = program.wait();
  const double waited = std::chrono::duration<double>(std::chrono::steady_clock::now() - sent).count();
  EXPECT_EQ(f.code, 130) << f.err;
  EXPECT_LT(waited, 10);
  const auto said = lines(f.err);
  ASSERT_FALSE(said.empty());
  EXPECT_TRUE(said.back().starts_with("orrery: interrupted")) << said.back();
  // nothing at all, or a run folder with its checkpoint
  const auto left = names(tree(folder.path()));
  const bool checkpoint = std::filesystem::exists(folder.path("out/checkpoint"));
  EXPECT_TRUE(left == names(before) || checkpoint) << testing::PrintToString(left);
  EXPECT_FALSE(std::filesystem::exists(folder.path("out.partial")));
}

TEST(Interrupt, AtARecordPoint) { interrupt_ends_it("steps = 1000000", "every = 1000", SIGINT); }
TEST(Interrupt, FarFromARecordPoint) { interrupt_ends_it("steps = 1000000000000", "every = 1000000000000", SIGINT); }
TEST(Interrupt, ByTheSystem) { interrupt_ends_it("steps = 1000000", "every = 1000", SIGTERM); }

}  // namespace
}  // namespace orrery::test
