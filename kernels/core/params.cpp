#include "kernels/core/params.hpp"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "kernels/core/registry.hpp"

namespace orrery {

// The parsed file with the record of what was asked for and what was read. toml++ forgets source lines when a node is copied, so a clone
// parses the text again and repeats the overrides.
struct Document {
  std::string file, text;
  std::vector<std::pair<std::string, std::string>> overrides;
  toml::table root;
  std::map<const void*, std::set<std::string>> asked, read;
  std::map<std::pair<const void*, std::string>, std::string> from_option;  // "--set key=value" that put this key there
  std::map<const void*, std::string> table_from_option;                    // ... or this whole table
  std::map<const void*, std::pair<void*, std::string>> absent;             // tables that the file lacks: parent and key
};

namespace {

toml::table& table_of(void* node) { return *static_cast<toml::table*>(node); }

toml::table parse(const std::string& text, const std::string& file) {
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& e) {
    const auto at = e.source().begin;
    throw ExperimentError(fmt::format("{}:{}: not valid TOML: {}; correct this line", file, at.line, e.description()));
  }
}

const char* type_name(const toml::node& n) {
  switch (n.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a number";
    case toml::node_type::boolean: return "true or false";
    default: return "a date";
  }
}

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

bool equal(const toml::node& a, const toml::node& b) {
  if (a.type() != b.type()) return false;
  std::ostringstream x, y;
  const auto print = [](std::ostream& o, const toml::node& n) { n.visit([&](const auto& v) { o << v; }); };
  print(x, a);
  print(y, b);
  return x.str() == y.str();
}

}  // namespace

Params Params::from_text(const std::string& text, const std::string& name) {
  auto document = std::make_shared<Document>();
  document->file = name;
  document->text = text;
  document->root = parse(text, name);
  void* root = &document->root;
  return Params(std::move(document), root, "");
}

Params Params::from_file(const std::string& path) {
  std::error_code ignored;
  std::ifstream in;
  if (!std::filesystem::is_directory(path, ignored))
    in.open(path, std::ios::binary);
  else
    in.setstate(std::ios::failbit);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || in.bad()) throw ExperimentError(fmt::format("{}: cannot be read; name an experiment file (TOML)", path));
  return from_text(text.str(), path);
}

Params Params::clone() const {
  Params copy = from_text(document_->text, document_->file);
  for (const auto& [key, value] : document_->overrides) copy.set(key, value);
  return copy;
}

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

// The node behind a key, recorded as read; null where it is absent.
toml::node* find(Document& d, void* node, const std::string& key) {
  d.asked[node].insert(key);
  d.read[node].insert(key);
  return table_of(node).get(key);
}

[[noreturn]] void fail_type(const Params& p, const std::string& key, const std::string& wanted, const toml::node& got) {
  p.fail(key, fmt::format("is {}; give {}", type_name(got), wanted));
}

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
  const auto* n = find(*document_, node_, key);
  if (!n) {
    if (!fallback) fail_missing(key, "a number");
    table_of(node_).insert(key, *fallback);
    return *fallback;
  }
  return checked(*this, key, real_number(*this, key, *n), range);
}

int64_t Params::integer(const std::string& key, std::optional<int64_t> fallback, Range range) {
  const auto* n = find(*document_, node_, key);
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
  const auto* n = find(*document_, node_, key);
  if (!n) {
    if (!fallback) fail_missing(key, "true or false");
    table_of(node_).insert(key, *fallback);
    return *fallback;
  }
  if (const auto v = n->value_exact<bool>()) return *v;
  fail_type(*this, key, "true or false", *n);
}

std::string Params::text(const std::string& key, std::optional<std::string> fallback) {
  const auto* n = find(*document_, node_, key);
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
  const std::string v = text(key, std::move(fallback));
  if (std::find(known.begin(), known.end(), v) == known.end()) fail_unknown(*this, key, v, known);
  return v;
}

std::vector<double> Params::numbers(const std::string& key, Range range) {
  return read_array<double>(*this, key, find(*document_, node_, key), "an array of numbers", [&](const toml::node& n) {
    return checked(*this, key, real_number(*this, key, n), range);
  });
}

