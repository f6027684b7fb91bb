// What compressed tiers know of a network: who the children of a node are, and how often each level sends. Host only.
#pragma once

#include <vector>

#include "runtime/network/network.hpp"

namespace orrery {

// The nodes of tier l over their children: workers, or the nodes of the tier below with the share of their weight. `member` and node_of are children.
Groups child_groups(const Network&, size_t l);
Groups every_node_alone(int64_t nodes);
std::vector<const Groups*> pointers_to(const std::vector<Groups>&);

// Steps between messages of each tier's level; of a first tier whose nodes have their own periods the shortest. Message t / unit - 1 goes after step t.
std::vector<int64_t> message_units(const NetworkSpec&);

}  // namespace orrery
