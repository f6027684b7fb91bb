// Reads [network.graph]. A file is looked for beside the experiment file, then in the working directory; its absolute
// path goes into the resolved experiment, so that this can be run from anywhere.
#pragma once

#include "runtime/network/network.hpp"

namespace orrery {

// so_far: what was read before the graph: workers, clock and tiers.
GraphSpec parse_graph(Params& graph, const NetworkSpec& so_far);

}  // namespace orrery
