// Bad data through the program: LIBSVM text, NumPy files, mixtures, and the commands `orrery data ...`.
//
// In an experiment the comment #! marks the line that the sentence must name; in a data file the case names the line.
#include <cmath>

#include "tests/cli/bad_input.hpp"

namespace orrery::test {
namespace {

Toml on_set(const std::string& data) {
  return Toml{.data = data, .model = "kind = \"softmax\"", .algorithm = "kind = \"h-sgd\"\nbatch = 2"};
}

// ---- LIBSVM text

Files text(const std::string& train, const std::string& test = "-1 1:1\n1 2:2\n") {
  return [=](const std::string& folder) {
    write_text(folder + "/a", train);
    write_text(folder + "/a.t", test);
  };
}
Files gz(const std::function<Bytes(Bytes)>& change) {
  return [=](const std::string& folder) {
    std::string content;
    for (int i = 0; i < 500; ++i) content += fmt::format("{} {}:{}\n", i % 2, 1 + i % 9, 0.1 * i);
    write_gz(folder + "/a.gz", Bytes(content.begin(), content.end()));
    write_bytes(folder + "/a.gz", change(read_bytes(folder + "/a.gz")));
    write_text(folder + "/a.t", "1 1:1\n");
  };
}

std::vector<BadInput> Libsvm() {
  const std::string keys = "name = \"libsvm\"\npath = \".\"\ntrain = \"a\"\n", both = keys + "test = \"a.t\"\n";
  const auto line = [&](const std::string& name, const std::string& train, const std::vector<std::string>& parts) {
    return bad(name, on_set(both), 3, parts, {}, text(train));
  };
  return {
      line("IndicesOutOfOrder", "1 1:1\n-1 3:1 2:1\n", {"/a:2: index 2 comes after 3", "sort"}),
      line("IndexTwice", "1 4:1 4:1\n", {"/a:1: index 4 stands twice", "keep one"}),
      line("IndexZero", "1 1:1\n\n-1 0:1\n", {"/a:3: index 0 is not positive", "count from 1"}),
      line("IndexNegative", "1 -2:1\n", {"/a:1: index -2 is not positive", "count from 1"}),
      line("IndexAWord", "1 one:1\n", {"/a:1: the index \"one\" is not an integer", "index:value"}),
      line("IndexTooLarge", "1 3000000000:1\n", {"/a:1: index \"3000000000\" is too large", "2147483647"}),
      line("ValueAWord", "1 1:x\n", {"/a:1: the value \"x\" of index 1 is not a number", "index:value"}),
      line("ValueMissing", "1 1:\n", {"/a:1: the value \"\" of index 1 is not a number"}),
      line("ValueNan", "1 1:nan\n", {"/a:1: the value \"nan\" of index 1 is not finite"}),
      line("ValueInfinite", "1 1:1e99\n", {"/a:1: the value \"1e99\" of index 1 is not finite", "rescale"}),
      line("NoColon", "1 1 2\n", {"/a:1: \"1\" has no ':'", "index:value"}),
      line("CommaForBlank", "1,1:1,2:1\n", {"/a:1: the label \"1,1:1,2:1\" is not a number"}),
      line("LabelAWord", "1 1:1\nyes 1:1\n", {"/a:2: the label \"yes\" is not a number", "+1 or -1"}),
      line("ThreeLabels", "0 1:1\n1 1:1\n2 1:1\n", {"/a:3: 2 is a third label, after 0 (line 1) and 1 (line 2)"}),
      line("OneLabel", "1 1:1\n1 2:1\n", {"/a: every sample has the label 1", "two classes"}),
      line("Empty", "", {"/a: holds no samples", "label index:value"}),
      line("OnlyComments", "# nothing here\n\n", {"/a: holds no samples"}),
      line("Binary",
           std::string("\x7f"
                       "ELF\x02\x01\x01\0\0\n",
                       10),
           {"/a:1: the label \"?ELF", "is not a number"}),
      bad("OtherLabelsInTheTest", on_set(both), 3, {"/a.t:2: the label 2 is none of the training set's, -1 and 1"}, {},
          text("-1 1:1\n1 1:1\n", "1 1:1\n2 1:1\n")),
      bad("IndexAboveFeatures", on_set(both + "features = 3"), 3,
          {"/a.t:1: index 4 is above data.features = 3", "raise data.features"}, {},
          text("-1 1:1\n1 1:1\n", "1 4:1\n")),
      bad("GzipTruncated", on_set(both), 3, {"a.gz: the compressed data is truncated", "fetch the file again"}, {},
          gz([](Bytes b) { return Bytes(b.begin(), b.end() - 30); })),
      bad("GzipCorrupt", on_set(both), 3, {"a.gz: the compressed data is corrupt", "fetch the file again"}, {},
          gz([](Bytes b) {
            b[b.size() - 6] ^= 1;
            return b;
          })),
      bad("NeitherTestNorHoldout", on_set("name = \"libsvm\"\ntrain = \"a\"  #!\npath = \".\""), 2,
          {"data.train", "without test samples", "data.holdout"}, {}, text("1 1:1\n")),
      bad("TestAndHoldout", on_set(both + "holdout = 1  #!"), 2, {"data.holdout", "beside data.test", "keep one"}, {},
          text("1 1:1\n")),
      bad("HoldoutOfAll", on_set(keys + "holdout = 2"), 3, {"data.holdout = 2 leaves no training sample", "lower"}, {},
          text("1 1:1\n-1 1:1\n")),
      bad("Standard", on_set(both + "normalise = \"standard\"  #!"), 2,
          {"data.normalise", "would fill the zeros", "use \"unit\""}, {}, text("1 1:1\n-1 1:1\n")),
      bad("LimitTooHigh", on_set(both + "limit_train = 3"), 3, {"data.limit_train: 3", "2 training samples"}, {},
          text("1 1:1\n-1 1:1\n")),
      bad("TrainMissing", on_set("#!\nname = \"libsvm\"\nholdout = 1"), 2, {"data.train", "is missing"}),
      bad("FileMissing", on_set(both), 3, {"libsvm: its files were not found in", "put a[.gz] there"}),
      bad("KnownFileMissing", on_set("name = \"libsvm\"\ntrain = \"a9a\"\nholdout = 1"), 3,
          {"libsvm: its files were not found", "run orrery data fetch a9a"}),
      bad("TestFileMissing", on_set(both), 3, {"holds a, but not a.t[.gz]", "data.holdout"}, {},
          [](const std::string& f) { write_text(f + "/a", "1 1:1\n-1 1:1\n"); }),
      bad("FallbackToLibsvm", on_set(both + "fallback = \"libsvm\"  #!"), 2,
          {"data.fallback", "keys of its own", "\"glyphs\""}),
      bad("MoreParametersThanMemory",
          Toml{.data = both,
               .partition = "kind = \"shared\"",
               .model = "kind = \"softmax\"",
               .network = "workers = 4000  #!",
               .algorithm = "kind = \"h-sgd\"\nbatch = 2"},
          4, {"network.workers", "4294967296 parameters need", "lower"}, {}, text("-1 2147483647:1\n1 1:1\n")),
  };
}
ORRERY_REFUSES(Libsvm);

// ---- NumPy files and mixtures

Files arrays(const std::string& x_shape, const std::vector<double>& x, const std::string& labels = "",
             const std::string& type = "|u1") {
  return [=](const std::string& folder) {
    save_npy(folder + "/x.npy", x_shape, x);
    std::string y("\x93NUMPY\x01\0", 8), header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" +
                                                  std::to_string(labels.size()) + ",), }\n";
    y += static_cast<char>(header.size());
    y += '\0';
    write_text(folder + "/y.npy", y + header + labels);
  };
}

std::vector<BadInput> NumpyFiles() {
  const std::string keys = "name = \"npy\"\ntrain_x = \"x.npy\"\ntrain_y = \"y.npy\"\n", held = keys + "holdout = 1\n";
  const std::vector<double> ten(10, 0.5);
  const std::string labels("\0\1\0\1\0", 5);
  return {
      bad("CountsDiffer", on_set(held), 3, {"y.npy: holds 4 labels for the 5 samples of", "same set"}, {},
          arrays("(5, 2)", ten, labels.substr(1))),
      bad("OneDimension", on_set(held), 3, {"x.npy: has shape (10)", "(n, d)"}, {}, arrays("(10,)", ten, labels)),
      bad("PromisesTheWorld", on_set(held), 3, {"x.npy: promises 1000000000000 values, but 80 bytes"}, {},
          arrays("(1000000, 1000000)", ten, labels)),
      bad("FeatureNotFinite", on_set(held), 3, {"x.npy: feature 1 of sample 0 is not finite"}, {},
          arrays("(5, 2)", {0, NAN, 0, 0, 0, 0, 0, 0, 0, 0}, labels)),
      bad("LabelBeyondClasses", on_set(held + "classes = 2"), 3,
          {"y.npy: label 7 of sample 2 is outside 0..1", "raise data.classes"}, {},
          arrays("(5, 2)", ten, std::string("\0\1\7\1\0", 5))),
      bad("LabelNegative", on_set(held), 3, {"y.npy: label -1 of sample 1", "number the classes from 0"}, {},
          arrays("(5, 2)", ten, std::string("\0\xff\0\1\0", 5), "|i1")),
      bad("LabelsOfBooleans", on_set(held), 3, {"y.npy: holds '|b1'", "save it as integers"}, {},
          arrays("(5, 2)", ten, labels, "|b1")),
      bad("FileMissing", on_set(held), 3, {"x.npy was not found", "data.path"}),
      bad("NoTestSamples", on_set("name = \"npy\"\ntrain_x = \"x.npy\"  #!\ntrain_y = \"y.npy\"\n"), 2,
          {"data.train_x", "without test samples", "data.holdout"}, {}, arrays("(5, 2)", ten, labels)),
      bad("TestWithoutLabels", on_set(keys + "test_x = \"x.npy\"  #!"), 2, {"data.test_x", "without data.test_y"}, {},
          arrays("(5, 2)", ten, labels)),
      bad("ClustersBelowClasses", on_set("name = \"gaussian-mixture\"\nclusters = 9  #!"), 2,
          {"data.clusters", "9 clusters", "give at least 10"}),
      bad("MixtureBeyondMemory", on_set("name = \"gaussian-mixture\"\ntrain = 100000000\ndimension = 1000000  #!"), 2,
          {"data.dimension", "8 GiB", "lower dimension"}),
      bad("MixtureWithAPath", on_set("name = \"gaussian-mixture\"\npath = \"x\"  #!"), 2, {"data.path", "is drawn"}),
      bad("EmnistWithFewerLogitsThanLabels", on_set("name = \"emnist\"\nclasses = 61  #!"), 2,
          {"data.classes", "61 is out of range", "at least 62"}),
  };
}
ORRERY_REFUSES(NumpyFiles);

// ---- orrery data ...

struct BadUse {
  std::string name;
  std::vector<std::string> arguments;
  int code;
  std::vector<std::string> parts;
};
void PrintTo(const BadUse& b, std::ostream* out) { *out << b.name; }

class DataUse : public testing::TestWithParam<BadUse> {};

TEST_P(DataUse, IsRefusedWithOneSentence) {
  TempDir folder;
  write_text(folder.path("q.toml"), Toml{});
  write_text(folder.path("e.toml"), on_set("name = \"glyphs\"\ntrain = 40\ntest = 10\nlimit = 3"));
  const auto before = tree(folder.path());
  expect_refused(orrery(folder.path(), GetParam().arguments, {.memory = true, .seconds = 30}), GetParam().code,
                 GetParam().parts);
  EXPECT_TRUE(tree(folder.path()) == before);
}

INSTANTIATE_TEST_SUITE_P(
    , DataUse,
    testing::Values(
        BadUse{"NoCommand", {"data"}, 2, {"subcommand", "--help"}},
        BadUse{"UnknownCommand", {"data", "lst"}, 2, {"unknown command \"data lst\"", "did you mean \"list\"?"}},
        BadUse{"FetchNothing", {"data", "fetch"}, 2, {"NAME", "--help"}},
        BadUse{"FetchUnknown", {"data", "fetch", "mnits"}, 2, {"\"mnits\"", "did you mean \"mnist\"?", "phishing"}},
        BadUse{"FetchGlyphs", {"data", "fetch", "glyphs"}, 2, {"glyphs", "needs no files", "another set"}},
        BadUse{"FetchEmnist", {"data", "fetch", "emnist"}, 2, {"emnist", "zip archive", "by hand"}},
        BadUse{"InspectNothing", {"data", "inspect"}, 2, {"WHAT", "--help"}},
        BadUse{"InspectUnknown", {"data", "inspect", "a9"}, 2, {"\"a9\"", "did you mean \"a9a\"?"}},
        BadUse{
            "InspectMissing", {"data", "inspect", "mnist"}, 3, {"mnist", "were not found", "orrery data fetch mnist"}},
        BadUse{"InspectWithoutData", {"data", "inspect", "q.toml"}, 2, {"q.toml", "no section [data]"}},
        BadUse{"InspectMistypedKey", {"data", "inspect", "e.toml"}, 2, {"e.toml:", "data.limit", "unknown key"}},
        BadUse{
            "InspectMistypedSet", {"data", "inspect", "glyphs", "--set", "data.trian=3"}, 2, {"data.trian", "train"}},
        BadUse{"InspectSetWithoutEquals", {"data", "inspect", "glyphs", "--set", "train"}, 2, {"--set", "no '='"}},
        BadUse{"InspectNoSuchFile", {"data", "inspect", "no.toml"}, 2, {"no.toml"}}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace orrery::test
