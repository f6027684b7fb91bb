// Compressors: what a row becomes when it is sent, q = C(x, t), and exactly how many bits that takes.
//
//   Compressor      what an experiment file says ([compressor] or another table that names a kind), const; knows its class for the theory and
//                   the length of its messages. One file per kind in this folder, one line each in CMakeLists.txt.
//   Compression<T>  bound to the rows of a bank: compresses all rows in one launch per stage, packs a row to the bytes of its message, unpacks it.
//   Projection<T>   a Compression whose message holds m numbers beside what says where they belong; those m numbers can go through another
//                   compressor: [compressor.then]. Message = where, then the numbers (or the inner message).
//
// t is the slot of the step. Draws are keyed by (seed of the row's replica, purpose; worker, step): they depend on nothing else; two messages of a
// row in one slot use slot.repeated(k). Numbers in messages are as wide as T: 32 or 64 bits; bits(...) answers for any width.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/core/buffer.hpp"
#include "kernels/core/params.hpp"
#include "kernels/core/registry.hpp"
#include "kernels/rows.hpp"
#include "runtime/compression/wire/bits.hpp"

namespace orrery {

struct BankShape {
  int64_t parameters = 0;                          // P
  std::vector<std::vector<int64_t>> tensors = {};  // their shapes in order; empty: one vector of P
};

// What theory may use (papers/st-compression.md 3 and A.1). Absent: does not hold, or is not known, for every x.
struct CompressorClass {
  std::optional<double> delta = {};  // contractive: E|C(x) - x|^2 <= (1 - delta) |x|^2
  std::optional<double> omega = {};  // unbiased: E C(x) = x, E|C(x) - x|^2 <= omega |x|^2
  std::optional<double> rate =
      {};  // |x(t)| of x' = -C(x, t) decays so fast or faster: in the mean over draws or a cycle
  // incrementally strongly monotone: (x - y) . (C(x) - C(y)) >= monotone |x - y|^2 and |C(x) - C(y)|^2 <= bound (x - y) . (C(x) - C(y))
  std::optional<double> monotone = {};
  double bound = 1;             // L_c: |C(x, t)| <= L_c |x|
  bool spatio_temporal = true;  // x' = -C(x, t) is uniformly exponentially stable
  bool strong = false;          // strong ST: may act on states that do not vanish (direct flows)
  bool linear = false, time_varying = false, random = false;
  bool alike = true;         // the same map for all rows of a replica
  bool keeps_state = false;  // from step to step: Compression::state
  std::string reason = {};   // why it is not ST or not strong ST; one clause
};

// Who sends, for packers: what sender and receivers know beside the message.
struct RowKey {
  int64_t row = 0;  // of the bank
  uint64_t seed = 0;
  int32_t worker = 0;
  Step step = {};
};

template <class T>
class Compression {
 public:
  virtual ~Compression() = default;
  // q <- C(x, t) for all rows. x, q (rows, P), not overlapping. May be captured in a CUDA graph.
  virtual void apply(const Context&, const Rows&, Slot, MatrixView<const T> x, MatrixView<T> q) = 0;
  // (rows) bits of the last apply beyond Compressor::bits, where the length depends on x; else empty. On the context's side.
  virtual VectorView<const int64_t> counted() const { return {}; }
  // What is kept from step to step, beside nothing that follows from the key: banks of (rows, n).
  virtual std::vector<MatrixView<T>> state() { return {}; }
  // The message of one row that apply() has just seen, from its x on the host; and what a receiver makes of it: the bits of apply's q (for
  // cosine and normal directions on CUDA to rounding).
  virtual void pack(const RowKey&, const T* x, wire::BitWriter&) const = 0;
  virtual void unpack(const RowKey&, wire::BitReader&, T* q) const = 0;
};

template <class T>
class Projection : public Compression<T> {
 public:
  virtual int64_t payload() const = 0;  // m
  // y (rows, m) <- the numbers sent;  q <- what they stand for. scatter belongs to the last gather.
  virtual void gather(const Context&, const Rows&, Slot, MatrixView<const T> x, MatrixView<T> y) = 0;
  virtual void scatter(const Context&, const Rows&, Slot, MatrixView<const T> y, MatrixView<T> q) = 0;
  // The same for one row on the host. `where` says where the numbers belong, and is empty where that needs no list.
  virtual std::vector<int64_t> where(const RowKey&, const T* x) const = 0;
  virtual void write_where(const std::vector<int64_t>&, wire::BitWriter&) const {}
  virtual std::vector<int64_t> read_where(const RowKey&, wire::BitReader&) const = 0;
  virtual std::vector<T> numbers(const RowKey&, const std::vector<int64_t>& where, const T* x) const = 0;
  virtual void place(const RowKey&, const std::vector<int64_t>& where, const T* y, T* q) const = 0;

  void pack(const RowKey&, const T* x, wire::BitWriter&) const override;
  void unpack(const RowKey&, wire::BitReader&, T* q) const override;

 protected:
  virtual int64_t sent(const RowKey&) const {
    return payload();
  }  // how many of the m numbers a message of its own holds
};

class Compressor {
 public:
  virtual ~Compressor() = default;
  virtual std::string kind() const = 0;
  virtual void check(const BankShape&) const {}  // throws ExperimentError with file, line and key: k beyond P, ...
  virtual CompressorClass traits(const BankShape&) const = 0;
  // Bits of a row's message in slot t with numbers of real_bits; where has_counted(), what depends on x comes on top (Compression::counted).
  virtual int64_t bits(const BankShape&, int64_t real_bits, int64_t slot) const = 0;
  virtual bool has_counted() const { return false; }
  // Projections: numbers in a message (the most in any slot), and the bits beside them. 0: cannot be followed by another compressor.
  virtual int64_t payload(const BankShape&) const { return 0; }
  virtual int64_t where_bits(const BankShape&) const { return 0; }
  // bytes that bind() and calls ask for
  virtual int64_t workspace(Backend, const BankShape&, int64_t rows, int64_t element_size) const = 0;
  // Checks, then allocates for rows.count rows; reads seeds and workers.
  virtual std::unique_ptr<Compression<float>> bind(const Context&, const Rows&, const BankShape&, float) const = 0;
  virtual std::unique_ptr<Compression<double>> bind(const Context&, const Rows&, const BankShape&, double) const = 0;
};

const Table<Compressor>& compressor_table();
std::unique_ptr<Compressor> make_compressor(Params& table);  // reads kind, its keys, and `then`

}  // namespace orrery
