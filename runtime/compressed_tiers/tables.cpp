#include "runtime/compressed_tiers/tables.hpp"

#include <numeric>

namespace orrery {

Groups child_groups(const Network& network, size_t l) {
  const Groups& tier = network.tiers()[l];
  if (l == 0) return tier;
  const Groups& below = network.tiers()[l - 1];
  Groups g;
  g.mass = tier.mass;
  for (int64_t c = 0; c < below.nodes(); ++c)  // tiers are nested: any worker below tells the node
    g.node_of.push_back(
        tier.node_of[static_cast<size_t>(below.member[static_cast<size_t>(below.begin[static_cast<size_t>(c)])])]);
  g.begin.assign(static_cast<size_t>(tier.nodes()) + 1, 0);
  for (const int64_t k : g.node_of) ++g.begin[static_cast<size_t>(k) + 1];
  std::partial_sum(g.begin.begin(), g.begin.end(), g.begin.begin());
  auto next = g.begin;
  g.member.resize(g.node_of.size());
  g.weight.resize(g.node_of.size());
  for (size_t c = 0; c < g.node_of.size(); ++c) {
    const auto k = static_cast<size_t>(g.node_of[c]);
    const auto at = static_cast<size_t>(next[k]++);
    g.member[at] = static_cast<int64_t>(c);
    g.weight[at] = below.mass[c] / tier.mass[k];
  }
  return g;
}

Groups every_node_alone(int64_t nodes) {
  Groups g;
  for (int64_t k = 0; k < nodes; ++k) g.begin.push_back(k), g.member.push_back(k), g.node_of.push_back(k);
  g.begin.push_back(nodes);
  g.weight.assign(static_cast<size_t>(nodes), 1.0);
  g.mass = g.weight;
  return g;
}

std::vector<const Groups*> pointers_to(const std::vector<Groups>& all) {
  std::vector<const Groups*> pointers;
  for (const Groups& g : all) pointers.push_back(&g);
  return pointers;
}

std::vector<int64_t> message_units(const NetworkSpec& n) {
  std::vector<int64_t> units;
  for (const TierSpec& tier : n.tiers) units.push_back(tier.classes()[0]);
  return units;
}

}  // namespace orrery
