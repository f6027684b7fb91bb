// What a run recorded, as the theory speaks of it: averages over time and maxima, mean over the replicas.
//
//   record.every = 1   the mean over t = 0 ... T-1, exactly the theorems' average
//   else               the trapezoid rule over the record points
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace orrery {

struct Experiment;
struct RunResult;

// Values at the record points, mean over the replicas (largest: maximum); empty where the metric was not recorded or does not apply to the arm.
std::vector<double> recorded_values(const Experiment&, const RunResult&, size_t arm, const std::string& metric,
                                    bool largest = false);

// f(a, b) of two metrics at every replica and record point, mean over the replicas; empty as above
std::vector<double> recorded_values(const Experiment&, const RunResult&, size_t arm, const std::string& a,
                                    const std::string& b, const std::function<double(double, double)>& f);

std::vector<double> time_weights(const std::vector<int64_t>& record_steps, int64_t every);  // sum 1
std::optional<double> time_average(const std::vector<double>& values,
                                   const std::vector<double>& weights);  // nothing where sizes differ

}  // namespace orrery
