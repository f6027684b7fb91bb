// A table of named parts (models, data sets, partitions, algorithms). A part is registered by the CMake line that adds its file:
// orrery_components() writes ORRERY_ENTRY(name) to a list, and the registry's .cpp includes that list twice, to declare and to fill.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace orrery {

class Params;

template <class T>
struct Entry {
  std::string name;  // as in the experiment file
  std::string what;  // one line for `orrery list`
  std::function<std::unique_ptr<T>(Params&)> make;
};

template <class T>
using Table = std::vector<const Entry<T>*>;

std::string nearest(const std::string& word, const std::vector<std::string>& known);  // "" where nothing is near

// "unknown name "mpl"; known: ..., did you mean "mlp"?" is thrown through Params::fail, so that it names file, line and key.
[[noreturn]] void fail_unknown(const Params&, const std::string& key, const std::string& name,
                               const std::vector<std::string>& known);
std::string text_of(Params&, const std::string& key);  // reads a required string

template <class T>
std::unique_ptr<T> make(const Table<T>& table, Params& p, const std::string& key = "kind") {
  const std::string wanted = text_of(p, key);
  std::vector<std::string> known;
  for (const auto* e : table) {
    if (e->name == wanted) return e->make(p);
    known.push_back(e->name);
  }
  fail_unknown(p, key, wanted, known);
}

}  // namespace orrery
