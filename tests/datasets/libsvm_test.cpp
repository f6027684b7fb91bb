#include "datasets/libsvm_file.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/datasets/files.hpp"

namespace orrery {
namespace {

using test::complaint;

class Libsvm : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text, bool gz = false) const {
    const std::string file = dir_.path(name);
    gz ? test::write_gz(file, test::Bytes(text.begin(), text.end())) : test::write_text(file, text);
    return file;
  }
  Dataset load(const std::string& toml) const {
    Params p = Params::from_text("name = \"libsvm\"\npath = \"" + dir_.path() + "\"\n" + toml, "test.toml");
    const auto source = make_data_source(p);
    p.require_all_read();
    return source->load(nullptr);
  }
  test::TempDir dir_;
  test::Environment data_{"ORRERY_DATA", nullptr}, cache_{"XDG_CACHE_HOME", nullptr},
      home_{"HOME", "/nonexistent-home"};
};

std::vector<std::vector<double>> dense(const Samples& s) {
  std::vector<std::vector<double>> rows(static_cast<size_t>(s.count),
                                        std::vector<double>(static_cast<size_t>(s.features)));
  for (size_t i = 0; i < rows.size(); ++i)
    for (int64_t e = s.sparse.begin[i]; e < s.sparse.begin[i + 1]; ++e)
      rows[i][static_cast<size_t>(s.sparse.column[static_cast<size_t>(e)])] = s.sparse.value[static_cast<size_t>(e)];
  return rows;
}

TEST_F(Libsvm, ReadsEveryFormOfALine) {
  const std::string text =
      "+1 1:0.5 3:-2e1\n"
      "# a comment\n"
      "\n"
      "-1\n"                         // a sample of zeros
      "-1 2:+.25   4:0 \t# 9:9\r\n"  // blanks, a stored zero, a comment, DOS
      "1.0 2:1e-400 3:7";            // below double, no line break at the end
  for (const bool gz : {false, true}) {
    const LibsvmFile f = read_libsvm(write(gz ? "a.gz" : "a", text, gz));
    EXPECT_EQ(f.labels, (std::vector<double>{-1, 1}));
    EXPECT_EQ(f.label_at, (std::vector<int64_t>{4, 1}));
    EXPECT_EQ(f.samples.labels, (std::vector<int32_t>{1, 0, 0, 1}));
    EXPECT_EQ(f.samples.features, 4);
    EXPECT_EQ(dense(f.samples),
              (std::vector<std::vector<double>>{{0.5, 0, -20, 0}, {0, 0, 0, 0}, {0, 0.25, 0, 0}, {0, 0, 7, 0}}));
    EXPECT_EQ(f.samples.sparse.begin, (std::vector<int64_t>{0, 2, 2, 3, 4}));
  }
}

// Lines that straddle the pieces in which the file is read.
TEST_F(Libsvm, ReadsLargeFilesWhole) {
  std::string text;
  for (int i = 0; i < 300000; ++i)
    text += (i % 3 == 0 ? "2 " : "1 ") + std::to_string(1 + i % 7) + ":" + std::to_string(i) + "\n";
  ASSERT_GT(text.size(), size_t{2} << 20);
  const LibsvmFile f = read_libsvm(write("large", text));
  ASSERT_EQ(f.samples.count, 300000);
  ASSERT_EQ(f.samples.sparse.value.size(), 299999u);  // the zero of line 1 is not stored
  for (int i = 0; i < 300000; ++i) ASSERT_EQ(f.samples.labels[i], i % 3 == 0) << i;
  for (int i = 1; i < 300000; ++i) {
    ASSERT_EQ(f.samples.sparse.value[i - 1], i);
    ASSERT_EQ(f.samples.sparse.column[i - 1], i % 7);
  }
}

