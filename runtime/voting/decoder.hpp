// One arm's server, or tree of servers: signs of the voters in, one sign per coordinate and model out, and what is learned from it.
//
//   no tiers      one node of all workers decides
//   "sums"        nodes of the first tier add up their workers' (weighted) votes, those above the sums, and the top one decides: exactly
//                 what one server for all decides
//   "signs"       every node decides and votes itself at the node above, with a weight of its own: a majority of majorities
//
//   A_m <- phi A_m + [u = Y_m],  C <- phi C + 1      for the voters of every level against the decision u that comes down from the top
//
// Memory   2 rows * P bytes of counters for votes per coordinate (4 where they fade), of nodes that vote themselves, too; sums of the nodes
//          of each tier in between: 4 or 8 bytes per node and coordinate.
// Result   integers and sums on one grid: the same bits on both backends, for any number of threads.
#pragma once

#include <vector>

#include "kernels/weighted_vote.hpp"
#include "runtime/participation.hpp"
#include "runtime/voting/shared_models.hpp"
#include "runtime/voting/spec.hpp"

namespace orrery {

class Decoder {
 public:
  // Lanes first_lane ... first_lane + lanes - 1 of the population.
  Decoder(const Context&, const Population&, VoteSpec, size_t first_lane, size_t lanes, int64_t parameters);

  // workers: their signs (rows); out: (models); agreed: (rows); reference: signs of the exact gradient (models), for the genie alone.
  // With learn = false nothing is learned.
  void decide(Slot, const SignsIn& workers, const SignsIn& reference, bool learn, const SignsOut& out,
              VectorView<int64_t> agreed);

  bool needs_reference() const { return spec_.vote == Vote::genie; }
  static int64_t bytes(const Network&, const VoteSpec&, int64_t parameters);  // of one lane

 private:
  struct Level {
    int64_t voters = 0, nodes = 0;
    DeviceGroups groups;      // the voters below each of its nodes,
    DeviceGroups under_root;  // and below each node where the decision falls
    Buffer<uint64_t> seed;    // (nodes)
    Buffer<int32_t> index;
    Buffer<uint32_t> positive, zero;  // (nodes) what its nodes decide, where it is not the last word

    // (voters) what each weighs, and what is known of it
    Buffer<uint16_t> counted;
    Buffer<float> fading;
    Buffer<double> weights, table, rounds;
    std::vector<double> learned;  // agreements over all coordinates, fading
    Buffer<int64_t> agreed;       // of nodes that vote
    WeightGrid grid;
  };
  enum class Weighing { equal, by_worker, counted, fading };

  Weighing weighing() const;
  template <class F>
  void with_counts(Level&, F f);  // f(weights) with those that are counted per coordinate
  Decision decision(const Level&, const SignsOut&, Slot) const;
  void vote(Level&, const Ballots&, const Decision&, const VoteRecord& = {});
  void learn_from(Level&, const SignsIn& voters, const SignsIn& decided, VectorView<int64_t> agreed, bool learn);
  void vote_by_sums(const SignsIn& workers, const Decision& last);
  void ask_genie(Level&, const SignsIn& voters, const SignsIn& reference, VectorView<int64_t> agreed);
  std::vector<double> worker_weights(const Level&) const;
  double rounds_seen() const;  // C
  SignsOut own_planes(const Level&) const;

  const Context& ctx_;
  VoteSpec spec_;
  int64_t parameters_, words_, rounds_ = 0;
  std::vector<Level> levels_;
  std::vector<DeviceGroups> above_;      // "sums": the nodes of each tier above the first
  std::vector<Buffer<int32_t>> counts_;  // of the nodes of each tier but the last
  std::vector<Buffer<double>> scores_;
  Buffer<uint64_t> root_seed_;
  Buffer<int32_t> root_index_;
};

}  // namespace orrery
