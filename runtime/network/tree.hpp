// Tiers over the workers. Node k of a tier with N nodes over C children takes the children floor(k C/N) ... floor((k+1)
// C/N) - 1 (blocks), or those listed. Random grouping permutes the workers once, before the first tier is cut
// (papers/h-sgd.md 3.4).
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/network/network.hpp"

namespace orrery {

// A uniform permutation of 0 ... n-1 (Fisher and Yates), the same for equal seeds.
std::vector<int64_t> random_order(int64_t n, uint64_t seed);

// w (W): worker weights of any scale, not negative; a (W): the same with sum 1.
// Throws NetworkError where the weights below a node of a tier sum to zero.
std::vector<Groups> make_tiers(const NetworkSpec&, uint64_t seed, const std::vector<double>& w,
                               const std::vector<double>& a);

Groups every_worker_alone(const std::vector<double>& a);

}  // namespace orrery
