// The table "expected beside measured" after a run: one line per row of [expect] with a verdict.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/expect/spec.hpp"
#include "runtime/expect/table.hpp"

namespace orrery {

// What a run measured: values[arm][metric][replica][record point]. The lists are named, not owned.
struct Measured {
  const std::vector<std::string>& arms;
  const std::vector<std::string>& metrics;
  const std::vector<int64_t>& record_steps;
  std::vector<const std::vector<std::vector<std::vector<double>>>*> values;
};

// Means over the replicas are judged, a row with each_replica in every replica. A value that is not finite never satisfies a row;
// a step beyond the last record point leaves it open.
ExpectTable evaluate(const ExpectSpec&, const Measured&);

}  // namespace orrery
