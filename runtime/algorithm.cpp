#include "runtime/algorithm.hpp"

#include <fmt/format.h>

namespace orrery {
namespace algorithms {
#define ORRERY_ENTRY(entry) extern const Entry<Algorithm> entry;
#include "algorithms.inc"
#undef ORRERY_ENTRY
}  // namespace algorithms

const Table<Algorithm>& algorithm_table() {
  static const Table<Algorithm> table{
#define ORRERY_ENTRY(entry) &algorithms::entry,
#include "algorithms.inc"
#undef ORRERY_ENTRY
  };
  return table;
}

std::unique_ptr<Algorithm> make_algorithm(Params& p) { return make(algorithm_table(), p); }

StepSpec read_step(Params& p, int64_t workers) {
  StepSpec step;
  step.learning_rate = p.number("learning_rate", 0.1, at_least(0));
  step.batch.assign(static_cast<size_t>(workers), 0);
  if (p.is_text("batch")) {
    p.choice("batch", std::nullopt, {"full"});
  } else if (p.is_array("batch")) {
    const auto given = p.integers("batch", between(1, 1e6));
    for (size_t i = 0; i < step.batch.size(); ++i) step.batch[i] = given[i % given.size()];
  } else {
    step.batch.assign(static_cast<size_t>(workers), p.integer("batch", 32, between(1, 1e6)));
  }
  const auto repeats = p.is_array("batches_per_slot")
                           ? p.integers("batches_per_slot", between(1, 1e6))
                           : std::vector<int64_t>{p.integer("batches_per_slot", 1, between(1, 1e6))};
  for (size_t i = 0; i < step.batch.size(); ++i)
    step.repeats.push_back(static_cast<int32_t>(repeats[i % repeats.size()]));
  step.shuffle = p.choice("sampling", "replacement", {"replacement", "shuffle"}) == "shuffle";
  step.momentum = p.number("momentum", 0.0, {.min = 0, .max = 1, .max_open = true});
  if (step.momentum > 0) step.keep_momentum = p.choice("momentum_at_average", "reset", {"reset", "keep"}) == "keep";
  if (p.choice("step", "fused", {"fused", "gradients"}) == "gradients") step.rung = StepSpec::Rung::gradients;
  return step;
}

}  // namespace orrery
