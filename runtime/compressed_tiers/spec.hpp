// Tiered SGD whose messages go through compressors: what the file says, tier by tier.
//
//   [network] tiers = [{ ..., up = { kind = ... }, down = { kind = ... }, error_feedback = true }]
//   [compressor] kind = ..., down = { ... }, error_feedback, of every tier that does not say itself
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/compression/compressor.hpp"
#include "runtime/network/network.hpp"

namespace orrery {

struct TierMessages {
  struct Tier {
    std::shared_ptr<const Compressor> up, down;  // null: whole models
    std::string up_place, down_place;            // "FILE:LINE: key" of each
    bool error_feedback = true;
    bool owes() const { return down && error_feedback; }  // what its messages down leave out
  };
  std::vector<Tier> tiers;  // as many as the network has
  bool send_bytes = false;  // every compressed message goes through its bytes

  bool any() const;  // some message is compressed
  // How many tiers, from the workers upward, take whole models and owe their children nothing: averaged in one sum over the workers.
  size_t plain_tiers() const;
};

// Reads the keys above; "identity" is null. algorithm: [algorithm], whose send_bytes is read where it is given. Throws ExperimentError with file,
// line and key for compressors where no tier sends anything, and for what a compressor cannot be combined with.
TierMessages read_tier_messages(Params& experiment, Params& algorithm, const NetworkSpec&);
// Of methods that are not tiered SGD: refuses up, down and error_feedback in tiers.
void refuse_tier_messages(Params& experiment, const std::string& kind);

// What cannot be told before P is known: throws ExperimentError.
void check_tier_messages(const TierMessages&, const NetworkSpec&, const BankShape&);
// Both ends of a link hold one reference from the start: refuses a start for every worker.
void check_common_start(const Params& experiment, bool from_start, int64_t start_rows);

}  // namespace orrery
