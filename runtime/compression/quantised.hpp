// What quantisers share: a rule of kernels/compress_quantise.hpp, bound and packed (wire/levels.hpp).
#pragma once

#include "kernels/compress_quantise.hpp"
#include "runtime/compression/compressor.hpp"

namespace orrery {

class Quantiser : public Compressor {
 public:
  const QuantiseRule& rule() const { return rule_; }
  int64_t bits(const BankShape&, int64_t real_bits, int64_t slot) const override;
  bool has_counted() const override;
  int64_t workspace(Backend, const BankShape&, int64_t rows, int64_t element_size) const override;
  std::unique_ptr<Compression<float>> bind(const Context&, const Rows&, const BankShape&, float) const override;
  std::unique_ptr<Compression<double>> bind(const Context&, const Rows&, const BankShape&, double) const override;

 protected:
  QuantiseRule rule_;
};

// the key `coding` = fixed | elias-gamma | elias-omega
QuantiseRule::Code read_coding(Params&);
// the same of rules whose levels have no fixed width: elias-gamma | elias-omega
QuantiseRule::Code read_elias(Params&);

}  // namespace orrery
