// The messages of one arm's tiers through compressors with error feedback, all replicas at once (formulas: docs/maths.md).
//
//   up     e_c <- e_c + (x_c - r_k);  q_c = C(e_c);         e_c <- e_c - q_c;     M_k = r_k + f_k + sum_c v_c q_c     x_c: models of the children of k
//   down   s_k = C'(M_k - r_k);       f_k <- M_k - r_k - s_k;                     r_k <- r_k + s_k                     what the children of k go on with
//
// r_k is what node k and its children both know: what k last sent down; f_k what it still owes them. e_c is added up, since a child starts again from
// r_k; f_k is not, since M_k - r_k holds all of it: what is owed counts once, and a coarser tier that hears of M_k takes it over. An action at a tier sends up the levels from the workers to its nodes, each
// node's M being the x of the next level; the graph mixes the M of the top tier, whole; then down level by level, r_k being the M of k's children.
// A direction without a compressor carries whole models: M_k is f_k and their mean, in one sum over the workers as long as every finer tier takes
// whole models and owes nothing, so that without compressors everything is what the plain average gives, bit for bit.
//
// Memory   per tier 2 banks (nodes, P), one (children, P) where it compresses up and one (nodes, P) where down; one bank of the longest message; what
//          the compressors ask for.
// Result   the same bits for any number of threads and rows beside; nothing waits for the host unless lengths depend on messages or send_bytes.
// Who      workers that sit out a period and nodes that do not act send nothing and keep their e; all workers below an acting node take its r_k.
#pragma once

#include <memory>
#include <vector>

#include "kernels/tier_messages.hpp"
#include "runtime/compressed/channel.hpp"
#include "runtime/compressed_tiers/spec.hpp"
#include "runtime/device_mixing.hpp"
#include "runtime/participation.hpp"
#include "runtime/population.hpp"

namespace orrery {

template <class T>
class CompressedTiers {
 public:
  // arm: index into population.arms, with compressed messages; rows: of the launch; start: (rows of the launch, P), equal in a lane.
  CompressedTiers(const Context&, const TierMessages&, const Population&, int arm, const Rows& rows, const BankShape&,
                  MatrixView<const T> start);

  // All messages of one action: x (rows of the launch, P) in and out; now: steps done, as the slot says. mixing: where the graph acts.
  void act(const Action&, Slot, int64_t now, const DeviceMixing* mixing, MatrixView<T> x);
  void scale(
      VectorView<const double> scale);  // (rows of the launch): who takes part from now on (kernels/participation.hpp)
  bool on_host() const;                 // actions cannot be recorded

  // Adds what the actions of steps from + 1 ... to have sent; they have passed.
  void charge(std::vector<Ledger>&, int64_t from, int64_t to);

  // For tests and checks: error memories, references and models of a tier.
  MatrixView<T> up_error(size_t tier) const { return levels_[tier].up_error.view(levels_[tier].children_of_all, p_); }
  MatrixView<T> down_error(size_t tier) const { return levels_[tier].down_error.view(levels_[tier].nodes, p_); }

 private:
  struct Level {
    int64_t nodes = 0, children_of_all = 0;  // of all lanes
    DeviceGroups workers;                    // below each node, with the weights of those who take part
    DeviceGroups children;                   // l > 0: nodes of the tier below
    Buffer<int64_t> parent;                  // (children)
    Buffer<uint64_t> seed;                   // of the nodes as senders
    Buffer<int32_t> index;
    Rows rows;
    Buffer<T> model, ref, up_error, down_error;
    std::unique_ptr<Channel<T>> up, down;
    std::vector<int64_t> child_count;               // (nodes)
    std::vector<int64_t> up_counted, down_counted;  // (lanes) bits beyond those known before, not yet charged
  };
  void make_level(size_t l);
  void make_marks();
  void start(MatrixView<const T> x);
  void send_up(size_t top, int64_t now, MatrixView<const T> x);
  void send_down(size_t top, int64_t now, MatrixView<const T> model, MatrixView<T> x);
  MatrixView<T> model(size_t l) const { return levels_[l].model.view(levels_[l].nodes, p_); }
  MatrixView<T> ref(size_t l) const { return levels_[l].ref.view(levels_[l].nodes, p_); }
  MatrixView<T> message(int64_t rows) const { return message_.view(rows, p_); }
  SendTime time(size_t l, bool down, int64_t now) const;
  void count(Level&, bool down, VectorView<const uint8_t> acts);

  const Context& ctx_;
  const TierMessages& spec_;
  const Population& population_;
  BankShape shape_;
  int64_t p_, first_row_ = 0;
  size_t first_lane_ = 0, lanes_ = 0;
  Rows rows_;  // of the arm
  std::vector<Level> levels_;
  std::vector<int64_t> units_;     // (tiers) a message of the tier's level goes after so many steps
  Buffer<int64_t> unit_, number_;  // (tiers)
  Buffer<int64_t> worker_period_, node_period_;
  Buffer<uint8_t> sends_, hears_, node_acts_;  // workers, workers, nodes of the first tier; empty: all
  Buffer<T> message_, mixed_;
  DeviceGroups alone_;  // the top nodes as groups of one, where a graph mixes
};

}  // namespace orrery
