#include "datasets/idx.hpp"

#include <gtest/gtest.h>

#include "tests/datasets/files.hpp"

namespace orrery {
namespace {

using test::Bytes;
using test::complaint;
using test::idx;

class IdxTest : public testing::Test {
 protected:
  std::string at(const std::string& name) const { return dir_.path(name); }
  std::string write(const Bytes& content, const std::string& name = "images") const {
    test::write_bytes(at(name), content);
    return at(name);
  }
  test::TempDir dir_;
};

Bytes counting(size_t n) {
  Bytes b(n);
  for (size_t i = 0; i < n; ++i) b[i] = static_cast<uint8_t>(i * 7 + i / 251);
  return b;
}

TEST_F(IdxTest, ReadsPlainAndGzip) {
  const Bytes pixels = counting(3 * 2 * 5);
  const Bytes content = idx({2051, 3, 2, 5}, pixels);
  test::write_gz(at("packed.gz"), content);
  for (const std::string& path : {write(content), at("packed.gz")}) {
    const IdxImages images = read_idx_images(path);
    EXPECT_EQ(images.count, 3);
    EXPECT_EQ(images.rows, 2);
    EXPECT_EQ(images.cols, 5);
    EXPECT_EQ(images.pixels, pixels);
  }
}

// Past the size that is allocated unseen, and past several chunks: counted first, then read.
TEST_F(IdxTest, ReadsMoreThanIsTrustedUnseen) {
  const Bytes pixels = counting(70 * 1024 * 1024);
  test::write_gz(at("large.gz"), idx({2051, 70, 1024, 1024}, pixels));
  EXPECT_EQ(read_idx_images(at("large.gz")).pixels, pixels);
  EXPECT_EQ(read_idx_images(write(idx({2051, 70, 1024, 1024}, pixels))).pixels, pixels);
}

TEST_F(IdxTest, JoinsImagesAndLabels) {
  const std::string images = write(idx({2051, 3, 1, 2}, {1, 2, 3, 4, 5, 6}));
  const std::string labels = write(idx({2049, 3}, {1, 26, 3}), "labels");
  const IdxSamples s = read_idx_samples(images, labels, 26, /*first_label=*/1);
  EXPECT_EQ(s.samples.count, 3);
  EXPECT_EQ(s.samples.features, 2);
  EXPECT_EQ(s.samples.labels, (std::vector<int32_t>{0, 25, 2}));
  EXPECT_EQ(s.rows, 1);
  EXPECT_EQ(s.cols, 2);
}

// Every bad file: its content and what the message must say after "FILE: ".
TEST_F(IdxTest, NamesWhatIsWrongWithAnImageFile) {
  const struct {
    const char* name;
    Bytes content;
    std::vector<std::string> says;
  } cases[] = {
      {"empty", {}, {"is empty"}},
      {"half a magic number", {0, 0}, {"ends inside its header, after 2 of 16 bytes"}},
      {"half a header", {0, 0, 8, 3, 0, 0, 0, 1, 0}, {"ends inside its header, after 9 of 16 bytes"}},
      {"labels for images", idx({2049, 3}, {1, 2, 3}), {"magic number 2049, a file of labels", "2051", "swapped"}},
      {"another dimension count", idx({2052, 1, 1, 1, 1}, {1}), {"magic number 2052 (type 0x08, 4 dimensions)"}},
      {"another type", idx({0x0D03, 1, 1, 1}, {1}), {"type 0x0d, 3 dimensions"}},
      {"no IDX file", {'P', 'K', 3, 4, 5, 6, 7, 8}, {"which is no IDX file"}},
      {"truncated", idx({2051, 2, 2, 2}, counting(7)), {"promises 2 x 2 x 2 = 8 bytes, but the file holds 7"}},
      {"trailing bytes", idx({2051, 2, 2, 2}, counting(9)), {"promises 2 x 2 x 2 = 8 bytes, but the file holds 9"}},
      {"no images", idx({2051, 0, 28, 28}, {}), {"has size 0 x 28 x 28, which holds nothing"}},
      {"images of no rows", idx({2051, 5, 0, 28}, {}), {"has size 5 x 0 x 28, which holds nothing"}},
      {"a promise of 10^12 bytes",
       idx({2051, 1000000000, 25, 40}, counting(100)),
       {"= 1000000000000 bytes, but the file holds 100"}},
      {"a promise past 64 bits",
       idx({2051, 0xffffffff, 0xffffffff, 0xffffffff}, counting(5)),
       {"= 79228162458924105385300197375 bytes, but the file holds 5"}},
  };
  for (const auto& c : cases) {
    const std::string path = write(c.content);
    test::write_gz(at("images.gz"), c.content);
    for (const std::string& p : {path, at("images.gz")}) {
      const std::string message = complaint<DataError>([&] { read_idx_images(p); });
      EXPECT_EQ(message.rfind(p + ": ", 0), 0u) << c.name << ": " << message;
      for (const auto& part : c.says) EXPECT_NE(message.find(part), std::string::npos) << c.name << ": " << message;
      EXPECT_NE(message.find("; "), std::string::npos) << c.name << " names no remedy: " << message;
    }
  }
}

TEST_F(IdxTest, NamesTruncatedAndCorruptGzip) {
  Bytes noise(20000);
  uint32_t state = 1;
  for (auto& b : noise) b = static_cast<uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
  test::write_gz(at("whole.gz"), idx({2051, 20, 10, 100}, noise));
  const Bytes whole = test::read_bytes(at("whole.gz"));

  // cut within the data, and within the checksum at the end
  for (const size_t cut : {whole.size() / 2, whole.size() - 3}) {
    const std::string path = write(Bytes(whole.begin(), whole.begin() + static_cast<int64_t>(cut)), "cut.gz");
    EXPECT_EQ(complaint<DataError>([&] { read_idx_images(path); }),
              path + ": the compressed data is truncated; fetch the file again");
  }
  // the checksum itself, and a bit of the data
  for (const size_t place : {whole.size() - 6, whole.size() / 2}) {
    Bytes bad = whole;
    bad[place] ^= 0x10;
    const std::string path = write(bad, "bad.gz");
    const std::string message = complaint<DataError>([&] { read_idx_images(path); });
    EXPECT_EQ(message.rfind(path + ": the compressed data is corrupt (", 0), 0u) << message;
  }
}

TEST_F(IdxTest, NamesWhatIsWrongWithThePair) {
  const std::string images = write(idx({2051, 3, 1, 1}, {1, 2, 3}));
  const auto pair = [&](const Bytes& labels, int first) {
    const std::string path = write(labels, "labels");
    return complaint<DataError>([&] { read_idx_samples(images, path, 10, first); }).substr(path.size());
  };
  EXPECT_EQ(pair(idx({2049, 2}, {1, 2}), 0),
            ": holds 2 labels for the 3 images of " + images + "; take both files from the same set");
  EXPECT_EQ(pair(idx({2049, 3}, {1, 10, 2}), 0), ": label 10 of sample 1 is outside 0..9; fetch the file again");
  EXPECT_EQ(pair(idx({2049, 3}, {1, 2, 0}), 1), ": label 0 of sample 2 is outside 1..10; fetch the file again");
  EXPECT_NE(pair(idx({2049, 4}, {1, 2, 0}), 0).find("promises 4 = 4 bytes, but the file holds 3"), std::string::npos);
}

TEST_F(IdxTest, NamesAFileThatCannotBeRead) {
  EXPECT_NE(complaint<DataError>([&] { read_idx_images(at("absent")); }).find("absent: cannot be opened (No such file"),
            std::string::npos);
  EXPECT_NE(complaint<DataError>([&] { read_idx_images(dir_.path()); }).find("cannot be read (Is a directory)"),
            std::string::npos);
}

}  // namespace
}  // namespace orrery