TEST_F(Libsvm, TheSmallerLabelIsClassZero) {
  for (const auto& [low, high] : {std::pair{"-1", "+1"}, {"0", "1"}, {"1", "2"}, {"-3.5", "-2"}})
    for (const bool low_first : {true, false}) {
      write("train",
            low_first ? fmt::format("{} 1:1\n{} 1:1\n", low, high) : fmt::format("{} 1:1\n{} 1:1\n", high, low));
      write("test", fmt::format("{} 1:1\n", high));  // one class alone: keeps its meaning
      const Dataset d = load("train = \"train\"\ntest = \"test\"");
      EXPECT_EQ(d.train.labels, low_first ? (std::vector<int32_t>{0, 1}) : (std::vector<int32_t>{1, 0}));
      EXPECT_EQ(d.test.labels, std::vector<int32_t>{1}) << low << " " << high;
      EXPECT_EQ(d.classes, 2);
    }
}

TEST_F(Libsvm, FeaturesAreTheLargestIndexOfBothFilesOrAsAsked) {
  write("a", "1 2:1\n-1 3:1\n");
  write("a.t", "1 5:1\n");
  const Dataset d = load("train = \"a\"\ntest = \"a.t\"");
  EXPECT_EQ(d.features, 5);
  EXPECT_EQ(d.train.features, 5);
  EXPECT_EQ(d.test.features, 5);
  EXPECT_EQ(load("train = \"a\"\ntest = \"a.t\"\nfeatures = 9").test.features, 9);
  EXPECT_NE(complaint<DataError>([&] {
              load("train = \"a\"\ntest = \"a.t\"\nfeatures = 4");
            }).find("a.t:1: index 5 is above data.features = 4; raise"),
            std::string::npos);
}

TEST_F(Libsvm, HoldoutAndLimitsCutSparseRows) {
  write("a.gz", "1 1:1 2:2\n-1\n-1 2:3\n1 1:4 3:5\n1 2:6\n", true);
  const Dataset d = load("train = \"a\"\nholdout = 2\nlimit_train = 2\nlimit_test = 1");
  EXPECT_EQ(d.origin, dir_.path("a.gz"));
  EXPECT_EQ(dense(d.train), (std::vector<std::vector<double>>{{1, 2, 0}, {0, 0, 0}}));
  EXPECT_EQ(dense(d.test), (std::vector<std::vector<double>>{{4, 0, 5}}));
  EXPECT_EQ(d.train.labels, (std::vector<int32_t>{1, 0}));
  EXPECT_EQ(d.test.labels, std::vector<int32_t>{1});
  EXPECT_EQ(d.test.sparse.begin, (std::vector<int64_t>{0, 2}));
  EXPECT_EQ(d.train.sparse.column.size(), 2u);
  const Dataset all = load("train = \"a\"\nholdout = 2");
  EXPECT_EQ(dense(all.train).back(), (std::vector<double>{0, 3, 0}));
  EXPECT_EQ(dense(all.test), (std::vector<std::vector<double>>{{4, 0, 5}, {0, 6, 0}}));
  EXPECT_NE(complaint<DataError>([&] { load("train = \"a\"\nholdout = 5"); }).find("holdout = 5 leaves no training"),
            std::string::npos);
}

TEST_F(Libsvm, FilesAreFoundInTheFolderOrByTheirWholePath) {
  const std::string file = write("a.gz", "1 1:1\n2 1:2\n", true);
  for (const std::string& name : {std::string("a"), std::string("a.gz"), file, dir_.path("a")})
    EXPECT_EQ(load("train = \"" + name + "\"\nholdout = 1").origin, file) << name;
  const std::string gone = complaint<DataError>([&] { load("train = \"b\"\nholdout = 1"); });
  EXPECT_NE(gone.find("libsvm: its files were not found in " + dir_.path() + "; put b[.gz] there"), std::string::npos)
      << gone;
  const std::string half = complaint<DataError>([&] { load("train = \"a\"\ntest = \"a.t\""); });
  EXPECT_NE(half.find("holds a, but not a.t[.gz]"), std::string::npos) << half;
}

TEST_F(Libsvm, ScalingLeavesValuesAsTheyAre) {
  write("a", "1 1:0.5\n2 1:3\n");
  for (const char* how : {"unit", "none"}) {
    const Dataset d = load(std::string("train = \"a\"\nholdout = 1\nnormalise = \"") + how + "\"");
    EXPECT_EQ(d.scale, 1);
    EXPECT_EQ(d.shift, 0);
  }
}

