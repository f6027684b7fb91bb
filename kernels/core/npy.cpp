#include "kernels/core/npy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>

#include "kernels/core/error.hpp"

namespace orrery {
namespace {

constexpr char magic[] = "\x93NUMPY";

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw DataError(fmt::format("{}: {}", path, what));
}

template <class T>
void read_values(std::istream& in, NpyArray& a) {
  std::vector<T> raw(a.values.size());
  in.read(reinterpret_cast<char*>(raw.data()), static_cast<std::streamsize>(raw.size() * sizeof(T)));
  for (size_t i = 0; i < raw.size(); ++i) a.values[i] = static_cast<double>(raw[i]);
}

template <class T>
void write_values(const std::string& path, const std::vector<int64_t>& shape, const std::vector<T>& values,
                  const char* type) {
  std::string dimensions = fmt::format("{}", fmt::join(shape, ", "));
  if (shape.size() == 1) dimensions += ",";
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type, dimensions);
  header.append(64 - (10 + header.size() + 1) % 64, ' ');  // data begins at a multiple of 64
  header += '\n';
  std::ofstream out(path, std::ios::binary);
  out.write(magic, 6);
  out.put(1).put(0).put(static_cast<char>(header.size() & 0xff)).put(static_cast<char>(header.size() >> 8));
  out << header;
  out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
  out.close();
  if (!out) fail(path, "cannot be written; free some space or choose another folder with --out");
}

}  // namespace

NpyArray read_npy(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(path, "cannot be read; give the path of a .npy file");
  unsigned char head[10] = {};
  in.read(reinterpret_cast<char*>(head), 10);
  if (!in || std::memcmp(head, magic, 6) != 0 || head[6] != 1)
    fail(path, "is no .npy file of version 1.0; write it with numpy.save");
  std::string header(static_cast<size_t>(head[8] + 256 * head[9]), ' ');
  in.read(header.data(), static_cast<std::streamsize>(header.size()));
  std::smatch type, shape;
  if (!in || !std::regex_search(header, type, std::regex("'descr': *'([^']*)'")) ||
      !std::regex_search(header, shape, std::regex("'shape': *\\(([^)]*)\\)")))
    fail(path, "has a header that cannot be read; write it with numpy.save");
  if (header.find("'fortran_order': False") == std::string::npos)
    fail(path, "is in Fortran order; save numpy.ascontiguousarray(x)");
  const bool single = type[1] == "<f4";
  if (!single && type[1] != "<f8") fail(path, fmt::format("holds '{}'; save it as float32 or float64", type[1].str()));

  // the shape must be what the file's size says, before memory is asked for
  NpyArray a;
  const std::string numbers = shape[1];
  if (!std::regex_match(numbers, std::regex(" *([0-9]+ *, *)*([0-9]+)? *")))
    fail(path, "has a shape that cannot be read; write it with numpy.save");
  const std::regex number("[0-9]+");
  int64_t count = 1;
  const int64_t bytes =
      static_cast<int64_t>(std::filesystem::file_size(path)) - 10 - static_cast<int64_t>(header.size());
  for (std::sregex_iterator it(numbers.begin(), numbers.end(), number), end; it != end; ++it) {
    if (it->str().size() > 15) fail(path, "has an impossible shape; write it with numpy.save");
    a.shape.push_back(std::stoll(it->str()));
    if (a.shape.back() != 0 && count > (int64_t{1} << 57) / a.shape.back())
      fail(path, "has an impossible shape; write it with numpy.save");
    count *= a.shape.back();
  }
  if (count * (single ? 4 : 8) != bytes)
    fail(path,
         fmt::format(
             "promises {} values, but {} bytes follow its header; the file is truncated or corrupt, write it again",
             count, bytes));
  a.values.resize(static_cast<size_t>(count));
  single ? read_values<float>(in, a) : read_values<double>(in, a);
  if (!in) fail(path, "cannot be read to its end; write it again");
  return a;
}

void write_npy(const std::string& path, const std::vector<int64_t>& shape, const std::vector<float>& values) {
  write_values(path, shape, values, "<f4");
}
void write_npy(const std::string& path, const std::vector<int64_t>& shape, const std::vector<double>& values) {
  write_values(path, shape, values, "<f8");
}

}  // namespace orrery
