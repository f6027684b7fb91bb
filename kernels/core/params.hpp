// Reading an experiment file, one table at a time. Every read is recorded: a key that nobody read is an error, with the nearest known key.
// Defaults are written back into the document, so that what is left after parsing is the resolved experiment.
//
// Errors are ExperimentError: "FILE:LINE: table.key: what is wrong; what to do".
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/core/error.hpp"

namespace orrery {

struct Document;  // the parsed file; toml++ stays inside params*.cpp

struct Range {
  double min = -std::numeric_limits<double>::infinity(), max = std::numeric_limits<double>::infinity();
  bool min_open = false, max_open = false;  // true: the bound itself is outside
};
constexpr Range at_least(double m) { return {.min = m}; }
constexpr Range above(double m) { return {.min = m, .min_open = true}; }
constexpr Range between(double a, double b) { return {.min = a, .max = b}; }

class Params {
 public:
  static Params from_file(const std::string& path);
  static Params from_text(const std::string& text,
                          const std::string& name);  // tests; `name` stands for the file in messages
  Params clone()
      const;  // the text parsed again with its --set overrides: nothing read, merged or removed yet; lines kept

  // Presence and type. None of these counts as a read.
  bool has(const std::string& key) const;
  bool is_text(const std::string& key) const;
  bool is_number(const std::string& key) const;
  bool is_array(const std::string& key) const;
  bool is_nested_array(const std::string& key) const;  // an array of arrays
  bool is_table(const std::string& key) const;

  // Values. With a default the key is optional; `fallback` is then written into the resolved document.
  double number(const std::string& key, std::optional<double> fallback, Range = {});
  int64_t integer(const std::string& key, std::optional<int64_t> fallback, Range = {});
  bool flag(const std::string& key, std::optional<bool> fallback);
  std::string text(const std::string& key, std::optional<std::string> fallback);
  std::string choice(const std::string& key, std::optional<std::string> fallback,
                     const std::vector<std::string>& known);
  std::vector<double> numbers(const std::string& key, Range = {});  // an array of numbers, not empty
  std::vector<int64_t> integers(const std::string& key, Range = {});
  std::vector<std::string> texts(const std::string& key, std::optional<std::vector<std::string>> fallback);
  std::vector<std::vector<double>> number_rows(const std::string& key, Range = {});  // array of arrays
  std::vector<std::vector<int64_t>> integer_rows(const std::string& key, Range = {});
  // number | array: one value for all, or values cycled over n
  std::vector<double> cycled(const std::string& key, std::optional<double> fallback, int64_t n, Range = {});

  // Sub-tables. table() of an absent key is an empty table (made in the document); tables() is an array of tables, absent = empty.
  Params table(const std::string& key);
  std::vector<Params> tables(const std::string& key);

  // Writing: overrides and what was resolved.
  // throws ExperimentError naming the option, "--set key=value" unless given
  void set(const std::string& dotted_key, const std::string& toml_value, const std::string& option = "");
  void set_text(const std::string& key, const std::string& value);
  void remove(const std::string& key);
  void merge(
      Params&& other);  // other's keys win; tables merge, everything else is replaced; moves, so that lines are kept

  // every key of this table must be `also` or one of `known`; `rule` says what belongs here
  void check_only(const std::vector<std::string>& known, const std::string& also, const std::string& rule) const;
  void mark_read(const std::string& key);

  // A file that a key names: looked for beside the experiment file, then in the working directory; the absolute path, also written back.
  std::string file_path(const std::string& key, std::optional<std::string> fallback = std::nullopt);
  std::string place(
      const std::string& dotted_key) const;  // "FILE:LINE: key" of the key or, where it is absent, of its table

  [[noreturn]] void fail(const std::string& key, const std::string& what_is_wrong_and_what_to_do) const;
  [[noreturn]] void fail_missing(const std::string& key,
                                 const std::string& kind) const;  // names a mistyped key where one is near
  void require_all_read() const;                                  // for the whole document below this table
  std::string to_toml() const;                                    // this table and everything below it
  std::string path() const;                                       // dotted, "" for the root
  std::string file() const;
  const void* node() const { return node_; }

  // The keys that all documents share with equal values; and what `one` has beyond them.
  static Params common(const std::vector<Params>& documents);
  static Params keep(const Params& one, const std::string& key);  // a document with that key alone
  static Params difference(const Params& one, const Params& common);
  void append_table(const std::string& array_key, const Params& table);  // [[array_key]]

 private:
  Params(std::shared_ptr<Document> document, void* table, std::string path)
      : document_(std::move(document)), node_(table), path_(std::move(path)) {}
  std::string where(const std::string& key) const;  // "FILE:LINE: table.key" of a key of this table
  std::shared_ptr<Document> document_;
  void* node_ = nullptr;  // toml::table*
  std::string path_;
};

}  // namespace orrery
