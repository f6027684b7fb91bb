// Tiered local SGD, the one implementation behind h-sgd, mll-sgd, local-sgd and fedavg: the network says which special case it is.
#pragma once

#include "runtime/algorithm.hpp"

namespace orrery {

class TieredSgd final : public Algorithm {
 public:
  explicit TieredSgd(std::string kind) : kind_(std::move(kind)) {}
  std::string kind() const override { return kind_; }
  bool tiered() const override { return true; }
  void advance(Cluster&, int64_t until) const override;

 private:
  std::string kind_;
};

}  // namespace orrery
