// A symmetric matrix that is known by its products alone, such as a Hessian: what traces and eigenvalues are estimated from.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/core/rng.hpp"

namespace orrery {

struct SymmetricProducts {
  int64_t dimension = 1;  // P
  int64_t at_a_time = 1;  // most directions of one call
  // directions (m,P), row-major float64 on the host, m <= at_a_time; returns H v of each, shaped alike
  std::function<std::vector<double>(const std::vector<double>&)> times;
};

// What the random directions follow from.
struct ProbeKey {
  uint64_t seed = 0, step = 0;
};

}  // namespace orrery
