#include "cli/data_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "datasets/samples.hpp"

namespace orrery {
namespace {

constexpr int kMostClasses = 100;  // lines of the histogram

// Of the stored values: bytes, floats, or the entries of sparse rows.
struct Moments {
  int64_t count = 0, zeros = 0;
  double mean = 0, deviation = 0, least = 0, most = 0;
};

template <class T>
Moments moments(const std::vector<T>& values) {
  Moments m;
  m.count = static_cast<int64_t>(values.size());
  if (values.empty()) return m;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  m.least = static_cast<double>(*least);
  m.most = static_cast<double>(*most);
  double sum = 0, squares = 0;
  for (const T v : values) sum += static_cast<double>(v), m.zeros += v == 0;
  m.mean = sum / static_cast<double>(m.count);
  for (const T v : values) squares += (static_cast<double>(v) - m.mean) * (static_cast<double>(v) - m.mean);
  m.deviation = std::sqrt(squares / static_cast<double>(m.count));
  return m;
}

Moments moments(const Samples& s) {
  return !s.sparse.empty() ? moments(s.sparse.value) : !s.bytes.empty() ? moments(s.bytes) : moments(s.values);
}

std::string stored_as(const Samples& s) {
  return !s.sparse.empty() ? "sparse rows of float32" : !s.bytes.empty() ? "bytes" : "float32";
}

int64_t empty_rows(const Samples& s) {
  int64_t n = 0;
  for (int64_t i = 0; i < s.count; ++i)
    n += s.sparse.begin[static_cast<size_t>(i)] == s.sparse.begin[static_cast<size_t>(i + 1)];
  return n;
}

}  // namespace

std::string describe_dataset(const Dataset& d) {
  const Moments m[2] = {moments(d.train), moments(d.test)};
  std::string out;
  const auto line = [&](const std::string& key, const std::string& value) {
    out += fmt::format("{:<12} {}\n", key, value);
  };
  const auto row = [&](const std::string& key, const std::function<std::string(const Samples&, const Moments&)>& f) {
    out += fmt::format("{:<12} {:>12} {:>12}\n", key, f(d.train, m[0]), f(d.test, m[1]));
  };

  // The set.
  line("data set", d.name);
  line("from", d.origin);
  line("features", d.image_rows > 0 ? fmt::format("{} ({} x {})", d.features, d.image_rows, d.image_cols)
                                    : fmt::format("{}", d.features));
  line("classes", fmt::format("{}", d.classes));
  line("stored as", stored_as(d.train));
  line("used as", fmt::format("{:.9g} * stored {} {:.9g}", d.scale, d.shift < 0 ? "-" : "+", std::abs(d.shift)));

  // Its two parts.
  out += fmt::format("\n{:<12} {:>12} {:>12}\n", "", "training", "test");
  row("samples", [](const Samples& s, const Moments&) { return fmt::format("{}", s.count); });
  row("non-zero", [](const Samples& s, const Moments& of) {
    return fmt::format("{:.2f} %", 100.0 * static_cast<double>(of.count - of.zeros) /
                                       (static_cast<double>(s.count) * static_cast<double>(s.features)));
  });
  if (!d.train.sparse.empty()) {
    row("entries", [](const Samples&, const Moments& of) { return fmt::format("{}", of.count); });
    row("empty rows", [](const Samples& s, const Moments&) { return fmt::format("{}", empty_rows(s)); });
  }
  row("mean", [](const Samples&, const Moments& of) { return fmt::format("{:.6g}", of.mean); });
  row("deviation", [](const Samples&, const Moments& of) { return fmt::format("{:.6g}", of.deviation); });
  row("least", [](const Samples&, const Moments& of) { return fmt::format("{:.6g}", of.least); });
  row("most", [](const Samples&, const Moments& of) { return fmt::format("{:.6g}", of.most); });
  row("memory", [](const Samples& s, const Moments&) {
    return fmt::format("{:.2f} MiB", static_cast<double>(stored_bytes(s)) / (1 << 20));
  });
  out += "mean, deviation, least and most are of the stored values\n\n";

  // The labels.
  std::vector<int64_t> count[2] = {std::vector<int64_t>(static_cast<size_t>(d.classes)),
                                   std::vector<int64_t>(static_cast<size_t>(d.classes))};
  for (const int32_t l : d.train.labels) ++count[0][static_cast<size_t>(l)];
  for (const int32_t l : d.test.labels) ++count[1][static_cast<size_t>(l)];
  for (int c = 0; c < std::min(d.classes, kMostClasses); ++c)
    out += fmt::format("{:<12} {:>12} {:>12}\n", fmt::format("class {}", c), count[0][static_cast<size_t>(c)],
                       count[1][static_cast<size_t>(c)]);
  if (d.classes > kMostClasses) out += fmt::format("... and {} classes more\n", d.classes - kMostClasses);
  return out;
}

}  // namespace orrery
