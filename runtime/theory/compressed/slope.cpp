#include "runtime/theory/compressed/slope.hpp"

#include <algorithm>
#include <cmath>

namespace orrery::compressed_theory {

std::optional<Slope> late_slope(const std::vector<int64_t>& steps, const std::vector<double>& error, double floor,
                                std::string* why_not) {
  size_t points = 0;
  double largest = 0;
  for (const double e : error) largest = std::max(largest, e);
  while (points < std::min(steps.size(), error.size()) && error[points] > floor * largest) ++points;
  const size_t first = points / 2;
  if (points - first < 3) {
    *why_not = "fewer than three record points lie in the second half of the way down; record more often";
    return std::nullopt;
  }
  const auto count = static_cast<double>(points - first);
  double t = 0, y = 0, tt = 0, ty = 0;
  for (size_t k = first; k < points; ++k) t += static_cast<double>(steps[k]) / count, y += std::log(error[k]) / count;
  for (size_t k = first; k < points; ++k) {
    const double dt = static_cast<double>(steps[k]) - t;
    tt += dt * dt, ty += dt * (std::log(error[k]) - y);
  }
  return Slope{-ty / tt, steps[first], steps[points - 1]};
}

}  // namespace orrery::compressed_theory
