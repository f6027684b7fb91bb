#include "runtime/network/tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "kernels/core/rng.hpp"
#include "runtime/network/network_error.hpp"

namespace orrery {
namespace {

using Members = std::vector<std::vector<int64_t>>;  // per node, the workers below it

std::vector<std::vector<int64_t>> blocks(int64_t nodes, int64_t children) {
  std::vector<std::vector<int64_t>> groups(nodes);
  for (int64_t k = 0; k < nodes; ++k)
    for (int64_t c = k * children / nodes; c < (k + 1) * children / nodes; ++c) groups[k].push_back(c);
  return groups;
}

Groups groups_of(const TierSpec& tier, const Members& nodes, const std::vector<double>& w,
                 const std::vector<double>& a) {
  Groups g;
  g.begin.push_back(0);
  g.node_of.resize(w.size());
  for (size_t k = 0; k < nodes.size(); ++k) {
    double total = 0, mass = 0;
    for (const int64_t i : nodes[k]) total += w[i], mass += a[i];
    if (!(total > 0))
      throw NetworkError(
          "weights",
          fmt::format("the weights of the {} workers below node {} of tier \"{}\" sum to zero; give at least one "
                      "of them a positive weight",
                      nodes[k].size(), k, tier.name));
    for (const int64_t i : nodes[k]) {
      g.member.push_back(i);
      g.weight.push_back(w[i] / total);
      g.node_of[i] = static_cast<int64_t>(k);
    }
    g.begin.push_back(static_cast<int64_t>(g.member.size()));
    g.mass.push_back(mass);
  }
  return g;
}

}  // namespace

std::vector<int64_t> random_order(int64_t n, uint64_t seed) {
  const Stream draw(seed, Draw::grouping, 0, 0);
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = n - 1; i > 0; --i)
    std::swap(order[i], order[draw.below(static_cast<uint32_t>(i), static_cast<uint32_t>(i + 1))]);
  return order;
}

std::vector<Groups> make_tiers(const NetworkSpec& spec, uint64_t seed, const std::vector<double>& w,
                               const std::vector<double>& a) {
  // Below the first tier every worker is a node; their order decides who falls into which block.
  Members below(spec.workers);
  for (int64_t i = 0; i < spec.workers; ++i) below[i] = {i};
  if (spec.random_grouping) {
    const auto order = random_order(spec.workers, seed);
    for (int64_t i = 0; i < spec.workers; ++i) below[i] = {order[i]};
  }

  std::vector<Groups> tiers;
  for (const TierSpec& tier : spec.tiers) {
    const auto children = tier.groups.empty() ? blocks(tier.nodes, static_cast<int64_t>(below.size())) : tier.groups;
    Members nodes(children.size());
    for (size_t k = 0; k < children.size(); ++k) {
      for (const int64_t c : children[k]) nodes[k].insert(nodes[k].end(), below[c].begin(), below[c].end());
      std::sort(nodes[k].begin(), nodes[k].end());
    }
    tiers.push_back(groups_of(tier, nodes, w, a));
    below = std::move(nodes);
  }
  return tiers;
}

Groups every_worker_alone(const std::vector<double>& a) {
  Groups g;
  const auto n = static_cast<int64_t>(a.size());
  g.begin.resize(n + 1);
  g.member.resize(n);
  std::iota(g.begin.begin(), g.begin.end(), 0);
  std::iota(g.member.begin(), g.member.end(), 0);
  g.node_of = g.member;
  g.weight.assign(n, 1.0);
  g.mass = a;
  return g;
}

}  // namespace orrery
