// The tables of a run.
#pragma once

#include <string>

#include "runtime/report/report.hpp"

namespace orrery::report {

// Arm x metric at the last record point: mean ± standard deviation over replicas, the best in bold.
std::string final_table(const ReportInput&);

// What must be seen beside what was measured, with a verdict a row; empty where the experiment states nothing.
std::string expectation_table(const ReportInput&);

// Bits of one replica per arm and link class.
std::string bits_table(const ReportInput&);

// Theory beside measurement (theory_table.cpp): quantity, predicted, measured, what the prediction is.
std::string theory_table(const ReportInput&);

}  // namespace orrery::report
