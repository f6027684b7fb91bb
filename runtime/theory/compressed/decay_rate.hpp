// How fast the system that a compressor induces forgets: x' = -C(x, t) in Euler steps of length s, x <- x - s C(x, k) (papers/st-compression.md 3.1).
#pragma once

#include <optional>
#include <string>

#include "runtime/compression/compressor.hpp"

namespace orrery::compressed_theory {

// Rates a unit of time: |x| ~ exp(-rate s k).
struct DecayRate {
  std::optional<double>
      promised;  // by the class, of the differential equation: for every x; in the mean over draws and cycles
  std::optional<double>
      exact;  // of linear maps after Euler steps: an eigenvalue over a period, else over a long product
  std::optional<double> probed;  // the slowest of `starts` random starts over `steps` Euler steps
  std::string why_not;           // why nothing was probed; "" where it was
};

constexpr int64_t probe_starts = 50, probe_steps = 2000;  // the digest's

// Cost   2000 launches over 50 rows where probe is set, on the CPU in float64; skipped above 2e7 numbers in all. seed: of the draws.
DecayRate decay_rate(const Compressor&, const BankShape&, double s, uint64_t seed, bool probe);

}  // namespace orrery::compressed_theory
