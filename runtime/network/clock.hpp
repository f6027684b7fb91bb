// Virtual time of one replica: what the run would have taken, in slots, or in seconds where network.clock.step_time is given.
//
//   slots      every local step takes one slot for every worker; nobody waits
//   waiting    papers/mll-sgd.md 3.5: worker i needs G slots for each of its steps, P(G > k) = (1 - p_i)^k, independent; an average ends
//              when the slowest worker below its node has come, the graph when the slowest of all has
//   messages   an action adds 2 (latency + bits / bandwidth) for each tier that it crosses (up, then down; members side by side), the
//              graph one latency + bits / bandwidth more (neighbours side by side)
//
// Workers below one node of the first tier have equal clocks in `slots`, so the nodes are counted; in `waiting` the workers are. With
// partial participation only those who take part need time.
//
// Draws    waiting: u = Stream(seed, waiting; worker, local step), G = 1 + floor(log u / log(1 - p)). Host only.
// Cost     waiting: one Philox block and a logarithm per worker-step with p < 1. Plain slots: none.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/network/network.hpp"

namespace orrery {

class VirtualClock {
 public:
  // tier_bits: (tiers) of a message up and of one down where they are no whole models; empty: they are
  VirtualClock(std::shared_ptr<const Network>, uint64_t seed, int64_t bits_per_model,
               std::vector<std::pair<int64_t, int64_t>> tier_bits = {});
  void advance(const Schedule&, int64_t to);    // to local step `to`, with everything that acts on the way; never back
  double time() const;                          // of the slowest
  double message_seconds(const Action&) const;  // what the messages of one action take

 private:
  void step(int64_t from, int64_t to);
  void act(const Action&);
  std::vector<uint8_t> present(int64_t step) const;  // (W)

  std::shared_ptr<const Network> network_;
  uint64_t seed_;
  int64_t bits_;
  std::vector<std::pair<int64_t, int64_t>> tier_bits_;  // (tiers)
  int64_t done_ = 0;
  double unit_ = 1;                            // of one slot
  bool plain_ = false;                         // nothing but slots: time = unit * steps
  std::vector<double> at_;                     // per worker (waiting) or per node of the first tier (slots)
  std::vector<std::vector<int64_t>> node_of_;  // per tier: the node of each entry of at_
};

}  // namespace orrery