TEST_F(Libsvm, BadLinesAreNamed) {
  const struct {
    const char *text, *says;
  } cases[] = {
      {"1 1:1\n-1 3:1 2:1\n", ":2: index 2 comes after 3; sort"},
      {"1 1:1\n-1 3:1 3:1\n", ":2: index 3 stands twice; keep one"},
      {"1 0:1\n", ":1: index 0 is not positive; indices count from 1"},
      {"1 -4:1\n", ":1: index -4 is not positive"},
      {"1 2147483648:1\n", ":1: index \"2147483648\" is too large; indices go up to 2147483647"},
      {"1 99999999999999999999:1\n", ":1: index \"99999999999999999999\" is too large"},
      {"1 2.5:1\n", ":1: the index \"2.5\" is not an integer"},
      {"1 qid:3 1:1\n", ":1: the index \"qid\" is not an integer"},
      {"1 :3\n", ":1: the index \"\" is not an integer"},
      {"1 1:\n", ":1: the value \"\" of index 1 is not a number"},
      {"1 1:x\n", ":1: the value \"x\" of index 1 is not a number"},
      {"1 1:1.5.2\n", ":1: the value \"1.5.2\" of index 1 is not a number"},
      {"1 1:+-3\n", ":1: the value \"+-3\" of index 1 is not a number"},
      {"1 1:nan\n", ":1: the value \"nan\" of index 1 is not finite"},
      {"1 1:-inf\n", ":1: the value \"-inf\" of index 1 is not finite"},
      {"1 1:1e39\n", ":1: the value \"1e39\" of index 1 is not finite in single precision"},
      {"1 1:1e999\n", ":1: the value \"1e999\" of index 1 is not finite in single precision"},
      {"1 1\n", ":1: \"1\" has no ':'; write every feature as index:value"},
      {"1 1: 2\n", ":1: the value \"\" of index 1"},
      {"one 1:1\n", ":1: the label \"one\" is not a number"},
      {"1:1 2:1\n", ":1: the label \"1:1\" is not a number"},
      {"1,2 2:1\n", ":1: the label \"1,2\" is not a number"},
      {"nan 2:1\n", ":1: the label \"nan\" is not a number"},
      {"1 1:1\n\n-1 1:1\n3 1:1\n", ":4: 3 is a third label, after 1 (line 1) and -1 (line 3); give a set of two"},
      {"", ": holds no samples; give"},
      {"# nothing\n\n", ": holds no samples; give"},
      {"1 1:1\n1 2:1\n", ": every sample has the label 1; give a set of two classes"},
  };
  for (const auto& c : cases) {
    const std::string file = write("bad", c.text);
    const std::string message = complaint<DataError>([&] { load("train = \"bad\"\nholdout = 1"); });
    EXPECT_TRUE(message.starts_with(file + c.says)) << c.text << "\n" << message;
  }
  write("a", "1 1:1\n-1 1:1\n");
  write("t", "1 1:1\n\n0 1:1\n");
  const std::string other = complaint<DataError>([&] { load("train = \"a\"\ntest = \"t\""); });
  EXPECT_NE(other.find("t:3: the label 0 is none of the training set's, -1 and 1; take both"), std::string::npos)
      << other;
}

TEST_F(Libsvm, CutAndCorruptFilesAreRefused) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += fmt::format("{} {}:{}\n", i % 2, 1 + i % 50, i * 0.37);
  const std::string file = write("a.gz", text, true);
  test::Bytes bytes = test::read_bytes(file);
  test::write_bytes(file, test::Bytes(bytes.begin(), bytes.end() - 20));
  EXPECT_NE(complaint<DataError>([&] { read_libsvm(file); }).find("a.gz: the compressed data is truncated; fetch"),
            std::string::npos);
  for (size_t i = 1000; i < 1100; ++i) bytes[i] ^= 0x5a;
  test::write_bytes(file, bytes);
  EXPECT_NE(complaint<DataError>([&] { read_libsvm(file); }).find("a.gz"), std::string::npos);
  EXPECT_NE(complaint<DataError>([&] { read_libsvm(dir_.path()); }).find("cannot be read (Is a directory)"),
            std::string::npos);
  test::write_bytes(file, test::Bytes(70 << 20, '7'));  // no line break for 70 MiB
  EXPECT_NE(complaint<DataError>([&] { read_libsvm(file); }).find("a.gz:1: is longer than 64 MiB; check"),
            std::string::npos);
}

