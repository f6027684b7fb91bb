// Inside params*.cpp only: the parsed document and what its readers and writers share. toml++ goes no further.
#pragma once

#include <toml++/toml.h>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kernels/core/params.hpp"

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

inline toml::table& table_of(void* node) { return *static_cast<toml::table*>(node); }

// The node behind a key, recorded as read; null where it is absent.
inline toml::node* read_node(Document& d, void* node, const std::string& key) {
  d.asked[node].insert(key);
  d.read[node].insert(key);
  return table_of(node).get(key);
}

[[noreturn]] void fail_type(const Params&, const std::string& key, const std::string& wanted, const toml::node& got);

}  // namespace orrery
