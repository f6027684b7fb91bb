// What several commands read from the command line in the same way.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "kernels/core/error.hpp"

namespace orrery {

// --set key=value, in the order given.
inline std::vector<std::pair<std::string, std::string>> split_sets(const std::vector<std::string>& given) {
  std::vector<std::pair<std::string, std::string>> sets;
  for (const auto& s : given) {
    const auto at = s.find('=');
    if (at == std::string::npos || at == 0)
      throw ExperimentError(fmt::format("--set {}: no '='; write --set table.key=value", s));
    sets.emplace_back(s.substr(0, at), s.substr(at + 1));
  }
  return sets;
}

}  // namespace orrery
