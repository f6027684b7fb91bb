#include "runtime/voting/shared_models.hpp"

#include <numeric>

#include "runtime/voting/wire.hpp"

namespace orrery {
namespace {

Groups all_workers(int64_t workers) {
  Groups g;
  g.begin = {0, workers};
  g.weight.assign(static_cast<size_t>(workers), 1.0);
  g.node_of.assign(static_cast<size_t>(workers), 0);
  g.mass = {1.0};
  g.member.resize(static_cast<size_t>(workers));
  std::iota(g.member.begin(), g.member.end(), int64_t{0});
  return g;
}

}  // namespace

Groups descendants_of(const Network& n, int tier, int below) {
  if (tier < 0) return all_workers(n.spec().workers);
  const Groups& up = n.tiers()[static_cast<size_t>(tier)];
  if (below < 0) {
    Groups g = up;
    g.weight.assign(g.weight.size(), 1.0);
    return g;
  }
  const Groups& low = n.tiers()[static_cast<size_t>(below)];
  Groups g;
  g.mass = up.mass;
  g.node_of.resize(static_cast<size_t>(low.nodes()));
  for (int64_t k = 0; k < low.nodes(); ++k)  // tiers are nested: any worker below tells
    g.node_of[static_cast<size_t>(k)] =
        up.node_of[static_cast<size_t>(low.member[static_cast<size_t>(low.begin[static_cast<size_t>(k)])])];
  g.begin.assign(static_cast<size_t>(up.nodes()) + 1, 0);
  for (const int64_t k : g.node_of) ++g.begin[static_cast<size_t>(k) + 1];
  std::partial_sum(g.begin.begin(), g.begin.end(), g.begin.begin());
  g.member.resize(g.node_of.size());
  g.weight.resize(g.node_of.size());
  std::vector<int64_t> next(g.begin.begin(), g.begin.end() - 1);
  for (size_t m = 0; m < g.node_of.size(); ++m) {
    const auto k = static_cast<size_t>(g.node_of[m]), at = static_cast<size_t>(next[k]++);
    g.member[at] = static_cast<int64_t>(m);
    g.weight[at] = up.mass[k] > 0 ? low.mass[m] / up.mass[k] : 0.0;
  }
  return g;
}

Groups groups_of_models(const Network& n, int tier) { return descendants_of(n, tier, voting_tiers(n.spec()) - 1); }

SharedModels::SharedModels(const Population& p) : first{0}, of_row(static_cast<size_t>(p.rows())) {
  for (size_t i = 0; i < p.lanes.size(); ++i) {
    const Lane& lane = p.lanes[i];
    const Groups voters = descendants_of(*lane.network, voting_tiers(lane.network->spec()) - 1, -1);
    const int64_t begin = first.back();
    for (int64_t w = 0; w < p.workers; ++w) {
      const int64_t row = lane.first_row + w, model = begin + voters.node_of[static_cast<size_t>(w)];
      of_row[static_cast<size_t>(row)] = model;
      if (!runs.empty() && runs.back().lane == i && runs.back().model == model)
        ++runs.back().count;
      else
        runs.push_back({row, 1, model, i});
    }
    mass.insert(mass.end(), voters.mass.begin(), voters.mass.end());
    first.push_back(begin + voters.nodes());
  }
}

}  // namespace orrery
