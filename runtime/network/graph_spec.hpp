// Reads [network.graph]. A file is looked for beside the experiment file, then in the working directory; its absolute
// path goes into the resolved experiment, so that this can be run from anywhere.
#pragma once

#include <vector>

#include "runtime/network/network.hpp"

namespace orrery {

// nodes: of the top tier, or workers; tiers: those read before, for the graph's period.
GraphSpec parse_graph(Params& graph, int64_t nodes, const std::vector<TierSpec>& tiers);

}  // namespace orrery
