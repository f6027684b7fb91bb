// The network of one replica: a tree of tiers over W workers, an optional graph among the nodes of the top tier (or among the workers where
// there are no tiers), worker weights and rates, and when each of them acts. Sources: papers h-sgd (3.1, 3.3, 3.4), mll-sgd (3.1 - 3.3).
//
//   a_i = w_i / sum_j w_j                     worker weight (W)
//   v_i = w_i / sum_{j in same node} w_j      weight inside the node of a tier
//   b_d = sum_{i below d} a_i                 weight of a top node (D)
//   y^(d) = sum_j H_{j,d} z^(j)               graph mixing of the top nodes' means, columns of H sum to one
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "kernels/core/params.hpp"

namespace orrery {

// ---- what the file says (const after parsing) -------------------------------------------------------------------------------------------
// What a message over one link takes, as the clock counts it: latency + bits / bandwidth.
struct LinkSpec {
  double latency = 0;                                          // seconds
  double bandwidth = std::numeric_limits<double>::infinity();  // bits per second
  double seconds(int64_t bits) const { return latency + static_cast<double>(bits) / bandwidth; }
};
struct TierSpec {
  std::string name;
  int64_t period = 1;  // local steps; the longest where the nodes have their own
  int64_t nodes = 0;
  std::vector<std::vector<int64_t>> groups;  // explicit children (indices of the tier below) per node; empty: blocks
  std::vector<int64_t> periods = {};         // (nodes) of the first tier, where they differ; empty: `period` for all
  LinkSpec link = {};

  int64_t period_of(int64_t node) const { return periods.empty() ? period : periods[static_cast<size_t>(node)]; }
  std::vector<int64_t> classes() const;  // the different periods, ascending; one where all nodes share it
  int64_t common_period() const;         // after so many steps all nodes act together: their least common multiple
};
struct GraphSpec {
  std::string kind, mixing, file;  // file: adjacency or matrix, kind = "file" / mixing = "file"
  int64_t period = 1;
  double alpha = 0, probability = 0;  // laplacian; erdos-renyi
  bool lazy = false;
  bool directed =
      false;  // exponential: every node hears from the nodes a power of two after it, not from those before it
  enum class Path {
    by_cost,
    sparse,
    dense
  } path = Path::by_cost;                      // how decentralised SGD multiplies (kernels/mix_step.hpp)
  std::vector<std::vector<double>> matrix;     // of a file, read at parse time: (D,D)
  std::string matrix_file;                     // mixing = "file"; empty for an inline matrix
  std::vector<std::vector<double>> adjacency;  // kind = "file", read at parse time: (D,D), 0 or 1
  int64_t rows = 0;  // grid, torus: rows of nodes, node k sits at (k / columns, k mod columns)
  LinkSpec link = {};
};
struct ClockSpec {                  // what virtual time is
  bool waiting = false;             // slots: every slot takes one unit; waiting: averages wait for the slowest worker
  std::optional<double> step_time;  // seconds per slot; without it virtual time counts slots
};
struct NetworkSpec {
  int64_t workers = 1;
  enum class Weights { equal, samples, given } weights = Weights::equal;
  std::vector<double> given_weights;  // cycled to (W) when given
  std::vector<double> rates;          // (W)
  bool random_grouping = false;
  std::vector<TierSpec> tiers;  // from the workers upward
  std::optional<GraphSpec> graph;
  std::vector<int64_t> participants = {};  // (nodes of the first tier) workers that take part; empty: all
  ClockSpec clock = {};

  int64_t top_nodes() const { return tiers.empty() ? workers : tiers.back().nodes; }
};
// Probability that a worker takes the step of a slot: its rate; 1 where averages wait for everyone, and rates only cost time.
inline std::vector<double> step_rates(const NetworkSpec& n) {
  return n.clock.waiting ? std::vector<double>(static_cast<size_t>(n.workers), 1.0) : n.rates;
}
NetworkSpec parse_network(Params& network);  // reads [network]; every error names file, line and key

// ---- what acts when ---------------------------------------------------------------------------------------------------------------------
// After local step t (t = 0, 1, ...), i.e. when t + 1 steps are done: the largest period that divides t + 1 acts alone. Where the nodes
// of the first tier have their own periods I_k, and no coarser one acts, those nodes average whose I_k divides t + 1.
struct Action {
  enum class Kind { none, tier, graph } kind = Kind::none;
  int tier = 0;       // index into tiers, when Kind::tier
  int64_t phase = 0;  // which matrix of a time-varying graph, when Kind::graph
  std::vector<int32_t> classes =
      {};  // which of the first tier's periods (TierSpec::classes) act, ascending; empty: all nodes
  bool operator==(const Action&) const = default;
};
class Schedule {
 public:
  Schedule() = default;
  explicit Schedule(const NetworkSpec&);
  Action after(int64_t steps_done) const;   // what acts once `steps_done` steps are done (steps_done >= 1)
  int64_t next(int64_t steps_done) const;   // smallest s > steps_done with an action; INT64_MAX where nothing ever acts
  int64_t round() const { return round_; }  // the pattern repeats with this period (>= 1)

