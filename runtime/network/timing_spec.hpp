// Reading what decides when things happen and how long they take: periods, links and [network.clock].
#pragma once

#include "runtime/network/network.hpp"

namespace orrery {

// One period for all nodes or, of the first tier alone, a list that is cycled over them. below: the tier read before, null for the first.
void read_period(Params& tier_table, TierSpec&, const TierSpec* below);
// Fails where `period` is no multiple of every period of `finer`; what: how the message calls that tier.
void require_multiple(const Params&, int64_t period, const TierSpec& finer, const std::string& what);

// kind = slots | waiting, step_time in seconds. waiting: every rate must be above 0.
void read_clock(Params& network, NetworkSpec&);
// latency in seconds, bandwidth in bits per second, of a tier or of the graph; only with a clock in seconds.
void read_link(Params& table, LinkSpec&, const ClockSpec&);

}  // namespace orrery
