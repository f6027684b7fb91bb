// The votes of one launch: signs of all workers at the shared model of their replica, decoded to one sign per coordinate, learned from.
//
//   one round   g_m <- mini-batch gradient of worker m at x,   Y_m <- sign(g_m)
//               u   <- sign( sum_m w_m Y_m )                    w from the rounds before this one (runtime/voting/spec.hpp)
//               A_m <- phi A_m + [u = Y_m],  C <- phi C + 1     where the vote learns, in both phases
//               x   <- x - eta u
//
// Memory   rows * P / 8 bytes of signs (twice where zeros stay), 2 rows * P of counters for votes per coordinate (4 where they fade), and a
//          window of gradients: at most 64 MiB or one row. Nothing else grows with rows * P.
// Result   given the gradients, the same bits on both backends and any number of threads.
#pragma once

#include <memory>
#include <vector>

#include "kernels/weighted_vote.hpp"
#include "models/model.hpp"
#include "runtime/participation.hpp"
#include "runtime/population.hpp"
#include "runtime/voting/spec.hpp"

namespace orrery {

template <class T>
class Voting {
 public:
  // specs: one per arm of the population.
  Voting(const Context&, const Population&, std::vector<VoteSpec> specs, int64_t parameters);

  // One round of every lane. models: (lanes, P), the shared model of each.
  void round(Model<T>&, const Rows&, Slot, MatrixView<T> models);
  // The vote that this round would take, looked at for the metrics: nothing is learned and no model moves.
  void look(Model<T>&, const Rows&, Slot, MatrixView<T> models);

  const VoteSpec& spec(int arm) const { return arms_[static_cast<size_t>(arm)].spec; }
  // Of the last round, or of the last look.
  SignsIn decoded() const { return planes(positive_u_, zero_u_, 0, lanes_); }  // (lanes)
  SignsIn signs() const { return planes(positive_, zero_, 0, population_.rows()); }  // (rows) what the workers sent
  VectorView<const int64_t> agreed() const { return agreed_.view(); }  // (rows) coordinates on which the worker agreed

  static int64_t bytes(const Population&, const std::vector<VoteSpec>&, int64_t parameters, int64_t element_size);

 private:
  struct Arm {
    VoteSpec spec;
    int64_t first_row = 0, rows = 0, first_lane = 0, lanes = 0;
    DeviceGroups groups;  // one node per lane, all its workers
    Buffer<uint16_t> counted;
    Buffer<float> fading;
    Buffer<double> weights;       // (rows of the arm) per worker
    WeightGrid grid;              // that all its weights lie on
    std::vector<double> learned;  // (rows of the arm) agreements of a worker over all coordinates, fading
  };
  void pack(Model<T>&, const Rows&, Slot, MatrixView<T> models);
  void decide(Arm&, Slot, bool learn);
  template <class W>
  void learned_vote(Arm&, const Ballots&, const W&, const Decision&, VectorView<int64_t> agreed, bool learn);
  double rounds_seen(const VoteSpec&) const;  // C
  std::vector<double> worker_weights(const Arm&) const;
  // rows first ... first + n - 1 of a pair of planes
  SignsOut planes(const Buffer<uint32_t>& positive, const Buffer<uint32_t>& zero, int64_t first, int64_t n) const {
    const auto part = [&](const Buffer<uint32_t>& all) {
      return MatrixView<uint32_t>(all.data() + first * words_, n, words_, ctx_.backend);
    };
    return {parameters_, part(positive), zero.size() > 0 ? part(zero) : MatrixView<uint32_t>{}};
  }

  const Context& ctx_;
  const Population& population_;
  int64_t parameters_, words_, lanes_, rounds_ = 0;
  std::vector<Arm> arms_;
  Buffer<uint32_t> positive_, zero_, positive_u_, zero_u_;
  Buffer<int64_t> agreed_;
  Buffer<uint64_t> lane_seed_;
  Buffer<int32_t> lane_index_;
  Buffer<double> step_;  // (lanes)
  Buffer<T> gradients_;  // a window of rows
  int64_t window_ = 1;
};

}  // namespace orrery
