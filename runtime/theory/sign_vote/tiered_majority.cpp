#include "runtime/theory/sign_vote/tiered_majority.hpp"

#include <utility>

#include "kernels/core/error.hpp"
#include "runtime/theory/sign_vote/decoding_error.hpp"

namespace orrery::sign_vote {

double tiered_majority_error(const std::vector<double>& p, const std::vector<int64_t>& group_size) {
  std::vector<double> below = p;
  for (const int64_t size : group_size) {
    expects(size >= 1 && below.size() % static_cast<size_t>(size) == 0, "groups that divide the nodes below");
    std::vector<double> nodes;
    for (auto first = below.begin(); first != below.end(); first += size)
      nodes.push_back(majority_error({first, first + size}));
    below = std::move(nodes);
  }
  return majority_error(below);
}

}  // namespace orrery::sign_vote
