#include "datasets/libsvm_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <type_traits>

#include "datasets/gz_file.hpp"

namespace orrery {
namespace {

constexpr int64_t kChunk = int64_t{1} << 20;
constexpr size_t kLongestLine = size_t{64} << 20;
constexpr int64_t kMostSamples = (int64_t{1} << 31) - 1, kMostEntries = int64_t{1} << 31;
constexpr int64_t kLargestIndex = std::numeric_limits<int32_t>::max();

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// A piece of the file for a message: short, printable.
std::string quoted(std::string_view piece) {
  std::string out;
  for (const char c : piece.substr(0, 30)) out += c >= 32 && c < 127 ? c : '?';
  return "\"" + out + (piece.size() > 30 ? "..." : "") + "\"";
}

// The whole text as a number; a double too large becomes infinite, one too small 0.
template <class T>
bool whole_number(std::string_view text, T* value, std::errc* why) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  *why = error;
  if (text.empty() || end != text.data() + text.size()) return false;
  if constexpr (std::is_same_v<T, double>)
    if (error == std::errc::result_out_of_range) *value = std::strtod(std::string(text).c_str(), nullptr);
  return error == std::errc{} || (error == std::errc::result_out_of_range && std::is_same_v<T, double>);
}

class Parser {
 public:
  Parser(const std::string& path, int64_t features) : path_(path), features_(features) {
    out_.samples.sparse.begin.push_back(0);
  }

  void line(std::string_view text) {
    ++line_;
    if (const auto comment = text.find('#'); comment != std::string_view::npos) text = text.substr(0, comment);
    rest_ = text;
    const std::string_view first = word();
    if (first.empty()) return;
    label(first);
    int64_t before = 0;
    for (std::string_view w = word(); !w.empty(); w = word()) entry(w, &before);
    Samples& s = out_.samples;
    s.features = std::max(s.features, before);
    s.sparse.begin.push_back(static_cast<int64_t>(s.sparse.value.size()));
    if (++s.count > kMostSamples || s.sparse.begin.back() > kMostEntries)
      fail(fmt::format("is past {} samples or {} entries", kMostSamples, kMostEntries), "split the file");
  }

  void too_long() {
    ++line_;
    fail(fmt::format("is longer than {} MiB", kLongestLine >> 20), "check that this is a file in LIBSVM text format");
  }

  LibsvmFile finish() {
    if (out_.samples.count == 0)
      throw DataError(fmt::format("{}: holds no samples; give a file with lines \"label index:value ...\"", path_));
    // In ascending order of the labels.
    if (out_.labels.size() == 2 && out_.labels[0] > out_.labels[1]) {
      std::swap(out_.labels[0], out_.labels[1]);
      std::swap(out_.label_at[0], out_.label_at[1]);
      for (auto& l : out_.samples.labels) l = 1 - l;
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(const std::string& wrong, const std::string& remedy) const {
    throw DataError(fmt::format("{}:{}: {}; {}", path_, line_, wrong, remedy));
  }

  std::string_view word() {
    size_t from = 0;
    while (from < rest_.size() && blank(rest_[from])) ++from;
    size_t to = from;
    while (to < rest_.size() && !blank(rest_[to])) ++to;
    const std::string_view w = rest_.substr(from, to - from);
    rest_.remove_prefix(to);
    return w;
  }

  void label(std::string_view text) {
    double value = 0;
    std::errc why;
    if (!whole_number(text, &value, &why) || !std::isfinite(value))
      fail(fmt::format("the label {} is not a number", quoted(text)), "begin every line with one label, as +1 or -1");
    auto& known = out_.labels;
    const auto at = std::find(known.begin(), known.end(), value);
    out_.samples.labels.push_back(static_cast<int32_t>(at - known.begin()));
    if (at != known.end()) return;
    if (known.size() == 2)
      fail(fmt::format("{} is a third label, after {} (line {}) and {} (line {})", value, known[0], out_.label_at[0],
                       known[1], out_.label_at[1]),
           "give a set of two classes");
    known.push_back(value);
    out_.label_at.push_back(line_);
  }

  void entry(std::string_view text, int64_t* before) {
    std::errc why;
    const auto colon = text.find(':');
    if (colon == std::string_view::npos)
      fail(fmt::format("{} has no ':'", quoted(text)), "write every feature as index:value");

    // The index.
    int64_t index = 0;
    const std::string_view left = text.substr(0, colon), right = text.substr(colon + 1);
    if (!whole_number(left, &index, &why) && why != std::errc::result_out_of_range)
      fail(fmt::format("the index {} is not an integer", quoted(left)), "write every feature as index:value");
    if (why == std::errc::result_out_of_range || index > kLargestIndex)
      fail(fmt::format("index {} is too large", quoted(left)), fmt::format("indices go up to {}", kLargestIndex));
    if (index < 1) fail(fmt::format("index {} is not positive", index), "indices count from 1");
    if (index == *before) fail(fmt::format("index {} stands twice", index), "keep one of the two");
    if (index < *before)
      fail(fmt::format("index {} comes after {}", index, *before), "sort the features of every line by index");
    if (features_ > 0 && index > features_)
      fail(fmt::format("index {} is above data.features = {}", index, features_), "raise data.features or remove it");
    *before = index;

    // The value.
    double value = 0;
    if (!whole_number(right, &value, &why))
      fail(fmt::format("the value {} of index {} is not a number", quoted(right), index),
           "write every feature as index:value");
    if (!std::isfinite(value) || std::abs(value) > std::numeric_limits<float>::max())
      fail(fmt::format("the value {} of index {} is not finite in single precision", quoted(right), index),
           "correct or rescale it");
    if (static_cast<float>(value) == 0) return;
    out_.samples.sparse.column.push_back(static_cast<int32_t>(index - 1));
    out_.samples.sparse.value.push_back(static_cast<float>(value));
  }

  const std::string& path_;
  int64_t features_, line_ = 0;
  std::string_view rest_;
  LibsvmFile out_;
};

}  // namespace

LibsvmFile read_libsvm(const std::string& path, int64_t features) {
  GzFile file(path);
  Parser parser(path, features);
  std::string text;  // what was read and not parsed: less than a line, then a chunk
  while (true) {
    const size_t kept = text.size();
    text.resize(kept + kChunk);
    text.resize(kept + static_cast<size_t>(file.read(text.data() + kept, kChunk)));
    const bool end = text.size() == kept;
    size_t from = 0, search = kept;
    for (size_t to; (to = text.find('\n', search)) != std::string::npos; from = search = to + 1)
      parser.line(std::string_view(text).substr(from, to - from));
    text.erase(0, from);
    if (text.size() > kLongestLine) parser.too_long();
    if (!end) continue;
    if (!text.empty()) parser.line(text);
    return parser.finish();
  }
}

}  // namespace orrery
