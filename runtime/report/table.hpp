// The tables of a run.
#pragma once

#include <string>

#include "runtime/report/report.hpp"

namespace orrery::report {

// Arm x metric at the last record point: mean ± standard deviation over replicas, the best in bold.
std::string final_table(const ReportInput&);

// Bits of one replica per arm and link class.
std::string bits_table(const ReportInput&);

// Theory beside measurement (theory_table.cpp): quantity, predicted, measured, what the prediction is.
std::string theory_table(const ReportInput&);

}  // namespace orrery::report