TEST_F(Libsvm, BadKeysAreNamedWithTheirLine) {
  const struct {
    const char *toml, *says;
  } cases[] = {
      {"holdout = 1", "train: is missing"},
      {"train = \"a\"", "test.toml:3: train: comes without test samples; give data.test, or data.holdout"},
      {"train = \"a\"\ntest = \"b\"\nholdout = 3", "test.toml:5: holdout: stands beside data.test; keep one"},
      {"train = \"\"\nholdout = 1", "test.toml:3: train: is empty"},
      {"train = \"a\"\nholdout = 0", "test.toml:4: holdout: 0 is out of range"},
      {"train = \"a\"\nholdout = 1\nfeatures = 0", "test.toml:5: features: 0 is out of range"},
      {"train = 3", "test.toml:3: train: is an integer"},
      {"train = \"a\"\nholdout = 1\nnormalise = \"standard\"",
       "test.toml:5: normalise: \"standard\" would fill the zeros of a sparse set; use \"unit\""},
      {"train = \"a\"\nholdout = 1\nfallback = \"libsvm\"", "test.toml:5: fallback: libsvm needs keys of its own"},
  };
  for (const auto& c : cases) {
    const std::string message = complaint<ExperimentError>([&] { load(c.toml); });
    EXPECT_NE(message.find(c.says), std::string::npos) << c.toml << "\n" << message;
  }
}

// The published files, where $ORRERY_DATA holds them: the table of its README.
struct Published {
  const char *name, *file, *test;
  int64_t records, features, entries, low, high;
  double value;
};
class PublishedLibsvm : public testing::TestWithParam<Published> {};

TEST_P(PublishedLibsvm, HasThePublishedCounts) {
  const char* data = std::getenv("ORRERY_DATA");
  if (!data || !*data) GTEST_SKIP() << "set ORRERY_DATA to the folder of the published files";
  const Published& want = GetParam();
  Params p = Params::from_text(fmt::format("name = \"libsvm\"\ntrain = \"{}\"\n{}", want.file,
                                           want.test[0] ? fmt::format("test = \"{}\"", want.test) : "holdout = 1000"),
                               "test.toml");
  const Dataset d = make_data_source(p)->load(nullptr);
  EXPECT_EQ(d.features, want.features);
  int64_t records = d.train.count, entries = static_cast<int64_t>(d.train.sparse.value.size()), empty = 0;
  std::vector<int64_t> count(2);
  for (const int32_t l : d.train.labels) ++count[l];
  if (!want.test[0]) {
    EXPECT_EQ(d.test.count, 1000);
    records += d.test.count, entries += static_cast<int64_t>(d.test.sparse.value.size());
    for (const int32_t l : d.test.labels) ++count[l];
  }
  EXPECT_EQ(records, want.records);
  EXPECT_EQ(entries, want.entries);
  EXPECT_EQ(count, (std::vector<int64_t>{want.low, want.high}));
  for (const float v : d.train.sparse.value) ASSERT_NEAR(v, want.value, 5e-6);
  for (int64_t i = 0; i < d.train.count; ++i) empty += d.train.sparse.begin[i] == d.train.sparse.begin[i + 1];
  EXPECT_EQ(empty > 0, std::string(want.name) == "w8a") << empty;
}

INSTANTIATE_TEST_SUITE_P(, PublishedLibsvm,
                         testing::Values(Published{"a9a", "a9a", "a9a.t", 32561, 123, 451592, 24720, 7841, 1},
                                         Published{"a9aTest", "a9a.t", "", 16281, 122, 225731, 12435, 3846, 1},
                                         Published{"w8a", "w8a", "w8a.t", 49749, 300, 579586, 48270, 1479, 1},
                                         Published{"mushrooms", "mushrooms", "", 8124, 112, 170604, 3916, 4208, 1},
                                         Published{"phishing", "phishing", "", 11055, 68, 331650, 4898, 6157, 0.18257}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace orrery
