// Reading [network] and its tiers; [network.graph] is read in graph_spec.cpp. What can be known before the data is
// checked here, so that the message names file, line and key.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/network/graph_spec.hpp"
#include "runtime/network/network.hpp"
#include "runtime/network/network_error.hpp"
#include "runtime/network/participation.hpp"
#include "runtime/network/timing_spec.hpp"

namespace orrery {
namespace {

constexpr double most_workers = 1 << 24;

void read_weights(Params& p, NetworkSpec& s) {
  if (p.is_array("weights") || p.is_number("weights")) {
    s.weights = NetworkSpec::Weights::given;
    s.given_weights = p.cycled("weights", std::nullopt, s.workers, at_least(0));
    if (std::all_of(s.given_weights.begin(), s.given_weights.end(), [](double w) { return w == 0; }))
      p.fail("weights", "all weights are zero; give at least one worker a positive weight");
  } else if (p.choice("weights", "equal", {"equal", "samples"}) == "samples") {
    s.weights = NetworkSpec::Weights::samples;
  }
}

// "the 10 nodes of tier "edge"", "the 100 workers": what the groups or nodes of tier k are made of.
std::string below(const NetworkSpec& s) {
  return s.tiers.empty() ? fmt::format("the {} workers", s.workers)
                         : fmt::format("the {} nodes of tier \"{}\"", s.tiers.back().nodes, s.tiers.back().name);
}

std::string read_name(Params& p, const NetworkSpec& s) {
  const std::string name = p.text("name", fmt::format("tier{}", s.tiers.size() + 1));
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  if (name.empty() || !std::all_of(name.begin(), name.end(), plain))
    p.fail("name", fmt::format("\"{}\" cannot be part of a metric's name; use letters, digits, - and _ only", name));
  if (name == "graph")
    p.fail("name", "\"graph\" stands for the graph in the table of bits; choose another name for this tier");
  for (const TierSpec& tier : s.tiers)
    if (tier.name == name)
      p.fail("name", fmt::format("two tiers are named \"{}\"; give every tier its own name", name));
  return name;
}

// Every child in exactly one group, no group empty.
void check_groups(const Params& p, const std::vector<std::vector<int64_t>>& groups, const NetworkSpec& s) {
  const int64_t children = s.top_nodes();
  std::vector<int64_t> owner(children, -1);
  for (size_t k = 0; k < groups.size(); ++k) {
    if (groups[k].empty()) p.fail("groups", fmt::format("group {} is empty; remove it, or list its members", k));
    for (const int64_t c : groups[k]) {
      if (c < 0 || c >= children)
        p.fail("groups", fmt::format("group {} lists {}, and {} are numbered 0 to {}; correct this number", k, c,
                                     below(s), children - 1));
      if (owner[c] >= 0)
        p.fail("groups", fmt::format("{} is listed in group {} and again in group {}; list it once", c, owner[c], k));
      owner[c] = static_cast<int64_t>(k);
    }
  }
  const auto missing = std::find(owner.begin(), owner.end(), -1);
  if (missing != owner.end())
    p.fail("groups",
           fmt::format("no group lists {} of {}; list every one exactly once", missing - owner.begin(), below(s)));
}

void read_nodes(Params& p, TierSpec& tier, const NetworkSpec& s) {
  if (p.has("nodes") && p.has("groups"))
    p.fail("groups", fmt::format("tier \"{}\" has both nodes and groups; keep one of the two", tier.name));
  if (!p.has("nodes") && !p.has("groups"))
    p.fail("nodes", fmt::format("tier \"{}\" has neither nodes nor groups; give the number of its nodes", tier.name));
  if (p.has("groups")) {
    if (s.random_grouping && s.tiers.empty())
      p.fail("groups",
             "groups of workers are fixed and grouping is \"random\"; give nodes instead, or set grouping = "
             "\"contiguous\"");
    tier.groups = p.integer_rows("groups");
    check_groups(p, tier.groups, s);
    tier.nodes = static_cast<int64_t>(tier.groups.size());
    return;
  }
  tier.nodes = p.integer("nodes", std::nullopt, at_least(1));
  if (tier.nodes > s.top_nodes())
    p.fail("nodes", fmt::format("{} nodes cannot share {}; give at most {}", tier.nodes, below(s), s.top_nodes()));
}

// Builds a network as far as it is known without data and seed; errors of the weights, the graph and the matrix then
// name their line.
void check_by_building(Params& p, const NetworkSpec& s) {
  NetworkSpec trial = s;
  if (s.weights == NetworkSpec::Weights::samples || (s.weights == NetworkSpec::Weights::given && s.random_grouping)) {
    trial.weights = NetworkSpec::Weights::equal;
    if (trial.graph && trial.graph->mixing == "laplacian")
      trial.graph->mixing = "metropolis";  // its limit depends on the weights
  }
  if (trial.graph && trial.graph->kind == "erdos-renyi") trial.graph.reset();
  try {
    Network(trial, 0, {});
  } catch (const NetworkError& e) {
    if (e.key.starts_with("graph.")) p.table("graph").fail(e.key.substr(6), e.sentence);
    p.fail(e.key, e.sentence);
  }
}

}  // namespace

NetworkSpec parse_network(Params& p) {
  NetworkSpec s;
  s.workers = p.integer("workers", 1, between(1, most_workers));
  read_weights(p, s);
  s.rates = p.cycled("rates", 1.0, s.workers, between(0, 1));
  read_clock(p, s);
  s.random_grouping = p.choice("grouping", "contiguous", {"contiguous", "random"}) == "random";
  for (Params& table : p.tables("tiers")) {
    TierSpec tier;
    tier.name = read_name(table, s);
    read_nodes(table, tier, s);
    read_period(table, tier, s.tiers.empty() ? nullptr : &s.tiers.back());
    read_link(table, tier.link, s.clock);
    s.tiers.push_back(std::move(tier));
  }
  read_participation(p, s);
  if (!p.has("graph")) {
    check_by_building(p, s);
    return s;
  }
  Params graph = p.table("graph");
  s.graph = parse_graph(graph, s);
  check_by_building(p, s);
  // Last, since a key that is written anew has no line.
  if (!s.graph->file.empty()) graph.set_text("path", s.graph->file);
  if (!s.graph->matrix_file.empty()) graph.set_text("matrix", s.graph->matrix_file);
  return s;
}

}  // namespace orrery
