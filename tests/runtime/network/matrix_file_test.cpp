#include "runtime/network/matrix_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "kernels/core/error.hpp"

namespace orrery {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string write(const std::string& name, const std::string& bytes) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "orrery_matrix_file";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / name, std::ios::binary) << bytes;
  return (folder / name).string();
}

template <class T>
std::string npy(const std::string& descr, const std::string& order, const std::string& shape,
                const std::vector<T>& values) {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
  header += std::string(63 - (10 + header.size()) % 64, ' ') + "\n";
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size() & 255) +
                      static_cast<char>(header.size() >> 8) + header;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return bytes;
}

std::string error_of(const std::string& path) {
  try {
    read_matrix(path);
  } catch (const ExperimentError& e) {
    return e.what();
  }
  return "no ExperimentError";
}

TEST(MatrixFile, TextMayUseCommasBlanksCommentsAndWindowsLineEnds) {
  EXPECT_THAT(read_matrix(write("a.csv", "# header\r\n1,0.5 ; -2e-3\r\n\r\n 0\t1 2 # end\r\n")),
              ElementsAre(ElementsAre(1, 0.5, -2e-3), ElementsAre(0, 1, 2)));
  EXPECT_THAT(read_matrix(write("b.txt", "1 2\n3 4")),
              ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4)));  // no newline at the end
}

TEST(MatrixFile, NpyOfEveryTypeAndOrder) {
  const auto expected = ElementsAre(ElementsAre(1, 0, 1), ElementsAre(0, 1, 0));
  EXPECT_THAT(read_matrix(write("f8.npy", npy<double>("<f8", "False", "(2, 3)", {1, 0, 1, 0, 1, 0}))), expected);
  EXPECT_THAT(read_matrix(write("f8t.npy", npy<double>("<f8", "True", "(2, 3)", {1, 0, 0, 1, 1, 0}))), expected);
  EXPECT_THAT(read_matrix(write("f4.npy", npy<float>("<f4", "False", "(2, 3)", {1, 0, 1, 0, 1, 0}))), expected);
  EXPECT_THAT(read_matrix(write("i8.npy", npy<int64_t>("<i8", "False", "(2, 3)", {1, 0, 1, 0, 1, 0}))), expected);
  EXPECT_THAT(read_matrix(write("i4.npy", npy<int32_t>("<i4", "False", "(2, 3)", {1, 0, 1, 0, 1, 0}))), expected);
  EXPECT_THAT(read_matrix(write("b1.npy", npy<uint8_t>("|b1", "False", "(2, 3)", {1, 0, 1, 0, 1, 0}))), expected);
}

TEST(MatrixFile, WhatCannotBeReadIsNamed) {
  EXPECT_THAT(error_of("/no/such/file"), HasSubstr("\"/no/such/file\": there is no such file"));
  EXPECT_THAT(error_of(write("empty.txt", "# nothing\n")), HasSubstr("holds no numbers"));
  EXPECT_THAT(error_of(write("word.txt", "1 2\n3 x4\n")), HasSubstr("line 2: \"x4\" is not a number"));
  EXPECT_THAT(error_of(write("ragged.txt", "1 2\n3\n")), HasSubstr("line 2 has 1 numbers and the rows before have 2"));
  EXPECT_THAT(error_of(write("flat.npy", npy<double>("<f8", "False", "(4,)", {1, 2, 3, 4}))),
              HasSubstr("no two-dimensional array"));
  EXPECT_THAT(error_of(write("none.npy", npy<double>("<f8", "False", "(0, 0)", {}))),
              HasSubstr("no two-dimensional array"));
  EXPECT_THAT(error_of(write("cube.npy", npy<double>("<f8", "False", "(1, 1, 1)", {1}))),
              HasSubstr("no two-dimensional array"));
  EXPECT_THAT(error_of(write("type.npy", npy<double>("<c16", "False", "(1, 1)", {1, 2}))),
              HasSubstr("type <c16 is not known"));
  const std::string whole = npy<double>("<f8", "False", "(2, 2)", {1, 2, 3, 4});
  for (const size_t size : {size_t{7}, size_t{11}, size_t{40}, whole.size() - 1})
    EXPECT_THAT(error_of(write("cut.npy", whole.substr(0, size))), HasSubstr("truncated")) << size;
  EXPECT_THAT(error_of(std::filesystem::path(testing::TempDir()).string()),
              HasSubstr("cannot read a matrix"));  // a folder
}

}  // namespace
}  // namespace orrery
