// How long a round takes when averages wait for the slowest worker (papers/mll-sgd.md 3.5), exactly.
//
//   a worker        T_i = slots until n successes of probability p_i:   P(T_i = n + k) = C(n+k-1, k) p_i^n (1-p_i)^k
//   a node          one period of the first tier: max of T_i (n = its period) over its workers; of a coarser tier or the graph: max over
//                   its children of the sum of as many independent periods of the child as fit into its own
//
// Maxima by products of distribution functions, sums by convolution; tails below 1e-18 are left out. Without waiting a round of n
// local steps always takes n slots.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/network/network.hpp"

namespace orrery::waiting {

struct Distribution {  // P(T = first + i) = p[i]
  int64_t first = 0;
  std::vector<double> p;
  double mean() const;
  double variance() const;
};

// Slots until n successes; 0 < rate <= 1. Cells: about 24 standard deviations, sqrt(n (1-p)) / p each.
Distribution successes(int64_t n, double rate);
Distribution slowest(const std::vector<const Distribution*>& independent);  // their maximum
Distribution sum(const Distribution&, int64_t times);                       // of `times` independent copies

// Slots of one round: until the graph, or where there is none the whole top tier, has acted once, beginning with everyone together.
// Empty where nothing acts, where partial participation draws who is waited for, where the top tier's nodes have periods of their own,
// or where the table would be longer than 20,000 cells.
std::optional<Distribution> round_duration(const Network&);
std::string why_no_round(const Network&);  // which of these it is; "" where there is a duration

}  // namespace orrery::waiting
