// The charts of a run: one per metric, training loss against virtual time and bits, dispersions and divergences by tier.
#pragma once

#include <string>
#include <vector>

#include "runtime/report/chart.hpp"
#include "runtime/report/report.hpp"

namespace orrery::report {

// Replica r's values of one metric; NaN beyond what was recorded (an interrupted run).
double value_at(const ReportArm&, size_t metric, size_t replica, size_t record);

std::string arm_legend(const std::vector<Series>&);  // "" where no series has a name

std::string metric_figures(
    const ReportInput&);                       // <figure> after <figure>; a sentence for a metric without finite values
std::string loss_figures(const ReportInput&);  // loss against virtual time and against bits; errors against bits
std::string tier_figures(const ReportInput&);  // dispersions and divergences: an arm a figure, a tier a line

std::string landscape_figures(const ReportInput&);  // the loss around the final models, where it was looked at

}  // namespace orrery::report
