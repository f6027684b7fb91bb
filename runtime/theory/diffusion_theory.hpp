// What the short-term model says of an arm of decentralised SGD (papers/diffusion-flatness.md 4.2; runtime/theory/diffusion/): exact for
// quadratics. Expected excess risk of the agents and of their mean at the record points, mean over the replicas' starts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/run.hpp"
#include "runtime/theory/diffusion_estimates.hpp"

namespace orrery {

struct DiffusionTheory {
  std::string why_not;                                // "" where there are numbers
  std::vector<double> excess_risk, excess_risk_mean;  // (record points)
  std::optional<DiffusionEstimates> estimates;        // leading order, for any model, where estimates were asked for
  std::optional<std::string> warning;                 // the step is beyond the stability limit
};
struct TheoryTable;
// Rows at a few record points; warns where the step is beyond the stability limit.
TheoryTable diffusion_table(const Experiment&, size_t arm, const std::string& name, const DiffusionTheory&,
                            const RunResult&, bool measured, std::vector<std::string>* warnings);
// One sentence where the step of an arm on a quadratic risk is beyond the stability limit, before anything runs; for consensus with up to 1024
// agents, whose limit takes a spectrum.
std::optional<std::string> step_notice(const Arm&, const Network&);
DiffusionTheory diffusion_theory(const Experiment&, size_t arm, const RunResult&);

}  // namespace orrery
