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
  std::optional<double>
      ratio;  // mu lambda_max(Hbar) / (1 - lambda_2): D and V are close where it is much below 1, else too large
  std::optional<double> step_limit;  // curvature limit / lambda_max(Hbar); infinite where nothing curves upward
  std::string no_common, no_apart;   // why they are missing
  double horizon = 0;  // mu lambda_max(Hbar) n at the end: e(n) nears `late` where this is large for all lambda > 0
  double worst_curvature = 0;  // of a quadratic whose workers differ; 0: that of Hbar decides
  std::string sampling;        // what the notes add where draws are without replacement
  std::optional<std::string> warning;
};

// Empty where nothing was estimated. not_plain: why the analysis is not for this arm; "" where it is.
std::optional<DiffusionEstimates> diffusion_estimates(const Experiment&, size_t arm, const RunResult&,
                                                      const std::string& not_plain);
void append_rows(const DiffusionEstimates&, TheoryTable&);
Json json_of(const DiffusionEstimates&);

}  // namespace orrery
