#include "kernels/core/npy.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "tests/datasets/files.hpp"

namespace orrery {
namespace {

using test::complaint;

class Npy : public testing::Test {
 protected:
  std::string at(const std::string& name) const { return dir_.path(name); }
  // a .npy file of this header dictionary and as many zero bytes
  std::string file(const std::string& header, size_t bytes, char version = 1) const {
    std::string padded = header;
    padded.append(64 - (10 + header.size() + 1) % 64, ' ') += '\n';
    std::string all = "\x93NUMPY";
    all += version;
    all += '\0';
    all += static_cast<char>(padded.size() & 0xff);
    all += static_cast<char>(padded.size() >> 8);
    test::write_text(at("x.npy"), all + padded + std::string(bytes, '\0'));
    return at("x.npy");
  }
  test::TempDir dir_;
};

TEST_F(Npy, RoundTripsBothTypesAndAllShapes) {
  const std::vector<std::vector<int64_t>> shapes{{6}, {2, 3}, {1, 6}, {3, 1, 2}, {0}, {4, 0}, {}};
  for (const auto& shape : shapes) {
    size_t count = 1;
    for (int64_t n : shape) count *= static_cast<size_t>(n);
    std::vector<double> values{0.1, -0.0, 1e300, std::numeric_limits<double>::denorm_min(), -3, HUGE_VAL};
    std::vector<float> singles{0.1f, -0.0f, 1e30f, std::numeric_limits<float>::denorm_min(), -3, HUGE_VALF};
    values.resize(count), singles.resize(count);
    write_npy(at("d.npy"), shape, values);
    write_npy(at("f.npy"), shape, singles);
    const NpyArray d = read_npy(at("d.npy")), f = read_npy(at("f.npy"));
    EXPECT_EQ(d.shape, shape);
    EXPECT_EQ(f.shape, shape);
    ASSERT_EQ(d.values.size(), count);
    ASSERT_EQ(f.values.size(), count);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(std::memcmp(&d.values[i], &values[i], 8), 0) << i;
      EXPECT_EQ(f.values[i], static_cast<double>(singles[i])) << i;
    }
    EXPECT_EQ(test::read_bytes(at("f.npy")).size() % 64, 4 * count % 64) << "the data do not begin at a multiple of 64";
  }
}

// Byte for byte what numpy.save writes of numpy.array([[1.5], [-2.0]], dtype=numpy.float32).
TEST_F(Npy, WritesWhatNumpyWrites) {
  write_npy(at("x.npy"), {2, 1}, std::vector<float>{1.5f, -2.0f});
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }";
  header.append(117 - header.size(), ' ') += '\n';
  const std::string want = std::string("\x93NUMPY\x01\0\x76\0", 10) + header + std::string("\0\0\xc0\x3f\0\0\0\xc0", 8);
  const auto got = test::read_bytes(at("x.npy"));
  EXPECT_EQ(std::string(got.begin(), got.end()), want);
}

TEST_F(Npy, ReadsOneDimensionAndNone) {
  EXPECT_EQ(read_npy(file("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", 24)).shape,
            std::vector<int64_t>{3});
  EXPECT_EQ(read_npy(file("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", 8)).values,
            std::vector<double>{0});
}

TEST_F(Npy, NamesWhatIsWrong) {
  const auto refused = [&](const std::string& path, const std::string& part) {
    const std::string message = complaint<DataError>([&] { read_npy(path); });
    EXPECT_EQ(message.rfind(path + ": ", 0), 0u) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_NE(message.find("; "), std::string::npos) << "names no remedy: " << message;
  };
  const std::string good = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }";
  refused(at("none.npy"), "cannot be read");
  test::write_text(at("empty.npy"), "");
  refused(at("empty.npy"), "is no .npy file");
  test::write_text(at("text.npy"), "these are not the numbers that you look for");
  refused(at("text.npy"), "is no .npy file");
  refused(file(good, 48, 2), "version 1.0");
  refused(file(good, 47), "promises 6 values, but 47 bytes follow");
  refused(file(good, 49), "promises 6 values, but 49 bytes follow");
  refused(file(good, 24), "promises 6 values, but 24 bytes follow");
  refused(file("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }", 48), "Fortran order");
  refused(file("{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }", 48), "holds '<i8'");
  refused(file("{'descr': '>f8', 'fortran_order': False, 'shape': (2, 3), }", 48), "holds '>f8'");
  refused(file("{'descr': '<f8', 'fortran_order': False, }", 48), "header that cannot be read");
  refused(file("{'fortran_order': False, 'shape': (2, 3), }", 48), "header that cannot be read");
  // a header that is longer than the file, and one that is longer than any
  test::write_text(at("cut.npy"), std::string("\x93NUMPY\x01\0\x76\0{'descr'", 18));
  refused(at("cut.npy"), "header that cannot be read");
  std::string ones;
  for (int i = 0; i < 20000; ++i) ones += "1, ";
  refused(file("{'descr': '<f8', 'fortran_order': False, 'shape': (" + ones + "), }", 8), "header that cannot be read");
}

