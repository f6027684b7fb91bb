#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "datasets/dataset.hpp"
#include "kernels/core/npy.hpp"
#include "tests/datasets/files.hpp"

namespace orrery {
namespace {

using test::complaint;

class NpySource : public testing::Test {
 protected:
  template <class T>
  void save(const std::string& name, const std::string& type, const std::string& shape, const std::vector<T>& values) {
    std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", type, shape);
    header.append(64 - (11 + header.size()) % 64, ' ') += '\n';
    std::string bytes("\x93NUMPY\x01\0", 8);
    bytes += static_cast<char>(header.size() & 255);
    bytes += static_cast<char>(header.size() >> 8);
    bytes += header;
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    test::write_text(dir_.path(name), bytes);
  }
  Dataset load(const std::string& toml, const std::string& files = both) const {
    Params p =
        Params::from_text("name = \"npy\"\npath = \"" + dir_.path() + "\"\n" + files + toml, dir_.path("test.toml"));
    const auto source = make_data_source(p);
    p.require_all_read();
    return source->load(nullptr);
  }
  void SetUp() override {
    save<uint8_t>("x.npy", "|u1", "(4, 2, 3)",
                  {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25, 30, 31, 32, 33, 34, 255});
    save<int64_t>("y.npy", "<i8", "(4,)", {0, 2, 1, 2});
    save<uint8_t>("tx.npy", "|u1", "(2, 2, 3)", {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2});
    save<uint8_t>("ty.npy", "|u1", "(2,)", {3, 0});
  }
  static constexpr const char* both =
      "train_x = \"x.npy\"\ntrain_y = \"y.npy\"\ntest_x = \"tx.npy\"\ntest_y = \"ty.npy\"\n";
  static constexpr const char* train = "train_x = \"x.npy\"\ntrain_y = \"y.npy\"\n";
  test::TempDir dir_;
};

TEST_F(NpySource, BytesStayBytes) {
  const Dataset d = load("");
  EXPECT_EQ(d.features, 6);
  EXPECT_EQ(d.image_rows, 2);
  EXPECT_EQ(d.image_cols, 3);
  EXPECT_EQ(d.classes, 4);  // the largest label is in the test set
  EXPECT_EQ(d.train.count, 4);
  EXPECT_EQ(d.train.bytes[23], 255);
  EXPECT_EQ(d.train.labels, (std::vector<int32_t>{0, 2, 1, 2}));
  EXPECT_EQ(d.test.bytes, (test::Bytes{9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2}));
  EXPECT_EQ(d.test.labels, (std::vector<int32_t>{3, 0}));
  EXPECT_DOUBLE_EQ(d.scale, 1.0 / 255);
  EXPECT_EQ(load("classes = 7\n").classes, 7);
}

TEST_F(NpySource, NumbersBecomeFloats) {
  save<float>("x.npy", "<f4", "(3, 2)", {0.5f, -1, 2, 3, 4, 5e30f});
  save<int8_t>("y.npy", "|i1", "(3,)", {1, 0, 1});
  const Dataset d = load("holdout = 1\n", train);
  EXPECT_EQ(d.train.values, (std::vector<float>{0.5f, -1, 2, 3}));
  EXPECT_EQ(d.test.values, (std::vector<float>{4, 5e30f}));
  EXPECT_EQ(d.test.labels, std::vector<int32_t>{1});
  EXPECT_EQ(d.classes, 2);
  EXPECT_EQ(d.image_rows, 0);
  EXPECT_EQ(d.scale, 1);
  save<double>("x.npy", "<f8", "(3, 2)", {0.1, -1, 2, 3, 4, 5});
  EXPECT_EQ(load("holdout = 1\n", train).train.values, (std::vector<float>{0.1f, -1, 2, 3}));
}

TEST_F(NpySource, FilesStandBesideTheExperimentOrInPath) {
  Params p = Params::from_text(std::string("name = \"npy\"\n") + both, dir_.path("test.toml"));
  const Dataset d = make_data_source(p)->load(nullptr);
  EXPECT_EQ(d.origin, dir_.path("x.npy"));
  EXPECT_EQ(p.text("test_y", std::nullopt), dir_.path("ty.npy"));  // resolved: it can be run again from elsewhere
  Params gone = Params::from_text(
      "name = \"npy\"\ntrain_x = \"no.npy\"\ntrain_y = \"y.npy\"\nholdout = 1\n"
      "fallback = \"glyphs\"\nlimit_train = 5",
      dir_.path("test.toml"));
  std::string notice;
  EXPECT_EQ(make_data_source(gone)->load(&notice).name, "glyphs");
  EXPECT_NE(notice.find("no.npy was not found; using glyphs instead"), std::string::npos) << notice;
}

TEST_F(NpySource, BadFilesAreNamed) {
  const auto refused = [&](const std::string& toml, const std::string& files, const std::string& file,
                           const std::string& says) {
    const std::string message = complaint<DataError>([&] { load(toml, files); });
    EXPECT_TRUE(message.starts_with(dir_.path(file) + ": ")) << message;
    EXPECT_NE(message.find(says), std::string::npos) << message;
    EXPECT_NE(message.find("; "), std::string::npos) << message;
  };
  refused("holdout = 4\n", train, "x.npy", "data.holdout = 4 leaves no training sample of the 4");
  refused("classes = 2\n", both, "y.npy", "label 2 of sample 1 is outside 0..1; raise data.classes");
  save<int32_t>("ty.npy", "<i4", "(2,)", {0, -1});
  refused("", both, "ty.npy", "label -1 of sample 1 is outside 0..999999; number the classes from 0");
  save<uint64_t>("ty.npy", "<u8", "(2,)", {0, ~uint64_t{0}});
  refused("", both, "ty.npy", "of sample 1 is outside 0..999999");
  save<int32_t>("ty.npy", "<i4", "(3,)", {0, 1, 2});
  refused("", both, "ty.npy", "holds 3 labels for the 2 samples of");
  save<int32_t>("ty.npy", "<i4", "(2, 1)", {0, 1});
  refused("", both, "ty.npy", "has shape (2, 1); give labels (n)");
  save<float>("ty.npy", "<f4", "(2,)", {0, 1});
  refused("", both, "ty.npy", "holds '<f4'; save it as integers");
  save<uint8_t>("ty.npy", "|u1", "(2,)", {0, 1});
  save<uint8_t>("tx.npy", "|u1", "(2, 3, 2)", test::Bytes(12));
  refused("", both, "tx.npy", "holds samples of 3 x 2 features, but");
  save<uint8_t>("tx.npy", "|u1", "(2, 5)", test::Bytes(10));
  refused("", both, "tx.npy", "holds samples of 5 features, but");
  save<float>("tx.npy", "<f4", "(2, 2, 3)", std::vector<float>(12));
  refused("", both, "tx.npy", "of which one is uint8; save both in one type");
  save<uint8_t>("tx.npy", "|u1", "(12,)", test::Bytes(12));
  refused("", both, "tx.npy", "has shape (12); give samples (n, d) or images");
  save<uint8_t>("tx.npy", "|u1", "(0, 6)", {});
  refused("", both, "tx.npy", "has shape (0, 6), which holds nothing");
  save<uint8_t>("tx.npy", "|u1", "(1000000, 1000000)", test::Bytes(12));
  refused("", both, "tx.npy", "promises 1000000000000 values, but 12 bytes follow");
  save<uint16_t>("tx.npy", "<u2", "(2, 2, 3)", std::vector<uint16_t>(12));
  refused("", both, "tx.npy", "holds integers of 2 bytes; save it as uint8");
  save<float>("x.npy", "<f4", "(4, 1)", {0, 1, std::numeric_limits<float>::quiet_NaN(), 2});
  refused("holdout = 1\n", train, "x.npy", "feature 0 of sample 2 is not finite");
  save<double>("x.npy", "<f8", "(4, 1)", {0, 1e39, 1, 2});
  refused("holdout = 1\n", train, "x.npy", "feature 0 of sample 1 is not finite in single precision");
}

TEST_F(NpySource, BadKeysAreNamedWithTheirLine) {
  const struct {
    const char *files, *toml, *says;
  } cases[] = {
      {"", "train_x = \"x.npy\"", "train_y: is missing"},
      {train, "", ":3: train_x: comes without test samples; give data.test_x"},
      {train, "test_y = \"ty.npy\"", ":5: test_y: comes without data.test_x; give both"},
      {both, "holdout = 1", ":7: holdout: stands beside data.test_x"},
      {both, "classes = 1", ":7: classes: 1 is out of range"},
      {"", "train_x = \"\"\ntrain_y = \"y.npy\"", ":3: train_x: is empty"},
      {both, "fallback = \"npy\"", ":7: fallback: npy needs keys of its own"},
  };
  for (const auto& c : cases) {
    const std::string message = complaint<ExperimentError>([&] { load(c.toml, c.files); });
    EXPECT_NE(message.find(c.says), std::string::npos) << c.files << c.toml << "\n" << message;
  }
}

}  // namespace
}  // namespace orrery
