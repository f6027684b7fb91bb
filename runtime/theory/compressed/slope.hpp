// The decay that a run showed: the slope of log(error) over its late part.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace orrery::compressed_theory {

struct Slope {
  double decay = 0;  // -d log(error) / d step
  int64_t from = 0, until = 0;
};
// Least squares of log(error) over the second half of the record points before the error first falls below `floor` times its largest value, where
// rounding begins; at least 3 points. Empty, with the reason, where there are fewer.
std::optional<Slope> late_slope(const std::vector<int64_t>& steps, const std::vector<double>& error, double floor,
                                std::string* why_not);

}  // namespace orrery::compressed_theory
