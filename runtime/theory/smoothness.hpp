// lambda_max of the second moments of a worker's samples: what bounds the curvature of losses with linear scores.
//
//   lambda_j = lambda_max( (1/m_j) sum_{s of worker j} z_s z_s^T ),   z_s = (x_s, 1)
//
// Power iteration until the Rayleigh quotient gains less than 1e-6 of itself; each worker starts from the vector of the last, disturbed, so
// that few iterations are needed. A quotient is never above lambda. Host, float64; an iteration costs 2 d per sample.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/rows.hpp"

namespace orrery {

class SecondMoments {
 public:
  explicit SecondMoments(const SampleView& on_the_host) : x_(on_the_host) {}
  // samples: indices into the set. Expects at least one.
  double largest_eigenvalue(const int32_t* samples, int64_t count);
  int64_t cost(int64_t samples) const;  // operations of one iteration

 private:
  double score(int64_t sample) const;       // z v
  void add(int64_t sample, double weight);  // next += weight z
  SampleView x_;
  std::vector<double> v_, next_;  // (d + 1)
};

}  // namespace orrery
