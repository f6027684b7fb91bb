// Compressors that are linear, C(x, t) = P(t) x, as matrices: some coordinates kept (diagonal P), or a direction (P = a psi psi^T).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/compression/compressor.hpp"

namespace orrery::compressed_theory {

class LinearMaps {
 public:
  // seed: of the replica whose draws are asked for. Null, with the reason in why_not, where the compressor is not linear, or is one after another.
  static std::unique_ptr<LinearMaps> of(const Compressor&, const BankShape&, uint64_t seed, std::string* why_not);
  static std::unique_ptr<LinearMaps> identity(int64_t parameters);  // of methods that send everything
  virtual ~LinearMaps() = default;

  int64_t parameters() const { return parameters_; }
  bool diagonal() const { return diagonal_; }  // coordinates do not mix
  bool alike() const { return alike_; }        // the same map for all workers
  int64_t period() const { return period_; }   // slots after which the maps repeat; 0: never
  // Every coordinate goes through the same gains in some order, so that all decay alike over a period.
  bool even() const { return diagonal_ && period_ > 0; }

  void at(int64_t slot, int64_t workers);  // the maps of workers 0 ... workers - 1
  // out <- P x over the m coordinates first, first + 1, ... of all P; m = P unless diagonal
  void apply(int64_t worker, int64_t first, int64_t m, const double* x, double* out) const;

 protected:
  LinearMaps(int64_t parameters, bool diagonal, bool alike, int64_t period)
      : parameters_(parameters), diagonal_(diagonal), alike_(alike), period_(period) {}
  // row <- gains of the coordinates, or the direction, of a worker
  virtual void fill(int64_t slot, int64_t worker, double* row) const = 0;
  double factor_ = 1;  // a

 private:
  int64_t parameters_;
  bool diagonal_, alike_;
  int64_t period_, slot_ = -1;
  std::vector<double> rows_;
};

}  // namespace orrery::compressed_theory
