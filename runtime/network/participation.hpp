// Partial participation: how many workers of each node of the first tier take part in a local period (papers/h-sgd.md 3.2).
//
//   one fraction f    node k: floor(n_k f); the last node takes the rest of round(W f), at most its n_k
//   a list            node k: floor(n_k f_k), f_k the list cycled over the nodes
//
// Which of them is drawn afresh for every local period: kernels/participation.hpp.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/network/network.hpp"

namespace orrery {

std::vector<int64_t> participants(const std::vector<int64_t>& group_sizes, double fraction);
std::vector<int64_t> participants(const std::vector<int64_t>& group_sizes, const std::vector<double>& fractions);

// network.participation; leaves spec.participants empty where everyone takes part. Fails without tiers and where a node would get nobody.
void read_participation(Params& network, NetworkSpec& spec);

}  // namespace orrery
