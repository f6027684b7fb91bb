// What `orrery check` says of a network before a run: what acts when, how long a round takes, how many bits a run moves.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/network/network.hpp"

namespace orrery {

std::string schedule_text(const NetworkSpec&);  // lines that begin with four blanks
std::string round_time_text(const std::shared_ptr<const Network>&, uint64_t seed, int64_t bits_per_model,
                            const std::vector<std::pair<int64_t, int64_t>>& tier_bits = {});

// The bits of one replica after `steps` steps, without walking through them.
Ledger final_ledger(const Network&, int64_t steps, int64_t bits_per_model);

}  // namespace orrery
