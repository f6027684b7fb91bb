#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kernels/core/params_document.hpp"
#include "kernels/core/registry.hpp"

namespace orrery {
namespace {

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

}  // namespace

void fail_type(const Params& p, const std::string& key, const std::string& wanted, const toml::node& got) {
  p.fail(key, fmt::format("is {}; give {}", type_name(got), wanted));
}

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

Params Params::table(const std::string& key) {
  auto* n = read_node(*document_, node_, key);
  if (!n) {
    n = &table_of(node_).insert(key, toml::table{}).first->second;
    document_->absent[n->as_table()] = {node_, key};
  }
  if (!n->is_table()) fail_type(*this, key, "a table", *n);
  document_->asked[n->as_table()];  // taken: its keys must be read too
  return Params(document_, n->as_table(), path_.empty() ? key : path_ + "." + key);
}

std::vector<Params> Params::tables(const std::string& key) {
  auto* n = read_node(*document_, node_, key);
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

// ---- what is wrong, and where

std::string Params::where(const std::string& key) const {
  const std::string full = path_.empty() ? key : key.empty() ? path_ : path_ + "." + key;
  // put there by an option: the option is the place
  if (const auto it = document_->from_option.find({node_, key}); it != document_->from_option.end())
    return fmt::format("{}: {}", it->second, full);
  if (const auto it = document_->table_from_option.find(node_); it != document_->table_from_option.end())
    return fmt::format("{}: {}", it->second, full);
  // the key's line, or its table's
  const auto& t = table_of(node_);
  const auto* n = t.get(key);
  uint32_t line = n ? n->source().begin.line : 0;
  if (line == 0) line = t.source().begin.line;
  return line == 0 ? fmt::format("{}: {}", document_->file, full)
                   : fmt::format("{}:{}: {}", document_->file, line, full);
}

std::string Params::place(const std::string& dotted_key) const {
  // down to the table that holds the key; where one is missing, its name belongs to the key of the last that is there
  const size_t dot = dotted_key.find('.');
  if (dot == std::string::npos) return where(dotted_key);
  const std::string first = dotted_key.substr(0, dot);
  auto* n = table_of(node_).get(first);
  if (!n || !n->is_table()) return where(dotted_key);
  return Params(document_, n->as_table(), path_.empty() ? first : path_ + "." + first)
      .place(dotted_key.substr(dot + 1));
}

void Params::fail(const std::string& key, const std::string& what) const {
  throw ExperimentError(fmt::format("{}: {}", where(key), what));
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

void Params::check_only(const std::vector<std::string>& known, const std::string& also, const std::string& rule) const {
  for (const auto& [k, v] : table_of(node_)) {
    const std::string key{k.str()};
    if (key != also && std::find(known.begin(), known.end(), key) == known.end())
      fail(key, fmt::format("does not belong here: {}; move it to the top of the file", rule));
  }
}

void Params::mark_read(const std::string& key) { read_node(*document_, node_, key); }

std::string Params::path() const { return path_; }
std::string Params::file() const { return document_->file; }

}  // namespace orrery
