// Networks for tests, from the text of a [network] table. Line 1 of the file is "[network]", the text starts on line 2.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/network/network.hpp"

namespace orrery::test {

inline NetworkSpec parse(const std::string& text) {
  Params root = Params::from_text("[network]\n" + text, "net.toml");
  Params table = root.table("network");
  NetworkSpec spec = parse_network(table);
  root.require_all_read();
  return spec;
}

struct Built {
  std::unique_ptr<NetworkSpec> spec;  // outlives the network that points to it
  Network network;
};
inline Built build(const std::string& text, uint64_t seed = 42, const std::vector<int64_t>& samples = {}) {
  auto spec = std::make_unique<NetworkSpec>(parse(text));
  Network network(*spec, seed, samples);
  return {std::move(spec), std::move(network)};
}

using Dense = std::vector<std::vector<double>>;

inline Dense product(const Dense& a, const Dense& b) {
  Dense c(a.size(), std::vector<double>(b[0].size(), 0));
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t k = 0; k < b.size(); ++k)
      for (size_t j = 0; j < b[0].size(); ++j) c[i][j] += a[i][k] * b[k][j];
  return c;
}

// A symmetric 0/1 matrix as a TOML array of arrays.
inline std::string adjacency_text(int nodes, const std::vector<std::pair<int, int>>& edges) {
  std::vector<std::string> rows(nodes, std::string(nodes, '0'));
  for (const auto& [i, j] : edges) rows[i][j] = rows[j][i] = '1';
  std::string text = "[";
  for (const auto& row : rows) {
    text += "[";
    for (const char c : row) text += std::string(1, c) + ",";
    text += "],";
  }
  return text + "]";
}

}  // namespace orrery::test
