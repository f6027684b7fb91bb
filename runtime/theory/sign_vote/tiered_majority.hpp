// Votes over tiers (papers/signsgd-fv.md 7.6), exactly. Host only, float64.
//
//   majority of majorities   every node forwards one sign, the majority of its children, ties half: as a new worker with
//                            p = majority_error of the children's p
//   count forwarding         nodes forward how many of their workers voted +1: the same as the flat vote, majority_error
//
// Errors  std::logic_error as in decoding_error.hpp; where a group size does not divide the number of nodes below.
#pragma once

#include <cstdint>
#include <vector>

namespace orrery::sign_vote {

// p (M) in the order of the workers; consecutive groups of group_size[0] workers form a node, of group_size[1] nodes the next tier's, and
// so on; what is left in the end votes at the root. {} is the flat vote.
double tiered_majority_error(const std::vector<double>& p, const std::vector<int64_t>& group_size);

}  // namespace orrery::sign_vote
