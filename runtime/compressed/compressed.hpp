// One launch of methods with compressed messages: the arms' channels and banks, and the bits that they send.
//
// Memory   per arm CompressedSpec::banks() of (rows, P), what its compressor asks for, and tables of the graph. Gradients, or what is sent before
//          they are taken, lie in the cluster's bank of gradients.
// Result   the same bits for any number of threads and rows beside; steps are recorded as a CUDA graph unless messages are looked at on the host
//          (lengths that depend on the message, send_bytes, check_invariants).
// Bits     unicast: on a graph every node sends its message to each neighbour; to a server once, and it answers every worker with P numbers.
#pragma once

#include <memory>
#include <vector>

#include "models/model.hpp"
#include "runtime/compressed/method.hpp"
#include "runtime/device_mixing.hpp"
#include "runtime/participation.hpp"
#include "runtime/population.hpp"

namespace orrery {

template <class T>
class Compressed {
 public:
  // rows: of the launch. Throws ExperimentError where a compressor, the graph or the dual start does not fit.
  Compressed(const Context&, const Experiment&, const Population&, const Rows& rows, const std::vector<Tensor>& layout,
             int64_t parameters);

  // One slot of all arms: x (rows, P); spare (rows, P) where has_spare().
  void step(Model<T>&, const Rows&, Slot, int64_t now, MatrixView<T> x, MatrixView<T> spare);
  bool has_spare() const { return spare_; }
  bool on_host() const;       // steps cannot be recorded
  bool starts_apart() const;  // the first slot is not like the others

  int64_t message_bits(int arm) const { return arms_[static_cast<size_t>(arm)].channel->bits(0); }  // of the first slot

  // Adds what the slots from ... to - 1 sent; those slots have passed.
  void charge(std::vector<Ledger>&, int64_t from, int64_t to);

  static int64_t bytes(const Experiment&, const Population&, Backend, const BankShape&, int64_t element_size);

 private:
  struct Arm {
    const CompressedSpec* spec = nullptr;
    int64_t first_row = 0;
    size_t first_lane = 0, lanes = 0;
    Rows rows;
    std::unique_ptr<Channel<T>> channel;
    std::unique_ptr<DeviceMixing> table;
    std::unique_ptr<MixPlan<T>> laplacian;
    DeviceGroups everyone;             // of a server
    std::vector<int64_t> degree;       // (rows) messages that a row's message makes
    std::vector<double> share;         // (rows) weight in the mean
    std::vector<int64_t> counted;      // (lanes) bits beyond those known before, not yet charged
    std::vector<double> steady, mean;  // with checks: before a step, and the mean gradient times the rate
    double largest = 0;                // of what was checked so far
    std::unique_ptr<CompressedMethod<T>> method;
  };
  void make_arm(const Experiment&, const BankShape&, size_t index);
  void count(Arm&);
  std::vector<double> means(const Arm&, const std::vector<double>& rows) const;  // (lanes, P)
  void check_before(Arm&, MatrixView<const T> x, MatrixView<const T> g);
  void check_after(Arm&, MatrixView<const T> x, int64_t now);

  const Context& ctx_;
  const Population& population_;
  const Rows& rows_;
  int64_t parameters_;
  bool spare_ = false, gradients_ = false;
  std::vector<Arm> arms_;  // as many as the population has; never moved: methods point into them
};

// A ledger of its links, empty.
Ledger compressed_ledger(const NetworkSpec&, const CompressedSpec&);
int64_t compressed_messages(const Network&, const CompressedSpec&);  // sent by all workers in a slot
// Up to the step `steps`; where lengths depend on the messages, the part that does not.
Ledger compressed_ledger_after(const Network&, const CompressedSpec&, const Compressor&, const BankShape&,
                               int64_t real_bits, int64_t steps);
// Bits of one worker's messages in so many steps, each counted once; where lengths depend on what they say, the part that does not.
int64_t known_message_bits(const CompressedSpec&, const Compressor*, const BankShape&, int64_t real_bits,
                           int64_t steps);
BankShape bank_shape(const std::vector<Tensor>& layout, int64_t parameters);
// What cannot be told before the data and the graph are there: throws as the constructor would.
void check_compressed_parts(const Arm&, const Network&, const BankShape&);
// What happens in a slot, for plans.
std::string compressed_text(const Arm&);

}  // namespace orrery
