#include "runtime/network/matrix_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "kernels/core/error.hpp"

namespace orrery {
namespace {

using Rows = std::vector<std::vector<double>>;
constexpr int64_t most_rows = 1 << 16;
constexpr const char* truncated = "it is truncated; write it again with numpy.save";

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw ExperimentError(fmt::format("cannot read a matrix from \"{}\": {}", path, what));
}

template <class T>
double element(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return static_cast<double>(value);
}

using Element = double (*)(const char*);
Element element_of(const std::string& descr) {  // nullptr: unknown
  static_assert(std::endian::native == std::endian::little);
  if (descr == "<f8") return element<double>;
  if (descr == "<f4") return element<float>;
  if (descr == "<i8") return element<int64_t>;
  if (descr == "<i4") return element<int32_t>;
  if (descr == "|i1") return element<int8_t>;
  if (descr == "|u1" || descr == "|b1") return element<uint8_t>;
  return nullptr;
}

// The value of a key in {'descr': '<f8', 'fortran_order': False, 'shape': (3, 3), }, without quotes; "" where it is
// absent.
std::string value_of(const std::string& header, const std::string& key) {
  const std::string start = "'" + key + "': ";
  const size_t at = header.find(start);
  if (at == std::string::npos) return "";
  const size_t first = at + start.size();
  if (header[first] == '\'') return header.substr(first + 1, header.find('\'', first + 1) - first - 1);
  if (header[first] == '(') return header.substr(first, header.find(')', first) - first + 1);
  return header.substr(first, header.find_first_of(",}", first) - first);
}

Rows from_npy(const std::string& path, const std::string& bytes) {
  // magic, version, length of the header (2 bytes in version 1, 4 later)
  if (bytes.size() < 12) fail(path, truncated);
  const int length_bytes = bytes[6] == 1 ? 2 : 4;
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 8, length_bytes);
  const size_t data = size_t{8} + length_bytes + length;
  if (bytes.size() < data) fail(path, truncated);
  const std::string header = bytes.substr(8 + length_bytes, length);

  const std::string descr = value_of(header, "descr"), shape = value_of(header, "shape");
  long long rows = -1, columns = -1;
  int end = 0;
  if (std::sscanf(shape.c_str(), "(%9lld, %9lld%n", &rows, &columns, &end) != 2 || rows < 1 || columns < 1 ||
      shape.substr(end) != ")")
    fail(path, "it holds no two-dimensional array of numbers; save one of shape (D, D)");
  if (rows > most_rows || columns > most_rows)
    fail(path, fmt::format("it has more than {} rows or columns; save one of shape (D, D)", most_rows));
  const Element value = element_of(descr);
  if (!value) fail(path, fmt::format("its type {} is not known; save it as float64", descr));
  const int64_t size = descr[2] - '0';
  if (bytes.size() < data + static_cast<size_t>(rows * columns * size)) fail(path, truncated);

  const bool fortran = value_of(header, "fortran_order") == "True";
  Rows result(rows, std::vector<double>(columns));
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      result[r][c] = value(bytes.data() + data + (fortran ? c * rows + r : r * columns + c) * size);
  return result;
}

Rows from_text(const std::string& path, const std::string& bytes) {
  constexpr std::string_view separators = " \t\r,;";
  Rows result;
  int64_t line_number = 0;
  for (size_t at = 0; at < bytes.size();) {
    const size_t end = std::min(bytes.find('\n', at), bytes.size());
    std::string_view line(bytes.data() + at, end - at);
    at = end + 1;
    ++line_number;
    line = line.substr(0, line.find('#'));

    std::vector<double> row;
    for (;;) {
      line.remove_prefix(std::min(line.find_first_not_of(separators), line.size()));
      if (line.empty()) break;
      const std::string_view word = line.substr(0, line.find_first_of(separators));
      double value = 0;
      const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), value);
      if (error != std::errc{} || stop != word.data() + word.size())
        fail(path, fmt::format("line {}: \"{}\" is not a number; write rows of numbers only", line_number,
                               word.substr(0, 20)));
      row.push_back(value);
      line.remove_prefix(word.size());
    }
    if (row.empty()) continue;
    if (!result.empty() && row.size() != result[0].size())
      fail(path, fmt::format("line {} has {} numbers and the rows before have {}; make all rows equally long",
                             line_number, row.size(), result[0].size()));
    result.push_back(std::move(row));
  }
  if (result.empty()) fail(path, "it holds no numbers; write one row a line");
  return result;
}

}  // namespace

std::vector<std::vector<double>> read_matrix(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::error_code ignored;
  if (!in || std::filesystem::is_directory(path, ignored))
    fail(path, "there is no such file that can be opened; give an existing path");
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  return bytes.starts_with("\x93NUMPY") ? from_npy(path, bytes) : from_text(path, bytes);
}

}  // namespace orrery
