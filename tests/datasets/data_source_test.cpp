#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "datasets/dataset.hpp"
#include "tests/datasets/files.hpp"

namespace orrery {
namespace {

using test::Bytes;
using test::complaint;
using test::idx;

Dataset load(const std::string& toml, std::string* notice = nullptr) {
  Params p = Params::from_text(toml, "test.toml");
  const auto source = make_data_source(p);
  p.require_all_read();
  return source->load(notice);
}

std::vector<int64_t> histogram(const Samples& s, int classes) {
  std::vector<int64_t> count(static_cast<size_t>(classes), 0);
  for (const int32_t label : s.labels) ++count.at(static_cast<size_t>(label));
  return count;
}
std::vector<int32_t> first(const Samples& s, int64_t n) { return {s.labels.begin(), s.labels.begin() + n}; }

// A small set in the names of MNIST; pixel d of image i is 10 i + d.
class DataSourceTest : public testing::Test {
 protected:
  void write_set(const std::string& folder, bool dot = false, bool gz = true) const {
    std::filesystem::create_directories(folder);
    const auto write = [&](std::string name, const Bytes& content) {
      if (dot) name[name.rfind("-idx")] = '.';
      gz ? test::write_gz(folder + "/" + name + ".gz", content) : test::write_bytes(folder + "/" + name, content);
    };
    write("train-images-idx3-ubyte", idx({2051, 4, 2, 3}, pixels(4)));
    write("train-labels-idx1-ubyte", idx({2049, 4}, {3, 1, 4, 1}));
    write("t10k-images-idx3-ubyte", idx({2051, 2, 2, 3}, pixels(2)));
    write("t10k-labels-idx1-ubyte", idx({2049, 2}, {9, 0}));
  }
  static Bytes pixels(int n) {
    Bytes b;
    for (int i = 0; i < n; ++i)
      for (int d = 0; d < 6; ++d) b.push_back(static_cast<uint8_t>(10 * i + d));
    return b;
  }
  std::string path_key() const { return "path = \"" + dir_.path() + "\"\n"; }

