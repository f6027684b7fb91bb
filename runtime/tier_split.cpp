#include "runtime/tier_split.hpp"

#include <algorithm>
#include <numeric>

#include "kernels/distances.hpp"

namespace orrery {
namespace {

// How many levels a lane has, and the nodes of level l (0: the lowest).
int64_t level_count(const NetworkSpec& n) { return static_cast<int64_t>(n.tiers.size()) + (n.top_nodes() > 1 ? 1 : 0); }
int64_t nodes_of(const NetworkSpec& n, int64_t l) {
  return l < static_cast<int64_t>(n.tiers.size()) ? n.tiers[static_cast<size_t>(l)].nodes : 1;
}
int64_t children_of(const NetworkSpec& n, int64_t l) { return l == 0 ? n.workers : nodes_of(n, l - 1); }

// A level of one network, over the nodes of the level below: Groups whose members are children (W = number of children).
Groups level_groups(const Network& network, int64_t l, const std::vector<double>& child_mass) {
  const auto& tiers = network.tiers();
  const auto level = static_cast<size_t>(l);
  const int64_t nodes = nodes_of(network.spec(), l), children = children_of(network.spec(), l);

  // a child's node is the node of any worker below the child
  Groups g;
  for (int64_t c = 0; c < children; ++c) {
    const auto at = static_cast<size_t>(c);
    const int64_t worker = l == 0 ? c : tiers[level - 1].member[static_cast<size_t>(tiers[level - 1].begin[at])];
    g.node_of.push_back(level < tiers.size() ? tiers[level].node_of[static_cast<size_t>(worker)] : 0);
  }
  g.mass.assign(static_cast<size_t>(nodes), 0.0);
  for (size_t c = 0; c < g.node_of.size(); ++c) g.mass[static_cast<size_t>(g.node_of[c])] += child_mass[c];

  // children by node, ascending inside a node
  g.member.resize(g.node_of.size());
  std::iota(g.member.begin(), g.member.end(), 0);
  std::stable_sort(g.member.begin(), g.member.end(), [&](int64_t a, int64_t b) {
    return g.node_of[static_cast<size_t>(a)] < g.node_of[static_cast<size_t>(b)];
  });
  g.begin.assign(static_cast<size_t>(nodes) + 1, 0);
  for (const int64_t d : g.node_of) ++g.begin[static_cast<size_t>(d) + 1];
  std::partial_sum(g.begin.begin(), g.begin.end(), g.begin.begin());
  for (const int64_t c : g.member) {
    const auto at = static_cast<size_t>(c);
    g.weight.push_back(child_mass[at] / g.mass[static_cast<size_t>(g.node_of[at])]);
  }
  return g;
}

}  // namespace

template <class T>
TierSplit<T>::TierSplit(const Context& ctx, const Population& population, int64_t parameters)
    : rows_(population.rows()), p_(parameters) {
  const size_t lanes = population.lanes.size();
  int64_t most = 0;
  for (const auto& lane : population.lanes) most = std::max(most, level_count(lane.network->spec()));

  std::vector<int64_t> parent(static_cast<size_t>(rows_));
  std::vector<int64_t> below(lanes);      // where a lane's children begin: a row of x, later of the means
  std::vector<std::vector<double>> mass;  // (lanes)(children)
  for (size_t i = 0; i < lanes; ++i) {
    below[i] = population.lanes[i].first_row;
    mass.push_back(population.lanes[i].network->weights());
  }
  for (int64_t l = 0; l < most; ++l) {
    std::vector<Groups> groups;
    std::vector<int64_t> first_child;
    const int64_t first = nodes_;
    groups.reserve(lanes);
    for (size_t i = 0; i < lanes; ++i) {
      const Network& network = *population.lanes[i].network;
      if (l >= level_count(network.spec())) continue;
      groups.push_back(level_groups(network, l, mass[i]));
      const Groups& g = groups.back();
      first_child.push_back(below[i]);
      const int64_t child = (l == 0 ? 0 : rows_) + below[i];  // in `parent_` and `distances_`
      for (size_t c = 0; c < g.node_of.size(); ++c) parent[static_cast<size_t>(child) + c] = nodes_ + g.node_of[c];
      const auto& tiers = network.spec().tiers;
      parts_.push_back({i, static_cast<size_t>(l) < tiers.size() ? tiers[static_cast<size_t>(l)].name : "graph", child,
                        std::move(mass[i])});
      mass[i] = g.mass;
      below[i] = nodes_;
      nodes_ += g.nodes();
      parent.resize(static_cast<size_t>(rows_ + nodes_));
    }
    std::vector<const Groups*> pointers;
    for (const auto& g : groups) pointers.push_back(&g);
    levels_.push_back({DeviceGroups(ctx, pointers, first_child), first});
  }
  means_ = Buffer<T>(ctx, nodes_ * p_);
  parent_ = Buffer<int64_t>(ctx, parent);
  distances_ = Buffer<double>(ctx, rows_ + nodes_);
}

template <class T>
std::vector<std::map<std::string, double>> TierSplit<T>::operator()(const Context& ctx, MatrixView<const T> x) {
  expects(x.extent(0) == rows_ && x.extent(1) == p_, "a row of x for every row of the population");
  std::vector<std::map<std::string, double>> split;
  for (const auto& part : parts_) split.resize(std::max(split.size(), part.lane + 1));
  if (nodes_ == 0) return split;

  // means upward, each level from the one below
  const MatrixView<T> means = means_.view(nodes_, p_);
  for (size_t l = 0; l < levels_.size(); ++l) {
    const Level& level = levels_[l];
    const MatrixView<const T> children = l == 0 ? x : MatrixView<const T>(means.rows(0, level.first));
    group_mean<T>(ctx, level.groups.table(), children, means.rows(level.first, level.groups.nodes()));
  }

  // every row and node to its parent
  const auto parent = parent_.view();
  const auto distances = distances_.view();
  row_distances<T>(ctx, x, means, parent.part(0, rows_), distances.part(0, rows_));
  row_distances<T>(ctx, means, means, parent.part(rows_, nodes_), distances.part(rows_, nodes_));
  const auto host = distances_.to_host(ctx);
  for (const auto& part : parts_) {
    double sum = 0;
    for (size_t c = 0; c < part.mass.size(); ++c) sum += part.mass[c] * host[static_cast<size_t>(part.first) + c];
    split[part.lane][part.name] = sum;
  }
  return split;
}

template <class T>
int64_t TierSplit<T>::bytes(const Population& population, int64_t parameters) {
  int64_t nodes = 0, tables = 0;
  for (const auto& lane : population.lanes) {
    const NetworkSpec& n = lane.network->spec();
    for (int64_t l = 0; l < level_count(n); ++l) {
      nodes += nodes_of(n, l);
      tables += 16 * children_of(n, l) + 8 * nodes_of(n, l);  // member, weight; begin
    }
  }
  return nodes * parameters * int64_t{sizeof(T)} + tables + 16 * (population.rows() + nodes);
}

template class TierSplit<float>;
template class TierSplit<double>;

}  // namespace orrery