 private:
  std::vector<int64_t> periods_;  // per tier
  std::vector<int64_t> classes_;  // of the first tier
  int64_t graph_period_ = 0, phases_ = 1, round_ = 1;
};

// ---- the network of one replica ---------------------------------------------------------------------------------------------------------
struct Groups {  // the nodes of one tier: node k averages workers member[begin[k]] ... member[begin[k+1]-1]
  std::vector<int64_t> begin;    // (nodes + 1)
  std::vector<int64_t> member;   // (W), ascending inside a node
  std::vector<double> weight;    // (W) v_i, aligned with `member`
  std::vector<int64_t> node_of;  // (W) node of worker i
  std::vector<double> mass;      // (nodes) sum of a_i below
  int64_t nodes() const { return static_cast<int64_t>(begin.size()) - 1; }
};
struct Mixing {                 // H by destination: column d holds entries begin[d] ... begin[d+1]-1
  std::vector<int64_t> begin;   // (D + 1)
  std::vector<int64_t> source;  // ascending inside a column
  std::vector<double> weight;   // H_{source, d}
  int64_t nodes() const { return static_cast<int64_t>(begin.size()) - 1; }
  std::vector<std::vector<double>> dense() const;  // H[j][d]
};

class Network {
 public:
  // samples: (W) sizes of the workers' data sets, used with weights = "samples"; may be empty otherwise.
  // Throws ExperimentError: disconnected graph, a matrix that is not stochastic, weights that sum to zero below a node.
  Network(const NetworkSpec&, uint64_t seed, const std::vector<int64_t>& samples);

  const NetworkSpec& spec() const { return *spec_; }
  const std::vector<double>& weights() const { return a_; }    // a_i (W)
  const std::vector<Groups>& tiers() const { return tiers_; }  // from the workers upward; nested
  const Groups& top() const { return top_; }                   // the last tier, or every worker alone
  const std::vector<Mixing>& mixing() const {
    return mixing_;
  }  // one, or the cycle of a time-varying graph; empty without graph
  const std::vector<std::pair<int64_t, int64_t>>& edges() const {
    return edges_;
  }                      // i < j, of the graph (union over a cycle)
  double drift() const;  // max_j |(H b)_j - b_j| over the cycle: 0 where mixing keeps the weighted mean sum_d b_d z^(d)
  double zeta() const;   // max modulus of the eigenvalues of H but the one at 1 (first matrix); 0 if D = 1

 private:
  const NetworkSpec* spec_;
  std::vector<double> a_;
  std::vector<Groups> tiers_;
  Groups top_;
  std::vector<Mixing> mixing_;
  std::vector<std::pair<int64_t, int64_t>> edges_;
};

// The nodes of the first tier whose period is the c-th of spec.tiers[0].classes().
std::vector<int64_t> nodes_of_class(const TierSpec&, int32_t c);
bool acts(const TierSpec& first, const Action&, int64_t node);  // does this node of the first tier act?

// ---- the ledger -------------------------------------------------------------------------------------------------------------------------
// Exact bits of one replica. A tier's average sends one model up and one down over each link of that tier and of all finer ones;
// graph mixing first sends every link of every tier once up, then one model over each directed link, then once down every tier's links.
// With partial participation only the participants' links of the first tier carry anything.
// up: sent by the lower end (or by a node of the graph); down: received by it.
struct Ledger {
  struct Link {
    std::string name;          // tier's name, or "graph"
    int64_t up = 0, down = 0;  // bits so far
  };
  std::vector<Link> links;  // per tier from the workers upward, then the graph if there is one
  int64_t up() const;
  int64_t down() const;
  void charge(const Network&, const Action&, int64_t bits_per_model);
  explicit Ledger(const NetworkSpec&);
};

}  // namespace orrery
