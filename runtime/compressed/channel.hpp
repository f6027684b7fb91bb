// What an arm's workers send through: their compressor bound to their rows, with the bits that it takes.
//
// With send_bytes every message is packed, its length held against the ledger's, and what receivers work with is what they read out of it.
#pragma once

#include <memory>

#include "runtime/compressed/spec.hpp"
#include "runtime/compression/compressor.hpp"

namespace orrery {

// When: the slot as kernels read it, and its number on the host.
struct SendTime {
  Slot slot = {};
  int64_t now = 0;
};

template <class T>
class Channel {
 public:
  // rows: of the arm. compressor: null sends everything as it is.
  Channel(const Context&, const Rows& rows, const BankShape&, const Compressor*, bool send_bytes);

  // q <- C(x, t); x and q (rows, P) do not overlap.
  void send(const Context&, const SendTime&, MatrixView<const T> x, MatrixView<T> q);

  // Bits of one row's message in a slot, where they are known before; what was counted beyond that since the last call.
  int64_t bits(int64_t slot) const;
  bool counts() const { return compressor_ && compressor_->has_counted(); }
  bool on_host() const { return send_bytes_ || counts(); }          // looks at messages on the host in every step
  const std::vector<int64_t>& counted() const { return counted_; }  // (rows), of the last message
 private:
  void through_bytes(const Context&, const SendTime&, MatrixView<const T> x, MatrixView<T> q);
  const Rows& rows_;
  BankShape shape_;
  const Compressor* compressor_;
  std::unique_ptr<Compression<T>> compression_;
  bool send_bytes_;
  std::vector<int64_t> counted_;
  std::vector<uint64_t> seed_;
  std::vector<int32_t> worker_;
};

}  // namespace orrery