// A file may not ask for memory that its size does not cover, however its shape overflows.
TEST_F(Npy, RefusesImpossibleShapes) {
  for (const char* shape :
       {"(1000000000000,)", "(99999999999999999999,)", "(4294967296, 4294967296)", "(1073741824, 1073741824)",
        "(1073741824, 1073741824, 1073741824)", "(2305843009213693952,)", "(3000000000, 2)"})
    for (const char* type : {"<f4", "<f8"}) {
      const std::string header =
          std::string("{'descr': '") + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
      const std::string path = file(header, 64);
      EXPECT_NE(complaint<DataError>([&] { read_npy(path); }), "") << shape;
    }
}

TEST_F(Npy, RefusesShapesThatAreNoShapes) {
  for (const char* shape : {"(-6,)", "(-2, -3)", "(6.0,)", "(0x6,)", "(six, 6)"}) {
    const std::string path =
        file(std::string("{'descr': '<f8', 'fortran_order': False, 'shape': ") + shape + ", }", 48);
    EXPECT_THROW(read_npy(path), DataError) << shape;
  }
  // digits of anything but sizes: 6.0 could pass as (6, 0), 0x6 as (0, 6)
  for (const char* shape : {"(6.0,)", "(0x6,)"}) {
    const std::string path = file(std::string("{'descr': '<f8', 'fortran_order': False, 'shape': ") + shape + ", }", 0);
    EXPECT_THROW(read_npy(path), DataError) << shape;
  }
}

// Every stored type at its extremes.
TEST_F(Npy, ReadsIntegersAsTheyAreStored) {
  const auto read = [&](const std::string& type, const std::string& bytes) {
    const std::string path = file("{'descr': '" + type + "', 'fortran_order': False, 'shape': (2,), }", 0);
    test::write_text(path, test::read_text(path) + bytes);
    const NpyBytes a = read_npy_bytes(path, "ui");
    EXPECT_EQ(a.shape, std::vector<int64_t>{2});
    EXPECT_EQ(a.count(), 2);
    for (int64_t i = 0; i < 2; ++i) EXPECT_EQ(a.number(i), static_cast<double>(a.integer(i))) << type;
    return std::vector<int64_t>{a.integer(0), a.integer(1)};
  };
  using V = std::vector<int64_t>;
  EXPECT_EQ(read("|u1", "\x07\xff"), (V{7, 255}));
  EXPECT_EQ(read("|i1", "\x80\x7f"), (V{-128, 127}));
  EXPECT_EQ(read("<u2", std::string("\x01\0\xff\xff", 4)), (V{1, 65535}));
  EXPECT_EQ(read("<i2", std::string("\0\x80\xff\xff", 4)), (V{-32768, -1}));
  EXPECT_EQ(read("<u4", std::string("\0\0\0\x80\xff\xff\xff\xff", 8)), (V{2147483648, 4294967295}));
  EXPECT_EQ(read("<i4", std::string("\0\0\0\x80\xff\xff\xff\xff", 8)), (V{-2147483648, -1}));
  EXPECT_EQ(read("<i8", std::string("\x05\0\0\0\0\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff", 16)), (V{5, -2}));
  EXPECT_EQ(read("<u8", std::string("\x05\0\0\0\0\0\0\0\x06\0\0\0\0\0\0\0", 16)), (V{5, 6}));
  const auto refused = [&](const std::string& type, const std::string& kinds) {
    const std::string path = file("{'descr': '" + type + "', 'fortran_order': False, 'shape': (1,), }", 8);
    return complaint<DataError>([&] { read_npy_bytes(path, kinds); });
  };
  EXPECT_NE(refused("<f8", "ui").find("holds '<f8'; save it as integers"), std::string::npos);
  EXPECT_NE(refused("<c8", "fui").find("holds '<c8'; save it as uint8, float32 or float64"), std::string::npos);
  EXPECT_NE(refused(">i4", "ui").find("holds '>i4'"), std::string::npos);
  EXPECT_NE(refused("|b1", "ui").find("holds '|b1'"), std::string::npos);
}

TEST_F(Npy, SaysWhereItCannotWrite) {
  const std::string path = at("no/such/folder/x.npy");
  const std::string message = complaint<DataError>([&] { write_npy(path, {1}, std::vector<double>{1}); });
  EXPECT_EQ(message.rfind(path + ": ", 0), 0u) << message;
  if (std::filesystem::exists("/dev/full")) {  // a full disk
    EXPECT_THROW(write_npy("/dev/full", {1}, std::vector<double>{1}), DataError);
    EXPECT_THROW(write_npy("/dev/full", {100000}, std::vector<double>(100000)), DataError);
  }
}

}  // namespace
}  // namespace orrery
