// Bad models, devices, more memory than there is, bad data files and partitions.
#include "tests/cli/bad_input.hpp"

namespace orrery::test {
namespace {

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

std::vector<BadInput> DevicesAndMemory() {
  Toml softmax{.data = "name = \"glyphs\"\ntrain = 60000\ntest = 10",
               .partition = "kind = \"shared\"",
               .model = "kind = \"softmax\"",
               .network = "workers = 10000000  #!"};
  return {
#ifdef ORRERY_WITH_CUDA
      bad("NoSuchGpu", Toml{.head = "steps = 4\ndevice = \"cuda:77\"  #!"}, 4,
          {"device", "cuda:77", "no such GPU", "set device = \"cpu\""}),
#else
      bad("CudaInACpuBuild", Toml{.head = "steps = 4\ndevice = \"cuda\"  #!"}, 4,
          {"device", "built without CUDA", "set device = \"cpu\""}),
      bad("CudaByOption", Toml{}, 4, {"--device cuda:3: device", "built without CUDA", "set device = \"cpu\""},
          {"--device", "cuda:3"}),
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

// What is wrong with a file is said of the key that led there, beside the file's name: its line is marked where the case
// marks no other.
std::vector<BadInput> blame(std::vector<BadInput> cases, const std::string& line, const std::string& key) {
  for (auto& c : cases)
    if (const auto at = c.toml.find(line + "\n"); at != std::string::npos && c.toml.find("#!") == std::string::npos) {
      c.toml.insert(at + line.size(), "  #!");
      c.parts.insert(c.parts.begin(), key);
    }
  return cases;
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
  return blame(
      {
          bad("Missing", softmax(), 3, {"mnist", "data", "train-images-idx3-ubyte", "ORRERY_DATA", "data.path"}),
          bad("MissingEverywhere", Toml{.data = "name = \"fashion-mnist\"  #!", .model = "kind = \"softmax\""}, 3,
              {"data.name", "fashion-mnist", "were not found", "data.fallback = \"glyphs\""}),
          bad("OneOfFourMissing", softmax(), 3, {"data", "train-labels-idx1-ubyte", "add the file"}, {},
              [=](const std::string& folder) {
                write_set(folder);
                std::filesystem::remove(folder + "/" + train_labels);
              }),
          bad("PathAFile", softmax(), 3, {"mnist", "data"}, {},
              [](const std::string& f) { write_text(f + "/data", "x"); }),
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
          bad("LimitTooHigh", softmax("limit_train = 13  #!"), 3,
              {"data.limit_train", "12 training samples", "lower it"}, {}, write_set),
          bad("LimitZero", softmax("limit_test = 0  #!"), 2, {"data.limit_test", "0 is out of range", "at least 1"}, {},
              write_set),
          bad("NormaliseUnknown", softmax("normalise = \"standart\"  #!"), 2,
              {"data.normalise", "did you mean \"standard\""}, {}, write_set),
          bad("NothingToNormalise", softmax("normalise = \"standard\"  #!"), 3,
              {"data.normalise", "equal", "use \"unit\""}, {},
              replace(train_images, idx({2051, 12, 3, 3}, Bytes(108, 7)))),
      },
      "path = \"data\"", "data.path");
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
  return blame(
      {
          bad("FewerSamplesThanWorkers", partition("kind = \"iid\"", "workers = 13  #!"), 3,
              {"network.workers", "12 training samples are too few for 13 workers", "lower network.workers"}, {},
              write_set),
          bad("FewerSamplesThanShards", partition("kind = \"shards\"\nshards_per_worker = 4  #!"), 3,
              {"partition.shards_per_worker", "12 training samples are too few", "lower"}, {}, write_set),
          bad("FewerSamplesThanTheLeast", partition("kind = \"dirichlet\"\nalpha = 1\nmin_size = 4  #!"), 3,
              {"partition.min_size", "12 training samples are too few", "lower"}, {}, write_set),
          bad("KindMistyped", partition("kind = \"dirichlt\"  #!"), 2, {"partition.kind", "did you mean \"dirichlet\""},
              {}, write_set),
          bad("AlphaMissing", partition("#!\nkind = \"dirichlet\""), 2, {"partition.alpha", "is missing"}, {},
              write_set),
          bad("AlphaZero", partition("kind = \"dirichlet\"\nalpha = 0  #!"), 2,
              {"partition.alpha", "0 is out of range", "above 0"}, {}, write_set),
          bad("AlphaNegative", partition("kind = \"dirichlet\"\nalpha = -0.5  #!"), 2,
              {"partition.alpha", "-0.5 is out of range", "above 0"}, {}, write_set),
          bad("AlphaForIid", partition("kind = \"iid\"\nalpha = 0.5  #!"), 2, {"partition.alpha", "unknown key"}, {},
              write_set),
          bad("SizesForShards", partition("kind = \"shards\"\nsizes = [1, 2]  #!"), 2, {"partition.sizes", "remove it"},
              {}, write_set),
          bad("SizesZero", partition("kind = \"iid\"\nsizes = [1, 0]  #!"), 2,
              {"partition.sizes", "0 is out of range", "above 0"}, {}, write_set),
          bad("ShardsZero", partition("kind = \"shards\"\nshards_per_worker = 0  #!"), 2,
              {"partition.shards_per_worker", "0 is out of range"}, {}, write_set),
          bad("FileMissing", partition(from_file), 3, {"p.txt", "cannot be opened", "partition.path"}, {}, write_set),
          bad("FileWithoutAPath", partition("#!\nkind = \"file\""), 2, {"partition.path", "is missing"}, {}, write_set),
          bad("FileForOthers", partition(from_file, "workers = 3"), 3, {"p.txt:5: ", "hash"}, {},
              file(good + lines_of_it)),
          bad("FileTruncated", partition(from_file), 3, {"p.txt:8: ", "file ends", "write the partition again"}, {},
              file(good + "0 1 2\n3 4 5\n")),
          bad("FileWithAnUnknownSample", partition(from_file), 3, {"p.txt:6: ", "sample 12 is outside 0..11"}, {},
              file(good + "0 1 12\n3 4 5\n6 7 8\n9 10 11\n")),
          bad("FileWithASampleTwice", partition(from_file), 3, {"p.txt:7: ", "sample 2", "second time"}, {},
              file(good + "0 1 2\n2 4 5\n6 7 8\n9 10 11\n")),
          bad("FileOfOtherSamples", partition(from_file), 3, {"p.txt:3: ", "999999999 samples", "training set has 12"},
              {}, file("orrery-partition 1\nworkers 4\nsamples 999999999\nlayout disjoint\nhash 0\n")),
          bad("FileOfSomethingElse", partition(from_file), 3, {"p.txt:1: ", "orrery-partition 1"}, {}, file("hello\n")),
      },
      "path = \"p.txt\"", "partition.path");
}
ORRERY_REFUSES(Partitions);

}  // namespace
}  // namespace orrery::test
