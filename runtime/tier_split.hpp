// The weighted squared distance of every row to its lane's mean, split by the tiers of the lane's network.
//
//   level 1 .. L     the lane's tiers, and "graph" (all workers together) above a top tier of several nodes
//   mean_d           of node d: sum over its children c of (mass_c / mass_d) * mean_c;   a worker is its own mean, its mass is a_i
//   split_l          sum over the children c of level l's nodes of mass_c * |mean_c - mean of c's node|^2
//   sum_l split_l  = sum_i a_i |x_i - sum_k a_k x_k|^2                                  (papers: H-SGD, H8)
//
// Shapes   x (rows, P) of a Population; the result is a number per lane and level, on the host, float64.
// Result   a lane's numbers are made of its own rows, in an order that its network fixes: same bits for any number of threads and of lanes
//          beside it.
// Cost     reads x twice and the nodes' means twice: memory bound; per level one launch for all lanes, then one for the distances of the rows,
//          one for those of the nodes and one copy to the host. The space is taken once, when made: (nodes, P) and bytes() says how much.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernels/core/buffer.hpp"
#include "runtime/participation.hpp"
#include "runtime/population.hpp"

namespace orrery {

template <class T>
class TierSplit {
 public:
  TierSplit() = default;
  TierSplit(const Context&, const Population&, int64_t parameters);

  // result[lane]["edge"], ..., ["graph"]; a lane has the levels of its network alone
  std::vector<std::map<std::string, double>> operator()(const Context&, MatrixView<const T> x);

  // What the constructor takes for rows of `parameters` values of this size.
  static int64_t bytes(const Population&, int64_t parameters);

 private:
  struct Level {
    DeviceGroups groups;  // lane by lane: children of level 1 are rows of x, above that rows of the means
    int64_t first = 0;    // row of this level's first node
  };
  struct Part {  // a lane's share in a level
    size_t lane = 0;
    std::string name;
    int64_t first = 0;         // of its children in `distances_`
    std::vector<double> mass;  // (children)
  };
  std::vector<Level> levels_;
  std::vector<Part> parts_;   // by level, then by lane
  Buffer<T> means_;           // (nodes of all levels, P)
  Buffer<int64_t> parent_;    // (rows + nodes) row of the means; 0 where there is none
  Buffer<double> distances_;  // (rows + nodes) to the parent
  int64_t rows_ = 0, nodes_ = 0, p_ = 0;
};

}  // namespace orrery
