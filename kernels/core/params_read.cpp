// Values by key: types, ranges, arrays, files.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "kernels/core/params_document.hpp"
#include "kernels/core/registry.hpp"

namespace orrery {
namespace {

std::string describe(const Range& r, bool whole) {
  const auto show = [&](double v) {
    return whole ? fmt::format("{}", static_cast<int64_t>(v)) : fmt::format("{:g}", v);
  };
  const bool low = std::isfinite(r.min), high = std::isfinite(r.max);
  if (low && high)
    return fmt::format("{} {} and {} {}", r.min_open ? "above" : "at least", show(r.min),
                       r.max_open ? "below" : "at most", show(r.max));
  if (low) return fmt::format("{} {}", r.min_open ? "above" : "at least", show(r.min));
  return fmt::format("{} {}", r.max_open ? "below" : "at most", show(r.max));
}

bool inside(double v, const Range& r) {
  return (r.min_open ? v > r.min : v >= r.min) && (r.max_open ? v < r.max : v <= r.max);
}

double checked(const Params& p, const std::string& key, double v, const Range& r, bool whole = false) {
  if (!std::isfinite(v)) p.fail(key, "is not a finite number; give a finite one");
  if (!inside(v, r)) p.fail(key, fmt::format("{:g} is out of range; give a value that is {}", v, describe(r, whole)));
  return v;
}

template <class T>
toml::array as_array(const std::vector<T>& values) {
  toml::array a;
  for (const auto& v : values) a.push_back(v);
  return a;
}

}  // namespace

bool Params::has(const std::string& key) const {
  document_->asked[node_].insert(key);
  return table_of(node_).contains(key);
}
bool Params::is_text(const std::string& key) const { return has(key) && table_of(node_).get(key)->is_string(); }
bool Params::is_number(const std::string& key) const { return has(key) && table_of(node_).get(key)->is_number(); }
bool Params::is_array(const std::string& key) const { return has(key) && table_of(node_).get(key)->is_array(); }
bool Params::is_table(const std::string& key) const { return has(key) && table_of(node_).get(key)->is_table(); }
bool Params::is_nested_array(const std::string& key) const {
  if (!is_array(key)) return false;
  const auto& a = *table_of(node_).get(key)->as_array();
  return !a.empty() && a.get(0)->is_array();
}

namespace {

int64_t whole_number(const Params& p, const std::string& key, const toml::node& n) {
  if (const auto v = n.value_exact<int64_t>()) return *v;
  fail_type(p, key, "an integer", n);
}
double real_number(const Params& p, const std::string& key, const toml::node& n) {
  if (n.is_number()) return *n.value<double>();
  fail_type(p, key, "a number", n);
}

// Reads an array of T; `one` turns a node into a T.
template <class T, class One>
std::vector<T> read_array(const Params& p, const std::string& key, toml::node* n, const std::string& wanted, One one) {
  if (!n) p.fail_missing(key, wanted);
  if (!n->is_array()) fail_type(p, key, wanted, *n);
  std::vector<T> out;
  for (const auto& e : *n->as_array()) out.push_back(one(e));
  if (out.empty()) p.fail(key, fmt::format("is empty; give {}", wanted));
  return out;
}

}  // namespace

double Params::number(const std::string& key, std::optional<double> fallback, Range range) {
  const auto* n = read_node(*document_, node_, key);
  if (!n) {
    if (!fallback) fail_missing(key, "a number");
    table_of(node_).insert(key, *fallback);
    return *fallback;
  }
  return checked(*this, key, real_number(*this, key, *n), range);
}

int64_t Params::integer(const std::string& key, std::optional<int64_t> fallback, Range range) {
  const auto* n = read_node(*document_, node_, key);
  if (!n) {
    if (!fallback) fail_missing(key, "an integer");
    table_of(node_).insert(key, *fallback);
    return *fallback;
  }
  const int64_t v = whole_number(*this, key, *n);
  checked(*this, key, static_cast<double>(v), range, true);
  return v;
}

bool Params::flag(const std::string& key, std::optional<bool> fallback) {
  const auto* n = read_node(*document_, node_, key);
  if (!n) {
    if (!fallback) fail_missing(key, "true or false");
    table_of(node_).insert(key, *fallback);
    return *fallback;
  }
  if (const auto v = n->value_exact<bool>()) return *v;
  fail_type(*this, key, "true or false", *n);
}

std::string Params::text(const std::string& key, std::optional<std::string> fallback) {
  const auto* n = read_node(*document_, node_, key);
  if (!n) {
    if (!fallback) fail_missing(key, "a string");
    table_of(node_).insert(key, *fallback);
    return *fallback;
  }
  if (const auto v = n->value_exact<std::string>()) return *v;
  fail_type(*this, key, "a string", *n);
}

std::string Params::choice(const std::string& key, std::optional<std::string> fallback,
                           const std::vector<std::string>& known) {
  if (!has(key) && !fallback) {
    std::string all;
    for (const std::string& k : known) all += (all.empty() ? "" : ", ") + k;
    fail_missing(key, "one of " + all);
  }
  const std::string v = text(key, std::move(fallback));
  if (std::find(known.begin(), known.end(), v) == known.end()) fail_unknown(*this, key, v, known);
  return v;
}

std::vector<double> Params::numbers(const std::string& key, Range range) {
  return read_array<double>(
      *this, key, read_node(*document_, node_, key), "an array of numbers",
      [&](const toml::node& n) { return checked(*this, key, real_number(*this, key, n), range); });
}

std::vector<int64_t> Params::integers(const std::string& key, Range range) {
  return read_array<int64_t>(*this, key, read_node(*document_, node_, key), "an array of integers",
                             [&](const toml::node& n) {
                               const int64_t v = whole_number(*this, key, n);
                               checked(*this, key, static_cast<double>(v), range, true);
                               return v;
                             });
}

std::vector<std::string> Params::texts(const std::string& key, std::optional<std::vector<std::string>> fallback) {
  auto* n = read_node(*document_, node_, key);
  if (!n && fallback) {
    table_of(node_).insert(key, as_array(*fallback));
    return *fallback;
  }
  return read_array<std::string>(*this, key, n, "an array of strings", [&](const toml::node& e) {
    if (const auto v = e.value_exact<std::string>()) return *v;
    fail_type(*this, key, "an array of strings", e);
  });
}

std::vector<std::vector<double>> Params::number_rows(const std::string& key, Range range) {
  const std::string wanted = "an array of arrays of numbers";
  return read_array<std::vector<double>>(*this, key, read_node(*document_, node_, key), wanted,
                                         [&](const toml::node& row) {
                                           if (!row.is_array()) fail_type(*this, key, wanted, row);
                                           std::vector<double> out;
                                           for (const auto& n : *row.as_array())
                                             out.push_back(checked(*this, key, real_number(*this, key, n), range));
                                           return out;
                                         });
}

std::vector<std::vector<int64_t>> Params::integer_rows(const std::string& key, Range range) {
  const std::string wanted = "an array of arrays of integers";
  return read_array<std::vector<int64_t>>(*this, key, read_node(*document_, node_, key), wanted,
                                          [&](const toml::node& row) {
                                            if (!row.is_array()) fail_type(*this, key, wanted, row);
                                            std::vector<int64_t> out;
                                            for (const auto& n : *row.as_array()) {
                                              out.push_back(whole_number(*this, key, n));
                                              checked(*this, key, static_cast<double>(out.back()), range, true);
                                            }
                                            return out;
                                          });
}

std::vector<double> Params::cycled(const std::string& key, std::optional<double> fallback, int64_t n, Range range) {
  const std::vector<double> given =
      is_array(key) ? numbers(key, range) : std::vector<double>{number(key, fallback, range)};
  std::vector<double> out(static_cast<size_t>(n));
  for (size_t i = 0; i < out.size(); ++i) out[i] = given[i % given.size()];
  return out;
}

std::string Params::file_path(const std::string& key, std::optional<std::string> fallback) {
  const std::string given = text(key, std::move(fallback));
  if (given.empty()) return given;
  std::error_code ignored;
  const auto beside = std::filesystem::path(file()).parent_path() / given;
  const std::string found =
      std::filesystem::absolute(std::filesystem::exists(beside, ignored) ? beside : std::filesystem::path(given),
                                ignored)
          .lexically_normal()
          .string();
  // in place: the node keeps its line
  *table_of(node_).get(key)->as_string() = found;
  return found;
}

}  // namespace orrery
