// The table "expected beside measured" after a run: one line per row of [expect] with a verdict.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/expect/spec.hpp"
#include "runtime/expect/table.hpp"
#include "runtime/theory/theory_values.hpp"

namespace orrery {

// What a run measured: values[arm][metric][replica][record point]. The lists are named, not owned.
struct Measured {
  const std::vector<std::string>& arms;
  const std::vector<std::string>& metrics;
  const std::vector<int64_t>& record_steps;
  std::vector<const std::vector<std::vector<std::vector<double>>>*> values;
  const TheoryValues& theory;  // arms in the same order
};

// Means over the replicas are judged, a row with each_replica in every replica. A value that is not finite never satisfies a row;
// a step beyond the last record point leaves it open. A quantity that theory.json has not, or has no number for, never satisfies a row.
ExpectTable evaluate(const ExpectSpec&, const Measured&);

// Only the rows of kind theory: what can be judged without a run.
ExpectTable evaluate_theory(const ExpectSpec&, const std::vector<std::string>& arms, const TheoryValues&);

}  // namespace orrery
