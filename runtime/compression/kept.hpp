// What sparsifiers share: a rule of kernels/compress_keep.hpp, bound and packed.
//
//   message   top: the places, ceil(log2 P) bits each in ascending order, or a bitmap of P bits; then the numbers in that order
//             drawn, block: the numbers alone, in the order of the draw or of the coordinates
#pragma once

#include "kernels/compress_keep.hpp"
#include "runtime/compression/compressor.hpp"

namespace orrery {

class Sparsifier : public Compressor {
 public:
  virtual KeepRule rule(const BankShape&) const = 0;
  int64_t bits(const BankShape&, int64_t real_bits, int64_t slot) const override;
  int64_t payload(const BankShape&) const override;
  int64_t where_bits(const BankShape&) const override;
  int64_t workspace(Backend, const BankShape&, int64_t rows, int64_t element_size) const override;
  std::unique_ptr<Compression<float>> bind(const Context&, const Rows&, const BankShape&, float) const override;
  std::unique_ptr<Compression<double>> bind(const Context&, const Rows&, const BankShape&, double) const override;

 protected:
  bool bitmap_ = false;  // top: how places are written
};

// k of top-k and rand-k, with where it stands for check()
struct KeptNumber {
  explicit KeptNumber(Params& p) : k(p.integer("k", std::nullopt, at_least(1))), place(p.place("k")) {}
  void check(const BankShape& s) const;  // k <= P
  int64_t k;
  std::string place;
};

}  // namespace orrery
