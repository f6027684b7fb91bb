// Bits on every class of links. The links of a tier join its nodes with their children: as many as the tier below has
// nodes (workers for the first tier), only children included, for a node with one child is still another machine.
//
//   tier k acts     links of tiers 0 ... k: one model up and one down each; where only some nodes of the first tier act,
//                   their links only; with partial participation only those of the workers that take part
//   the graph acts  links of all tiers: one model up and one down each; on the graph one model for each H_{j,d} != 0,
//                   j != d, of the matrix that acts: "up" at its sender j, "down" at its receiver d (the same bits,
//                   counted once at either end)
#include "runtime/network/mixing.hpp"
#include "runtime/network/network.hpp"

namespace orrery {
namespace {

// Workers below the acting nodes of the first tier that take part.
int64_t first_tier(const Network& network, const Action& action) {
  const NetworkSpec& spec = network.spec();
  if (action.classes.empty() && spec.participants.empty()) return spec.workers;
  const Groups& groups = network.tiers()[0];
  int64_t links = 0;
  for (int64_t k = 0; k < groups.nodes(); ++k)
    if (acts(spec.tiers[0], action, k))
      links += spec.participants.empty() ? groups.begin[k + 1] - groups.begin[k] : spec.participants[k];
  return links;
}

}  // namespace

Ledger::Ledger(const NetworkSpec& spec) {
  for (const TierSpec& tier : spec.tiers) links.push_back({.name = tier.name});
  if (spec.graph) links.push_back({.name = "graph"});
}

int64_t Ledger::up() const {
  int64_t bits = 0;
  for (const Link& link : links) bits += link.up;
  return bits;
}

int64_t Ledger::down() const {
  int64_t bits = 0;
  for (const Link& link : links) bits += link.down;
  return bits;
}

void Ledger::charge(const Network& network, const Action& action, int64_t bits_per_model) {
  const auto send = [&](size_t link, int64_t models) {
    links[link].up += models * bits_per_model;
    links[link].down += models * bits_per_model;
  };
  if (action.kind == Action::Kind::none) return;

  const auto& tiers = network.tiers();
  const size_t acting = action.kind == Action::Kind::graph ? tiers.size() : static_cast<size_t>(action.tier) + 1;
  for (size_t k = 0; k < acting; ++k) send(k, k == 0 ? first_tier(network, action) : tiers[k - 1].nodes());
  if (action.kind == Action::Kind::graph) send(tiers.size(), directed_links(network.mixing()[action.phase]));
}

}  // namespace orrery
