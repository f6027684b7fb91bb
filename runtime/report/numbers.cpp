#include "runtime/report/numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace orrery::report {
namespace {

constexpr std::string_view kMinus = "\u2212";

std::string proper_minus(std::string s) {
  if (!s.empty() && s[0] == '-') s.replace(0, 1, kMinus);
  return s;
}

int exponent_of(double v) { return v == 0 ? 0 : static_cast<int>(std::floor(std::log10(std::abs(v)))); }

bool reads_well(double v) { return v == 0 || (std::abs(v) >= 1e-3 && std::abs(v) < 1e5); }

std::string power(int exponent) { return fmt::format("×10<sup>{}</sup>", proper_minus(std::to_string(exponent))); }

}  // namespace

std::string with_spaces(int64_t n) {
  std::string s = std::to_string(n);
  if (s.size() < 5) return s;
  for (int64_t at = static_cast<int64_t>(s.size()) - 3; at > (n < 0 ? 1 : 0); at -= 3) s.insert(at, "\u202F");
  return s;
}

std::string si(double value, const std::string& unit) {
  const std::string gap = unit.empty() ? "" : "\u00A0";
  if (!std::isfinite(value)) return "not finite";
  if (std::abs(value) < 10'000) {
    const bool whole = value == std::floor(value);
    return proper_minus(whole ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value)) + gap + unit;
  }
  static constexpr std::string_view prefixes = "kMGTPE";
  double scaled = value / 1000;
  size_t p = 0;
  while (std::abs(scaled) >= 999.95 && p + 1 < prefixes.size()) scaled /= 1000, ++p;
  return proper_minus(fmt::format("{:.4g}", scaled)) + (unit.empty() ? "" : gap) + prefixes[p] + unit;
}

std::string plain(double value) { return std::isfinite(value) ? fmt::format("{:.4g}", value) : "not finite"; }

std::string rich(double value) {
  if (!std::isfinite(value)) return "not finite";
  if (reads_well(value)) return proper_minus(fmt::format("{:.4g}", value));
  int e = exponent_of(value);
  std::string mantissa = fmt::format("{:.3f}", value / std::pow(10.0, e));
  if (std::abs(std::stod(mantissa)) >= 10) mantissa = fmt::format("{:.3f}", value / std::pow(10.0, ++e));
  return proper_minus(mantissa) + power(e);
}

std::string with_spread(double mean, double deviation) {
  if (!(deviation > 0)) return rich(mean);
  const double size = std::max(std::abs(mean), deviation);
  const int e = reads_well(size) ? 0 : exponent_of(size);
  const double m = mean / std::pow(10.0, e), d = deviation / std::pow(10.0, e);
  const int decimals = std::clamp(1 - exponent_of(d), 0, 6);
  if (d < 0.5e-6) return rich(mean);  // a spread that would read as zero
  const std::string both = fmt::format("{} ± {:.{}f}", proper_minus(fmt::format("{:.{}f}", m, decimals)), d, decimals);
  return e == 0 ? both : "(" + both + ")" + power(e);
}

bool drawable(double value) { return std::isfinite(value) && std::abs(value) < 1e300; }

Moments moments(const std::vector<double>& values) {
  Moments m;
  for (const double v : values) {
    if (!drawable(v)) continue;
    m.low = m.finite == 0 ? v : std::min(m.low, v);
    m.high = m.finite == 0 ? v : std::max(m.high, v);
    ++m.finite;
    m.mean += (v - m.mean) / static_cast<double>(m.finite);
  }
  if (m.finite > 0) m.mean = std::clamp(m.mean, m.low, m.high);
  double squares = 0;
  for (const double v : values)
    if (drawable(v)) squares += (v - m.mean) * (v - m.mean);
  if (m.finite > 1) m.deviation = std::sqrt(squares / static_cast<double>(m.finite - 1));
  return m;
}

}  // namespace orrery::report
