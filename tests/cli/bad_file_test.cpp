// Bad experiment files and command lines: syntax, keys, types and ranges, arms, options, metrics.
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
      bad("LandscapeOfOnePoint", Toml{.record = "[record.landscape]\npoints = 1  #!"}, 2,
          {"record.landscape.points", "at least 2"}),
      bad("LandscapeOfNoRadius", Toml{.record = "[record.landscape]\nradius = 0.0  #!"}, 2,
          {"record.landscape.radius", "above 0"}),
      bad("LandscapeOfATestSetThatIsNone", Toml{.record = "[record.landscape]\ntest = true  #!"}, 2,
          {"record.landscape.test", "no data"}),
      bad("LandscapeUnknownKey", Toml{.record = "[record.landscape]\npoint = 5  #!"}, 2,
          {"record.landscape.point", "did you mean \"points\""}),
      bad("EveryZero", Toml{.record = "every = 0  #!"}, 2, {"record.every", "0 is out of range", "at least 1"}),
  };
}
ORRERY_REFUSES(TypesAndRanges);

// ---- arms, options, metrics

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
      bad("ParameterBeyond", record("[\"mean_parameter_7\"]"), 2,
          {"record.metrics", "\"mean_parameter_7\"", "beyond the"}),
      bad("WorkerBeyond", record("[\"parameter_999_0\"]"), 2, {"record.metrics", "\"parameter_999_0\"", "workers"}),
      bad("ParameterByName", record("[\"mean_parameter_w\"]"), 2,
          {"record.metrics", "\"mean_parameter_w\"", "known: "}),
      bad("OfNoTier", record("[\"dispersion_edge\"]"), 2, {"record.metrics", "\"dispersion_edge\"", "known: "}),
      bad("AString", record("\"train_loss\""), 2, {"record.metrics", "is a string", "array of strings"}),
      bad("None", record("[]"), 2, {"record.metrics", "is empty"}),
      bad("Numbers", record("[1]"), 2, {"record.metrics", "array of strings"}),
  };
}
ORRERY_REFUSES(Metrics);

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

}  // namespace
}  // namespace orrery::test
