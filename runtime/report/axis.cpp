#include "runtime/report/axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace orrery::report {
namespace {

// 1, 2 or 5 times a power of ten, so that `span` holds about `about` of them.
double nice_step(double span, int about) {
  const double raw = span / about, power = std::pow(10.0, std::floor(std::log10(raw))), digit = raw / power;
  return power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
}

std::string fixed(double value, int decimals) {
  std::string s = fmt::format("{:.{}f}", value, decimals);
  if (s[0] != '-') return s;
  const bool zero = s.find_first_of("123456789") == std::string::npos;
  return (zero ? "" : "\u2212") + s.substr(1);
}

int decimals_for(double step) {  // 0.25 -> 2
  int n = 0;
  for (double s = step; n < 12 && std::abs(s - std::round(s)) > 1e-6 * s; s *= 10) ++n;
  return n;
}

}  // namespace

Axis Axis::linear(double low, double high, Labels labels, int about) {
  Axis axis;
  const double size = std::max(std::abs(low), std::abs(high));
  if (!(high - low > 1e-5 * size)) {  // a constant: some room around it
    const double room = size > 0 ? 0.05 * size : 1;
    low -= room, high += room;
  }
  axis.low_ = low, axis.high_ = high;
  double step = nice_step(high - low, about);
  if (labels == Labels::integers) step = std::max(step, 1.0);

  // one scale for all labels, from the largest value shown
  const double largest = std::max(std::abs(low), std::abs(high));
  double scale = 1;
  std::string_view suffix;
  if (labels != Labels::numbers) {
    static constexpr std::string_view prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
    int p = 0;
    for (double v = largest; v >= 10'000 || (p > 0 && v >= 1000); v /= 1000) {
      if (p == 6) break;
      ++p, scale *= 1000;
    }
    suffix = prefixes[p];
  } else if (largest < 1e-3 || largest >= 1e5) {
    const int e = static_cast<int>(std::floor(std::log10(largest)));
    scale = std::pow(10.0, e);
    axis.common_ = e;
  }
  const int decimals = decimals_for(step / scale);
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * (high - low); ++k) {
    const double value = k * step;
    std::string label = k == 0 ? "0" : fixed(value / scale, decimals) + std::string(suffix);
    if (k == 0 && suffix.empty()) label = fixed(0, decimals);
    axis.ticks_.push_back({value, std::move(label), std::nullopt});
  }
  return axis;
}

Axis Axis::logarithmic(double low, double high, double room, int about) {
  Axis axis;
  axis.log_ = true;
  axis.low_ = std::log10(low), axis.high_ = std::log10(high);
  const double margin = std::max(room * (axis.high_ - axis.low_), axis.high_ - axis.low_ < 0.2 ? 0.1 : 0);
  axis.low_ -= margin, axis.high_ += margin;
  const int first = static_cast<int>(std::floor(axis.low_)), last = static_cast<int>(std::ceil(axis.high_));
  const int stride = std::max(1, (last - first + about - 1) / about);
  const auto inside = [&](double e) { return e >= axis.low_ - 1e-9 && e <= std::min(axis.high_ + 1e-9, 308.0); };
  for (int e = first; e <= last; ++e) {
    const bool labelled = ((e % stride) + stride) % stride == 0;
    if (inside(e))
      axis.ticks_.push_back({std::pow(10.0, e), labelled ? "10" : "", labelled ? std::optional(e) : std::nullopt});
    if (last - first <= 6)
      for (int digit = 2; digit <= 9; ++digit)
        if (inside(e + std::log10(digit))) axis.ticks_.push_back({digit * std::pow(10.0, e), "", std::nullopt});
  }
  return axis;
}

double Axis::at(double value) const {
  const double v = log_ ? (value > 0 ? std::log10(value) : low_ - (high_ - low_)) : value;
  return std::clamp((v - low_) / (high_ - low_), -0.02, 1.02);
}

double rounding_level(const std::vector<double>& values) {
  double most = 0;
  for (const double v : values)
    if (std::isfinite(v)) most = std::max(most, v);
  return 1e-28 * most;
}

bool wants_log(const std::vector<double>& values) {
  size_t positive = 0;
  double low = INFINITY, high = 0;
  for (const double v : values) {
    if (v < 0) return false;
    if (v > 0) ++positive, low = std::min(low, v), high = std::max(high, v);
  }
  return positive > 0 && 2 * positive >= values.size() && std::log10(high) - std::log10(low) > 2.5;
}

}  // namespace orrery::report
