// Overrides, merging of arms, and the resolved document.
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "kernels/core/params_document.hpp"

namespace orrery {
namespace {

bool equal(const toml::node& a, const toml::node& b) {
  if (a.type() != b.type()) return false;
  std::ostringstream x, y;
  const auto print = [](std::ostream& o, const toml::node& n) { n.visit([&](const auto& v) { o << v; }); };
  print(x, a);
  print(y, b);
  return x.str() == y.str();
}

}  // namespace

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

std::string Params::to_toml() const {
  std::ostringstream out;
  out << toml::toml_formatter(table_of(node_),
                              toml::toml_formatter::default_flags & ~toml::format_flags::allow_literal_strings);
  return out.str() + "\n";
}

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
