// The charts of a run: one per metric, and training loss against bits.
#pragma once

#include <string>
#include <vector>

#include "runtime/report/report.hpp"

namespace orrery::report {

// Replica r's values of one metric; NaN beyond what was recorded (an interrupted run).
double value_at(const ReportArm&, size_t metric, size_t replica, size_t record);

std::string metric_figures(
    const ReportInput&);                      // <figure> after <figure>; a sentence for a metric without finite values
std::string bits_figure(const ReportInput&);  // loss against bits; empty where either is not recorded

}  // namespace orrery::report
