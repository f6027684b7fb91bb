// Bits of compressed tiers, as far as they are known before messages are seen, and their sentences for `orrery check`.
//
//   up     one message on every link whose lower end sends: workers that take part, all nodes
//   down   whole models: on the same links; compressed: to every child of a node that acts, workers that sit out included, for a difference is of
//          use to those alone who have heard all before it
//   graph  whole models, as without compression
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/model.hpp"
#include "runtime/compressed_tiers/spec.hpp"
#include "runtime/experiment.hpp"
#include "runtime/population.hpp"

namespace orrery {

// Adds the messages of the action after `steps_done` steps.
void charge_tier_messages(Ledger&, const Network&, const TierMessages&, const BankShape&, int64_t real_bits,
                          const Action&, int64_t steps_done);
Ledger tier_ledger_after(const Network&, const TierMessages&, const BankShape&, int64_t real_bits, int64_t steps);

// (tiers) bits of one message up and of one down, of the first round, as clocks count them.
std::vector<std::pair<int64_t, int64_t>> tier_message_bits(const TierMessages&, const BankShape&, int64_t real_bits);

// Bytes of the banks of an arm with this network, all replicas.
struct TierBytes {
  int64_t errors = 0, models = 0, messages = 0, compressors = 0;
  int64_t total() const { return errors + models + messages + compressors; }
};
TierBytes tier_bytes(const TierMessages&, const NetworkSpec&, int64_t replicas, Backend, const BankShape&,
                     int64_t element_size);

// What is sent where, and what it takes; what will not work.
std::string tier_messages_text(const TierMessages&, const NetworkSpec&, const TierBytes&);
std::vector<std::string> tier_notices(const Arm&, const BankShape&);

}  // namespace orrery
