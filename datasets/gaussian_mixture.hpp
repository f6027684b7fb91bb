// Gaussian clusters: features from a seed, no files.
//
//   centre of cluster c      m_c = spread * z,  z ~ N(0, I_d)                   c = 0..clusters-1
//   features of sample i     x_i = scale * (m_c + noise * z),  c = i mod clusters
//   label of sample i        c mod classes
//   constant = true          a feature 1 is appended before scaling: x_i = scale * (..., 1)
//
// Shapes   values (n, d) or, with the constant, (n, d + 1) float32, row-major; formed in float64 and rounded once.
// Result   sample i depends on (seed, split, i) and the mixture alone: not on the count, the thread or the samples beside it.
//          Training and test samples share the centres and no draw. Draws: Philox, purpose mixture, worker c or i,
//          step 0 (centres), 1 (training), 2 (test).
// Cost     about 20 ns a value and core.
#pragma once

#include "datasets/dataset.hpp"

namespace orrery {

struct GaussianMixture {
  int64_t clusters = 10, classes = 10, dimension = 20;
  double spread = 1.5, noise = 2.0, scale = 1.0;
  bool constant = false;
  uint64_t seed = 1;

  int64_t features() const { return dimension + (constant ? 1 : 0); }
};

enum class MixtureSplit : uint32_t { train = 1, test = 2 };

std::vector<double> mixture_centres(const GaussianMixture&);  // (clusters, dimension), not scaled
Samples make_mixture(const GaussianMixture&, int64_t count, MixtureSplit);

}  // namespace orrery
