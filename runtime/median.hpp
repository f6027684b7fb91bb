// Median over replicas of a time that some never reach: NaN counts as infinite; of an even number the mean of the two in the middle.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace orrery {

// x not empty.
inline double median(std::vector<double> x) {
  for (double& v : x)
    if (std::isnan(v)) v = std::numeric_limits<double>::infinity();
  std::sort(x.begin(), x.end());
  const double low = x[(x.size() - 1) / 2], high = x[x.size() / 2];
  return low == high ? low : low + (high - low) / 2;  // infinities stay what they are
}

}  // namespace orrery
