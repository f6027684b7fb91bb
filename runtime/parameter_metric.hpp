// Metrics that are single parameters: "mean_parameter_<k>" of the weighted mean model, "parameter_<i>_<k>" of worker i. Counted from 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/experiment.hpp"

namespace orrery {

struct ParameterMetric {
  std::optional<int64_t> worker;  // empty: the mean model
  int64_t parameter = 0;
};
// Empty where `metric` has not this form.
std::optional<ParameterMetric> parameter_metric(const std::string& metric);

// Throws through Params::fail where an arm has no such worker or parameter. Models whose size depends on the data are refused: their
// parameters have no meaning one by one.
void check_parameter_metric(const Params& record, const std::string& metric, const Arm&, const std::string& key);

}  // namespace orrery
