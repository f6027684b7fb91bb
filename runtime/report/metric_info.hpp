// What a metric's name means to a reader: title, unit, which way is better.
#pragma once

#include <string>
#include <string_view>

namespace orrery::report {

struct MetricInfo {
  std::string title, detail;  // "training loss", "global objective at the mean model"; not yet escaped
  std::string unit;           // "bit", "slots" or empty
  enum class Better { unknown, low, high } better = Better::unknown;
  bool counts = false;  // a growing count: SI labels, never a log axis
  bool log_allowed = true;
  bool median = false;  // a time that some replicas never reach: tables show the median
};

MetricInfo metric_info(std::string_view name);  // an unknown name is its own title

bool counts_bits(std::string_view name);  // bits, bits_up, bits_down: in tables, not as curves over steps

}  // namespace orrery::report
