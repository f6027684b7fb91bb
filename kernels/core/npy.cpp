#include "kernels/core/npy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <regex>
#include <type_traits>

#include "kernels/core/error.hpp"

namespace orrery {
namespace {

constexpr char magic[] = "\x93NUMPY";
constexpr size_t longest_header = 4096;  // numpy's own for plain arrays are far shorter

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw DataError(fmt::format("{}: {}", path, what));
}

template <class T>
T value_at(const std::vector<uint8_t>& bytes, int64_t i) {
  T v;
  std::memcpy(&v, bytes.data() + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return v;
}

// f(T) of value i, T by kind and size.
template <class F>
auto visit(const NpyBytes& a, int64_t i, F&& f) {
  const bool sign = a.kind == 'i';
  if (a.kind == 'f') return a.size == 4 ? f(value_at<float>(a.bytes, i)) : f(value_at<double>(a.bytes, i));
  switch (a.size) {
    case 1: return sign ? f(value_at<int8_t>(a.bytes, i)) : f(value_at<uint8_t>(a.bytes, i));
    case 2: return sign ? f(value_at<int16_t>(a.bytes, i)) : f(value_at<uint16_t>(a.bytes, i));
    case 4: return sign ? f(value_at<int32_t>(a.bytes, i)) : f(value_at<uint32_t>(a.bytes, i));
    default: return sign ? f(value_at<int64_t>(a.bytes, i)) : f(value_at<uint64_t>(a.bytes, i));
  }
}

// Kind and size of "<f4", "|u1" and the like, where the kind is wanted; what to save it as, else.
void read_type(const std::string& path, const std::string& type, const std::string& kinds, NpyBytes* a) {
  static const std::regex known("(<f4|<f8|\\|[ui]1|<[ui][1248])");
  if (std::regex_match(type, known) && kinds.find(type[1]) != std::string::npos) {
    a->kind = type[1];
    a->size = type[2] - '0';
    return;
  }
  const char* wanted = kinds == "f"    ? "float32 or float64"
                       : kinds == "ui" ? "integers, as int64"
                                       : "uint8, float32 or float64";
  fail(path, fmt::format("holds '{}'; save it as {}", type, wanted));
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

double NpyBytes::number(int64_t i) const {
  return visit(*this, i, [](auto v) { return static_cast<double>(v); });
}

int64_t NpyBytes::integer(int64_t i) const {
  return visit(*this, i, [](auto v) {
    if constexpr (std::is_same_v<decltype(v), uint64_t>)
      return static_cast<int64_t>(std::min(v, static_cast<uint64_t>(std::numeric_limits<int64_t>::max())));
    else
      return static_cast<int64_t>(v);
  });
}

NpyBytes read_npy_bytes(const std::string& path, const std::string& kinds) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(path, "cannot be read; give the path of a .npy file");
  unsigned char head[10] = {};
  in.read(reinterpret_cast<char*>(head), 10);
  if (!in || std::memcmp(head, magic, 6) != 0 || head[6] != 1)
    fail(path, "is no .npy file of version 1.0; write it with numpy.save");
  std::string header(static_cast<size_t>(head[8] + 256 * head[9]), ' ');
  in.read(header.data(), static_cast<std::streamsize>(header.size()));
  std::smatch type, shape;
  if (!in || header.size() > longest_header || !std::regex_search(header, type, std::regex("'descr': *'([^']*)'")) ||
      !std::regex_search(header, shape, std::regex("'shape': *\\(([^)]*)\\)")))
    fail(path, "has a header that cannot be read; write it with numpy.save");
  if (header.find("'fortran_order': False") == std::string::npos)
    fail(path, "is in Fortran order; save numpy.ascontiguousarray(x)");
  NpyBytes a;
  read_type(path, type[1], kinds, &a);

  // the shape must be what the file's size says, before memory is asked for
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
  if (count * a.size != bytes)
    fail(path,
         fmt::format(
             "promises {} values, but {} bytes follow its header; the file is truncated or corrupt, write it again",
             count, bytes));
  a.bytes.resize(static_cast<size_t>(bytes));
  in.read(reinterpret_cast<char*>(a.bytes.data()), static_cast<std::streamsize>(bytes));
  if (!in) fail(path, "cannot be read to its end; write it again");
  return a;
}

NpyArray read_npy(const std::string& path) {
  const NpyBytes raw = read_npy_bytes(path, "f");
  NpyArray a{raw.shape, std::vector<double>(static_cast<size_t>(raw.count()))};
  for (int64_t i = 0; i < raw.count(); ++i) a.values[static_cast<size_t>(i)] = raw.number(i);
  return a;
}

void write_npy(const std::string& path, const std::vector<int64_t>& shape, const std::vector<float>& values) {
  write_values(path, shape, values, "<f4");
}
void write_npy(const std::string& path, const std::vector<int64_t>& shape, const std::vector<double>& values) {
  write_values(path, shape, values, "<f8");
}

}  // namespace orrery
