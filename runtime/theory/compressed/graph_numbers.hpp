// What the analyses of compressed methods need of a graph: the ends of the spectrum of its Laplacian (unit weights, or I - W), and of W itself.
#pragma once

#include <optional>
#include <string>

#include "runtime/network/network.hpp"

namespace orrery::compressed_theory {

struct GraphNumbers {
  double lambda_2 = 0, lambda_n = 0;  // smallest but the one at 0, and largest eigenvalue of L
  double gap = 0, norm = 0;           // I - W only: D = 1 - |lambda_2(W)|, b = |I - W|_2
};
// Empty, with the reason, where the matrix is not symmetric or there are more than 512 nodes (one symmetric eigenvalue problem, O(n^3)).
std::optional<GraphNumbers> graph_numbers(const Network&, bool unit, std::string* why_not);

}  // namespace orrery::compressed_theory
