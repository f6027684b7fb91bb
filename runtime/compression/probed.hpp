// What scalarizers share: q = a psi (psi . x), a rule of kernels/compress_project.hpp for psi, bound and packed.
//
//   message   psi . x, one number; sender and receivers know psi
#pragma once

#include "kernels/compress_project.hpp"
#include "runtime/compression/compressor.hpp"

namespace orrery {

class Scalarizer : public Compressor {
 public:
  virtual ProbeRule rule() const = 0;                                   // without the directions given
  virtual const std::vector<double>* given() const { return nullptr; }  // (M, P), for rules that cycle
  double factor(const BankShape& s) const { return scaled_ ? static_cast<double>(s.parameters) : 1; }  // a
  int64_t bits(const BankShape&, int64_t real_bits, int64_t) const override { return real_bits; }
  int64_t payload(const BankShape&) const override { return 1; }
  int64_t workspace(Backend, const BankShape&, int64_t rows, int64_t element_size) const override;
  std::unique_ptr<Compression<float>> bind(const Context&, const Rows&, const BankShape&, float) const override;
  std::unique_ptr<Compression<double>> bind(const Context&, const Rows&, const BankShape&, double) const override;

 protected:
  bool scaled_ = false;  // a = P in place of 1
};

}  // namespace orrery