std::vector<int64_t> Params::integers(const std::string& key, Range range) {
  return read_array<int64_t>(*this, key, find(*document_, node_, key), "an array of integers",
                             [&](const toml::node& n) {
                               const int64_t v = whole_number(*this, key, n);
                               checked(*this, key, static_cast<double>(v), range, true);
                               return v;
                             });
}

std::vector<std::string> Params::texts(const std::string& key, std::optional<std::vector<std::string>> fallback) {
  auto* n = find(*document_, node_, key);
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
  return read_array<std::vector<double>>(*this, key, find(*document_, node_, key), wanted, [&](const toml::node& row) {
    if (!row.is_array()) fail_type(*this, key, wanted, row);
    std::vector<double> out;
    for (const auto& n : *row.as_array()) out.push_back(checked(*this, key, real_number(*this, key, n), range));
    return out;
  });
}

std::vector<std::vector<int64_t>> Params::integer_rows(const std::string& key, Range range) {
  const std::string wanted = "an array of arrays of integers";
  return read_array<std::vector<int64_t>>(*this, key, find(*document_, node_, key), wanted, [&](const toml::node& row) {
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

// A required key that is absent: perhaps it, or the table it belongs to, stands there mistyped.
void Params::fail_missing(const std::string& key, const std::string& kind) const {
  const auto mistyped = [&](void* node, const std::string& wanted) {
    std::vector<std::string> unread;
    for (const auto& [k, v] : table_of(node))
      if (!document_->read[node].contains(std::string(k.str()))) unread.emplace_back(k.str());
    return nearest(wanted, unread);
  };
  if (const std::string near = mistyped(node_, key); !near.empty())
    fail(near, fmt::format("unknown key; did you mean \"{}\"?", key));
  if (const auto it = document_->absent.find(node_); it != document_->absent.end()) {
    const auto& [parent, name] = it->second;
    const std::string above = path_.size() > name.size() ? path_.substr(0, path_.size() - name.size() - 1) : "";
    if (const std::string near = mistyped(parent, name); !near.empty())
      Params(document_, parent, above).fail(near, fmt::format("unknown key; did you mean \"{}\"?", name));
  }
  fail(key, fmt::format("is missing; give {}", kind));
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

std::string Params::place(const std::string& dotted_key) const {
  void* at = node_;
  std::stringstream keys(dotted_key);
  std::string part, last;
  for (std::vector<std::string> parts; std::getline(keys, part, '.');) {
    last = part;
    auto* n = table_of(at).get(part);
    if (!n || !n->is_table()) break;
    if (static_cast<size_t>(keys.tellg()) != static_cast<size_t>(-1)) at = n->as_table();
  }
  std::string table = path_;
  if (dotted_key.size() > last.size())
    table += (table.empty() ? "" : ".") + dotted_key.substr(0, dotted_key.size() - last.size() - 1);
  try {
    Params(document_, at, table).fail(last, "");
  } catch (const ExperimentError& e) {
    std::string message = e.what();
    return message.substr(0, message.size() - 2);  // without the ": " before the empty sentence
  }
}

Params Params::table(const std::string& key) {
  auto* n = find(*document_, node_, key);
  if (!n) {
    n = &table_of(node_).insert(key, toml::table{}).first->second;
    document_->absent[n->as_table()] = {node_, key};
  }
  if (!n->is_table()) fail_type(*this, key, "a table", *n);
  document_->asked[n->as_table()];  // taken: its keys must be read too
  return Params(document_, n->as_table(), path_.empty() ? key : path_ + "." + key);
}

std::vector<Params> Params::tables(const std::string& key) {
  auto* n = find(*document_, node_, key);
  std::vector<Params> out;
  if (!n) return out;
  if (!n->is_array()) fail_type(*this, key, "an array of tables", *n);
  for (auto& e : *n->as_array()) {
    if (!e.is_table()) fail_type(*this, key, "an array of tables", e);
    document_->asked[e.as_table()];
    out.push_back(Params(document_, e.as_table(), (path_.empty() ? key : path_ + "." + key)));
  }
  return out;
}

void Params::set(const std::string& dotted_key, const std::string& value, const std::string& given_option) {
  const std::string option = given_option.empty() ? fmt::format("--set {}={}", dotted_key, value) : given_option;
  toml::table parsed;
  try {
    parsed = toml::parse("value = " + value);
  } catch (const toml::parse_error& e) {
    // a bare word is taken as a string, so that --set device=cpu works
    const bool word = !value.empty() && value.find_first_of("[]{}\"'=,# \t\n") == std::string::npos;
    if (!word)
      throw ExperimentError(
          fmt::format("{}: not a TOML value: {}; write for example --set 'batch=[4,8]'", option, e.description()));
    parsed.insert("value", value);
  }
  if (parsed.size() != 1)
    throw ExperimentError(fmt::format("{}: more than one value; give each its own --set", option));
  toml::table* at = &table_of(node_);
  std::stringstream keys(dotted_key);
  std::vector<std::string> parts;
  for (std::string part; std::getline(keys, part, '.');) parts.push_back(part);
  if (parts.empty() || dotted_key.back() == '.' || std::find(parts.begin(), parts.end(), "") != parts.end())
    throw ExperimentError(fmt::format("{}: not a key; write --set table.key=value", option));
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    auto* next = at->get(parts[i]);
    if (!next) {
      next = &at->insert(parts[i], toml::table{}).first->second;
      document_->from_option[{at, parts[i]}] = option;
    }
    if (!next->is_table())
      throw ExperimentError(fmt::format("{}: {} is no table; write --set table.key=value", option, parts[i]));
    at = next->as_table();
  }
  parsed.get("value")->visit([&](auto& v) { at->insert_or_assign(parts.back(), std::move(v)); });
  document_->overrides.emplace_back(dotted_key, value);
  document_->from_option[{at, parts.back()}] = option;
  const auto mark = [&](auto self, toml::node& n) -> void {
    if (auto* t = n.as_table()) {
      document_->table_from_option[t] = option;
      for (auto& [k, v] : *t) self(self, v);
    }
    if (auto* a = n.as_array())
      for (auto& e : *a) self(self, e);
  };
  mark(mark, *at->get(parts.back()));
}

void Params::set_text(const std::string& key, const std::string& value) {
  table_of(node_).insert_or_assign(key, value);
}

void Params::remove(const std::string& key) { table_of(node_).erase(key); }

namespace {
void merge_tables(Document& d, toml::table& into, toml::table& from) {
  for (auto& [k, v] : from) {
    const std::string key{k.str()};
    auto* mine = into.get(key);
    if (mine && mine->is_table() && v.is_table()) {
      merge_tables(d, *mine->as_table(), *v.as_table());
    } else {
      // moved, not copied: a moved node keeps its line
      v.visit([&](auto& x) { into.insert_or_assign(key, std::move(x)); });
      d.from_option.erase({&into, key});
    }
  }
}
}  // namespace

void Params::merge(Params&& other) { merge_tables(*document_, table_of(node_), table_of(other.node_)); }

void Params::check_only(const std::vector<std::string>& known, const std::string& also, const std::string& rule) const {
  for (const auto& [k, v] : table_of(node_)) {
    const std::string key{k.str()};
    if (key != also && std::find(known.begin(), known.end(), key) == known.end())
      fail(key, fmt::format("does not belong here: {}; move it to the top of the file", rule));
  }
}

void Params::mark_read(const std::string& key) { find(*document_, node_, key); }

void Params::fail(const std::string& key, const std::string& what) const {
  const std::string full = path_.empty() ? key : key.empty() ? path_ : path_ + "." + key;
  if (const auto it = document_->from_option.find({node_, key}); it != document_->from_option.end())
    throw ExperimentError(fmt::format("{}: {}: {}", it->second, full, what));
  if (const auto it = document_->table_from_option.find(node_); it != document_->table_from_option.end())
    throw ExperimentError(fmt::format("{}: {}: {}", it->second, full, what));
  const auto& t = table_of(node_);
  const auto* n = t.get(key);
  uint32_t line = n ? n->source().begin.line : 0;
  if (line == 0) line = t.source().begin.line;
  if (line == 0) throw ExperimentError(fmt::format("{}: {}: {}", document_->file, full, what));
  throw ExperimentError(fmt::format("{}:{}: {}: {}", document_->file, line, full, what));
}

void Params::require_all_read() const {
  const auto& asked = document_->asked[node_];
  const auto& read = document_->read[node_];
  for (const auto& [k, v] : table_of(node_)) {
    const std::string key{k.str()};
    if (!read.contains(key)) {
      const std::string near = nearest(key, {asked.begin(), asked.end()});
      fail(key, near.empty() || near == key ? "unknown key here; remove it or correct its name"
                                            : fmt::format("unknown key; did you mean \"{}\"?", near));
    }
    auto* node = const_cast<toml::node*>(&v);
    const std::string below = path_.empty() ? key : path_ + "." + key;
    if (auto* t = node->as_table(); t && document_->asked.contains(t)) Params(document_, t, below).require_all_read();
    if (auto* a = node->as_array())
      for (auto& e : *a)
        if (auto* t = e.as_table(); t && document_->asked.contains(t)) Params(document_, t, below).require_all_read();
  }
}

std::string Params::to_toml() const {
  std::ostringstream out;
  out << toml::toml_formatter(table_of(node_),
                              toml::toml_formatter::default_flags & ~toml::format_flags::allow_literal_strings);
  return out.str() + "\n";
}

std::string Params::path() const { return path_; }
std::string Params::file() const { return document_->file; }

namespace {
toml::table common_part(const std::vector<const toml::table*>& tables) {
  toml::table out;
  for (const auto& [k, v] : *tables[0]) {
    bool all_tables = true, all_equal = true;
    std::vector<const toml::table*> below;
    for (const auto* t : tables) {
      const auto* n = t->get(k.str());
      if (!n) {
        all_tables = all_equal = false;
        break;
      }
      if (n->is_table())
        below.push_back(n->as_table());
      else
        all_tables = false;
      all_equal = all_equal && equal(v, *n);
    }
    if (all_tables)
      out.insert(k.str(), common_part(below));
    else if (all_equal)
      v.visit([&](const auto& x) { out.insert(k.str(), x); });
  }
  return out;
}
toml::table beyond(const toml::table& one, const toml::table& common) {
  toml::table out;
  for (const auto& [k, v] : one) {
    const auto* c = common.get(k.str());
    if (c && c->is_table() && v.is_table()) {
      auto rest = beyond(*v.as_table(), *c->as_table());
      if (!rest.empty()) out.insert(k.str(), std::move(rest));
    } else if (!c) {
      v.visit([&](const auto& x) { out.insert(k.str(), x); });
    }
  }
  return out;
}
Params wrap(toml::table t, const std::string& file) {
  Params p = Params::from_text("", file);
  table_of(const_cast<void*>(p.node())) = std::move(t);
  return p;
}
}  // namespace

Params Params::common(const std::vector<Params>& documents) {
  std::vector<const toml::table*> tables;
  for (const auto& d : documents) tables.push_back(&table_of(d.node_));
  return wrap(common_part(tables), documents[0].file());
}
Params Params::keep(const Params& one, const std::string& key) {
  toml::table t;
  if (const auto* n = table_of(one.node_).get(key)) n->visit([&](const auto& v) { t.insert(key, v); });
  return wrap(std::move(t), one.file());
}
Params Params::difference(const Params& one, const Params& common) {
  return wrap(beyond(table_of(one.node_), table_of(common.node_)), one.file());
}
void Params::append_table(const std::string& array_key, const Params& table) {
  auto& t = table_of(node_);
  if (!t.contains(array_key)) t.insert(array_key, toml::array{});
  t.get(array_key)->as_array()->push_back(table_of(table.node_));
}

}  // namespace orrery
