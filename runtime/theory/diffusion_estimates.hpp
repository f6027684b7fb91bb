// The leading order that an arm of decentralised SGD has by its estimates at the start (runtime/theory/diffusion/local_constants.hpp): for models of
// any kind, where [theory] estimate asks for it.
#pragma once

#include <optional>
#include <string>

#include "runtime/run.hpp"
#include "runtime/theory/diffusion/local_constants.hpp"
#include "runtime/theory/json_numbers.hpp"

namespace orrery {

struct TheoryTable;

struct DiffusionEstimates {
  diffusion::LocalConstants constants;
  std::optional<double> early_slope, late;       // of e(n)
  std::optional<diffusion::Disagreement> apart;  // D, V, B*
  std::optional<double> step_limit;  // curvature limit / lambda_max(Hbar); infinite where nothing curves upward
  std::string no_common, no_apart;   // why they are missing
  std::optional<std::string> warning;
};

// Empty where nothing was estimated. not_plain: why the analysis is not for this arm; "" where it is.
std::optional<DiffusionEstimates> diffusion_estimates(const Experiment&, size_t arm, const RunResult&,
                                                      const std::string& not_plain);
void append_rows(const DiffusionEstimates&, TheoryTable&);
Json json_of(const DiffusionEstimates&);

}  // namespace orrery