  test::TempDir dir_;
  test::Environment data_{"ORRERY_DATA", nullptr}, cache_{"XDG_CACHE_HOME", nullptr},
      home_{"HOME", "/nonexistent-home"};
};

TEST_F(DataSourceTest, ReadsTheFilesOfAFolderUnderEveryName) {
  for (const bool dot : {false, true})
    for (const bool gz : {false, true}) {
      const std::string folder = dir_.path(std::string(dot ? "dot" : "dash") + (gz ? "-gz" : ""));
      write_set(folder, dot, gz);
      const Dataset d = load("name = \"fashion-mnist\"\npath = \"" + folder + "\"");
      EXPECT_EQ(d.name, "fashion-mnist");
      EXPECT_EQ(d.origin, folder);
      EXPECT_EQ(d.features, 6);
      EXPECT_EQ(d.classes, 10);
      EXPECT_EQ(d.image_rows, 2);
      EXPECT_EQ(d.image_cols, 3);
      EXPECT_EQ(d.train.count, 4);
      EXPECT_EQ(d.train.bytes, pixels(4));
      EXPECT_EQ(d.train.labels, (std::vector<int32_t>{3, 1, 4, 1}));
      EXPECT_EQ(d.test.bytes, pixels(2));
      EXPECT_EQ(d.test.labels, (std::vector<int32_t>{9, 0}));
      EXPECT_DOUBLE_EQ(d.scale, 1.0 / 255);
      EXPECT_EQ(d.shift, 0);
    }
}

TEST_F(DataSourceTest, LooksInTheDataFolderThenInTheCache) {
  const std::string data = dir_.path("data"), cache = dir_.path("cache"), home = dir_.path("home");
  write_set(home + "/.cache/orrery/mnist");
  {
    test::Environment e("HOME", home.c_str());
    EXPECT_EQ(load("name = \"mnist\"").origin, home + "/.cache/orrery/mnist");
    write_set(cache + "/orrery/mnist");
    test::Environment c("XDG_CACHE_HOME", cache.c_str());
    EXPECT_EQ(load("name = \"mnist\"").origin, cache + "/orrery/mnist");
    write_set(data + "/mnist");
    test::Environment o("ORRERY_DATA", data.c_str());
    EXPECT_EQ(load("name = \"mnist\"").origin, data + "/mnist");
  }
}

TEST_F(DataSourceTest, NamesEveryFolderThatWasTried) {
  test::Environment o("ORRERY_DATA", dir_.path("a").c_str()), c("XDG_CACHE_HOME", dir_.path("b").c_str());
  const std::string message = complaint<DataError>([] { load("name = \"mnist\""); });
  for (const std::string& part :
       {dir_.path("a/mnist"), dir_.path("b/orrery/mnist"), std::string("data.path"), std::string("ORRERY_DATA")})
    EXPECT_NE(message.find(part), std::string::npos) << message;
  const std::string emnist = complaint<DataError>([] { load("name = \"emnist\""); });
  EXPECT_NE(emnist.find(dir_.path("a/emnist-byclass-test")), std::string::npos) << emnist;
}

TEST_F(DataSourceTest, APartOfASetIsAnErrorThatNamesTheFile) {
  write_set(dir_.path());
  std::filesystem::remove(dir_.path("train-labels-idx1-ubyte.gz"));
  const std::string message =
      complaint<DataError>([&] { load("name = \"mnist\"\nfallback = \"glyphs\"\n" + path_key()); });
  EXPECT_NE(message.find("holds a part of mnist, but not train-labels-idx1-ubyte[.gz]"), std::string::npos) << message;
}

TEST_F(DataSourceTest, TrainingAndTestImagesAreOfOneSize) {
  write_set(dir_.path());
  test::write_gz(dir_.path("t10k-images-idx3-ubyte.gz"), idx({2051, 2, 3, 2}, pixels(2)));
  const std::string message = complaint<DataError>([&] { load("name = \"mnist\"\n" + path_key()); });
  EXPECT_NE(message.find("images of 2 x 3, but"), std::string::npos) << message;
}

TEST_F(DataSourceTest, LimitsTakeTheFirst) {
  write_set(dir_.path());
  const Dataset d = load("name = \"mnist\"\nlimit_train = 3\nlimit_test = 1\n" + path_key());
  EXPECT_EQ(d.train.count, 3);
  EXPECT_EQ(d.train.bytes, pixels(3));
  EXPECT_EQ(d.train.labels, (std::vector<int32_t>{3, 1, 4}));
  EXPECT_EQ(d.test.labels, (std::vector<int32_t>{9}));
  EXPECT_NE(complaint<DataError>([&] {
              load("name = \"mnist\"\nlimit_train = 5\n" + path_key());
            }).find("data.limit_train: 5, but there are 4 training"),
            std::string::npos);
  EXPECT_NE(complaint<DataError>([&] {
              load("name = \"mnist\"\nlimit_test = 3\n" + path_key());
            }).find("data.limit_test: 3, but there are 2 test"),
            std::string::npos);
}

TEST_F(DataSourceTest, StandardScalesTheTrainingSetInUse) {
  write_set(dir_.path());
  const Dataset d = load("name = \"mnist\"\nlimit_train = 3\nnormalise = \"standard\"\n" + path_key());
  double sum = 0, squares = 0;
  for (const uint8_t b : d.train.bytes) {
    const double x = d.scale * b + d.shift;
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 18, 0, 1e-12);
  EXPECT_NEAR(squares / 18, 1, 1e-12);
  const Dataset raw = load("name = \"mnist\"\nnormalise = \"none\"\n" + path_key());
  EXPECT_EQ(raw.scale, 1);
  EXPECT_EQ(raw.shift, 0);
}

TEST_F(DataSourceTest, StandardRefusesEqualPixels) {
  write_set(dir_.path());
  test::write_gz(dir_.path("train-images-idx3-ubyte.gz"), idx({2051, 4, 2, 3}, Bytes(24, 7)));
  const std::string message =
      complaint<DataError>([&] { load("name = \"mnist\"\nnormalise = \"standard\"\n" + path_key()); });
  EXPECT_NE(message.find("all features of the 4 training samples of mnist are equal"), std::string::npos) << message;
}

TEST_F(DataSourceTest, FallsBackOnlyWhereFilesAreMissing) {
  std::string notice = "old";
  const std::string toml = "name = \"mnist\"\nfallback = \"glyphs\"\nlimit_train = 50\nlimit_test = 20000\n";
  const Dataset d = load(toml + path_key(), &notice);
  EXPECT_EQ(d.name, "glyphs");
  EXPECT_EQ(d.train.count, 50);
  EXPECT_EQ(d.test.count, 10000);  // clamped to what there is
  EXPECT_EQ(notice, "mnist: its files were not found in " + dir_.path() + "; using glyphs instead");

  // Files that are there are used, and nothing is said.
  write_set(dir_.path());
  EXPECT_EQ(load("name = \"mnist\"\nfallback = \"glyphs\"\n" + path_key(), &notice).name, "mnist");
  EXPECT_EQ(notice, "");

  // Files that are corrupt are an error.
  test::write_bytes(dir_.path("train-images-idx3-ubyte.gz"), {1, 2, 3, 4, 5});
  complaint<DataError>([&] { load("name = \"mnist\"\nfallback = \"glyphs\"\n" + path_key(), &notice); });
}

TEST_F(DataSourceTest, GlyphsWorkWithAFallbackKey) {
  const Dataset d = load("name = \"glyphs\"\ntrain = 30\ntest = 20\nseed = 9\nfallback = \"glyphs\"");
  EXPECT_EQ(d.train.count, 30);
  EXPECT_EQ(d.test.count, 20);
  EXPECT_EQ(d.image_rows * d.image_cols, d.features);
}

TEST_F(DataSourceTest, EmnistIsTurnedUprightAndLettersStartAtZero) {
  const std::string prefix = dir_.path("emnist-letters-");
  const Bytes stored{1, 4, 2, 5, 3, 6};  // 3 x 2, columns of the upright 2 x 3 image 1 2 3 / 4 5 6
  test::write_gz(prefix + "train-images-idx3-ubyte.gz", idx({2051, 1, 3, 2}, stored));
  test::write_gz(prefix + "train-labels-idx1-ubyte.gz", idx({2049, 1}, {26}));
  test::write_gz(prefix + "test-images-idx3-ubyte.gz",
                 idx({2051, 3, 3, 2}, Bytes{1, 4, 2, 5, 3, 6, 7, 7, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8}));
  test::write_gz(prefix + "test-labels-idx1-ubyte.gz", idx({2049, 3}, {1, 2, 3}));
  const std::string toml = "name = \"emnist\"\nsplit = \"letters\"\n" + path_key();
  const Dataset d = load(toml);
  EXPECT_EQ(d.classes, 26);
  EXPECT_EQ(d.image_rows, 2);
  EXPECT_EQ(d.image_cols, 3);
  EXPECT_EQ(d.train.bytes, (Bytes{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(d.train.labels, (std::vector<int32_t>{25}));
  EXPECT_EQ(d.test.labels, (std::vector<int32_t>{0, 1, 2}));

  // more logits than labels: the labels stay
  const Dataset wide = load(toml + "classes = 62\n");
  EXPECT_EQ(wide.classes, 62);
  EXPECT_EQ(wide.train.labels, (std::vector<int32_t>{25}));
  // a label past the letters stays an error
  test::write_gz(prefix + "train-labels-idx1-ubyte.gz", idx({2049, 1}, {27}));
  const std::string past = complaint<DataError>([&] { load(toml + "classes = 62\n"); });
  EXPECT_NE(past.find("label 27 of sample 0 is outside 1..26"), std::string::npos) << past;

  // holdout: the test files alone
  for (const auto* name : {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"})
    std::filesystem::remove(prefix + name);
  const std::string message = complaint<DataError>([&] { load(toml); });
  EXPECT_NE(message.find("data.holdout"), std::string::npos) << message;
  const Dataset held = load(toml + "holdout = 1\n");
  EXPECT_EQ(held.train.labels, (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(held.train.bytes.size(), 12u);
  EXPECT_EQ(held.test.labels, (std::vector<int32_t>{2}));
  EXPECT_EQ(held.test.bytes, Bytes(6, 8));
  const std::string all = complaint<DataError>([&] { load(toml + "holdout = 3\n"); });
  EXPECT_NE(all.find("data.holdout = 3 leaves no training sample of the 3"), std::string::npos) << all;
}

TEST_F(DataSourceTest, BadKeysAreNamedWithTheirLine) {
  const struct {
    const char *toml, *says;
  } cases[] = {
      {"name = \"mnits\"", "test.toml:1: name: unknown name \"mnits\"; did you mean \"mnist\"?"},
      {"path = \"x\"", "name: is missing"},
      {"name = \"mnist\"\nlimit_train = 0", "test.toml:2: limit_train: 0 is out of range"},
      {"name = \"mnist\"\nlimit_test = \"all\"", "test.toml:2: limit_test: is a string"},
      {"name = \"mnist\"\nnormalise = \"unti\"", "did you mean \"unit\"?"},
      {"name = \"mnist\"\nfallback = \"glyph\"",
       "test.toml:2: fallback: unknown name \"glyph\"; did you mean \"glyphs\"?"},
      {"name = \"mnist\"\npath = \"\"", "test.toml:2: path: is empty"},
      {"name = \"mnist\"\nsplit = \"letters\"", "test.toml:2: split: unknown key"},
      {"name = \"emnist\"\nsplit = \"leters\"", "did you mean \"letters\"?"},
      {"name = \"emnist\"\nsplit = \"letters\"\nclasses = 25", "test.toml:3: classes: 25 is out of range"},
      {"name = \"emnist\"\nholdout = -1", "test.toml:2: holdout: -1 is out of range"},
      {"name = \"glyphs\"\ntrain = 0", "test.toml:2: train: 0 is out of range"},
      {"name = \"glyphs\"\nseed = -1", "test.toml:2: seed: -1 is out of range"},
      {"name = \"glyphs\"\npath = \"x\"", "test.toml:2: path: is not used by glyphs"},
  };
  for (const auto& c : cases) {
    const std::string message = complaint<ExperimentError>([&] { load(c.toml); });
    EXPECT_NE(message.find(c.says), std::string::npos) << c.toml << "\n" << message;
  }
}

TEST_F(DataSourceTest, TheTableNamesEveryEntryOnce) {
  std::vector<std::string> names;
  for (const auto* e : data_table()) {
    names.push_back(e->name);
    EXPECT_FALSE(e->what.empty()) << e->name;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"glyphs", "gaussian-mixture", "mnist", "fashion-mnist", "emnist", "libsvm",
                                             "npy"}));
}

// The published files, where $ORRERY_DATA holds them: counts and first labels from its README.
class RealData : public testing::Test {
 protected:
  void SetUp() override {
    const char* data = std::getenv("ORRERY_DATA");
    if (!data || !*data) GTEST_SKIP() << "set ORRERY_DATA to the folder of the published files";
  }
};

TEST_F(RealData, Mnist) {
  const Dataset d = load("name = \"mnist\"\nnormalise = \"standard\"");
  EXPECT_EQ(histogram(d.train, 10), (std::vector<int64_t>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}));
  EXPECT_EQ(histogram(d.test, 10), (std::vector<int64_t>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
  EXPECT_EQ(first(d.train, 10), (std::vector<int32_t>{5, 0, 4, 1, 9, 2, 1, 3, 1, 4}));
  EXPECT_EQ(first(d.test, 10), (std::vector<int32_t>{7, 2, 1, 0, 4, 1, 4, 9, 5, 9}));
  EXPECT_NEAR(-d.shift / d.scale / 255, 0.1307, 5e-5);
  EXPECT_NEAR(1 / d.scale / 255, 0.3081, 5e-5);
}

TEST_F(RealData, FashionMnist) {
  const Dataset d = load("name = \"fashion-mnist\"\nnormalise = \"standard\"");
  EXPECT_EQ(histogram(d.train, 10), std::vector<int64_t>(10, 6000));
  EXPECT_EQ(histogram(d.test, 10), std::vector<int64_t>(10, 1000));
  EXPECT_EQ(first(d.train, 10), (std::vector<int32_t>{9, 0, 0, 3, 0, 2, 7, 2, 5, 5}));
  EXPECT_EQ(first(d.test, 10), (std::vector<int32_t>{9, 2, 1, 1, 6, 1, 4, 6, 5, 7}));
  EXPECT_NEAR(-d.shift / d.scale / 255, 0.2860, 5e-5);
  EXPECT_NEAR(1 / d.scale / 255, 0.3530, 5e-5);
}

TEST_F(RealData, EmnistByclassTestFiles) {
  const Dataset d = load("name = \"emnist\"\nholdout = 16323");
  EXPECT_EQ(d.train.count, 100000);
  EXPECT_EQ(d.test.count, 16323);
  EXPECT_EQ(first(d.train, 10), (std::vector<int32_t>{18, 36, 0, 3, 33, 30, 24, 40, 5, 8}));
  std::vector<int64_t> count = histogram(d.train, 62);
  const std::vector<int64_t> of_test = histogram(d.test, 62);
  for (size_t c = 0; c < 62; ++c) count[c] += of_test[c];
  EXPECT_EQ(count[0], 5778);
  EXPECT_EQ(count[24], 4156);
  EXPECT_EQ(count[61], 451);
  EXPECT_EQ(std::accumulate(count.begin(), count.end(), int64_t{0}), 116323);

  // Upright: a written 1 is taller than wide. Mean spread of the ink along rows against columns.
  double down = 0, across = 0;
  for (int64_t i = 0; i < d.train.count; ++i) {
    if (d.train.labels[i] != 1) continue;
    double n = 0, r1 = 0, r2 = 0, c1 = 0, c2 = 0;
    for (int r = 0; r < 28; ++r)
      for (int c = 0; c < 28; ++c) {
        const double ink = d.train.bytes[i * 784 + r * 28 + c];
        n += ink, r1 += ink * r, r2 += ink * r * r, c1 += ink * c, c2 += ink * c * c;
      }
    down += r2 / n - r1 / n * r1 / n;
    across += c2 / n - c1 / n * c1 / n;
  }
  EXPECT_GT(down, 3 * across);
}

}  // namespace
}  // namespace orrery
