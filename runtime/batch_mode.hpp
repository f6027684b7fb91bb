// Batch sizes of the four heterogeneity modes of the sign-voting experiments (papers/signsgd-fv.md 3.6): 64 samples per worker on average.
//
//   1   every worker 64
//   2   workers i < 3M/5: 4, the others 154        M a multiple of 5
//   3   workers i < 4M/5: 4, the others 304        M a multiple of 5
//   4   worker 0: 60 M + 4, the others 4
//
// Throws ExperimentError where the mode is none of these or M does not fit it: M >= 1, and so that the mean is 64, M a multiple of 5 in 2, 3.
#pragma once

#include <cstdint>
#include <vector>

namespace orrery {

std::vector<int64_t> mode_batches(int64_t mode, int64_t workers);  // (M)

}  // namespace orrery
